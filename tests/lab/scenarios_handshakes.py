"""Interference by the name in the greeting, what looks the same and is not.

Each kind of block has its benign twin nearby: a server, a line or a household that shows the probe the same, or nearly.
"""

from __future__ import annotations

from tests.lab import censor, prove, rules
from tests.lab.greetings import (
    BROKEN,
    META,
    NEUTRAL,
    NOTE,
    PLAIN,
    RUN_BEGINS,
    SNI_RESET,
    SNI_SILENCE,
    acknowledged,
    always,
    at,
    by_name,
    forget,
    greeting,
    in_force,
    restart,
    sometimes,
    strict,
    with_front,
)
from tests.lab.packets import TCP
from tests.lab.rules import When
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import Front, World

# ---------------------------------------------------------------------------------------------------------------------
# by the name in the greeting

SNI: tuple[Scenario, ...] = (
    Scenario(
        name="sni_reply_drop",
        tells="a greeting with the name arrives and is acknowledged; what the server says to it is dropped",
        rules=always(censor.NameReplyDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.SILENT, also=(acknowledged(FACEBOOK, arrives=True),)),
    ),
    Scenario(
        name="sni_cut_after_bytes",
        tells="after 3,000 bytes of the answer nothing of a flow that carried the name is delivered",
        rules=always(censor.NameCut(names=META, after=3000)),
        acceptable=(Words("blocked", "tls"), Words("blocked", "throttling")),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(OTHER)),
    ),
    Scenario(
        name="sni_cut_after_packets",
        tells="the greeting and one packet more of the client are delivered, then nothing of that flow",
        rules=always(censor.NameCutPackets(names=META, after=2)),
        acceptable=(Words("blocked", "tls"), Words("blocked", "throttling")),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), prove.fails(FACEBOOK_URL, prove.SILENT), prove.page(OTHER)),
    ),
    Scenario(
        name="sni_reset_client_only",
        tells="the greeting is swallowed and only the client gets a RST; the server waits for ever",
        rules=always(rules.NameReset(names=META, both=False)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_beside_own_look",
        tells="a device beside the path races the server with a RST of its own TTL, IP-ID and window",
        rules=always(censor.NameResetBeside(names=META, both=True, ttl=253, identification=0x4A11, window=8192)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_mirrored",
        tells="a RST that carries the TTL and the next IP-ID of the server's own packets: nothing in it tells who sent it",
        rules=always(censor.NameResetBeside(names=META, mirrored=True)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_in_place_of_reply",
        tells="the greeting is delivered; in place of the answer both ends get a RST, a full round trip after it",
        rules=always(censor.NameResetReply(names=META)),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_far_away",
        tells="the RST comes from a device behind the last router: no earlier than the server itself could be",
        rules=always(rules.NameReset(names=META, place="far")),
        acceptable=SNI_RESET,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_reset_first_router",
        tells="the first router resets what carries the name",
        rules=always(rules.NameReset(names=META, place="access")),
        acceptable=(*SNI_RESET, Words("no_network", "filter"), Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
    ),
    Scenario(
        name="sni_end",
        tells="the greeting is swallowed, and the client gets an orderly end in the server's name",
        rules=always(censor.NameEnd(names=META)),
        acceptable=(Words("blocked", "tls", "tls.eof.sni"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE, prove.RESET),
        in_slice=True,
    ),
    Scenario(
        name="sni_alert",
        tells="the greeting is swallowed, and the client gets a fatal TLS alert (handshake failure) in the server's name",
        rules=always(censor.NameEnd(names=META, says=censor.alert(40))),
        acceptable=(Words("blocked", "tls", "tls.alert.sni"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.HANDSHAKE),
    ),
    Scenario(
        name="sni_drop_no_reassembly",
        tells="a device that reads single packets only, and finds the name in ours: the greeting fits one packet",
        rules=always(rules.NameDrop(names=META, reassemble=False)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.SILENT),
    ),
    Scenario(
        name="sni_exact_name_only",
        tells="the list has one name alone, and neither its neighbours nor what is under it",
        rules=always(censor.ExactNameDrop(names=(FACEBOOK,))),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=("https://m.facebook.com/",),
        proofs=(
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
            prove.handshake(NEUTRAL, f"a.{FACEBOOK}", works=True),
            prove.page("https://m.facebook.com/"),
        ),
    ),
    Scenario(
        name="sni_pattern_hits_a_stranger",
        tells="the list is of words and not of names: whatever has “journal” in it is dropped, whoever it is",
        check=(OTHER,),
        rules=always(censor.WordDrop(names=("journal",))),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(
            prove.fails(OTHER, prove.SILENT),
            prove.handshake(NEUTRAL, PLAIN, works=False),
            prove.page(FACEBOOK_URL),
        ),
    ),
    Scenario(
        name="sni_drop_on_half_the_paths",
        tells="one of two parallel paths has the device: what a run meets is chance, and one success withdraws a flip",
        rules=always(rules.NameDrop(names=META, when=When(protocol=TCP, fraction=0.5))),
        acceptable=(*SNI_SILENCE, Words("inconclusive"), Words("accessible")),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(prove.truth(FACEBOOK), sometimes(NEUTRAL, FACEBOOK, of=16), prove.page(OTHER)),
    ),
    Scenario(
        name="any_greeting_lost_on_half_the_paths",
        tells="one of two parallel paths loses every greeting, whatever it names",
        rules=always(rules.Drop(when=When(protocol=TCP, side="up", larger_than=400, fraction=0.5))),
        acceptable=(Words("accessible"), Words("inconclusive"), Words("outage"), Words("no_network")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(0, 1, 3),
        proofs=(sometimes(NEUTRAL, NEUTRAL, of=16), sometimes(FACEBOOK, FACEBOOK, of=16)),
        in_slice=True,
    ),
    Scenario(
        name="sni_memory_of_both_ports",
        tells="as Kazakhstan's: a flow is silenced for two minutes with both its ports; a fresh port is a fresh start",
        rules=always(censor.Residual(names=META, ports=4, seconds=120)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=by_name(prove.SILENT),
    ),
    Scenario(
        name="sni_memory_of_the_server",
        tells="as China's: for three minutes everything to that server's port is dropped, whatever it names: a neutral place "
        "is spent by the first forbidden name",
        rules=always(censor.Residual(names=META, ports=3, seconds=180)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.truth(FACEBOOK),
            prove.handshake("www.debian.org", "www.nobelprize.org", works=True),
            prove.handshake("www.debian.org", FACEBOOK, works=False),
            prove.handshake("www.debian.org", "www.nobelprize.org", works=False),
            forget,
        ),
        needs=("many_neutrals",),
    ),
    Scenario(
        name="name_and_address_drop",
        tells="the greeting is dropped only on its way to the site's own address; elsewhere the name passes. A scrubber in front of "
        "the site that drops by name shows the same, so from one place it need not be known",
        rules=lambda world: (rules.NameDrop(names=META, when=at(world)),),
        acceptable=(*SNI_SILENCE, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
            acknowledged(FACEBOOK, arrives=False),
        ),
    ),
    Scenario(
        name="name_and_address_reset",
        tells="a RST only for the name and only at its own address: a server that refuses that name shows the same, so from "
        "one place it cannot be known",
        rules=lambda world: (rules.NameReset(names=META, when=at(world)),),
        acceptable=(*SNI_RESET, Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="only_listed_names",
        tells="greetings are delivered only for the country's sites and for some museums and universities: half of the neutral "
        "places answer nobody. A tariff's free names look the same, so from one place it need not be known",
        rules=lambda world: (censor.OnlyListed(names=_passes(world)),),
        acceptable=(
            Words("blocked", "tls"),
            Words("no_network", "whitelist"),
            Words("no_network", "international"),
            Words("inconclusive"),
        ),
        network=(
            Words("ok"),
            Words("no_network", "whitelist"),
            Words("no_network", "international"),
            Words("inconclusive"),
        ),
        exit_codes=(1, 3),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.page("https://egov.kz/"),
            prove.fails("https://www.kernel.org/", prove.SILENT),
            prove.page(NOTE),
        ),
        needs=("shutdown",),
    ),
)


def _passes(world: World) -> tuple[str, ...]:
    listed = ("kz", "nobelprize.org")
    return (*listed, *sorted(name for name in world.sites if name.endswith((".org", ".uk", ".edu")) and len(name) % 2))


# ---------------------------------------------------------------------------------------------------------------------
# the same to look at, and nobody's doing on the way

TWINS: tuple[Scenario, ...] = (
    Scenario(
        name="server_resets_foreign_names",
        tells="every web server resets greetings that name another site, and this one is silent: no neutral place is left",
        world=lambda world: strict(world).change(FACEBOOK, front=Front(other="silent")),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake("www.nobelprize.org", FACEBOOK, works=False),
            prove.handshake("www.nobelprize.org", "www.gnu.org", works=False),
            prove.page(NOTE),
        ),
    ),
    Scenario(
        name="server_resets_its_own_name",
        tells="the guard of this one site resets every visitor; other names get the default certificate",
        world=with_front(ways=((FACEBOOK, "reset"),)),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
        in_slice=True,
    ),
    Scenario(
        name="server_dislikes_our_greeting",
        tells="the site's guard resets greetings of libraries and takes those of browsers",
        rules=lambda world: (censor.NotABrowser(names=META, when=at(world)),),
        acceptable=(*BROKEN, Words("denied")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            greeting(FACEBOOK, like_a_browser=True, works=True),
            greeting(FACEBOOK, like_a_browser=False, works=False),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="server_resets_this_country",
        tells="the site resets every greeting from this country, whatever it names: from inside, a dead service",
        world=with_front(other="reset", abroad="serve"),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=False),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
        control=(prove.page(FACEBOOK_URL),),
    ),
    Scenario(
        name="server_silent_to_everybody",
        tells="the server takes connections and reads greetings, and its program hangs",
        world=with_front(other="silent"),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=False),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="server_alerts_its_own_name",
        tells="the site's key is gone: an internal error for its name, an answer for every other",
        world=with_front(ways=((FACEBOOK, "alert:80"),)),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="scrubber_drops_its_own_name",
        tells="a scrubber in front of the site, under attack, drops greetings with its name before any server sees them",
        rules=lambda world: (rules.NameDrop(names=META, when=at(world), place="far"),),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(FACEBOOK, "www.nobelprize.org", works=True),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
            acknowledged(FACEBOOK, arrives=False),
        ),
    ),
    Scenario(
        name="first_connection_reset",
        tells="a scrubber in front of the site resets the first connection of every new visitor, then lets him be",
        rules=lambda world: (censor.FirstFlows(when=at(world), flows=1, place="far"),),
        acceptable=(Words("accessible"), Words("inconclusive")),
        exit_codes=(0, 3),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET), prove.page(FACEBOOK_URL), forget),
        control=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET), prove.page(FACEBOOK_URL)),
    ),
    Scenario(
        name="server_restarts",
        tells="the site's server is restarted as the run begins: connections are refused for four seconds",
        rules=lambda world: (restart(world, 0, 4),),
        acceptable=(Words("accessible"), *BROKEN),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            in_force(
                lambda world: (rules.Reset(when=at(world, side="up"), place="far"),),
                prove.fails(FACEBOOK_URL, prove.UNCONNECTED),
            ),
        ),
    ),
    Scenario(
        name="server_hangs_for_a_while",
        tells="for five seconds from the start the site's program reads greetings and says nothing, then all is well",
        rules=lambda world: (
            censor.During(rule=censor.NameReplyDrop(names=META, when=at(world)), since=RUN_BEGINS, end=5, place="far"),
        ),
        acceptable=(Words("accessible"), *BROKEN),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(
            prove.page(FACEBOOK_URL),
            in_force(
                lambda world: (censor.NameReplyDrop(names=META, when=at(world), place="far"),),
                prove.fails(FACEBOOK_URL, prove.SILENT),
            ),
        ),
    ),
    Scenario(
        name="tls10_only_server",
        tells="an old server speaks TLS 1.0 and nothing newer, which no browser of today takes",
        world=lambda world: world.change(
            FACEBOOK,
            protocols="TLSv1",
            http2=False,
            https="ssl_ciphers ALL:@SECLEVEL=0; location / { return 200 'old'; }",
        ),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="client_certificate_page",
        tells="the site wants a certificate of its visitors and says so on a page",
        world=lambda world: world.change(
            FACEBOOK,
            https="ssl_verify_client on; ssl_client_certificate root.pem; location / { return 200 'members'; }",
        ),
        acceptable=(Words("accessible"), Words("denied"), Words("inconclusive")),
        exit_codes=(0, 1, 3),
        sound=(OTHER,),
        proofs=(prove.page(FACEBOOK_URL, 400),),
        control=(prove.page(FACEBOOK_URL, 400),),
    ),
    Scenario(
        name="client_certificate_alert",
        tells="the site ends the greeting of visitors without a certificate with an alert, whatever they name",
        world=with_front(other="alert:116"),
        acceptable=(*BROKEN, Words("denied")),
        exit_codes=(1, 3),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.HANDSHAKE, 98), prove.handshake(NEUTRAL, FACEBOOK, works=True)),
    ),
    Scenario(
        name="slow_greeting",
        tells="the site's server takes six seconds to answer a greeting, whoever asks",
        world=with_front(other="late:6/serve"),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(OTHER,),
        proofs=(prove.fails(FACEBOOK_URL, prove.SILENT), prove.slower(FACEBOOK_URL, 6)),
    ),
    Scenario(
        name="slow_greeting_for_its_name",
        tells="the site's own back end takes six seconds; other names at the same address are answered at once",
        world=with_front(ways=((FACEBOOK, "late:6/serve"),)),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(OTHER,),
        proofs=(prove.slower(FACEBOOK_URL, 6), prove.handshake(FACEBOOK, "www.nobelprize.org", works=True)),
    ),
    Scenario(
        name="hole_on_the_whole_path",
        tells="full segments vanish on the provider's own tunnel, for every site abroad, and no ICMP says so",
        rules=always(rules.Drop(when=When(protocol=TCP, side="down", larger_than=1400))),
        acceptable=(Words("inconclusive"), Words("no_network"), Words("outage")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network")),
        exit_codes=(1, 3),
        proofs=(prove.large_packets_vanish(FACEBOOK), prove.large_packets_vanish(NEUTRAL)),
    ),
)


SCENARIOS: tuple[Scenario, ...] = (*SNI, *TWINS)

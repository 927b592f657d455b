"""WhatsApp, Signal, Messenger, and calls (STUN): working, blocked in each plausible way, down, and trouble of the own side.

One network cannot prove that a silent address, or a silent server for calls, is a block: there the words hold ``inconclusive``
beside the truth. What is said of the platform as a whole is pinned wherever it can be known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from targets.loader import shipped_platforms
from tests.lab import control, prove, rules
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.packets import TCP, UDP
from tests.lab.prove import Proof
from tests.lab.rules import When
from tests.lab.scenario import Whole
from tests.lab.scenarios import BOGON, FACEBOOK_URL, OTHER, Scenario, Words, always, exit_codes
from tests.lab.world import Front, World

FINE = (Words("accessible"),)
UNKNOWN = (Words("inconclusive"),)
DOWN = (Words("outage"), Words("inconclusive"))
BY_ADDRESS = (Words("blocked", "ip"), Words("inconclusive"))
BY_NAME = (Words("blocked", "tls"),)
BY_DNS = (Words("blocked", "dns", "dns.injection.bogon"),)
STRANGER = (Words("inconclusive", None, "app.other"),)
SILENT = (Words("inconclusive", None, "app.timeout"),)

_PLATFORMS = {platform.id: platform for platform in shipped_platforms()}
_HOSTS = {
    (name, service.name): tuple(dict.fromkeys(endpoint.host for endpoint in service.endpoints))
    for name, platform in _PLATFORMS.items()
    for service in platform.services
}
WAYS = _HOSTS["whatsapp", "apps"]
SIGNAL = _HOSTS["signal", "apps"]
EDGE = "edge-mqtt.facebook.com"
CALLS = _HOSTS["messenger", "calls"][0]
_TRIES = 4


def row(name: str, tells: str, acceptable: tuple[Words, ...], *proofs: Proof, **more: Any) -> Scenario:
    return Scenario(
        name=name, tells=tells, acceptable=acceptable, proofs=proofs, **{"exit_codes": exit_codes(acceptable), **more}
    )


def called(wanted: str, host: str = CALLS, port: int = 3478) -> Proof:
    """What the lab's own client of servers for calls meets there."""

    def run(lab: Lab) -> None:
        # On a lossy line a question may be lost, and the next one not.
        seen = [control.stun_says(lab, host, port)]
        while wanted == "answered" and wanted not in seen and len(seen) < _TRIES:
            seen.append(control.stun_says(lab, host, port))
        if wanted not in seen:
            raise LabError(f"the scenario does not do what it says: {host}:{port}: {seen}, not {wanted}")

    return run


def port(url: str, wanted: str) -> Proof:
    """What a bare connection meets."""

    def run(lab: Lab) -> None:
        seen = control.outcome(lab, url)
        if seen != wanted:
            raise LabError(f"the scenario does not do what it says: {url}: {seen}, not {wanted}")

    return run


def _only(*hosts: str) -> Callable[[str], bool]:
    """The trouble touches these hosts, and spares all others."""
    return lambda url: not any(f"//{host}" in url for host in hosts)


def _at(world: World, *hosts: str) -> tuple[str, ...]:
    known = world.addresses()
    return tuple(f"{known[host]}/32" for host in hosts)


def _without_ways(world: World) -> World:
    places = {world.names[host] for host in WAYS}
    return dataclasses.replace(world, closed_ports=tuple(port for port in world.ports if port[0] in places))


_WAYS_FAIL = (port(f"tcp://{WAYS[0]}:443", "silence"), port(f"tcp://{WAYS[7]}:5222", "silence"))

WHATSAPP = (
    row("whatsapp_works", "all is well: the apps' ways in, signing up, the web client", FINE,
        port(f"tcp://{WAYS[0]}:443", "open"), port(f"tcp://{WAYS[15]}:5222", "open"), check=("whatsapp",),
        platforms=(Whole("whatsapp", "accessible", (), "WhatsApp: the apps, signing up and the web work."),)),
    row("whatsapp_web_by_name", "greetings with the names of the web client are dropped; the apps work", BY_NAME,
        prove.fails("https://web.whatsapp.com/", prove.SILENT), port(f"tcp://{WAYS[0]}:443", "open"), check=("whatsapp",),
        rules=always(rules.NameDrop(names=("whatsapp.com",))), spares=_only("web.whatsapp.com", "www.whatsapp.com"),
        exit_codes=(0,),
        platforms=(Whole("whatsapp", "accessible", ("web_blocked",),
                         "WhatsApp: the apps and signing up work, the web is blocked by name."),)),
    row("whatsapp_registration_by_name", "greetings with the name of the registration server are reset; the rest works", BY_NAME,
        prove.fails("https://v.whatsapp.net/", prove.HANDSHAKE, prove.RESET), check=("whatsapp",),
        rules=always(rules.NameReset(names=("v.whatsapp.net",))), spares=_only("v.whatsapp.net"), exit_codes=(0,),
        platforms=(Whole("whatsapp", "accessible", ("registration_blocked",)),)),
    row("whatsapp_apps_by_address", "what is sent to the apps' servers vanishes at the border; the web client works", BY_ADDRESS,
        *_WAYS_FAIL, prove.page("https://web.whatsapp.com/"), check=("whatsapp",), spares=_only(*WAYS),
        rules=lambda world: (rules.Drop(when=When(protocol=TCP, remote=_at(world, *WAYS))),)),
    row("whatsapp_all_names_lied", "the provider's resolver gives a private address for all of WhatsApp's names", BY_DNS,
        prove.answers(WAYS[0], BOGON), prove.truth("web.whatsapp.com"), check=("whatsapp",),
        world=lambda world: dataclasses.replace(
            world, lies={name: BOGON for name in world.records() if name.endswith(("whatsapp.net", "whatsapp.com"))}),
        platforms=(Whole("whatsapp", "blocked"),)),
    row("whatsapp_one_port_at_home", "the household's own router drops port 5222; port 443 is left alone",
        (Words("no_network"), *UNKNOWN), port(f"tcp://{WAYS[0]}:5222", "silence"), port(f"tcp://{WAYS[0]}:443", "open"),
        check=("whatsapp",), rules=always(rules.Drop(when=When(protocol=TCP, ports=(5222,)), place="home")),
        spares=lambda url: not url.endswith(":5222"), exit_codes=(0,),
        control=(port(f"tcp://{WAYS[0]}:5222", "open"),),
        platforms=(Whole("whatsapp", "accessible", (),
                         "WhatsApp: the apps work (16 of 32 answer), signing up and the web work."),)),
    row("whatsapp_a_quarter_of_the_ways_is_down", "four of the sixteen servers of the apps are down", DOWN,
        port(f"tcp://{WAYS[0]}:443", "no connection"), port(f"tcp://{WAYS[4]}:443", "open"), check=("whatsapp",),
        world=lambda world: dataclasses.replace(world, closed_ports=tuple(
            port for port in world.ports if port[0] in {world.names[host] for host in WAYS[:4]})),
        spares=lambda url: not any(f"//{host}:" in url for host in WAYS[:4]), exit_codes=(0,),
        platforms=(Whole("whatsapp", "accessible", (),
                         "WhatsApp: the apps work (24 of 32 answer), signing up and the web work."),)),
    row("whatsapp_is_down", "nobody listens at any of the apps' servers; the pages work", DOWN,
        port(f"tcp://{WAYS[0]}:443", "no connection"), check=("whatsapp",), world=_without_ways, spares=_only(*WAYS)),
    row("whatsapp_no_line", "the provider's line is dead", (Words("no_network"),), port(f"tcp://{WAYS[0]}:443", "silence"),
        check=("whatsapp",), network=(Words("no_network"),), rules=always(rules.Drop(place="access"))),
)  # fmt: skip


def _signal(world: World) -> World:
    """The apps' servers show a certificate of Signal's own authority, as they do."""
    return world.change(*SIGNAL, certificate="vendor")


def _signed(says: str) -> Callable[[World], World]:
    return lambda world: dataclasses.replace(_signal(world), names={**world.names, "uptime.signal.org": says})


def _down(says: str) -> Callable[[World], World]:
    return lambda world: _signed(says)(world).change(*SIGNAL, present=False)


_HELD_BACK = tuple(f"https://{host}/" for host in SIGNAL)

SIGNALS = (
    row("signal_works", "all is well; the apps' servers are certified by Signal itself", FINE,
        prove.certificate_error(_HELD_BACK[0], ""), prove.page("https://signal.org/"), check=("signal",), world=_signal,
        control=(prove.page("https://signal.org/"),),
        platforms=(Whole("signal", "accessible", (), "Signal: the apps and the web work."),)),
    row("signal_by_name", "greetings with Signal's names are dropped", BY_NAME, prove.fails(_HELD_BACK[0], prove.SILENT),
        check=("signal",), world=_signal, rules=always(rules.NameDrop(names=("signal.org",))), control=(),
        platforms=(Whole("signal", "blocked", (), "Signal: the apps and the web are blocked by name."),)),
    row("signal_by_name_reset", "greetings with Signal's names are reset", BY_NAME,
        prove.fails(_HELD_BACK[0], prove.HANDSHAKE, prove.RESET), check=("signal",), world=_signal, control=(),
        rules=always(rules.NameReset(names=("signal.org",))), platforms=(Whole("signal", "blocked"),)),
    row("signal_one_server_by_name", "greetings with the name of one of the apps' four servers are dropped", BY_NAME,
        prove.fails("https://storage.signal.org/", prove.SILENT), check=("signal",), world=_signal, control=(),
        rules=always(rules.NameDrop(names=("storage.signal.org",))), spares=_only("storage.signal.org"),
        platforms=(Whole("signal", "blocked", (), "Signal: the apps are blocked by name, the web works."),)),
    row("signal_web_lied", "the provider's resolver gives a private address for Signal's web site only", BY_DNS,
        prove.answers("signal.org", BOGON), prove.truth("signal.org"), check=("signal",), exit_codes=(0,), control=(),
        world=lambda world: dataclasses.replace(_signal(world), lies={"signal.org": BOGON}), spares=_only("signal.org/"),
        platforms=(Whole("signal", "accessible", ("web_blocked",)),)),
    row("signal_is_down_and_says_so", "the apps' servers are silent for everybody, and Signal's own sign says that it is out",
        (Words("outage", "server"),), prove.fails(_HELD_BACK[0], prove.SILENT), prove.answers("uptime.signal.org", "127.0.0.2"),
        check=("signal",), world=_down("127.0.0.2"), spares=_only(*SIGNAL), finds=("vendor_says_outage",),
        platforms=(Whole("signal", "outage", (), "Signal: the apps are down at the vendor's own side, the web works."),)),
    row("signal_is_down_and_says_nothing", "the same, and the sign still says that all is well", DOWN,
        prove.fails(_HELD_BACK[0], prove.SILENT), prove.answers("uptime.signal.org", "127.0.0.1"), check=("signal",),
        world=_down("127.0.0.1"), spares=_only(*SIGNAL), finds=("vendor_says_up",)),
    row("signal_by_address_and_a_forged_sign", "what is sent to the apps' servers is dropped, and the provider's own resolver says "
        "in Signal's name that it is out", BY_ADDRESS, prove.fails(_HELD_BACK[0], prove.SILENT),
        prove.answers("uptime.signal.org", "127.0.0.2"), prove.answers("uptime.signal.org", "127.0.0.1", "9.9.9.9"),
        check=("signal",), spares=_only(*SIGNAL), control=(),
        world=lambda world: dataclasses.replace(_signal(world), lies={"uptime.signal.org": "127.0.0.2"}),
        rules=lambda world: (rules.Drop(when=When(protocol=TCP, remote=_at(world, *SIGNAL))),)),
    row("signal_read_on_the_way", "a company opens all encrypted connections with an authority that nobody knows",
        (Words("no_network"), *UNKNOWN), prove.fails("https://signal.org/", prove.UNTRUSTED),
        prove.fails("https://www.kernel.org/", prove.UNTRUSTED), check=("signal",),
        world=lambda world: world.change(*world.sites, certificate="forger"),
        control=(), network=(Words("ok"), Words("inconclusive"), Words("no_network"))),
    row("signal_no_line", "the provider's line is dead", (Words("no_network"),), prove.fails(_HELD_BACK[0], prove.SILENT, prove.UNRESOLVED),
        check=("signal",), network=(Words("no_network"),), rules=always(rules.Drop(place="access"))),
)  # fmt: skip


def _edge(world: World) -> World:
    """The edge speaks no HTTP: it greets, and ends the connection at the first request."""
    return world.change(EDGE, front=Front(other="empty"))


def _calls(manner: str, *, others: str = "good") -> Callable[[World], World]:
    """What the vendor's server for calls does, and what everybody else's does."""

    def change(world: World) -> World:
        own = world.names[CALLS]
        places = tuple((a, p, manner if a == own else others) for a, p, _ in world.stuns)
        return dataclasses.replace(_edge(world), stuns=places)

    return change


_REST = _only(CALLS)
_APPS_FINE = "Messenger: the apps and pictures and videos work, "


def _call(name: str, tells: str, acceptable: tuple[Words, ...], seen: str, **more: Any) -> Scenario:
    """A row about calls: everything else of the platform works, and so does the platform."""
    fine = acceptable == FINE
    whole = Whole(
        "messenger", "accessible", (), "Messenger: the apps, pictures and videos and calls work." if fine else ""
    )
    fields: dict[str, Any] = {
        "check": ("messenger",),
        "spares": _REST,
        "world": _edge,
        "platforms": (whole,),
        "exit_codes": (0,),
    }
    return row(f"calls_{name}", tells, acceptable, called(seen), **fields | more)


def _theirs(seen: str) -> tuple[Proof, ...]:
    """The control meets the same."""
    return (called(seen),)


def _to_calls(world: World, **more: Any) -> When:
    return When(protocol=UDP, remote=_at(world, CALLS), **more)


_UDP_UP = When(protocol=UDP, side="up")
_NAMES_AND_CLOCKS = When(ports=(53, 123))

MESSENGER = (
    row("messenger_works", "all is well; the message edge speaks no HTTP inside TLS", FINE, called("answered"),
        prove.fails(f"https://{EDGE}/", 52), check=("messenger",), world=_edge,
        platforms=(Whole("messenger", "accessible", (), "Messenger: the apps, pictures and videos and calls work."),)),
    row("messenger_edge_by_name", "greetings with the name of the message edge are dropped; all else works", BY_NAME,
        prove.fails(f"https://{EDGE}/", prove.SILENT), check=("messenger",), world=_edge, spares=_only(EDGE), in_slice=True,
        rules=always(rules.NameDrop(names=(EDGE,))),
        platforms=(Whole("messenger", "blocked", (),
                         "Messenger: the apps are blocked by name, pictures and videos and calls work."),)),
    row("messenger_edge_by_name_reset", "greetings with the name of the message edge are reset", BY_NAME,
        prove.fails(f"https://{EDGE}/", prove.HANDSHAKE, prove.RESET), check=("messenger",), world=_edge, spares=_only(EDGE),
        rules=always(rules.NameReset(names=(EDGE,))), platforms=(Whole("messenger", "blocked"),)),
    row("messenger_edge_shows_a_strange_certificate", "the message edge shows everybody a certificate by an authority that nobody "
        "knows", DOWN, prove.certificate_error(f"https://{EDGE}/", ""), check=("messenger",), spares=_only(EDGE), control=(),
        world=lambda world: world.change(EDGE, certificate="forger")),
    row("messenger_media_by_name", "greetings with the names of the stores of pictures are dropped; messages work", BY_NAME,
        prove.fails("https://scontent.xx.fbcdn.net/", prove.SILENT), check=("messenger",), world=_edge, exit_codes=(0,),
        spares=_only("scontent.xx.fbcdn.net", "external.xx.fbcdn.net"), rules=always(rules.NameDrop(names=("fbcdn.net",))),
        platforms=(Whole("messenger", "accessible", ("media_blocked",),
                         "Messenger: the apps and calls work, pictures and videos are blocked by name."),)),
    row("messenger_all_names_lied", "the provider's resolver gives a private address for all of Messenger's names",
        (*BY_DNS, *UNKNOWN), prove.answers(EDGE, BOGON), prove.truth(EDGE), check=("messenger",), exit_codes=(1,),
        world=lambda world: dataclasses.replace(_edge(world), lies={
            name: BOGON for name in world.records() if name.endswith(("facebook.com", "fbcdn.net", "fbsbx.com"))}),
        platforms=(Whole("messenger", "blocked"),)),
    row("messenger_one_address", "what is sent to one of the apps' servers is dropped", BY_ADDRESS,
        prove.fails("https://b-api.facebook.com/", prove.SILENT), check=("messenger",), world=_edge,
        spares=_only("b-api.facebook.com"),
        rules=lambda world: (rules.Drop(when=When(protocol=TCP, remote=_at(world, "b-api.facebook.com"))),)),
    row("messenger_edge_is_down", "nobody listens at the message edge", DOWN, prove.fails(f"https://{EDGE}/", prove.UNCONNECTED),
        check=("messenger",), world=lambda world: world.change(EDGE, listening=False), spares=_only(EDGE)),
    row("messenger_edge_alerts_everybody", "the message edge refuses every greeting", DOWN,
        prove.fails(f"https://{EDGE}/", prove.HANDSHAKE), check=("messenger",),
        world=lambda world: world.change(EDGE, front=Front(other="alert:40")), spares=_only(EDGE), control=()),
    row("messenger_no_line", "the provider's line is dead", (Words("no_network"),), prove.answers(CALLS, ""), check=("messenger",),
        network=(Words("no_network"),), rules=always(rules.Drop(place="access"))),
    _call("refused_with_an_error", "the server for calls wants a name first, and says so to everybody", FINE, "answered",
          world=_calls("refuses"), control=_theirs("answered")),
    _call("as_old_servers_do", "the server for calls answers as old ones did", FINE, "answered", world=_calls("old"),
          control=_theirs("answered")),
    _call("late", "the server for calls takes two seconds", FINE, "answered", world=_calls("late"), control=_theirs("answered")),
    _call("every_other_question", "the server for calls answers every other question", FINE, "answered", world=_calls("half"),
          control=_theirs("answered")),
    _call("over_a_lossy_line", "a tenth of all packets is lost each way", (*FINE, *UNKNOWN), "answered", leg={"loss": 0.1},
          control=(), spares=lambda _url: False, platforms=(), exit_codes=(0, 3), network=(Words("ok"), Words("inconclusive"))),
    _call("to_this_server_dropped", "datagrams to the vendor's server for calls are dropped at the border; others pass", SILENT,
          "silence", finds=("app_silent", "datagrams_pass_here"), in_slice=True,
          rules=lambda world: (rules.Drop(when=_to_calls(world)),), control=_theirs("answered"),
          platforms=(Whole("messenger", "accessible", (), f"{_APPS_FINE}whether calls work is not known."),)),
    _call("answers_dropped", "what the vendor's server for calls answers is dropped at the border", SILENT, "silence",
          finds=("datagrams_pass_here",), rules=lambda world: (rules.Drop(when=_to_calls(world, side="down")),),
          control=_theirs("answered")),
    _call("datagrams_dropped_at_home", "the household's own router lets no datagrams out but for names and clocks", SILENT, "silence",
          finds=("datagrams_stopped_here",), control=_theirs("answered"),
          rules=always(rules.DropExcept(when=_UDP_UP, but=_NAMES_AND_CLOCKS, place="home"))),
    _call("datagrams_dropped_by_the_provider", "the provider lets no datagrams through but for names and clocks", SILENT, "silence",
          finds=("datagrams_stopped_here",), control=_theirs("answered"),
          rules=always(rules.DropExcept(when=_UDP_UP, but=_NAMES_AND_CLOCKS))),
    _call("prohibited_at_home", "the household's own router says of datagrams to that port that they are prohibited (code 13)",
          UNKNOWN, "refused", finds=("app_prohibited",), control=_theirs("answered"),
          rules=always(rules.Unreachable(when=dataclasses.replace(_UDP_UP, ports=(3478,)), code=13, offender="192.168.1.1", place="access"))),
    _call("server_is_down", "nobody listens at the vendor's server for calls, and its machine says so", DOWN, "refused",
          world=_calls("closed"), control=_theirs("refused"), platforms=()),
    _call("server_is_silent", "the vendor's server for calls answers nobody", SILENT, "silence", world=_calls("silent"),
          finds=("datagrams_pass_here",), control=_theirs("silence")),
    _call("everybodys_server_is_silent", "no server for calls answers anybody", SILENT, "silence", control=_theirs("silence"),
          world=_calls("silent", others="silent"), finds=("datagrams_stopped_here",)),
    *(_call(f"answered_by_{name}", tells, STRANGER, "other", world=_calls(manner), control=_theirs("other"))
      for name, manner, tells in (
          ("a_stranger", "stranger", "what answers gives the answer to another question"),
          ("an_echo", "echo", "what answers sends the question back"),
          ("noise", "noise", "what answers says random bytes"),
          ("a_web_server", "web", "what answers says a line of HTTP"))),
    _call("name_lied", "the provider's resolver gives a private address for the name of the server for calls",
          (*BY_DNS, *UNKNOWN), "silence", platforms=(), control=_theirs("answered"),
          world=lambda world: dataclasses.replace(_edge(world), lies={CALLS: BOGON})),
    row("calls_by_their_own_address", "a server for calls that the user names works beside pages that work", FINE,
        called("answered", "stun.cloudflare.com"), check=("stun://stun.cloudflare.com:3478", FACEBOOK_URL, OTHER)),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*WHATSAPP, *SIGNALS, *MESSENGER)

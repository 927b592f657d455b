"""Sites that *are* QUIC (``quic://HOST``): which of "this name", "all of QUIC here" and "this server" the silence is.

A page over TCP has none of these: what is the matter with its QUIC is an impairment. The rule is that of names in TLS: only
places that serve neither name prove anything, and only silence there counts as a failure, for a server that knows neither name
may refuse either. Where all of QUIC is silent nothing is proven: many homes and companies stop it for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from probe.observations import Observation
from probe.verdict.case import Case
from probe.verdict.quic import LONG, OWN, PLACES, Quic, QuicPair, answered
from probe.verdict.rows import Match, Row, row

_SNI, _ANY = "quic.timeout.sni", "quic.timeout.any"
FAMILY = "quic"


def _reading(case: Case) -> Quic | None:
    """What QUIC says, if the endpoint is asked for over it alone and got no answer."""
    if case.scheme not in ("quic", "doq"):
        return None
    read = Quic(case)
    at_own = any(answered(o.operation) for o in read.at_own)
    return None if read.first is None or at_own or case.failing is None else read


def _match(case: Case, found: Sequence[QuicPair], beside: Sequence[Observation] = ()) -> Match:
    return Match(
        observations=(*(o for pair in found for o in pair.arms), *beside),
        parameters={
            "host": case.name,
            "places": len(found),
            "target_failures": sum(len(pair.target_failures) for pair in found),
            "innocuous_successes": sum(len(pair.innocuous_successes) for pair in found),
        },
        method="quic",
        signature=_SNI,
        where="unknown",
    )


@row(
    "quic_long_greeting",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} answered in the newer kind of connection to a greeting as long as browsers' are, and to no short one",
    why="what browsers send gets through, whatever happens to shorter greetings; the cap, so that it outweighs those",
)
def quic_long_greeting(case: Case) -> Iterator[Match]:
    if case.scheme != "quic":
        return
    good = [o for o in Quic(case).passed if o.group == LONG]
    if good and case.failing is not None:
        yield Match(observations=tuple(good), parameters={"host": case.name})


@row(
    "quic_neutral_flip",
    speaks_for="blocked",
    weight=2.0,
    family=FAMILY,
    basis="contrast",
    proves=True,
    sentence="at {places} unrelated addresses abroad, the newer kind of connection got no answer when it named {host} "
    "({target_failures} times), and did when it named another site, in turn ({innocuous_successes} times); and what names "
    "{host} is stopped between two routers that are not this network's own",
    why="the rule of neutral_flip at two places of two operators, with silence alone as a failure; the cap",
    signatures=(_SNI,),
)
def quic_neutral_flip(case: Case) -> Iterator[Match]:
    read = _reading(case)
    if read is None or read.passed:
        return
    found = read.complete()
    if len(found) >= PLACES and read.stopped_beyond_home:
        yield _match(case, found, read.stopped_beyond_home)


@row(
    "quic_neutral_flip_near",
    speaks_for="blocked",
    weight=0.9,
    family=FAMILY,
    basis="contrast",
    sentence="at {places} unrelated addresses abroad, the newer kind of connection got no answer when it named {host} "
    "({target_failures} times), and did when it named another site, in turn ({innocuous_successes} times)",
    why="a router at home or a company's gateway reads names too, or stops the answers: nothing shows that it is not the one; "
    "or one place only",
    signatures=(_SNI,),
)
def quic_neutral_flip_near(case: Case) -> Iterator[Match]:
    read = _reading(case)
    if read is None or read.passed:
        return
    found = read.complete()
    if found and not (len(found) >= PLACES and read.stopped_beyond_home):
        yield _match(case, found)


@row(
    "quic_control_flip",
    speaks_for="blocked",
    weight=0.8,
    family="control_pair",
    basis="contrast",
    sentence="at your own server elsewhere, which answers every name, the newer kind of connection got no answer when it named "
    "{host} ({target_failures} times), and did when it named another site ({innocuous_successes} times)",
    why="as control_flip: whoever runs the server could make it refuse one name",
    signatures=(_SNI,),
)
def quic_control_flip(case: Case) -> Iterator[Match]:
    read = _reading(case)
    found = read.at_controls() if read is not None and not read.passed else ()
    if found:
        yield _match(case, found)


@row(
    "quic_neutral_pass",
    speaks_for="blocked",
    weight=-1.5,
    family="contrast_pass",
    basis="contrast",
    sentence="an unrelated address abroad answered in the newer kind of connection when asked for {host}: the name passes",
    why="as neutral_pass: a device that acts on the name acts everywhere",
)
def quic_neutral_pass(case: Case) -> Iterator[Match]:
    read = _reading(case)
    if read is not None and read.passed:
        yield Match(observations=read.passed, parameters={"host": case.name})


@row(
    "quic_own_flip",
    speaks_for="blocked",
    weight=0.4,
    family="own_pair",
    basis="contrast",
    sentence="at {host}'s own address, its name got no answer and another name was answered {innocuous_successes} times",
    why="as own_flip, and shorter: a server that knows one name only, or has a dead backend for one, does the same; a hint",
    signatures=(_SNI,),
)
def quic_own_flip(case: Case) -> Iterator[Match]:
    read = _reading(case)
    found = [pair for pair in read.pairs(OWN) if pair.flips] if read is not None else []
    if found and len(found[0].innocuous_successes) >= 2 and len(found[0].target_failures) >= 2:
        yield _match(case, found)


@row(
    "quic_server_silent",
    speaks_for="outage",
    weight=0.6,
    family="own_pair",
    basis="contrast",
    sentence="other sites answer over the newer kind of connection, and {host}'s own address gives no answer in it to any name",
    why="most sites do not offer it, and a firewall of the site's own stops it; a block by address looks the same; a reason",
    signatures=(_ANY,),
)
def quic_server_silent(case: Case) -> Iterator[Match]:
    read = _reading(case)
    if read is None or not read.passes_here:
        return
    for pair in read.pairs(OWN):
        if pair.innocuous_failures and pair.target_failures and not pair.innocuous_successes:
            parameters = {"host": case.name}
            yield Match(observations=pair.arms, parameters=parameters, method="server", signature=_ANY, where="unknown")


@row(
    "quic_version_stopped",
    speaks_for="blocked",
    weight=0.6,
    family=FAMILY,
    basis="contrast",
    sentence="{places} unrelated sites say in the newer kind of connection which versions they speak, and none of them answers "
    "a greeting in that version: something goes by what the packets say",
    why="one thing was changed; company gateways do so to every site, and nothing here tells them from the provider: a leaning",
    signatures=(_ANY,),
)
def quic_version_stopped(case: Case) -> Iterator[Match]:
    read = _reading(case)
    if read is not None and read.word() == "version_filtered":
        about = {"host": case.name, "places": len(read.negotiated)}
        seen = (*read.silent_places, *read.negotiated)
        yield Match(observations=seen, parameters=about, method="quic", signature=_ANY, where="unknown")


@row(
    "quic_filtered_here",
    speaks_for="no_network",
    weight=0.8,
    family=FAMILY,
    basis="behaviour",
    sentence="{places} unrelated sites that offer the newer kind of connection gave no answer in it either: it is stopped here "
    "for everybody",
    why="many homes and companies stop it, and some providers: which one it is cannot be told, so a reason only",
    signatures=(_ANY,),
)
def quic_filtered_here(case: Case) -> Iterator[Match]:
    read = _reading(case)
    if read is not None and read.word() == "filtered":
        seen = read.silent_places
        about = {"host": case.name, "places": len(seen)}
        yield Match(observations=seen, parameters=about, method="filter", signature=_ANY, where="unknown")


ROWS: tuple[Row, ...] = (
    quic_long_greeting,
    quic_neutral_flip,
    quic_neutral_flip_near,
    quic_control_flip,
    quic_neutral_pass,
    quic_own_flip,
    quic_server_silent,
    quic_version_stopped,
    quic_filtered_here,
)

"""The TLS greeting, and the pairs of names: the heart of "blocked or down?".

A flip at *neutral* addresses (which serve neither name) cannot come from the target's server. A flip at the target's own
address can: servers that sort by name with one dead backend, bot rules and per-name settings flip there too. One form
survives at the own address: greetings that the server's kernel never acknowledged, for one name only, because the kernel
acknowledges before any program that sorts names sees a byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from probe.observations import Observation, TlsFact
from probe.verdict import networks
from probe.verdict.case import Case
from probe.verdict.facts import dns, failed, tls
from probe.verdict.pairs import Pair, at_neutrals, manner, pairs
from probe.verdict.rows import Match, Row, row

MANNERS = ("timeout", "reset", "eof", "alert")
PAGES = ("block_page", "redirect")
FLIPS = (
    *(f"tls.{word}.sni" for word in MANNERS),
    *(f"http.{word}.host" for word in (*PAGES, "reset", "timeout", "eof")),
)
ANY = tuple(f"tls.{word}.any" for word in MANNERS)


def signature(pair: Pair) -> tuple[str, str]:
    """(method, signature) of a flip: what happened to the target's name only."""
    if pair.over_tls:
        return "tls", f"tls.{pair.manner}.sni"
    word = "eof" if pair.manner == "alert" else pair.manner
    return "http", f"http.{word}.host"


def _counts(found: Sequence[Pair]) -> dict[str, object]:
    return {
        "places": len(found),
        "target_failures": sum(len(p.target_failures) for p in found),
        "innocuous_successes": sum(len(p.innocuous_successes) for p in found),
        "manner": found[0].manner,
    }


def _match(case: Case, found: Sequence[Pair]) -> Match:
    method, word = signature(found[0])
    return Match(
        observations=tuple(o for pair in found for o in pair.arms),
        parameters={"host": case.name, **_counts(found)},
        method=method,
        signature=word,
        where="unknown",
    )


def serving(case: Case) -> frozenset[str]:
    """The networks that serve the target, by whatever resolver's word: whoever is there may treat its name as they like."""
    told = {
        networks.network_of(address)
        for o in (*case.system_replies, *case.foreign_replies)
        for address in dns(o).addresses
    }
    met = {networks.network_of(o.operation.address) for o in case.of("baseline", "tcp") if o.operation.address}
    return frozenset(told | met)


def _of_other_operators(case: Case, found: Sequence[Pair]) -> tuple[Pair, ...]:
    """Pairs in networks that serve neither the target nor another pair: one operator's addresses are one neutral."""
    served = serving(case)
    chosen: dict[str, Pair] = {}
    for pair in found:
        network = networks.network_of(pair.address)
        if network not in served:
            chosen.setdefault(network, pair)
    return tuple(chosen.values())


def complete_neutrals(case: Case) -> tuple[Pair, ...]:
    """Neutral pairs that satisfy the whole alternation rule, one an operator, never in the target's own networks."""
    return _of_other_operators(case, [p for p in at_neutrals(case) if p.complete])


@row(
    "neutral_flip",
    speaks_for="blocked",
    weight=2.0,
    family="contrast",
    basis="contrast",
    proves=True,
    sentence="at {places} unrelated addresses abroad, asking for {host} failed every time ({target_failures} times, "
    "{manner}) while another name, asked in turn, was answered {innocuous_successes} times",
    why="computed: ordinary failures pass the alternation rule at two places less than once in 300,000; the cap",
    signatures=FLIPS,
)
def neutral_flip(case: Case) -> Iterator[Match]:
    found = complete_neutrals(case)
    if len(found) >= 2:
        yield _match(case, found)


@row(
    "neutral_flip_once",
    speaks_for="blocked",
    weight=0.9,
    family="contrast",
    basis="contrast",
    sentence="at one unrelated address abroad, asking for {host} failed every time ({target_failures} times, {manner}) "
    "while another name, asked in turn, was answered {innocuous_successes} times",
    why="one neutral may have its own reason to refuse one name; a leaning until a second one agrees",
    signatures=FLIPS,
)
def neutral_flip_once(case: Case) -> Iterator[Match]:
    found = complete_neutrals(case)
    if len(found) == 1:
        yield _match(case, found)


@row(
    "neutral_flip_short",
    speaks_for="blocked",
    weight=0.4,
    family="contrast",
    basis="contrast",
    sentence="at an unrelated address abroad, asking for {host} failed {target_failures} times while another name was "
    "answered {innocuous_successes} times: too few to count",
    why="below six failures and five successes ordinary trouble looks the same (computed); a hint",
    signatures=FLIPS,
)
def neutral_flip_short(case: Case) -> Iterator[Match]:
    short = [p for p in at_neutrals(case) if p.flips and not p.complete and len(p.target_failures) >= 2]
    if short and not complete_neutrals(case):
        yield _match(case, short)


@row(
    "neutral_pass",
    speaks_for="blocked",
    weight=-1.5,
    family="contrast_pass",
    basis="contrast",
    sentence="an unrelated address abroad answered when asked for {host}: the name passes this network there",
    why="a device that acts on the name acts everywhere; less than the cap, for some act on name and address together",
)
def neutral_pass(case: Case) -> Iterator[Match]:
    told_apart = any(pair.complete for pair in pairs(case, "own_pair"))
    if _not_stopped_by_name(case) and not told_apart:
        return
    for pair in at_neutrals(case):
        good = [o for o in pair.target_successes if o.operation.port in (443, 80)]
        if good:
            yield Match(observations=tuple(good), parameters={"host": case.name})


def _not_stopped_by_name(case: Case) -> bool:
    """Whether the way ended before the name was shown, or with a certificate: a name that passes elsewhere speaks neither
    against a lie or an address, nor against a forger, whose ServerHello passes for one. Where the own address tells names
    apart a connection that was lost once makes no difference, and this is not asked.
    """
    failing = case.failing
    if failing is None or failing.stage in ("http", None):
        return False
    return failing.stage != "tls" or failing.last is None or bool(tls(failing.last).chain)


@row(
    "own_flip",
    speaks_for="blocked",
    weight=0.7,
    family="own_pair",
    basis="contrast",
    sentence="at {host}'s own address, its name failed {target_failures} times ({manner}) and another name was answered "
    "{innocuous_successes} times",
    why="servers that sort by name flip too when one backend is dead (reproduced): never more than a leaning",
    signatures=FLIPS,
)
def own_flip(case: Case) -> Iterator[Match]:
    for pair in pairs(case, "own_pair"):
        if pair.complete:
            yield _match(case, (pair,))


@row(
    "unacknowledged_only",
    speaks_for="blocked",
    weight=1.8,
    family="own_pair",
    basis="contrast",
    proves=True,
    sentence="at {host}'s own address, greetings that name it never arrived ({target_failures} times) while greetings "
    "that name another site arrived every time ({innocuous_successes} times)",
    why="the server's kernel acknowledges before any program sees the name; scrubbers that sort by name are rare; near the cap",
    signatures=("tls.timeout.sni",),
)
def unacknowledged_only(case: Case) -> Iterator[Match]:
    for pair in pairs(case, "own_pair"):
        if not pair.complete or pair.innocuous_failures:
            continue
        lost = all(_acknowledged(o) is False and o.failure == "generic_timeout_error" for o in pair.target_failures)
        arrived = [o for o in pair.innocuous_successes if _acknowledged(o)]
        if lost and len(arrived) >= 5:
            parameters = {"host": case.name, **_counts((pair,))}
            yield Match(
                observations=pair.arms,
                parameters=parameters,
                method="tls",
                signature="tls.timeout.sni",
                where="unknown",
            )


def _acknowledged(observation: Observation) -> bool | None:
    fact = observation.fact
    return fact.hello_acked if isinstance(fact, TlsFact) else None


@row(
    "refuses_every_name",
    speaks_for="outage",
    weight=0.7,
    family="own_pair",
    basis="contrast",
    sentence="{host}'s own address gives no answer to any name, not only to this one",
    why="a server that is down is down for every name; a block by address looks the same after the first packets; a reason",
    signatures=ANY,
)
def refuses_every_name(case: Case) -> Iterator[Match]:
    for pair in pairs(case, "own_pair"):
        if pair.refuses_all:
            word = pair.manner if pair.over_tls else "eof"
            yield Match(
                observations=pair.arms,
                parameters={"host": case.name},
                method="server",
                signature=f"tls.{word if word in MANNERS else 'eof'}.any",
                where="unknown",
            )


@row(
    "tls_no_answer",
    speaks_for="blocked",
    weight=0.3,
    family="tls",
    basis="behaviour",
    sentence="{host} took the connection and then fell silent or broke off when it was named",
    why="the commonest way of blocking in this country's record, and the commonest way of a dead backend; a hint",
    signatures=("tls.timeout.any", "tls.reset.any"),
)
def tls_no_answer(case: Case) -> Iterator[Match]:
    attempt = case.failing
    if attempt is None or attempt.stage != "tls" or attempt.last is None:
        return
    word = manner(attempt.last)
    if word in ("timeout", "reset") and not tls(attempt.last).chain:
        yield Match(
            observations=(attempt.last,),
            parameters={"host": case.name},
            method="tls",
            signature=f"tls.{word}.any",
            where="unknown",
        )


@row(
    "tls_server_ended_it",
    speaks_for="outage",
    weight=0.2,
    family="tls",
    basis="behaviour",
    sentence="{host} ended the greeting in an orderly way",
    why="servers in trouble say goodbye; devices on the way seldom do; a hint",
    signatures=("tls.eof.any", "tls.alert.any"),
)
def tls_server_ended_it(case: Case) -> Iterator[Match]:
    attempt = case.failing
    if attempt is None or attempt.stage != "tls" or attempt.last is None or tls(attempt.last).chain:
        return
    word = manner(attempt.last)
    if word in ("eof", "alert"):
        yield Match(
            observations=(attempt.last,),
            parameters={"host": case.name},
            method="server",
            signature=f"tls.{word}.any",
            where="unknown",
        )


def rescued_by_size(case: Case) -> tuple[Observation, ...]:
    """Answers to small greetings or small segments while the ordinary ones, asked in turn, got none."""
    ordinary = [o for o in case.of("path_mtu", "tls") if o.group == "normal"]
    small = [o for o in case.of("path_mtu", "tls") if o.group in ("small", "small+mss")]
    good = tuple(o for o in small if isinstance(o.fact, TlsFact) and o.fact.server_hello and o.failure is None)
    return good if ordinary and all(failed(o) for o in ordinary) else ()


def lost_segments(case: Case) -> tuple[Observation, ...]:
    """Silent greetings for the name whose kernel counters show a lost big segment: an answer that never fitted."""
    return tuple(
        o
        for o in case.observations
        if isinstance(o.fact, TlsFact)
        and o.arm != "innocuous"
        and o.failure == "generic_timeout_error"
        and o.fact.kernel is not None
        and bool(o.fact.kernel.rcv_ooopack or o.fact.kernel.sacked)
    )


@row(
    "path_mtu",
    speaks_for="outage",
    weight=0.8,
    family="path_mtu",
    basis="contrast",
    sentence="only small packets get through to {host}: somewhere on the way big ones are lost",
    why="one variable changed, the size; whose device loses big packets is not known from here, so a reason only",
    signatures=("tls.timeout.any",),
)
def path_mtu(case: Case) -> Iterator[Match]:
    shown = (*rescued_by_size(case), *lost_segments(case))
    if shown and case.failing is not None:
        yield Match(
            observations=shown,
            parameters={"host": case.name},
            method="route",
            signature="tls.timeout.any",
            where="unknown",
        )


ROWS: tuple[Row, ...] = (
    neutral_flip,
    neutral_flip_once,
    neutral_flip_short,
    neutral_pass,
    own_flip,
    unacknowledged_only,
    refuses_every_name,
    tls_no_answer,
    tls_server_ended_it,
    path_mtu,
)

"""Names: questions in clear that do not arrive.

Silence of a resolver proves nothing: zones are slow, resolvers lose their way to one of them, a proxy on the way that takes
all questions may have such a resolver behind it. All of these are in the contrast here. At a machine that runs no resolver,
and says so of itself, questions about other names arrive and those about this one do not; and resolvers that are silent
about the name in clear answer for it when nobody on the way can read what is asked.

A household's router with a list of names does all of this too. Whether such a question has left the house is another row's
(``questions``), and the gate ``this_side`` asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation
from probe.verdict import answers
from probe.verdict.case import Case
from probe.verdict.facts import dns
from probe.verdict.findings.denials import is_healthy_resolver
from probe.verdict.rows import Match, Row, row

_SILENCE, _NOBODY_LISTENS = "generic_timeout_error", "connection_refused"
_TIMES = 2
_OPERATORS = 2


@row(
    "dns_questions_dropped",
    speaks_for="blocked",
    weight=1.9,
    family="dns",
    basis="contrast",
    proves=True,
    sentence="questions about {host} get lost wherever they are sent and others do not; the same DNS services answer for it "
    "when nobody on the way can read the question",
    why="one variable changed, the name, then another, whether it can be read; each silence twice. Below the cap: silence",
    signatures=("dns.timeout",),
)
def dns_questions_dropped(case: Case) -> Iterator[Match]:
    here = (*answers.denied(case, _SILENCE), *answers.repeats(case, _SILENCE))
    main = answers.main_replies(case)
    if len(here) < _TIMES or not answers.from_provider(main) or any(o.failure != _SILENCE for o in main):
        return
    nobody, abroad = lost_at_nobodys(case), _lost_abroad(case)
    truths = tuple(o for o in answers.proven_truths(case) if dns(o).transport in ("doh", "dot"))
    if nobody and abroad and truths and is_healthy_resolver(case):
        yield Match(
            observations=(*here, *nobody, *abroad, *truths),
            parameters={"host": case.name},
            method="dns",
            signature="dns.timeout",
            where="unknown",
        )


def lost_at_nobodys(case: Case) -> tuple[Observation, ...]:
    """Questions at a machine without a resolver, where it said so of every innocuous name and of this one never."""
    asked = tuple(o for o in case.of("dns_answers", "dns", "no_resolver") if dns(o).role == "no_resolver")
    mine = [o.failure for o in asked if o.arm != "innocuous"]
    others = [o.failure for o in asked if o.arm == "innocuous"]
    enough = min(len(mine), len(others)) >= _TIMES
    return asked if enough and set(mine) == {_SILENCE} and set(others) == {_NOBODY_LISTENS} else ()


def _lost_abroad(case: Case) -> tuple[Observation, ...]:
    """Questions to resolvers that in clear were silent about this name only, and answered for it over encryption.

    Empty unless there are such of two operators, and where anybody abroad answered for the name in clear.
    """
    encrypted = tuple(o for o in case.foreign_replies if dns(o).transport in ("doh", "dot"))
    in_clear = tuple(o for o in case.foreign_replies if o not in encrypted)
    if any(o.failure != _SILENCE for o in in_clear):
        return ()
    told = answers.unresolved(tuple(o for o in encrypted if dns(o).addresses))
    found = tuple(
        o
        for server in {o.operation.address for o in in_clear}
        for o in _silent_about_the_name(case, server)
        if answers.unresolved((o,)) <= told
    )
    return (*found, *encrypted) if len(answers.unresolved(found)) >= _OPERATORS else ()


def _silent_about_the_name(case: Case, server: str | None) -> tuple[Observation, ...]:
    """What *server* was asked in clear over UDP, if it was silent about the name twice and never about another one."""
    asked = tuple(o for o in case.of("dns_answers", "dns", "foreign") if o.operation.address == server)
    others = [o for o in asked if o.arm == "innocuous"]
    answered = bool(others) and all(dns(o).rcode is not None for o in others)
    return asked if answered and len(asked) - len(others) >= _TIMES else ()


ROWS: tuple[Row, ...] = (dns_questions_dropped,)

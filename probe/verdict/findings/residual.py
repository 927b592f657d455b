"""How a device works that acts on a name: what it remembers, and whether it puts pieces together (``--deep``).

Diagnosis. These rows are of the family of the comparison that they were made after, so they add nothing to it, and prove
nothing alone: whoever waits three minutes learns more about a block, and not more often of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from probe.observations import Observation, TlsFact
from probe.verdict.case import Case
from probe.verdict.rows import Match, Row, row

_SCOPES = {
    "same": "from the same port of this computer to the same server",
    "port": "to the same server, from any port",
}
_FORMS = {
    "segments": "two packets",
    "records": "two TLS records",
    "both": "two packets with a TLS record each",
}
_TIMES = 2


def _exchanges(case: Case, purpose: str) -> dict[tuple[str, str, int], bool]:
    """(group, arm, round) → whether the exchange came to a ServerHello; one that was cut off by us is left out."""
    found: dict[tuple[str, str, int], bool] = defaultdict(bool)
    for o in case.of(purpose):
        if o.arm is None or o.failure == "interrupted" or (o.arm == "target" and not case.is_in_question(o)):
            continue
        key = (o.group or "", o.arm, o.round or 0)
        found[key] = found[key] or _greeted(o)
    return dict(found)


def _greeted(observation: Observation) -> bool:
    fact = observation.fact
    return isinstance(fact, TlsFact) and fact.server_hello and observation.failure is None


def _remembered(asked: dict[tuple[str, str, int], bool]) -> str | None:
    """What the memory is of: ``same`` (both ports) or ``port`` (the server's); ``None`` where it cannot be told.

    References must have passed: a server or a router at home that lets no port be used again fails by itself.
    """

    def of(group: str, number: int = 0) -> bool | None:
        return asked.get((group, "innocuous", number))

    sound = of("reference") and of("reference", 1) and of("reference/other") and of("address/0")
    if not sound or asked.get(("trigger", "target", 0)) is not False:
        return None
    if of("port/0") is False:
        return "port"
    return "same" if of("same/0") is False and of("port/0") else None


def _lasts(asked: dict[tuple[str, str, int], bool], what: str) -> tuple[int, int | None]:
    """For how many seconds it was remembered at least, and at most (``None``: that was not waited for)."""
    rests = {
        int(group.partition("/")[2]): passed
        for (group, _arm, _round), passed in asked.items()
        if group.startswith(f"{what}/") and group.partition("/")[2].isdigit()
    }
    failed = [rest for rest, passed in rests.items() if not passed]
    passed = [rest for rest, passed in rests.items() if passed and rest > max(failed, default=0)]
    return max(failed, default=0), min(passed, default=None)


def _said(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} seconds at least" if least else "longer than was waited for"
    return f"from {least} to {most} seconds" if least else f"less than {most} seconds"


@row(
    "residual_memory",
    speaks_for="blocked",
    weight=0.2,
    family="contrast",
    basis="contrast",
    sentence="after {host} was asked for, a harmless name failed as well {scope}; that lasted {lasts}",
    why="only a device that remembers does so; it says how a block works, and counts no more than the comparison before it",
)
def residual_memory(case: Case) -> Iterator[Match]:
    asked = _exchanges(case, "residual")
    what = _remembered(asked)
    if what is None:
        return
    least, most = _lasts(asked, what)
    yield Match(
        observations=tuple(o for o in case.of("residual") if o.arm is not None),
        parameters={
            "host": case.name,
            "scope": _SCOPES[what],
            "lasts": _said(least, most),
            "least_s": least,
            "most_s": most,
        },
        where="unknown",
    )


def _by_form(case: Case, *, passes: bool) -> tuple[str, ...]:
    """Forms in which the name passed (or was stopped) every time, and a harmless name passed every time.

    One that passed counts only if the whole greeting was stopped at the same place right after.
    """
    asked = _exchanges(case, "split")
    found = []
    for form in _FORMS:
        mine = {arm: [ok for (group, a, _), ok in asked.items() if group == form and a == arm] for arm in _ARMS}
        whole = [ok for (group, _arm, _round), ok in asked.items() if group == f"whole/{form}"]
        enough = len(mine["target"]) >= _TIMES and len(mine["innocuous"]) >= _TIMES and all(mine["innocuous"])
        if enough and set(mine["target"]) == {passes} and (whole == [False] or not passes):
            found.append(form)
    return tuple(found)


_ARMS = ("target", "innocuous")


def _pieces(case: Case, forms: tuple[str, ...]) -> Iterator[Match]:
    if forms:
        said = " and in ".join(_FORMS[form] for form in forms)
        yield Match(
            observations=tuple(o for o in case.of("split") if o.arm is not None),
            parameters={"host": case.name, "forms": list(forms), "pieces": said},
            where="unknown",
        )


@row(
    "split_passes",
    speaks_for="blocked",
    weight=0.2,
    family="contrast",
    basis="contrast",
    sentence="the greeting that names {host} passes in {pieces}, where the whole one is stopped: what stops it does not put "
    "those together",
    why="server and line are well, and only the reading differs; it says how a block works, and counts no more than that",
)
def split_passes(case: Case) -> Iterator[Match]:
    yield from _pieces(case, _by_form(case, passes=True))


@row(
    "split_stopped",
    speaks_for="blocked",
    weight=0.1,
    family="contrast",
    basis="contrast",
    sentence="the greeting that names {host} is stopped in {pieces} as well, where a harmless one passes: what stops it puts "
    "those together",
    why="the same flip once more, in another form; it says how a block works",
)
def split_stopped(case: Case) -> Iterator[Match]:
    yield from _pieces(case, _by_form(case, passes=False))


ROWS: tuple[Row, ...] = (residual_memory, split_passes, split_stopped)

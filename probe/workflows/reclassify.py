"""Old facts judged again by today's rules. Facts and earlier verdicts stay; a verdict row is added.

Each endpoint is judged on what its first judge could see (the stored ``horizon``), so that a difference is a difference of
rules and not of facts that came later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from probe.observations import Observation
from probe.settings import Priors
from probe.verdict.judge import judge
from probe.verdict.model import Run, Verdict
from probe.verdict.ruleset import RULESET
from probe.verdict.view import View
from storage.archive import Archive
from storage.errors import StorageError
from storage.location import Location
from storage.reader import Reader
from storage.rows import add_verdict
from targets.model import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """One endpoint of one run, before and after."""

    run: Run
    asked: Asked
    old: Verdict
    new: Verdict

    @property
    def changed(self) -> bool:
        """Whether the words are others: status, method or signature."""
        return words(self.old) != words(self.new)

    @property
    def differs(self) -> bool:
        """Whether anything is other, as it is stored: a finding, a weight, or the rules' version."""
        return add_verdict("", self.old, 1, 0) != add_verdict("", self.new, 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How much was judged again, how many verdicts were added, and those whose words are others."""

    runs: int
    judged: int
    added: int
    changed: tuple[Rejudged, ...]


def words(verdict: Verdict) -> tuple[str, str | None, str | None]:
    return verdict.status, verdict.method, verdict.signature


def rejudge(
    run: Run, asked: tuple[Asked, ...], observations: Iterable[Observation], old: dict[int, Verdict], priors: Priors
) -> Iterator[Rejudged]:
    """Judge one run again. Pure: no database; what has no verdict was not measured to the end, and gets none."""
    seen = tuple(observations)
    views: dict[int, View] = {}
    for one in asked:
        verdict = old.get(one.number)
        if verdict is None:
            continue
        if verdict.horizon not in views:
            views[verdict.horizon] = View(seen, asked, horizon=verdict.horizon)
        new = judge(views[verdict.horizon], one, priors)
        yield Rejudged(run=run, asked=one, old=verdict, new=replace(new, ruleset=new.ruleset or RULESET))


def _called(run_id: str, runs: Sequence[Run], location: Location) -> Run:
    """The run of that number. A check shows the number's beginning only, so that is enough where no other begins so."""
    found = [run for run in runs if run_id and run.id.startswith(run_id.lower())]
    if not found:
        raise StorageError(f"There is no run {run_id} in {location.shown}.")
    if len(found) > 1:
        raise StorageError(f"{len(found)} runs begin with {run_id} in {location.shown}. Give more of the number.")
    return found[0]


def reclassify(
    location: Location,
    *,
    run_id: str | None,
    since_us: int | None,
    priors: Priors,
    now_us: int,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Outcome:
    """Judge the run *run_id*, or all runs since *since_us*, again; add what differs from the newest verdict.

    A verdict by other rules is added even where it says the same, for then it says who said it. *tell* hears how many
    runs are done, and of how many. Raises :class:`~storage.errors.StorageError` for a run that is not kept.
    """
    judged = added = 0
    changed: list[Rejudged] = []
    with Reader.open(location) as reader:
        runs = tuple(reader.runs(since_us=since_us))
        if run_id is not None:
            runs = (_called(run_id, runs, location),)
        with Archive.open(location) as archive:
            for done, run in enumerate(runs):
                tell(done, len(runs))
                _run, asked, observations = reader.load(run.id)
                again = list(rejudge(run, asked, observations, reader.verdicts(run.id), priors))
                fresh = [one.new for one in again if one.differs]
                archive.add_verdicts(run.id, fresh, judged_us=now_us).result()
                judged += len(again)
                added += len(fresh)
                changed += [one for one in again if one.changed]
    return Outcome(runs=len(runs), judged=judged, added=added, changed=tuple(changed))

"""Reading the archive: runs as they were, and the last word on every endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, RowMapping, Select, and_, case, func, select

from probe.observations import Observation
from probe.verdict.model import EndpointResult, Run, Verdict
from storage import rows
from storage.database import Database, apply
from storage.location import Location
from storage.readings import WORDS
from storage.schema import endpoints, findings, observations, places, readings, runs, sources, verdicts
from targets.model import Asked, Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The last word on one endpoint: the run, what was asked, what came of it. ``result.observations`` is empty."""

    run: Run
    asked: Asked
    result: EndpointResult

    @property
    def at_us(self) -> int:
        """When it was measured, by the corrected clock."""
        return self.result.started_us + (self.run.clock_offset_us or 0)


class Reader:
    """An archive open for reading. Never writes, never creates; upgrades a database that is behind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, location: Location) -> Self:
        """Raises :class:`~storage.errors.StorageError`, also where there is no database yet."""
        return cls(Database.open(location, writable=False))

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def location(self) -> Location:
        return self._database.location

    @property
    def database(self) -> Database:
        return self._database

    def runs(self, *, since_us: int | None = None) -> Iterator[Run]:
        """Runs that started at *since_us* or later, oldest first."""
        query = select(runs).order_by(runs.c.started_us, runs.c.id)
        if since_us is not None:
            query = query.where(runs.c.started_us >= since_us)
        with self._database.reading() as connection:
            found = connection.execute(query).mappings().all()
        yield from map(rows.run_from, found)

    def last_run(self, now_us: int | None = None) -> Run | None:
        """The run that started last. *now_us*: see :meth:`latest`."""
        query = select(runs).order_by(runs.c.started_us.desc(), runs.c.id.desc()).limit(1)
        queries = (query, query.where(runs.c.started_us <= _limit(now_us)))
        with self._database.reading() as connection:
            found = [row for one in queries if (row := connection.execute(one).mappings().first()) is not None]
        return max(map(rows.run_from, found), key=lambda run: run.started_us + (run.clock_offset_us or 0), default=None)

    def count_runs(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(runs)).scalar_one()

    def load(self, run_id: str) -> tuple[Run, tuple[Asked, ...], tuple[Observation, ...]]:
        """A run as it was: itself, what was asked, what was seen. ``LookupError`` for one that is not kept."""
        with self._database.reading() as connection:
            run = connection.execute(select(runs).where(runs.c.id == run_id)).mappings().first()
            if run is None:
                raise LookupError(run_id)
            asked = connection.execute(_of_run(endpoints, run_id).order_by(endpoints.c.number)).mappings().all()
            seen = connection.execute(_of_run(observations, run_id).order_by(observations.c.number)).mappings().all()
        return rows.run_from(run), tuple(map(rows.asked_from, asked)), tuple(map(rows.observation_from, seen))

    def verdicts(self, run_id: str) -> dict[int, Verdict]:
        """The newest verdict of each endpoint of a run, with its findings."""
        with self._database.reading() as connection:
            found = connection.execute(_newest(run_id)).mappings().all()
            return {row["endpoint"]: _with_findings(connection, row) for row in found}

    def latest(self, now_us: int | None = None) -> tuple[Latest, ...]:
        """The last word on every endpoint (platform, service and URL), platforms and then URLs in order.

        One that is kept in short form has a run without an id. With *now_us*, by this host's clock: what is dated later than
        that is from a clock that was wrong, and hides nothing that was measured since.
        """
        limit_us = _limit(now_us)
        with self._database.reading() as connection:
            short = tuple(_latest_short(connection, limit_us))
            found = connection.execute(_latest(limit_us)).mappings().all()
            loaded = {}
            for row in found:
                if row["run"] not in loaded:
                    run = connection.execute(select(runs).where(runs.c.id == row["run"])).mappings().one()
                    loaded[row["run"]] = rows.run_from(run)
            detailed = tuple(
                Latest(run=loaded[row["run"]], asked=rows.asked_from(row), result=_result(connection, row))
                for row in found
            )
        return _newest_each(detailed, short)


_MINUTE_US = 60_000_000
_NEVER_US = 2**62


def _limit(now_us: int | None) -> int:
    """What is dated later is from a clock that was wrong."""
    return _NEVER_US if now_us is None else now_us + _MINUTE_US


def add_versions(connection: Connection, run_id: str, added: Sequence[Verdict], judged_us: int) -> None:
    """Add *added* as the newest verdicts of their endpoints, in the transaction of *connection*."""
    highest = select(verdicts.c.endpoint, func.max(verdicts.c.version)).where(verdicts.c.run == run_id)
    versions: dict[int, int] = {
        row[0]: row[1] for row in connection.execute(highest.group_by(verdicts.c.endpoint)).all()
    }
    for verdict in added:
        version = versions.get(verdict.endpoint, 0) + 1
        versions[verdict.endpoint] = version
        apply(connection, rows.add_verdict(run_id, verdict, version, judged_us))


def _of_run(table: Any, run_id: str) -> Select[Any]:
    return select(table).where(table.c.run == run_id)


def _newest(run_id: str) -> Select[Any]:
    later = verdicts.alias("later")
    newest = (
        select(func.max(later.c.version))
        .where(later.c.run == verdicts.c.run, later.c.endpoint == verdicts.c.endpoint)
        .scalar_subquery()
    )
    return select(verdicts).where(verdicts.c.run == run_id, verdicts.c.version == newest).order_by(verdicts.c.endpoint)


def _with_findings(connection: Connection, row: RowMapping) -> Verdict:
    of_verdict = select(findings).where(
        findings.c.run == row["run"],
        findings.c.endpoint == row["endpoint"],
        findings.c.version == row["version"],
    )
    return rows.verdict_from(row, connection.execute(of_verdict.order_by(findings.c.position)).mappings().all())


def _latest(limit_us: int) -> Select[Any]:
    """Each endpoint's newest measurement, and its newest from before *limit_us*. The grouping is read from
    ``ix_endpoints_latest`` alone.
    """
    place = (endpoints.c.platform, endpoints.c.service, endpoints.c.url)
    at_us = endpoints.c.started_us
    last = (
        select(*place, func.max(at_us).label("any_us"), func.max(case((at_us <= limit_us, at_us))).label("past_us"))
        .where(at_us.is_not(None))
        .group_by(*place)
        .subquery("last")
    )
    same = and_(
        endpoints.c.url == last.c.url,
        endpoints.c.platform.is_not_distinct_from(last.c.platform),
        endpoints.c.service.is_not_distinct_from(last.c.service),
        at_us.in_((last.c.any_us, last.c.past_us)),
    )
    return (
        select(endpoints)
        .join(last, same)
        .order_by(endpoints.c.platform, endpoints.c.service, endpoints.c.number, endpoints.c.url, endpoints.c.run)
    )


def _latest_short(connection: Connection, limit_us: int) -> Iterator[Latest]:
    """Each place's newest reading in short form, and its newest from before *limit_us*.

    Two questions a place, answered by ``ix_readings_latest`` and the key: asked in one, SQLite goes through all readings.
    """
    newest = select(func.max(readings.c.at_us)).where(readings.c.place == places.c.id)
    last, past = newest.scalar_subquery(), newest.where(readings.c.at_us <= limit_us).scalar_subquery()
    named = [column.label(f"reading_{column.name}") for column in readings.c]
    joined = select(*named, places, sources).select_from(
        readings.join(places, places.c.id == readings.c.place).join(sources, sources.c.id == readings.c.source)
    )
    for place, *moments in connection.execute(select(places.c.id, last, past)).all():
        for at_us in {us for us in moments if us is not None}:
            of_place = joined.where(readings.c.at_us == at_us, readings.c.place == place)
            yield _short(connection.execute(of_place).mappings().one())


def _short(row: RowMapping) -> Latest:
    at_us, duration_us = row["reading_at_us"], row["reading_duration_us"]
    run = Run(
        id="",
        started_us=at_us,
        finished_us=at_us + duration_us,
        clock_offset_us=row["reading_clock_offset_us"],
        profile="light",
        **{name: row[name] for name in ("software", "ruleset", "catalogue", "trust", "country", "asn")},
    )
    place: dict[str, Any] = {name: row[name] for name in ("target", "platform", "service", "rule")}
    place["named_as_url"] = bool(row["named_as_url"])
    words = {name: row[f"reading_{name}"] for name in (*WORDS, "leaning")}
    words["impairments"] = rows.words_from(row["reading_impairments"])
    result = EndpointResult(
        number=0,
        url=row["url"],
        profile="light",
        verdict=Verdict(endpoint=0, ruleset=row["ruleset"], **words),
        observations=(),
        started_us=at_us,
        duration_us=duration_us,
        bytes_sent=row["reading_bytes_sent"],
        bytes_received=row["reading_bytes_received"],
        **place,
    )
    return Latest(run=run, asked=Asked(number=0, endpoint=Endpoint(row["url"]), **place), result=result)


def _newest_each(detailed: Sequence[Latest], short: Sequence[Latest]) -> tuple[Latest, ...]:
    """Of each endpoint what was measured last, in whatever form it is kept."""
    newest: dict[tuple[str | None, str | None, str], Latest] = {}
    for one in (*detailed, *short):
        place = (one.result.platform, one.result.service, one.result.url)
        if place not in newest or newest[place].at_us < one.at_us:
            newest[place] = one
    return tuple(sorted(newest.values(), key=_order) if short else newest.values())


def _order(one: Latest) -> tuple[bool, str, str, str]:
    return one.result.platform is None, one.result.platform or "", one.result.service or "", one.result.url


def _result(connection: Connection, row: RowMapping) -> EndpointResult:
    newest = connection.execute(
        select(verdicts)
        .where(verdicts.c.run == row["run"], verdicts.c.endpoint == row["number"])
        .order_by(verdicts.c.version.desc())
        .limit(1)
    )
    return EndpointResult(
        number=row["number"],
        target=row["target"],
        url=row["url"],
        platform=row["platform"],
        service=row["service"],
        rule=row["rule"],
        named_as_url=bool(row["named_as_url"]),
        verdict=_with_findings(connection, newest.mappings().one()),
        observations=(),
        **{name: row[name] for name in rows.MEASURED_COLUMNS},
    )

"""What the soak's report calls met."""

import dataclasses
import datetime as dt
import os

import pytest

from tests.lab.soak import report
from tests.lab.soak.process import Sample, sample

BEGAN = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def samples(minutes=60, **per_minute):
    """One a minute; a number in *per_minute* is added each minute to what is there at the start."""
    start = {"resident_mb": 70.0, "anonymous_mb": 55.0, "cpu_s": 2.0, "wire_bytes": 500_000}
    start |= {"descriptors": 14, "sockets": 3, "threads": 4, "tasks": 6}
    return [
        Sample(
            at=BEGAN + dt.timedelta(minutes=n),
            **{name: value + n * per_minute.get(name, 0) for name, value in start.items()},
        )
        for n in range(minutes + 1)
    ]


def missed(found):
    return [figure.what.partition(":")[0] for figure in found if not figure.met]


def figures(taken, *, bugs=0, code=0):
    return report.figures(taken, bugs=bugs, code=code, spent=None)


@pytest.mark.parametrize(
    ("per_minute", "what"),
    [
        ({}, []),
        ({"cpu_s": 0.5, "wire_bytes": 10_000}, []),
        ({"cpu_s": 0.61}, ["CPU seconds a day"]),
        ({"wire_bytes": 17_500}, ["traffic a day, whole frames both ways", "the same by the median ten minutes"]),
        ({"resident_mb": 0.2}, ["resident memory, most"]),
        ({"anonymous_mb": 0.1}, ["its rise from the first ten minutes (settled) to the last"]),
        ({"descriptors": 0.1}, ["descriptors"]),
        ({"sockets": 0.1}, ["sockets"]),
        ({"tasks": 0.1}, ["tasks"]),
    ],
)
def test_a_figure_is_met_or_named(per_minute, what):
    """Each limit by itself; CPU and bytes of an hour stand for a day."""
    assert missed(figures(samples(**per_minute))) == what


def test_what_a_block_costs_in_bytes_is_told_apart_from_a_day_at_rest():
    """And what it makes the program load is there before memory is asked to stay as it is."""
    hour = (BEGAN + dt.timedelta(hours=2), BEGAN + dt.timedelta(hours=3))
    taken = [
        dataclasses.replace(one, wire_bytes=one.wire_bytes + 9_000_000, anonymous_mb=58.0) if one.at >= hour[1] else one
        for one in samples(24 * 60, wire_bytes=16_500)
    ]
    assert missed(report.figures(taken, bugs=0, code=0, spent=None, troubled=(hour,))) == []
    assert (
        missed(figures(taken))
        == [
            "traffic a day, whole frames both ways",
            "its rise from the first ten minutes (settled) to the last",
        ][::-1]
    )
    busier = [dataclasses.replace(one, wire_bytes=round(one.wire_bytes * 1.1)) for one in taken]
    assert missed(report.figures(busier, bugs=0, code=0, spent=None, troubled=(hour,))) == [
        "traffic a day, whole frames both ways"
    ]


def test_what_the_start_costs_is_not_multiplied():
    """The imports of the first minutes are once a day at most."""
    taken = [*samples(19, cpu_s=2.0), *(one for one in samples(60) if one.at - BEGAN >= dt.timedelta(minutes=20))]
    assert missed(figures(taken)) == []


def test_one_disturbed_round_is_seen_apart():
    """Its bytes count in the whole, and not in the median of ten minutes."""
    taken = samples(wire_bytes=10_000)
    late = [dataclasses.replace(one, wire_bytes=one.wire_bytes + 2_000_000) for one in taken[45:]]
    assert missed(figures([*taken[:45], *late])) == ["traffic a day, whole frames both ways"]


def test_a_whole_day_is_counted_and_not_multiplied():
    """All of it, from the start."""
    (cpu,) = (one for one in figures(samples(24 * 60, cpu_s=0.5)) if one.what == "CPU seconds a day")
    assert (cpu.found, cpu.met) == ("722 (counted)", True)


@pytest.mark.parametrize("ended", [{"bugs": 1}, {"code": -15}])
def test_a_bug_or_an_end_by_force_is_no_pass(ended):
    """However small the rest is."""
    assert missed(figures(samples(), **ended)) == ["bugs in its own lines, and its exit code"]


def test_a_sample_is_of_the_process_as_it_is():
    """This one holds memory and descriptors, and carries no frames for anybody."""
    taken = sample(os.getpid(), BEGAN, tasks=3)
    with open(os.devnull) as _more:  # noqa: PTH123
        held = sample(os.getpid(), BEGAN)
    assert 5 < taken.anonymous_mb < taken.resident_mb < 2000
    assert held.descriptors == taken.descriptors + 1
    assert (taken.tasks, held.tasks) == (3, None)
    assert taken.cpu_s > 0


def test_the_report_says_what_was_not_met():
    """In bold, in the row and in the count."""
    text = report.render([("An hour", "words", figures(samples(cpu_s=1.0)), samples(cpu_s=1.0))])
    assert "9 of 10 figures met" in text
    assert "| CPU seconds a day | < 864 | 1440 (36.0 times 40 minutes after the first 20) | **not met** |" in text

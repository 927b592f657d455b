"""The figures for a monitoring system, and the text that it reads."""

import math
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from probe.daemon.metrics import STALE_US, Family, Figures, Moment, Sample, render
from probe.incidents.model import Incident, OwnSide, Reading
from probe.observations import Observation, Operation, TcpFact
from probe.verdict.model import STATUSES

NOW = 1_800_000_000_000_000
LINE = re.compile(r'dalel_[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? (\S+)')


def figures():
    return Figures("dalel 1.0", "2026.11.22")


def reading(url="https://telegram.org/", status="accessible", *, at_us=NOW, platform="telegram"):
    return Reading(run="r", endpoint=1, url=url, platform=platform, at_us=at_us, until_us=at_us, status=status)


def step(number=1, *, failure=None, address="192.0.2.1", took_us=30_000, purpose="baseline", **more):
    operation = Operation(
        fact=TcpFact(), started_us=NOW, duration_us=took_us, failure=failure, address=address, port=443
    )
    return Observation(number=number, operation=operation, purpose=purpose, **more)


def told(made, **more):
    return render(made.families(Moment(now_us=NOW, **more))).splitlines()


def test_a_verdict_is_one_for_its_word_and_nothing_for_the_others():
    """And success is 1 or 0 only where something was found out."""
    made = figures()
    made.measured([reading(), reading("https://signal.org/", "blocked"), reading("https://x.example/", "inconclusive")])
    lines = told(made)

    assert 'dalel_check_success{target="telegram",host="telegram.org"} 1' in lines
    assert 'dalel_check_success{target="telegram",host="signal.org"} 0' in lines
    assert not [line for line in lines if line.startswith("dalel_check_success") and "x.example" in line]
    assert 'dalel_check_verdict{target="telegram",host="signal.org",verdict="blocked"} 1' in lines
    assert 'dalel_check_verdict{target="telegram",host="signal.org",verdict="accessible"} 0' in lines


def test_what_was_measured_long_ago_is_not_told():
    """A daemon that stands still must not look like one that finds all well."""
    made = figures()
    made.measured([reading(at_us=NOW - STALE_US - 1)])

    assert not [line for line in told(made) if line.startswith("dalel_check_")]
    assert f"dalel_last_run_timestamp_seconds {(NOW - STALE_US - 1) / 1e6!r}" in told(made)


def test_the_last_run_is_the_last_one_also_where_a_clock_was_set_back():
    """What was dated next year is not the latest for a year."""
    made = figures()
    made.measured([reading(at_us=2 * NOW)])
    made.measured([reading(at_us=NOW - 1), reading(at_us=NOW - 2)])
    made.measured([])
    assert f"dalel_last_run_timestamp_seconds {(NOW - 1) / 1e6!r}" in told(made)


def test_no_address_is_ever_a_label():
    """Neither of an endpoint nor of a step."""
    made = figures()
    made.measured([reading("tcp://149.154.167.50:443"), reading("https://[2001:db8::1]/")])
    made.seen([step(), step(2, address="2001:db8::1")])
    text = "\n".join(told(made))

    assert not re.search(r"149\.154|2001:|192\.0\.2", text)
    assert 'host="address"' in text
    assert 'family="6"' in text


def test_steps_are_counted_by_how_long_they_took_and_how_they_failed():
    """Only what a visitor would have done: the arms of a pair fail by design."""
    made = figures()
    made.seen([step(), step(2, took_us=3_000_000), step(3, failure="connection_reset")])
    made.seen([step(4, purpose="neutral_pair"), step(5, vantage="control:x"), step(6, failure="connection_reset")])
    lines = told(made)

    assert 'dalel_step_duration_seconds_bucket{step="tcp",family="4",le="0.05"} 1' in lines
    assert 'dalel_step_duration_seconds_bucket{step="tcp",family="4",le="+Inf"} 2' in lines
    assert 'dalel_step_duration_seconds_count{step="tcp",family="4"} 2' in lines
    assert 'dalel_step_duration_seconds_sum{step="tcp",family="4"} 3.03' in lines
    assert 'dalel_step_failures_total{step="tcp",failure="connection_reset"} 2' in lines


def test_what_is_not_known_is_not_there():
    """A start: no verdict, no own side, no size of a database that is a server's."""
    lines = told(figures())

    assert not [line for line in lines if re.match(r"dalel_(own_side_ok|db_bytes|last_run|control_ok|check)", line)]
    assert 'dalel_build_info{version="dalel 1.0",ruleset="2026.11.22"} 1' in lines


def test_the_rest_is_told_as_it_is():
    """Own side, controls, incidents, bytes, and what is known only at the moment of asking."""
    made = figures()
    made.looked(OwnSide(run="r", at_us=NOW, status="no_network", method="shutdown"))
    made.seen(
        [step(purpose="control", member="control:Helsinki"), step(purpose="control", member="control:B", failure="x")]
    )
    made.paid(sent=5, received=7)
    blocked = Incident(id="a", status="blocked", began_by_us=NOW, opened_us=NOW, changed_us=NOW)
    made.incidents([blocked, replace(blocked, status="outage", state="closed")])
    lines = told(made, db_bytes=4096, messages_waiting=0)

    for line in (
        "dalel_own_side_ok 0",
        'dalel_control_ok{control="Helsinki"} 1',
        'dalel_control_ok{control="B"} 0',
        'dalel_incidents_open{status="blocked"} 1',
        'dalel_incidents_open{status="outage"} 0',
        'dalel_bytes_total{direction="received"} 7',
        "dalel_db_bytes 4096",
        "dalel_messages_waiting 0",
    ):
        assert line in lines


@given(
    st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), st.text(), max_size=3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
def test_any_label_and_help_makes_one_line(labels, value, words):
    """Quotes, backslashes and line breaks of a strange name end no line and open no label."""
    text = render([Family("x", "gauge", words, (Sample(value, tuple(labels.items())),))])
    *_comments, line = text.removesuffix("\n").split("\n")

    assert text.count("\n") == 3
    found = LINE.fullmatch(line)
    assert found
    assert math.isclose(float(found[2]), value)


urls = st.sampled_from(
    ["https://a.example/", "https://a.example/b", "tcp://192.0.2.1:443", "http://[bad", "", "https://b.example/"]
)


@given(st.lists(st.tuples(urls, st.sampled_from(STATUSES), st.sampled_from([None, "p", 'q"\n'])), max_size=20))
def test_no_two_lines_are_of_the_same_thing(rows):
    """Prometheus would refuse the whole page."""
    made = figures()
    made.measured([reading(url, status, platform=platform) for url, status, platform in rows])
    names = [line.rpartition(" ")[0] for line in told(made) if not line.startswith("#")]

    assert len(names) == len(set(names))


def test_everything_is_bounded():
    """A catalogue of any size, and failures of any name."""
    made = figures()
    made.measured([reading(f"https://h{n}.example/") for n in range(3000)])
    made.seen([step(n, failure=f"f{n}") for n in range(1, 1000)])

    assert len(told(made)) < 20_000
    assert sum("dalel_step_failures_total{" in line for line in told(made)) == 500

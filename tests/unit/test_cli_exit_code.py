"""The exit code of a check: the first rule that applies."""

import pytest

from probe.cli.exit_code import exit_code
from tests.unit import pieces as made


def named(*statuses):
    return [made.result(n, f"https://{n}.example/", made.verdict(s)) for n, s in enumerate(statuses)]


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        (["accessible"], 0),
        (["blocked"], 1),
        (["denied"], 1),
        (["outage"], 1),
        (["no_network"], 3),
        (["inconclusive"], 3),
        (["accessible", "inconclusive", "blocked"], 1),
        (["accessible", "no_network"], 3),
    ],
)
def test_the_worst_that_is_known_decides(statuses, code):
    """1 before 3 before 0."""
    assert code == exit_code(named(*statuses), [], bugs=0)


def test_a_bug_of_ours_comes_first():
    """Whatever was found, a result that we broke is told."""
    assert exit_code(named("blocked"), [], bugs=1) == 4
    assert exit_code(named("accessible"), [], bugs=1, fail_on=("blocked",)) == 4


def test_a_platform_counts_where_a_platform_was_named():
    """One dead address of an any-of service is not the platform's word."""
    good, bad = made.verdict("accessible"), made.verdict("blocked", "ip")
    results = [
        made.result(0, "tcp://149.154.175.50:443", bad, platform="telegram"),
        made.result(1, "tcp://149.154.167.51:443", good, platform="telegram"),
    ]

    assert exit_code(results, [made.platform("telegram", good, 0, 1)], bugs=0) == 0
    assert exit_code(results, [made.platform("telegram", bad, 0, 1)], bugs=0) == 1


def test_an_endpoint_counts_where_a_url_was_named():
    """The very address that was asked about decides, although its platform is well."""
    good, bad = made.verdict("accessible"), made.verdict("blocked", "ip")
    results = [made.result(0, "tcp://149.154.175.50:443", bad, platform="telegram", named_as_url=True)]

    assert exit_code(results, [made.platform("telegram", good, 0)], bugs=0) == 1


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [(("blocked",), 1), (("denied", "blocked"), 1), (("outage",), 0), (("inconclusive",), 1)],
)
def test_fail_on_narrows(fail_on, code):
    """A listed status gives 1, all others 0."""
    assert code == exit_code(named("blocked", "inconclusive"), [], bugs=0, fail_on=fail_on)

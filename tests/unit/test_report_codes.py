"""Every code that CSV and JSON can hold is explained by `dalel explain`."""

import pytest
from click.testing import CliRunner

from probe.cli.explain_cmd import command
from probe.report import codes
from probe.verdict import evidence, sentences


def explained(code):
    done = CliRunner(env={"COLUMNS": "60"}).invoke(command, [code])
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= 60
    return " ".join(done.output.split())


@pytest.mark.parametrize("code", sorted(codes.known()))
def test_every_code_is_explained(code):
    """Its name first, and no place of a sentence left open."""
    text = explained(code)
    assert text.startswith(f"{code} ")
    assert "{" not in text


def test_the_codes_are_all_there_are():
    """Findings, rules, impairments, what would settle, and what is true besides."""
    kinds = sentences.codes()
    for kind in ("gate", "impairment", "settle", "also"):
        assert kinds[kind] <= codes.known()
    assert set(evidence.TABLE) <= codes.known()


def test_a_finding_says_for_or_against_what_and_how_much():
    """The weight as odds, which are no false exactness."""
    assert "Against “no_network”: the odds of it are 79 times lower (weight -1.9;" in explained("own_side_healthy")
    assert "For “blocked”: the odds of it are 100 times higher (weight +2;" in explained("neutral_flip")


def test_a_word_beside_a_platform_is_explained():
    """`web_blocked` and its like are made of a part and its word; what only looks so is a slip."""
    assert explained("web_blocked").endswith("Another part of it, “web”, is “blocked”.")
    assert CliRunner().invoke(command, ["web_blokced"]).exit_code == 2


def test_a_slip_in_a_code_is_told_the_near_one():
    """Exit 2, as for signatures."""
    done = CliRunner().invoke(command, ["own_side_healty"])
    assert (done.exit_code, "Did you mean 'own_side_healthy'?" in done.output) == (2, True)

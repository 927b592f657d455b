"""``dalel explain``: every signature, the near name, and what is unknown."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from probe.cli.explain_cmd import command
from probe.verdict.explain import NOT_YET, SIGNATURES, apps, certificates, connections, names, own_side, pages, slowness


def run(*arguments: str, columns: int = 200) -> Result:
    """Run the command as a user does, on a screen of so many columns."""
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(command, list(arguments))


def test_lists_every_signature_without_an_argument() -> None:
    """Sorted, the name first, and nothing wider than the page."""
    result = run()
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.output.splitlines() if not line.startswith(" ")]
    assert names == sorted(SIGNATURES)
    assert max(map(len, result.output.splitlines())) <= 96


def test_lists_what_begins_so() -> None:
    """Part of a name lists what is under it."""
    result = run("dns.injection")
    names = [line.split()[0] for line in result.output.splitlines() if not line.startswith(" ")]
    assert names == ["dns.injection.block_page", "dns.injection.bogon", "dns.injection.other"]


@pytest.mark.parametrize("columns", [60, 40, 200])
def test_explains_one(columns: int) -> None:
    """All three parts under their headings, wrapped to the screen; case does not matter."""
    result = run("TLS.timeout.SNI", columns=columns)
    assert result.exit_code == 0
    explained = SIGNATURES["tls.timeout.sni"]
    whole = " ".join(f"{heading} {text}" for heading, text in explained.parts)
    assert " ".join(result.output.split()) == f"tls.timeout.sni {whole}"
    assert max(map(len, result.output.splitlines())) <= min(columns, 96)


def test_a_narrow_list_stands_below_its_names() -> None:
    """Sixty columns are enough for every line."""
    assert max(map(len, run(columns=60).output.splitlines())) <= 60


def test_says_what_is_not_looked_for_yet() -> None:
    """A reserved name is explained, and is not said to be measured."""
    for name in NOT_YET:
        assert "This version does not look for it yet." in run(name).output
    assert "not look for it" not in run("tls.timeout.sni").output


def test_suggests_the_near_name() -> None:
    """A slip of the finger is exit 2 with the right name in it."""
    result = run("tls.timeout.sn")
    assert result.exit_code == 2
    assert "No signature or code 'tls.timeout.sn'. Did you mean 'tls.timeout.sni'? See: dalel explain" in result.output


def test_unknown_without_a_near_name() -> None:
    """Nothing is suggested where nothing is near."""
    result = run("zzzzzz")
    assert result.exit_code == 2
    assert "No signature or code 'zzzzzz'. See: dalel explain" in result.output


@pytest.mark.parametrize("word", ["blocked", "geo", "Shutdown"])
def test_a_word_of_the_verdicts_is_found_where_it_is_explained(word: str) -> None:
    """No other code is suggested that only looks like it."""
    result = run(word)
    assert result.exit_code == 2
    assert (
        f"'{word}' is no signature or code, but one of the words that `dalel help verdicts` explains." in result.output
    )
    assert "Did you mean" not in result.output


def test_no_signature_is_explained_twice() -> None:
    """Of two files that explain the same one, the later would silently win."""
    files = (names, connections, certificates, pages, own_side, apps, slowness)
    assert sum(len(one.EXPLAINED) for one in files) == len(SIGNATURES)

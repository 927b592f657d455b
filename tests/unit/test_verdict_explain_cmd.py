"""``dalel explain``: every signature, the near name, and what is unknown."""

from __future__ import annotations

from click.testing import CliRunner, Result

from probe.cli.explain_cmd import command
from probe.verdict.explain import SIGNATURES


def run(*arguments: str) -> Result:
    """Run the command as a user does."""
    return CliRunner().invoke(command, list(arguments))


def test_lists_every_signature_without_an_argument() -> None:
    """One line each, sorted, the name first."""
    result = run()
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == sorted(SIGNATURES)


def test_explains_one() -> None:
    """The whole text, wrapped; case does not matter."""
    result = run("TLS.timeout.SNI")
    assert result.exit_code == 0
    assert " ".join(result.output.split()) == f"tls.timeout.sni {SIGNATURES['tls.timeout.sni']}"
    assert max(map(len, result.output.splitlines())) <= 96


def test_suggests_the_near_name() -> None:
    """A slip of the finger is exit 2 with the right name in it."""
    result = run("tls.timeout.sn")
    assert result.exit_code == 2
    assert "No signature 'tls.timeout.sn'. Did you mean 'tls.timeout.sni'? See: dalel explain" in result.output


def test_unknown_without_a_near_name() -> None:
    """Nothing is suggested where nothing is near."""
    result = run("zzzzzz")
    assert result.exit_code == 2
    assert "No signature 'zzzzzz'. See: dalel explain" in result.output

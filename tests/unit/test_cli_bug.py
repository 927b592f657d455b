"""A bug of ours is called one, and the rest stays usable."""

from probe.cli.bug import report_parts, summary
from probe.observations import BugFact

BUG = BugFact(
    experiment="own_pair", error="KeyError: '\x1b[31m'", traceback="Traceback (most recent call last):\n  …\n"
)


def test_each_broken_part_is_named(tmp_path, monkeypatch, capsys):
    """Which part, what it was, and where the details are; nothing on stdout, no traceback on the screen."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    report_parts([BUG], keep=True)

    (kept,) = tmp_path.iterdir()
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "dalel: a bug in dalel ended a part of this check (own_pair): KeyError: '\ufffd[31m'\n"
        "All other results are right.\n"
        f"The details, to send to the maintainers: {kept}\n"
    )
    assert BUG.traceback in kept.read_text(encoding="utf-8")


def test_nothing_is_written_where_nothing_may_be(tmp_path, monkeypatch, capsys):
    """--no-save holds for tracebacks too."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    report_parts([BUG], keep=False)

    assert list(tmp_path.iterdir()) == []
    assert "DALEL_DEBUG=1" in capsys.readouterr().err


def test_a_group_of_errors_is_named_by_its_first():
    """ "unhandled errors in a TaskGroup" tells nobody anything."""
    error = ExceptionGroup("unhandled", [ExceptionGroup("inner", [ValueError("this\nand that")])])

    assert summary(error) == "ValueError: this"

"""What the daemon's wire is told when it is made."""

import pytest
from click.testing import CliRunner

from probe import raw
from probe.cli import run_cmd
from probe.wire import Wire


@pytest.mark.parametrize("may", [True, False])
def test_the_daemons_wire_knows_whether_it_may_listen(monkeypatch, tmp_path, may):
    """The capability and scapy make the difference, and nothing else."""
    wires = []

    def serve(_options, _watch, wire):
        wires.append(wire)
        return 0

    monkeypatch.setattr(raw, "is_available", lambda: may)
    monkeypatch.setattr(run_cmd, "_serve", serve)
    done = CliRunner().invoke(
        run_cmd.command, ["--database", str(tmp_path / "a.db"), "https://a.example/"], standalone_mode=False
    )
    assert done.exception is None
    assert [wire.may_listen for wire in wires] == [may]


@pytest.mark.parametrize(("words", "long"), [((), True), (("--once",), False)])
def test_who_stays_for_months_is_known(monkeypatch, tmp_path, words, long):
    """One round is over in a minute, and needs no other processes."""
    wires = []

    def serve(_options: object, _watch: object, wire: Wire) -> int:
        wires.append(wire)
        return 0

    monkeypatch.setattr(run_cmd, "_serve", serve)
    arguments = ["--database", str(tmp_path / "a.db"), *words, "https://a.example/"]
    done = CliRunner().invoke(run_cmd.command, arguments, standalone_mode=False)
    assert done.exception is None
    assert [wire.is_for_long for wire in wires] == [long]

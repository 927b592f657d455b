"""Whether the daemon may hear packets is found out as in a check."""

import pytest
from click.testing import CliRunner

from probe import raw
from probe.cli import run_cmd


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

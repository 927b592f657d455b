"""``dalel doctor``: this computer and its network, as far as results depend on them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from probe.cli.common import config_option, read_catalogue, read_settings
from probe.cli.doctor_checks import Check, checks
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.settings import Settings
    from probe.wire import Wire

_SYMBOLS = {"ok": "✓", "warning": "!", "broken": "✗"}
_ASCII = {"ok": "+", "warning": "!", "broken": "x"}
_EXIT = {"ok": 0, "warning": 1, "broken": 2}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="How to show it [text].")
@click.option("--online", is_flag=True, help="Ask the network too: DNS servers, canaries, clock (a few small packets).")
@config_option
def command(*, form: str, online: bool, config: str | None) -> int:
    """Look at this computer and its network, and say what to do.

    Sends nothing unless --online. Exit code: 0 all is well, 1 something to know about, 2 something is broken.

    \b
    Examples:
      dalel doctor
      dalel doctor --online
    """  # noqa: D301
    from probe.wire import Wire

    loaded = read_settings(config)
    wire = Wire()
    found = list(checks(loaded, wire, os.environ))
    if online:
        found.append(_online(loaded.settings, wire))
    if form == "json":
        document = {"schema": "dalel.doctor/1", "checks": [asdict(check) for check in found]}
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo("\n".join(_lines(found)))
    return max(_EXIT[check.state] for check in found)


def _online(settings: Settings, wire: Wire) -> Check:
    """The own side of a check that asks about nothing else."""
    import asyncio

    from probe.report.groups import strongest
    from probe.report.words import advice, network_line
    from probe.verdict import sentences
    from probe.workflows.check import CheckRequest, check

    catalogue, canaries = read_catalogue(settings)
    request = CheckRequest(asked=(), settings=settings, catalogue=catalogue.version, canaries=canaries)
    network = asyncio.run(check(request, wire, lambda _event: None)).network
    return Check(
        name="network",
        state={"ok": "ok", "no_network": "broken", "inconclusive": "warning"}[network.status],  # type: ignore[arg-type]
        found=network_line(network),
        means=" ".join(sentences.render(finding, "en") for finding in strongest(network.findings)[:3]),
        do=advice("no_network", network.method) if network.method else "",
    )


def _lines(found: list[Check]) -> Iterator[str]:
    symbols = _SYMBOLS if (sys.stdout.encoding or "").lower().startswith("utf") else _ASCII
    width = max(shutil.get_terminal_size((100, 24)).columns, 40)
    for check in found:
        mark = f"{symbols[check.state]} {check.name:<12}"
        for number, text in enumerate(safe(part, 1000) for part in (check.found, check.means, _do(check)) if part):
            yield from textwrap.wrap(
                text,
                width,
                initial_indent=mark if number == 0 else " " * 16,
                subsequent_indent=" " * (14 if number == 0 else 16),
                break_on_hyphens=False,
            )


def _do(check: Check) -> str:
    return f"To do: {check.do}" if check.do else ""

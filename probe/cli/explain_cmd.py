"""``dalel explain``: what a signature means, what else could cause it, and how that was excluded."""

from __future__ import annotations

import difflib
import itertools
import shutil
import textwrap
from collections.abc import Iterator

import click

from probe.verdict.model import METHODS

WIDTH = 96
_NARROWEST = 30

HELP = """\
Explain a SIGNATURE, the dotted name beside a verdict; without one, list all of them.

It says what was seen, what else could have caused it, and how that was excluded. The codes that CSV and JSON have as evidence,
impairments and so on are explained as well.

\b
Examples:
  dalel explain tls.timeout.sni
  dalel explain dns
  dalel explain own_side_healthy
"""


@click.command("explain", help=HELP)
@click.argument("signature", required=False)
def command(signature: str | None) -> None:
    """Print one explanation, or the list."""
    from probe.verdict.explain import SIGNATURES

    wanted = (signature or "").strip().lower().rstrip(".")
    if wanted in SIGNATURES:
        click.echo("\n".join(_explained(wanted)))
        return
    if explained := _code(wanted):
        click.echo("\n".join(explained))
        return
    beginning = [name for name in sorted(SIGNATURES) if not wanted or name.startswith(f"{wanted}.")]
    if not beginning:
        from probe.report import codes

        raise click.UsageError(_unknown(signature or "", sorted({*SIGNATURES, *codes.known()})))
    click.echo("\n".join(_listed(beginning)))


def _width() -> int:
    return min(WIDTH, max(shutil.get_terminal_size((WIDTH, 24)).columns, _NARROWEST))


def _explained(name: str) -> Iterator[str]:
    from probe.verdict.explain import NOT_YET, SIGNATURES

    yield name
    if name in NOT_YET:
        yield "  This version does not look for it yet."
    for heading, text in SIGNATURES[name].parts:
        yield ""
        yield f"  {heading}"
        yield from textwrap.wrap(text, _width(), initial_indent="    ", subsequent_indent="    ")


def _code(name: str) -> list[str]:
    """What a code of a finding, a rule or an impairment means; nothing for another word."""
    from probe.report import codes

    lines = []
    for heading, text in codes.parts(name):
        lines += ["", f"  {heading}", *textwrap.wrap(text, _width(), initial_indent="    ", subsequent_indent="    ")]
    return [name, *lines] if lines else []


def _listed(names: list[str]) -> Iterator[str]:
    """One entry a signature: its name and the first sentence, beside it where the screen is wide enough for that."""
    from probe.verdict.explain import SIGNATURES

    width, column = _width(), max(map(len, names)) + 2
    beside = width >= column + _NARROWEST
    for name in names:
        text = SIGNATURES[name].means.partition(". ")[0].rstrip(".") + "."
        if not beside:
            yield name
        indent = " " * (column if beside else 4)
        lead = f"{name:<{column}}" if beside else indent
        yield from textwrap.wrap(text, width, initial_indent=lead, subsequent_indent=indent)


def _unknown(signature: str, known: list[str]) -> str:
    if signature.strip().lower() in {*METHODS, *itertools.chain.from_iterable(METHODS.values())}:
        return f"'{signature}' is no signature or code, but one of the words that `dalel help verdicts` explains."
    near = difflib.get_close_matches(signature.strip().lower(), known, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"No signature or code '{signature}'.{hint} See: dalel explain"

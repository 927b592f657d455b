"""``dalel explain``: what a signature means, in plain sentences."""

from __future__ import annotations

import difflib
import textwrap

import click

WIDTH = 96


@click.command("explain")
@click.argument("signature", required=False)
def command(signature: str | None) -> None:
    """Explain a SIGNATURE such as tls.timeout.sni; without one, list all of them."""
    from probe.verdict.explain import SIGNATURES

    if signature is None:
        for name in sorted(SIGNATURES):
            click.echo(f"{name:<32}{_first_sentence(SIGNATURES[name])}")
        return
    wanted = signature.strip().lower()
    if wanted not in SIGNATURES:
        raise click.UsageError(_unknown(signature, sorted(SIGNATURES)))
    click.echo(wanted)
    click.echo(textwrap.fill(SIGNATURES[wanted], WIDTH, initial_indent="  ", subsequent_indent="  "))


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."


def _unknown(signature: str, known: list[str]) -> str:
    near = difflib.get_close_matches(signature.strip().lower(), known, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"No signature '{signature}'.{hint} See: dalel explain"

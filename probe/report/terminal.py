"""A check on the screen: the word, the evidence that decided it, and what to do next.

Symbols stand beside words, never alone, and colour repeats what the words say. Everything measured passes through
``safe()``, and nothing is ever read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleRenderable
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from probe.report import words
from probe.report.details import against_lines, endpoint_line, observation_lines
from probe.report.groups import Group, groups, short, strongest
from probe.report.pieces import Pieces
from probe.report.safe import safe
from probe.verdict import sentences
from probe.verdict.model import Finding

_COLOURS = {
    "accessible": "green",
    "ok": "green",
    "blocked": "bold red",
    "denied": "yellow",
    "outage": "magenta",
    "no_network": "cyan",
    "inconclusive": "bold",
}
_NARROW = 60
_TITLE_LIMIT = 32
_NAMES_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """How to write: to what, how wide (``None``: as wide as it is), with colour, beyond ASCII, and how much."""

    file: TextIO
    width: int | None = None
    colour: bool | None = None
    ascii_only: bool = False
    verbose: int = 0
    lang: str = "en"

    def console(self) -> Console:
        return Console(
            file=self.file,
            width=self.width,
            no_color=None if self.colour is None else not self.colour,
            force_terminal=True if self.colour else None,
            markup=False,
            emoji=False,
            highlight=False,
        )


def print_check(pieces: Pieces, screen: Screen) -> None:
    """Write the whole report."""
    console = screen.console()
    _Report(pieces, screen, console.width).print_on(console)


class _Report:
    def __init__(self, pieces: Pieces, screen: Screen, width: int) -> None:
        self._pieces = pieces
        self._screen = screen
        self._narrow = width < _NARROW
        self._groups = groups(pieces.results, pieces.platforms)
        self._column = min(max((len(g.title) for g in self._groups), default=0), _TITLE_LIMIT)

    def print_on(self, console: Console) -> None:
        for block in self._blocks():
            for line in block:
                console.print(line)
        for footer in self._footer():
            console.print(footer)

    # blocks

    def _blocks(self) -> Iterator[list[ConsoleRenderable]]:
        if self._own_side_explains_all() and not self._screen.verbose:
            yield list(self._own_side())
            return
        for group in self._groups:
            yield [*self._group(group), *self._details(group)]

    def _own_side_explains_all(self) -> bool:
        network = self._pieces.network
        words_ = {(group.status, group.method) for group in self._groups}
        return len(self._groups) > 1 and network.status == "no_network" and words_ == {("no_network", network.method)}

    def _own_side(self) -> Iterator[ConsoleRenderable]:
        group, network = self._groups[0], self._pieces.network
        yield self._head("no_network", "", self._claim("no_network", network.method, None, group.confidence))
        yield from self._evidence(strongest(network.findings) or group.evidence, 3)
        yield self._under(f"Nothing can be said about: {', '.join(safe(g.title) for g in self._groups)}")
        yield from self._next(words.next_step(group.verdict))

    def _group(self, group: Group) -> Iterator[ConsoleRenderable]:
        verdict = group.verdict
        claim = self._claim(group.status, group.method, verdict.signature, group.confidence)
        if lean := words.leaning(verdict) if group.status == "inconclusive" else "":
            claim.append(f"; {lean}")
        yield self._head(group.status, safe(group.title, _TITLE_LIMIT), claim)
        yield from self._evidence(group.evidence, 1 if group.status == "accessible" else 3)
        yield from self._shares(group)
        for text in (*verdict.impairments, *verdict.also):
            yield self._under(f"Also: {safe(sentences.impairment(text, self._screen.lang))}")
        if group.status == "inconclusive":
            for code in verdict.settle[:2]:
                yield self._under(f"What would settle it: {safe(sentences.settle(code, self._screen.lang))}")
        yield from self._next(words.next_step(verdict) if verdict.status == group.status else "")

    def _shares(self, group: Group) -> Iterator[ConsoleRenderable]:
        """Which addresses of a platform have which word, when they differ."""
        shares = group.by_status()
        if len(shares) < 2:
            return
        for status, results in shares:
            names = list(dict.fromkeys(safe(short(result.url)) for result in results))
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            listed = ", ".join(names[:_NAMES_SHOWN])
            yield self._under(f"{self._symbol(status)} {words.LABELS[status].lower()}: {listed}{more}")

    def _details(self, group: Group) -> Iterator[ConsoleRenderable]:
        if not self._screen.verbose:
            return
        for result in group.results:
            yield self._under(endpoint_line(result))
            lines = [*against_lines(result, self._screen.lang)]
            lines += observation_lines(result, self._pieces.observations, everything=self._screen.verbose > 1)
            for line in lines:
                yield Padding(Text(line), (0, 0, 0, 6))

    def _footer(self) -> Iterator[Text]:
        pieces = self._pieces
        yield Text("")
        if not (self._own_side_explains_all() and not self._screen.verbose):
            network = pieces.network
            status = "ok" if network.status == "ok" else network.status
            line = Text(f"{self._symbol(status)} Your network: ", style=_COLOURS[status])
            yield line.append(words.network_line(network), style="default")
        if pieces.run.interrupted:
            yield Text("Stopped before the end: this is only what was measured until then.")
        if pieces.unsaved:
            yield Text(safe(pieces.unsaved))
        elif pieces.kept_in:
            yield Text(f"Kept as run {pieces.run.id[:8]} in {safe(pieces.kept_in)}")
        if not self._screen.verbose and any(group.status != "accessible" for group in self._groups):
            yield Text("Every step: add -v. What the words mean: dalel help verdicts")

    # lines

    def _claim(self, status: str, method: str | None, signature: str | None, confidence: float | None) -> Text:
        claim = Text(words.LABELS[status], style=_COLOURS[status])
        claim.append(f" {self._dash()} {words.headline(status, method, signature)}", style="default")  # type: ignore[arg-type]
        if sure := words.certainty(confidence):
            claim.append(f" ({sure})", style="default")
        return claim

    def _head(self, status: str, title: str, claim: Text) -> ConsoleRenderable:
        symbol = Text(self._symbol(status), style=_COLOURS[status])
        if self._narrow or not title:
            if title:
                claim = Text(f"{title}\n", style="bold").append_text(claim)
            return _row(symbol, claim)
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=1)
        grid.add_column(width=self._column, no_wrap=True)
        grid.add_column()
        grid.add_row(symbol, Text(title, style="bold"), claim)
        return grid

    def _evidence(self, findings: Iterable[Finding], limit: int) -> Iterator[ConsoleRenderable]:
        texts = dict.fromkeys(safe(sentences.render(finding, self._screen.lang)) for finding in findings)
        for text in list(texts)[:limit]:
            yield self._under(text, self._bullet())

    def _next(self, text: str) -> Iterator[ConsoleRenderable]:
        if text:
            yield self._under(text, self._arrow())

    def _under(self, text: str, mark: str = "") -> ConsoleRenderable:
        return Padding(_row(Text(mark), Text(text)) if mark else Text(text), (0, 0, 0, 2 if self._narrow else 4))

    def _symbol(self, status: str) -> str:
        return (words.ASCII_SYMBOLS if self._screen.ascii_only else words.SYMBOLS)[status]

    def _dash(self) -> str:
        return "-" if self._screen.ascii_only else "\N{EM DASH}"

    def _bullet(self) -> str:
        return "*" if self._screen.ascii_only else "\N{BULLET}"

    def _arrow(self) -> str:
        return ">" if self._screen.ascii_only else "\N{RIGHTWARDS ARROW}"


def _row(mark: Text, text: Text) -> Table:
    """A mark and a text that hangs beside it."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column()
    grid.add_row(mark, text)
    return grid

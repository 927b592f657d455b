"""A check on the screen: the word, the evidence that decided it, and what to do next.

Symbols stand beside words, never alone, and colour repeats what the words say. Everything measured passes through
``safe()``, and nothing is ever read as markup.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.text import Text

from probe.report import cut_short, platforms, words
from probe.report.comparisons import comparisons, sides, title
from probe.report.details import endpoint_line, finding_lines, gate_lines, observation_lines, place_lines
from probe.report.groups import Group, groups, readable, short, strongest
from probe.report.pieces import Pieces
from probe.report.quote import quote
from probe.report.safe import safe
from probe.verdict import sentences
from probe.verdict.model import EndpointResult, Finding, Status

_COLOURS = {
    "accessible": "green",
    "ok": "green",
    "blocked": "bold red",
    "denied": "yellow",
    "outage": "magenta",
    "no_network": "cyan",
    "inconclusive": "bold",
}
_GLUE = "\ue000"
"""Stands for a space that must not end a line. A private character: ``safe()`` lets none through, so none is measured."""
_NARROW = 60
_TITLE_LIMIT = 32
_PATH_LIMIT = 4096
_QUOTE_LIMIT = 1000
_NAMES_SHOWN = 4


class _Console(Console):
    """Rich ends a program whose reader has gone with exit code 1, which is a finding here: let the command say it."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


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
        return _Console(
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
    for line in _Report(pieces, screen, console).lines():
        console.print(line, soft_wrap=True)


class _Report:
    def __init__(self, pieces: Pieces, screen: Screen, console: Console) -> None:
        self._pieces = pieces
        self._screen = screen
        self._console = console
        self._width = max(console.width, 20)
        self._groups = groups(pieces.results, pieces.platforms)
        self._titles = min(max((len(self._title(g)) for g in self._groups), default=0), _TITLE_LIMIT)
        self._narrow = self._width < _NARROW
        self._indent = 2 if self._narrow else 4

    def lines(self) -> Iterator[Text]:
        if self._own_side_explains_all():
            yield from self._own_side()
        else:
            for group in self._groups:
                yield from self._group(group)
                yield from self._details(group)
        yield Text("")
        yield from self._footer()

    def _own_side_explains_all(self) -> bool:
        """Whether one sentence about the own network says more than the same one for every platform."""
        network = self._pieces.network
        found = {(group.status, group.method) for group in self._groups}
        same = network.status == "no_network" and found == {("no_network", network.method)}
        return same and len(self._groups) > 1 and not self._screen.verbose

    def _own_side(self) -> Iterator[Text]:
        group, network = self._groups[0], self._pieces.network
        yield from self._head("no_network", "", self._claim("no_network", network.method, None, group.confidence))
        yield from self._evidence(strongest(network.findings) or group.evidence, 3)
        yield from self._under(f"Nothing can be said about: {', '.join(safe(self._title(g)) for g in self._groups)}")
        yield from self._next(words.next_step(group.verdict))

    def _group(self, group: Group) -> Iterator[Text]:
        verdict = group.verdict
        method = group.method or ("protocol" if group.decided_by.url.startswith("protocol://") else None)
        claim = self._claim(group.status, method, verdict.signature, group.confidence)
        if lean := words.leaning(verdict) if group.status == "inconclusive" else "":
            claim.append(f"; {lean}", style="default")
        yield from self._head(group.status, safe(self._title(group), _TITLE_LIMIT), claim)
        lang = self._screen.lang
        if group.platform is not None and platforms.says_more(group.platform):
            yield from self._under(platforms.sentence(group.platform, lang))
        yield from self._evidence(group.evidence, 1 if group.status == "accessible" else 3)
        yield from self._shares(group)
        besides = [*(sentences.impairment(code, lang) for code in verdict.impairments)]
        besides += [sentences.also(code, lang) for code in verdict.also]
        for text in besides:
            yield from self._under(f"Also: {safe(text)}")
        if group.status == "inconclusive":
            for number, code in enumerate(verdict.settle[:2]):
                label = "Or" if number else "To settle it"
                yield from self._next(f"{label}: {safe(sentences.settle(code, lang))}")
        yield from self._next(words.next_step(verdict) if verdict.status == group.status else "")
        yield from self._impaired(group)

    def _impaired(self, group: Group) -> Iterator[Text]:
        """What is blocked beside a platform that works: the evidence for that, whose sentences name the host."""
        for result in group.impaired:
            verdict = result.verdict
            yield from self._evidence(strongest(verdict.findings), 2)
            yield from self._next(words.next_step(verdict))

    def _shares(self, group: Group) -> Iterator[Text]:
        """Which addresses of a platform have which word, when they differ."""
        shares = group.by_status()
        if len(shares) < 2:
            return
        for status, results in shares:
            names = list(dict.fromkeys(safe(short(result.url)) for result in results))
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            listed = ", ".join(names[:_NAMES_SHOWN])
            yield from self._under(f"{words.LABELS[status].lower()}: {listed}{more}", self._symbol(status))

    def _details(self, group: Group) -> Iterator[Text]:
        if not self._screen.verbose:
            return
        lang = self._screen.lang
        told = quote(group, self._pieces.run, self._pieces.observations, lang)
        yield from self._under(f"To quote: {safe(told, _QUOTE_LIMIT)}")
        for result in group.results:
            yield from self._under(endpoint_line(result))
            yield from self._comparisons(result)
            for line in place_lines(result, lang):
                yield from self._hang(Text(" " * (self._indent + 2)), Text(line))
            lines = [*finding_lines(result, self._screen.lang), *gate_lines(result, self._screen.lang)]
            yield from self._operations(lines, result)

    def _comparisons(self, result: EndpointResult) -> Iterator[Text]:
        """Each pair as a table of two lines: with this name, with another name."""
        for comparison in comparisons(result, self._pieces.observations):
            yield from self._hang(Text(" " * (self._indent + 2)), Text(safe(title(comparison))))
            rows = sides(comparison)
            width = max(len(label) for label, _told in rows)
            for label, told in rows:
                lead = " " * (self._indent + 4)
                if self._narrow:
                    yield from self._hang(Text(lead), Text(f"{label} {safe(told)}"))
                else:
                    yield from self._hang(Text(f"{lead}{label:<{width}}  "), Text(safe(told)))

    def _operations(self, lines: list[str], result: EndpointResult | None) -> Iterator[Text]:
        everything = self._screen.verbose > 1
        for line in (*lines, *observation_lines(self._pieces.observations, result, everything=everything)):
            yield from self._hang(Text(" " * (self._indent + 2)), Text(line))

    def _footer(self) -> Iterator[Text]:
        pieces = self._pieces
        if not self._own_side_explains_all():
            status = pieces.network.status
            line = Text(f"Your network: {words.network_line(pieces.network)}")
            yield from self._hang(Text(f"{self._symbol(status)} ", style=_COLOURS[status]), line)
            if self._screen.verbose:
                yield from self._operations([], None)
        if pieces.trust.startswith("SSL_CERT_FILE"):
            yield from self._plain(f"Only these authorities were believed: {safe(pieces.trust)}")
        if pieces.run.interrupted:
            yield from self._plain("Stopped before the end: this is only what was measured until then.")
        if unasked := cut_short.sentence(pieces):
            yield from self._plain(safe(unasked, _PATH_LIMIT))
        for note in pieces.notes:
            yield from self._plain(safe(note, _PATH_LIMIT))
        if pieces.unsaved:
            yield from self._plain(safe(pieces.unsaved, _PATH_LIMIT))
        elif pieces.kept_in:
            yield from self._plain(f"Kept as run {pieces.run.id[:8]} in {safe(pieces.kept_in, _PATH_LIMIT)}")
        if not self._screen.verbose and any(group.status != "accessible" for group in self._groups):
            yield from self._plain("Every step: add -v. What the words mean: dalel help verdicts")

    # lines

    def _claim(self, status: Status, method: str | None, signature: str | None, confidence: float | None) -> Text:
        claim = Text()
        claim.append(words.LABELS[status], style=_COLOURS[status])
        dash = "-" if self._screen.ascii_only else "\N{EM DASH}"
        claim.append(f" {dash} {words.headline(status, method, signature)}")
        if sure := words.certainty(confidence):
            claim.append(f" ({sure.replace(' ', _GLUE)})")
        return claim

    def _head(self, status: Status, title: str, claim: Text) -> Iterator[Text]:
        lead = Text(f"{self._symbol(status)} ", style=_COLOURS[status])
        if title and self._narrow:
            yield lead.append(title, style="bold")
            lead = Text("  ")
        elif title:
            lead.append(f"{title:<{self._titles}}  ", style="bold")
        yield from self._hang(lead, claim)

    def _evidence(self, findings: Iterable[Finding], limit: int) -> Iterator[Text]:
        texts = dict.fromkeys(safe(sentences.render(finding, self._screen.lang)) for finding in findings)
        for text in list(texts)[:limit]:
            yield from self._under(text, "*" if self._screen.ascii_only else "\N{BULLET}")

    def _next(self, text: str) -> Iterator[Text]:
        if text:
            yield from self._under(text, ">" if self._screen.ascii_only else "\N{RIGHTWARDS ARROW}")

    def _under(self, text: str, mark: str = "") -> Iterator[Text]:
        yield from self._hang(Text(" " * self._indent + (f"{mark} " if mark else "")), Text(text))

    def _plain(self, text: str) -> Iterator[Text]:
        """A line of ours that may hold a path: those are not cut in two, or nobody could copy them."""
        for line in textwrap.wrap(text, self._width, break_long_words=False, break_on_hyphens=False):
            yield Text(line)

    def _hang(self, lead: Text, body: Text) -> Iterator[Text]:
        """*lead* and then *body*, folded to the screen, whose further lines hang below its first."""
        indent = lead.cell_len
        for number, line in enumerate(body.wrap(self._console, max(self._width - indent, 10))):
            line.rstrip()
            line.plain = line.plain.replace(_GLUE, " ")
            yield Text().append_text(lead if number == 0 else Text(" " * indent)).append_text(line)

    def _title(self, group: Group) -> str:
        return readable(group, ascii_only=self._screen.ascii_only)

    def _symbol(self, status: str) -> str:
        return (words.ASCII_SYMBOLS if self._screen.ascii_only else words.SYMBOLS)[status]

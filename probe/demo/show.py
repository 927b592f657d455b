"""The demonstration in words: each verdict next to what was really done. Lines of plain text, or one JSON document. Pure."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from probe.demo.play import HURRY, Judged, Played
from probe.demo.scene import Accepted, Act
from probe.report import words
from probe.report.safe import safe
from probe.verdict import sentences
from probe.verdict.model import STATUSES, Verdict

SCHEMA = "dalel.demo/1"

INTRODUCTION = (
    "A pretend Internet on this computer: sites, providers and censors that misbehave on command. Nothing leaves this "
    f"computer. Every deadline is {HURRY:.0f} times shorter than usual, and the clock that they are kept by stands still "
    "while this computer is busy with other things; all else is the program as it is."
)

NO_AIOQUIC = "it needs aioquic, which is not installed: pip install 'dalel[quic]'"

Json = dict[str, Any]


def introduction(width: int) -> Iterator[str]:
    """What is about to be seen."""
    yield from textwrap.wrap(INTRODUCTION, width)
    yield ""


def listing(acts: Iterable[Act], width: int) -> Iterator[str]:
    """What there is to play, by the names that ``--only`` takes."""
    for act in acts:
        yield f"{act.name}: {act.title}"
        for scene in act.scenes:
            yield from textwrap.wrap(
                f"{scene.name:<12}{scene.done}", width, initial_indent="  ", subsequent_indent=" " * 14
            )


def act_lines(played: Played, *, width: int, verbose: int = 0, symbols: bool = True) -> Iterator[str]:
    """An act: its title, and each scene's verdict next to what was done."""
    yield played.act.title
    column = max(len(judged.scene.host) for judged in played.judged)
    for judged in played.judged:
        yield from _scene_lines(judged, column, width, verbose, words.SYMBOLS if symbols else words.ASCII_SYMBOLS)
    if played.outcome.bugs:
        yield f"  WRONG: {played.outcome.bugs} experiments ended in a bug of ours."
    yield ""


def _scene_lines(judged: Judged, column: int, width: int, verbose: int, symbols: Any) -> Iterator[str]:
    verdict = judged.result.verdict
    yield f"  {symbols[verdict.status]} {judged.scene.host:<{column}}  {verdict_words(verdict)}"
    said = words.headline(verdict.status, verdict.method, verdict.signature)
    if lean := words.leaning(verdict) if verdict.status == "inconclusive" else "":
        said = f"{said}; {lean}"
    yield from _under("done", judged.scene.done, width)
    yield from _under("found", said, width)
    for code in verdict.impairments:
        yield from _under("also", sentences.impairment(code, "en"), width)
    if not judged.right:
        yield from _under("WRONG", f"this should have been {_or(judged.scene.accepted)}", width)
    if verbose or not judged.right:
        for finding in verdict.findings:
            yield from _under("for", safe(sentences.render(finding, "en")), width)
        for finding in verdict.against:
            yield from _under("against", safe(sentences.render(finding, "en")), width)


def _under(label: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=f"      {label + ':':<9}", subsequent_indent=" " * 15)


def verdict_words(verdict: Verdict) -> str:
    """Status, method, signature and how sure, in one line."""
    parts = [verdict.status, verdict.method, verdict.signature]
    if verdict.confidence is not None:
        parts.append(words.certainty(verdict.confidence))
    return " · ".join(part for part in parts if part)


def _or(accepted: Sequence[Accepted]) -> str:
    return " or ".join(_accepted_words(each) for each in accepted)


def _accepted_words(accepted: Accepted) -> str:
    alternatives = (accepted.status,), accepted.methods, accepted.signatures
    told = " · ".join("/".join(filter(None, words_)) for words_ in alternatives if any(words_))
    leanings = "/".join(filter(None, accepted.leanings))
    besides = " and ".join(accepted.impairments)
    return "".join((told, f", leaning {leanings}" if leanings else "", f", with {besides}" if besides else ""))


# ---------------------------------------------------------------------------------------------------------------------


def summary_lines(
    programme: Sequence[Played], *, seconds: float, width: int, missing: Sequence[Act] = ()
) -> Iterator[str]:
    """How it went: how many are right, which words appeared, what is wrong, and what could not be played."""
    judged = [each for played in programme for each in played.judged]
    wrong = [each for each in judged if not each.right]
    verdicts = [each.result.verdict for each in judged]
    statuses = Counter(verdict.status for verdict in verdicts)
    signatures = {verdict.signature for verdict in verdicts if verdict.signature}
    counts = ", ".join(f"{statuses[status]} {status}" for status in STATUSES if statuses[status])
    yield f"{len(judged) - len(wrong)} of {_several(len(judged), 'verdict')} right, in {seconds:.0f} s."
    yield from textwrap.wrap(f"Seen: {counts}; {_several(len(signatures), 'signature')}.", width)
    if wrong:
        names = ", ".join(each.scene.name for each in wrong)
        yield from textwrap.wrap(f"WRONG: {names}. That is a bug in dalel, and we would like to hear of it.", width)
    elif any(played.outcome.bugs for played in programme):
        yield "WRONG: something in dalel broke on the way, and we would like to hear of it."
    if missing:
        yield f"Left out: {', '.join(act.name for act in missing)}, for {NO_AIOQUIC}."


def _several(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def document(programme: Sequence[Played], *, csv: str, missing: Sequence[Act] = ()) -> Json:
    """The whole demonstration as one JSON document; *missing* could not be played."""
    return {
        "schema": SCHEMA,
        "right": all(played.right for played in programme),
        "deadline_divisor": HURRY,
        "csv": csv,
        "left_out": [act.name for act in missing],
        "acts": [_act(played) for played in programme],
    }


def _act(played: Played) -> Json:
    network = played.outcome.network
    return {
        "name": played.act.name,
        "title": played.act.title,
        "network": {"status": network.status, "method": network.method},
        "bugs": played.outcome.bugs,
        "scenes": [_scene(judged) for judged in played.judged],
    }


def _scene(judged: Judged) -> Json:
    verdict = judged.result.verdict
    return {
        "name": judged.scene.name,
        "url": judged.scene.url,
        "done": judged.scene.done,
        "accepted": [
            {
                "status": a.status,
                "methods": list(a.methods),
                "signatures": list(a.signatures),
                "leanings": list(a.leanings),
                "impairments": list(a.impairments),
            }
            for a in judged.scene.accepted
        ],
        "status": verdict.status,
        "method": verdict.method,
        "signature": verdict.signature,
        "confidence": verdict.confidence,
        "impairments": list(verdict.impairments),
        "right": judged.right,
    }

"""What imported lists of block pages say of an answer, noted where the answer is: a fact of the run, for the judge to weigh.

So the judge needs no list, and old facts can be judged again after the list has changed. The run's context keeps the version.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from probe.observations import DnsFact, HttpFact, Mark, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from targets.fingerprints import Shelf


def marked(operation: Operation, shelf: Shelf | None, country: str | None) -> Operation:
    """*operation* with the marks of what it brought; as it is where there is no list, or nothing matches.

    Answers over a verified chain are left alone: that page is the site's own word.
    """
    fact = operation.fact
    if shelf is None or not shelf.books or not isinstance(fact, HttpFact | DnsFact) or operation.failure is not None:
        return operation
    if isinstance(fact, HttpFact) and fact.verified_chain:
        return operation
    texts = _page_texts(fact) if isinstance(fact, HttpFact) else {"dns": [answer.value for answer in fact.answers]}
    found = tuple(
        Mark(name=one.name, scope=one.scope, place=one.place, expected=one.expects(country))
        for one in shelf.matches(texts)
    )
    return replace(operation, fact=replace(fact, marks=found)) if found else operation


def _page_texts(fact: HttpFact) -> Mapping[str, Sequence[str]]:
    texts: dict[str, list[str]] = {"body": [fact.body]} if fact.body else {}
    for name, value in fact.headers:
        texts.setdefault(f"header.{name.lower()}", []).append(value)
    return texts

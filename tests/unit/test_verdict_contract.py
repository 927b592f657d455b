"""The evidence table as a contract: rows, scenarios, reasons, sentences, signatures and gates belong together."""

from __future__ import annotations

import inspect
import re
import string

import pytest

from probe.verdict import evidence, explain, gates, sentences, word_gates
from probe.verdict.model import BASES, DEFINITE, METHODS, Finding
from probe.verdict.rows import Row
from tests.unit.verdict_scenarios import CODES

ROWS = sorted(evidence.TABLE.values(), key=lambda row: row.code)
ALLOWED_ACRONYMS = {"DNS", "TLS", "HTTP", "VPN", "ISP"}


def test_every_module_row_is_in_the_table_once() -> None:
    """Two rows of one code would hide one of them."""
    codes = [row.code for module in evidence.MODULES for row in module.ROWS]
    assert len(codes) == len(set(codes)) == len(evidence.TABLE)


def test_every_row_has_a_story_and_every_story_a_row() -> None:
    """A code without a scenario fails."""
    assert set(CODES) == set(evidence.TABLE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_row_is_complete(row: Row) -> None:
    """A row has a function with its name, a bounded weight with its reason, and words of the vocabulary."""
    assert inspect.isfunction(row.find)
    assert row.find.__name__ == row.code
    assert 0 < abs(row.weight) <= 2
    assert len(row.why) > 20
    assert row.speaks_for in DEFINITE
    assert row.basis in BASES
    assert not (row.proves and row.weight < 0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_story_makes_the_row_count(row: Row) -> None:
    """In its story the finding holds, is not set aside, and points at observations of the run."""
    facts = CODES[row.code]()
    verdict = facts.verdict()
    found = [f for f in (*verdict.findings, *verdict.against) if f.code == row.code]
    assert [f.weight for f in found] == [row.weight]
    numbers = {o.number for o in facts.observations}
    assert set(found[0].observations) <= numbers


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_story_fills_the_sentence(row: Row) -> None:
    """Every parameter that the sentence needs is there, and none is left over as a brace."""
    facts = CODES[row.code]()
    (found,) = [f for f in (*facts.verdict().findings, *facts.verdict().against) if f.code == row.code]
    needed = {name for _, name, _, _ in string.Formatter().parse(row.sentence) if name}
    assert needed <= set(found.parameters)
    text = sentences.render(found)
    assert "{" not in text
    assert text.endswith(".")
    assert "unknown" not in text.replace("unknown issuer", "").replace("unknown_failure", "")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_story_keeps_to_the_vocabulary(row: Row) -> None:
    """Methods are words of the status; signatures are the row's own and explained."""
    facts = CODES[row.code]()
    (found,) = [f for f in (*facts.verdict().findings, *facts.verdict().against) if f.code == row.code]
    if found.method is not None:
        assert found.method in METHODS[row.speaks_for]
    if found.signature is not None:
        assert found.signature in row.signatures
    assert set(row.signatures) <= set(explain.SIGNATURES)


def test_every_signature_is_explained_and_none_besides() -> None:
    """``dalel explain`` knows exactly what the judge can emit, and says so of the names that are only reserved."""
    emitted = {signature for row in ROWS for signature in row.signatures}
    assert emitted == set(explain.SIGNATURES) - explain.NOT_YET


@pytest.mark.parametrize("signature", sorted(explain.SIGNATURES))
def test_explanations_have_three_parts(signature: str) -> None:
    """What it means, what else could cause it, how that was excluded: each long enough to say it, short enough to be read."""
    for _heading, text in explain.SIGNATURES[signature].parts:
        assert 1 <= len(re.findall(r"[.!?](?:\s|$)", text)) <= 7
        assert 20 <= len(text) <= 800
        assert text == text.strip()
        assert text[0].isupper() or text[0] == "“"


@pytest.mark.parametrize("signature", sorted(explain.SIGNATURES))
def test_what_proves_no_block_is_not_said_to_be_one(signature: str) -> None:
    """Where no row that proves a block carries the signature, the explanation does not say that it is one."""
    proves = any(r.proves and r.speaks_for == "blocked" and signature in r.signatures for r in ROWS)
    definite = any(r.proves and signature in r.signatures for r in ROWS)
    text = " ".join(text for _heading, text in explain.SIGNATURES[signature].parts)
    if not proves and signature not in explain.NOT_YET:
        assert "“Blocked” is said" not in text
        assert definite or "inconclusive" in text or "leaning" in text or "never" in text


def _plain_words(text: str) -> set[str]:
    return set(re.findall(r"\b[A-Z]{2,}[A-Za-z0-9]*\b", text)) - ALLOWED_ACRONYMS


def test_sentences_use_no_other_acronyms() -> None:
    """Users are not network engineers: DNS, TLS, HTTP, VPN and ISP are all the acronyms they are shown."""
    texts = [row.sentence for row in ROWS] + [
        text for one in explain.SIGNATURES.values() for _heading, text in one.parts
    ]
    texts += [sentences.settle(c) for c in sentences.codes()["settle"]]
    texts += [sentences.gate(c) for c in sentences.codes()["gate"]]
    texts += [sentences.impairment(c) for c in sentences.codes()["impairment"]]
    assert {word for text in texts for word in _plain_words(text)} == set()


def test_every_gate_has_a_sentence() -> None:
    """A gate that fired can be told."""
    assert set(gates.EVIDENCE_GATES) | set(word_gates.WORD_GATES) == sentences.codes()["gate"]


def test_unknown_codes_are_errors() -> None:
    """A code without a sentence never becomes an empty line."""
    nobody = Finding(code="nobody", speaks_for="blocked", weight=1.0, family="x", basis="behaviour")
    with pytest.raises(KeyError):
        sentences.render(nobody)
    for say in (sentences.settle, sentences.impairment, sentences.gate, sentences.also, sentences.leaning):
        with pytest.raises(KeyError):
            say("nobody")


def test_old_findings_without_a_parameter_still_read() -> None:
    """What an older version did not store is shown as unknown."""
    old = Finding(code="tcp_timeout", speaks_for="outage", weight=0.1, family="tcp", basis="behaviour")
    assert sentences.render(old) == "Unknown did not answer at all."


def test_failures_are_told_in_words() -> None:
    """A failure string of the data format never reaches a sentence."""
    facts = CODES["dns_failed"]()
    (found,) = [f for f in facts.verdict().findings if f.code == "dns_failed"]
    assert sentences.render(found) == (
        "This network's DNS gave no usable address for www.facebook.com: it says that the name does not exist."
    )


OF_ENDPOINTS = {"own_path_unreachable", "own_flip"}
"""They begin like the own side's, and are about a site's own address or way."""


@pytest.mark.parametrize("code", sorted({c for c in CODES if c.startswith("own_")} - OF_ENDPOINTS))
def test_network_findings_are_rows_of_the_table(code: str) -> None:
    """What the own side's verdict carries has the weight and the words of its row."""
    found = {f.code: f for f in CODES[code]().network().findings}
    row = evidence.TABLE[code]
    assert (found[code].weight, found[code].family) == (row.weight, row.family)
    assert sentences.render(found[code])

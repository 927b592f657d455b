"""Cells of an export: whatever was measured, a terminal that shows the file is not acted upon, and no value is lost."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from storage.export.columns import Column
from storage.export.formats import csv_chunks, jsonl_chunks, maybe_unseen, seen

TEXT, JSON = Column("name", "x", "text"), Column("fact", "y", "facts", "json")
UNSEEN = st.characters(categories=["Cc", "Cf", "Cs"])
CELLS = st.text(st.one_of(UNSEEN, st.characters(exclude_categories=[]), st.sampled_from("aя…“ ")), max_size=20)


def acted_upon(text: str) -> set[str]:
    """Characters that nobody can see, but for tab and the ends of lines."""
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf") and char not in "\t\r\n"}


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_nothing_in_a_file_acts_on_a_terminal(cells: list[tuple[str, str]]) -> None:
    """In neither form; facts mean the same after as before, and every row is there."""
    rows = [(text, json.dumps({"seen": value}, ensure_ascii=False)) for text, value in cells]
    table = b"".join(data for data, _ in csv_chunks((TEXT, JSON), [rows])).decode()
    lines = b"".join(data for data, _ in jsonl_chunks((TEXT, JSON), [rows])).decode()
    assert acted_upon(table) == acted_upon(lines) == set()
    read = list(csv.reader(io.StringIO(table, newline="")))[1:]
    assert [json.loads(row[1])["seen"] for row in read] == [value for _, value in cells]
    # Not splitlines(): JSON Lines end with a line feed, and U+0085 inside a text ends no line.
    found = [json.loads(line) for line in lines.split("\n")[:-1]]
    assert [(line["name"], line["fact"]["seen"]) for line in found] == cells


@given(st.characters(categories=["Cc", "Cf"], exclude_characters="\t\r\n"))
def test_none_is_overlooked(char: str) -> None:
    """The quick look at the bytes of a whole batch never misses one, and neither does the slow one."""
    assert maybe_unseen(f"an ordinary line{char}".encode())
    assert seen(TEXT, f"a{char}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_ordinary_batches_are_not_looked_at_twice() -> None:
    """Letters of this country and of most others cost nothing."""
    assert not maybe_unseen("run,1,дәлел,https://example.com/,blocked\r\n".encode())

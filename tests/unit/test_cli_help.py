"""Every page of ``--help``: it has an example to copy, is folded to the screen, and is cut off nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import get_args

import click
import pytest
from click.testing import CliRunner

from probe.cli import COMMANDS, dalel
from probe.cli.help_cmd import TOPICS
from probe.verdict.model import METHODS, Basis, Where

EXAMPLES = {
    ("demo",): "",
    ("note", "add"): 'dalel note "',
    ("completion",): "bash   echo 'eval \"$(dalel completion bash)\"'",
}
"""How the example begins where it is not the command's own words; none where the name alone is all there is to type."""


def every_command() -> Iterator[tuple[str, ...]]:
    """The words of each command and of each command inside a group."""
    for row in COMMANDS:
        yield (row.name,)
        command = dalel.get_command(click.Context(dalel), row.name)
        if isinstance(command, click.Group):
            yield from ((row.name, name) for name in command.list_commands(click.Context(command)))


def helped(*words: str, columns: int = 100) -> str:
    done = CliRunner().invoke(dalel, [*words, "--help"], prog_name="dalel", terminal_width=columns)
    assert done.exit_code == 0, done.output
    return done.output


WORDS = list(every_command())


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_it_has_an_example(words: tuple[str, ...]) -> None:
    """A line that can be typed as it stands, apart from the line that says how the command is used."""
    example = EXAMPLES.get(words, f"dalel {' '.join(words)}")
    assert any(line.lstrip().startswith(example) for line in helped(*words).splitlines()[1:])


@pytest.mark.parametrize("words", [(), *WORDS], ids=" ".join)
def test_it_is_folded_and_whole(words: tuple[str, ...]) -> None:
    """No mark of ours is left in it, no summary is cut off, and no line is longer than a wide screen."""
    for columns in (60, 100):
        text = helped(*words, columns=columns)
        assert "\\b" not in text
        assert "..." not in re.sub(r"\[.*?\]\.\.\.|ARGS\]\.\.\.|TARGET\.\.\.", "", text)
        assert max(map(len, text.splitlines())) <= 100


def test_every_word_of_a_column_is_explained() -> None:
    """What a verdict can be, how, where, and what it rests on: each word stands in the topic of verdicts."""
    text = files("probe.help").joinpath("verdicts.md").read_text("utf-8")
    said = set(re.findall(r"[a-z_]+", text))
    for words in (METHODS, *METHODS.values(), get_args(Where), get_args(Basis)):
        assert set(words) <= said


def test_every_topic_is_named_where_people_look() -> None:
    """In the list of commands, in the command's own help, and as a file."""
    assert {
        path.name.removesuffix(".md") for path in files("probe.help").iterdir() if path.name.endswith(".md")
    } == set(TOPICS)
    (row,) = (row for row in COMMANDS if row.name == "help")
    for text in (row.help, helped("help")):
        assert set(TOPICS) <= set(re.findall(r"[a-z-]+", text))

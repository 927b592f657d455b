"""Every command line that the README, the other pages and the program's own help show can be typed: all of it is read as the
program reads it, down to the last option, and nothing is done.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from probe.cli import COMMANDS, dalel
from probe.cli.help_cmd import TOPICS

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "compose.yaml")
_BEGINS = re.compile(rf"(?<!`)\bdalel (?=(?:{'|'.join(row.name for row in COMMANDS)})\b(?!:))")
_FILE = re.compile(r"FILE|[\w./-]+\.(?:toml|csv|tsv\.gz|txt|pem)")


def indented(text: str) -> Iterator[str]:
    """What stands as an example: its last command of ours on each line that is set in."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith(("  ", "#")) and (found := list(_BEGINS.finditer(line))):
            at = found[-1].start()
            yield line[at:].partition(")")[0] if line[:at].endswith("$(") else line[at:]


def quoted(text: str) -> Iterator[str]:
    """What stands between `these`, also across the end of a line."""
    for inside in re.findall(r"`(dalel [^`]+)`", text):
        if _BEGINS.match(inside):
            words = " ".join(inside.split())
            # The name of a group is a name, and not all that there is to type.
            yield f"{words} --help" if words.count(" ") == 1 else words


def words_of(line: str) -> list[str]:
    """The words after ``dalel``, as a shell has them: without what is explained beside it, and up to a pipe."""
    shell = shlex.shlex(re.split(r"\s{2,}", line.strip())[0], posix=True, punctuation_chars=True)
    shell.whitespace_split = True
    words = list(shell)[1:]
    end = next((at for at, word in enumerate(words) if set(word) <= set("|<>&;()")), len(words))
    return words[:end]


def read(words: list[str]) -> None:
    """Read *words* as the program does, command by command. Raises what click raises; runs nothing."""
    command: click.Command = dalel
    context = dalel.make_context("dalel", list(words))
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)


def helps() -> Iterator[tuple[str, str]]:
    def page(*words: str) -> tuple[str, str]:
        done = CliRunner().invoke(dalel, [*words, "--help"], prog_name="dalel", terminal_width=200)
        return " ".join(("dalel", *words, "--help")), done.output

    yield page()
    for row in COMMANDS:
        yield page(row.name)
        command = dalel.get_command(click.Context(dalel), row.name)
        if isinstance(command, click.Group):
            yield from (page(row.name, name) for name in command.list_commands(click.Context(command)))


def shown() -> Iterator[tuple[str, str]]:
    """Where it is shown, and the line."""
    texts = [(name, (ROOT / name).read_text(encoding="utf-8")) for name in PAGES]
    texts += [
        (f"dalel help {topic}", files("probe.help").joinpath(f"{topic}.md").read_text("utf-8")) for topic in TOPICS
    ]
    for where, text in (*texts, *helps()):
        for line in dict.fromkeys((*indented(text), *quoted(text))):
            if not line.startswith("dalel help TOPIC"):
                yield where, line


SHOWN = list(shown())


def test_what_is_looked_for_is_found() -> None:
    """The README's and the help's, with comments, pipes and explanations cut off."""
    assert sum(where == "README.md" for where, _line in SHOWN) > 40
    assert len(SHOWN) > 150
    assert words_of("dalel check --dry-run facebook      # every kind of packet") == ["check", "--dry-run", "facebook"]
    assert words_of("dalel check - < sites.txt            one a line") == ["check", "-"]
    assert words_of("dalel check facebook --fail-on blocked || echo blocked")[-1] == "blocked"
    assert words_of("dalel check --control 'https://HOST:8443#token=…' facebook")[-2:] == [
        "https://HOST:8443#token=…",
        "facebook",
    ]
    with pytest.raises(click.UsageError):
        read(["check", "--no-such-option"])
    with pytest.raises(click.UsageError):
        read(["db", "prune", "--older-than"])


@pytest.mark.parametrize(("where", "line"), SHOWN, ids=[f"{where}: {line[:50]}" for where, line in SHOWN])
def test_it_can_be_typed(where: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, arguments and options exist, and values are of the right kind."""
    monkeypatch.chdir(tmp_path)
    words = words_of(line)
    for word in words:
        if _FILE.fullmatch(word) and not word.startswith("/"):
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
    try:
        read(words)
    except click.exceptions.Exit:
        pass  # --help and --version
    except click.UsageError as error:
        pytest.fail(f"{where} shows `{line}`, and it cannot be typed: {error.format_message()}")

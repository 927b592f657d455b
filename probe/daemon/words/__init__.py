"""What is said to people, in English, Russian and Kazakh: one TOML file a language, which anybody can edit.

Ids are dotted (``line.began``, ``what.blocked.dns``). A sentence has named places (``{when}``); where a number decides its
form there is a small table by plural categories (those of Unicode's CLDR: ``one``, ``few``, ``many``, ``other``).
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from probe.settings.notify import LANGUAGES, Language

FORMS: Mapping[Language, tuple[str, ...]] = {
    "en": ("one", "other"),
    "ru": ("one", "few", "many"),
    "kk": ("one", "other"),
}
"""The plural categories of each language for whole numbers."""


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language. What a translation lacks is said in English."""

    language: Language
    sentences: Mapping[str, str | Mapping[str, str]]

    def say(self, sentence: str, /, **places: object) -> str:
        """The sentence of that id with its places filled; ``KeyError`` for an id that there is not."""
        text = self.sentences[sentence]
        assert isinstance(text, str)
        return text.format(**places)

    def count(self, sentence: str, number: int) -> str:
        """The form of the sentence that *number* asks for, with ``{count}`` filled."""
        forms = self.sentences[sentence]
        assert not isinstance(forms, str)
        return forms[plural(self.language, number)].format(count=number)

    def deepest(self, sentence: str, *parts: str | None) -> str:
        """``what.blocked.dns`` if it is there, else ``what.blocked``: the longest of *parts* that has words."""
        known = [part for part in parts if part]
        for depth in range(len(known), 0, -1):
            name = ".".join((sentence, *known[:depth]))
            if name in self.sentences:
                return self.say(name)
        raise KeyError(sentence)

    def months(self) -> tuple[str, ...]:
        return tuple(self.say("time.months").split())


def plural(language: Language, number: int) -> str:
    """The category of a whole number (Unicode CLDR, "Language Plural Rules")."""
    number = abs(number)
    if language != "ru":
        return "one" if number == 1 else "other"
    if number % 10 == 1 and number % 100 != 11:
        return "one"
    return "few" if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else "many"


@functools.cache
def load(language: Language) -> Words:
    """The words of *language*, read once."""
    english = read("en")
    return Words(language, english if language == "en" else _laid_over(english, read(language)))


def read(language: Language) -> dict[str, str | Mapping[str, str]]:
    """What the file of *language* says and nothing more, by dotted id."""
    text = files("probe.daemon.words").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text), ""))


def _flat(table: Mapping[str, Any], above: str) -> list[tuple[str, str | Mapping[str, str]]]:
    found: list[tuple[str, str | Mapping[str, str]]] = []
    for key, value in table.items():
        name = f"{above}{key}"
        if isinstance(value, dict) and not value.keys() <= {"one", "few", "many", "other"}:
            found += _flat(value, f"{name}.")
        else:
            found.append((name, value))
    return found


def _laid_over(
    english: Mapping[str, str | Mapping[str, str]], own: Mapping[str, str | Mapping[str, str]]
) -> dict[str, str | Mapping[str, str]]:
    """*own* with English where it has nothing. Forms are not borrowed: they are another grammar's."""
    borrowed = {name: value for name, value in english.items() if isinstance(value, str)}
    return borrowed | dict(own)


def choose(setting: Language | None, environ: Mapping[str, str]) -> Language:
    """The setting, else what the environment says (POSIX: ``LC_ALL``, ``LC_MESSAGES``, ``LANG``), else English."""
    if setting is not None:
        return setting
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environ.get(name))), "")
    return next((language for language in LANGUAGES if locale.lower().startswith(language)), "en")

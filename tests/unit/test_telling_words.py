"""The words in three languages: complete, of one shape, and careful."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.daemon import words
from probe.settings.notify import EVENT_KINDS, LANGUAGES
from probe.verdict.model import METHODS

TABLES = {language: words.read(language) for language in LANGUAGES}
IDS = sorted(TABLES["en"])
BLOCKING = re.compile(r"block|censor|блокир|цензур|бұғат|тосқауыл|цензура", re.IGNORECASE)
"""What may be said of a status only if it is ``blocked``."""


def forms(value):
    return tuple(value.values()) if isinstance(value, dict) else (value,)


def places(text):
    return sorted({name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_sentence_and_no_other(language):
    """A translation lacks nothing, and has nothing that is never said."""
    assert sorted(TABLES[language]) == IDS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sentence", IDS)
def test_a_sentence_has_the_same_places_in_every_language(language, sentence):
    """What is filled in in English is filled in everywhere, by the same name, in every form."""
    for form in forms(TABLES[language][sentence]):
        assert places(form) == places(forms(TABLES["en"][sentence])[0])
        assert form.strip()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sentence", IDS)
def test_a_counted_sentence_has_the_forms_of_its_language(language, sentence):
    """Three in Russian, two elsewhere, and none too many."""
    value = TABLES[language][sentence]

    assert isinstance(value, dict) == isinstance(TABLES["en"][sentence], dict)
    if isinstance(value, dict):
        assert tuple(value) == words.FORMS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_and_method_of_an_incident_has_its_own_words(language):
    """Long and short for every status, long for every method."""
    for status in ("blocked", "denied", "outage", "no_network"):
        assert f"short.{status}" in TABLES[language]
        assert {f"what.{status}"} | {f"what.{status}.{method}" for method in METHODS[status]} == {
            name for name in TABLES[language] if name == f"what.{status}" or name.startswith(f"what.{status}.")
        }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_has_a_title(language):
    """Nothing happens that has no headline."""
    assert {f"title.{kind}" for kind in EVENT_KINDS} <= set(TABLES[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sentence", [name for name in IDS if not name.startswith("consent.")])
def test_blocking_is_named_only_where_it_was_found(language, sentence):
    """The worst thing that could be said wrongly is in no sentence but those of that status."""
    may = sentence in ("short.blocked", "what.blocked") or sentence.startswith("what.blocked.")

    assert may or not any(BLOCKING.search(form) for form in forms(TABLES[language][sentence]))


def test_the_word_for_blocking_is_one_that_the_test_knows():
    """The pattern above would find it, so its silence means something."""
    assert all(BLOCKING.search(str(TABLES[language]["short.blocked"])) for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_written_in_its_own_letters(language):
    """No sentence was left in English, and none has letters of two alphabets in one word."""
    for sentence, value in TABLES[language].items():
        for form in forms(value):
            bare = re.sub(r"\{\w+\}", " ", form)
            if language != "en" and sentence not in ("title.opened", "title.of", "title.probe", "time.between_days"):
                assert re.search("[а-яәғқңөұүһі]", bare, re.IGNORECASE) or not re.search("[a-z]", bare), sentence
            assert not re.search(r"[A-Za-z][а-яёәғқңөұүһі]|[а-яёәғқңөұүһі][A-Za-z]", bare, re.IGNORECASE), sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_twelve_months(language):
    """In each language."""
    assert len(set(words.load(language).months())) == 12


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (0, "many"),
        (1, "one"),
        (2, "few"),
        (4, "few"),
        (5, "many"),
        (11, "many"),
        (12, "many"),
        (14, "many"),
        (21, "one"),
        (22, "few"),
        (25, "many"),
        (101, "one"),
        (111, "many"),
        (112, "many"),
        (1002, "few"),
    ],
)
def test_russian_counts_in_three_forms(number, form):
    """By the last two digits (CLDR)."""
    assert words.plural("ru", number) == form


@given(st.integers(min_value=0), st.sampled_from(LANGUAGES))
def test_every_number_has_a_form(number, language):
    """Whatever is counted can be said."""
    assert str(number) in words.load(language).count("time.days", number)


@pytest.mark.parametrize(
    ("setting", "environ", "language"),
    [
        ("kk", {"LANG": "ru_RU.UTF-8"}, "kk"),
        (None, {"LANG": "ru_RU.UTF-8"}, "ru"),
        (None, {"LC_ALL": "kk_KZ.UTF-8", "LANG": "ru_RU.UTF-8"}, "kk"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "ru", "LANG": "en_GB"}, "ru"),
        (None, {"LANG": "C.UTF-8"}, "en"),
        (None, {"LANG": "de_DE.UTF-8"}, "en"),
        (None, {}, "en"),
    ],
)
def test_the_language_is_the_settings_or_the_systems(setting, environ, language):
    """What was set wins; the system's is asked in the order of POSIX; English is what is left."""
    assert words.choose(setting, environ) == language


def test_what_a_translation_lacks_is_said_in_english():
    """A new sentence is not an error before it has been translated."""
    lacking = {name: value for name, value in TABLES["kk"].items() if name != "line.more"}

    assert words._laid_over(TABLES["en"], lacking)["line.more"] == TABLES["en"]["line.more"]

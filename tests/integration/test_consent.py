"""Consent: asked for once a version, kept with how it was given, and nothing is measured without it."""

import io
import os
import pty
import signal
import subprocess
import sys

import pytest

from probe.daemon import consent
from probe.daemon.consent import VERSION, Asker
from storage import consents
from storage.archive import Archive
from storage.consents import Consent
from tests.integration.command import dalel

NOW = 1_800_000_000_000_000


@pytest.fixture
def archive(tmp_path):
    with Archive.open(str(tmp_path / "dalel.db")) as opened:
        yield opened


class Screen(io.StringIO):
    """What was shown; ``encoding`` as a terminal has one."""

    encoding = "utf-8"


def asker(language="en", *, accept_risk=False, environ=None, screen=None, opt_ins=()):
    return Asker(
        language=language,
        accept_risk=accept_risk,
        environ=environ or {},
        screen=screen or Screen(),
        opt_ins=opt_ins,
    )


def last(archive):
    return consents.last(archive.reader.database)


@pytest.mark.parametrize(
    ("language", "word"), [("en", "yes"), ("ru", "да"), ("kk", "иә"), ("kk", "ия"), ("ru", "YES"), ("en", "«Да».")]
)
def test_the_whole_word_in_any_language_is_an_agreement(archive, language, word):
    """It is kept with the version, the language, the time and how."""
    asking = asker(language)

    assert asking.ask(archive, NOW, io.StringIO(f"{word}\n"))
    assert last(archive) == Consent(version=VERSION, language=language, at_us=NOW, how="terminal")
    assert asker().ask(archive, NOW, io.StringIO())  # not asked again


@pytest.mark.parametrize("said", ["", "\n", "no\n", "y\ny\ny\n", "нет\nнет\nнет\nда\n", "yes please\n"])
def test_anything_else_is_none(archive, said):
    """No answer, one letter, a yes after three others: nothing is kept, and it is said what follows."""
    screen = Screen()

    assert not asker(screen=screen).ask(archive, NOW, io.StringIO(said))
    assert last(archive) is None
    assert "Nothing will be measured" in screen.getvalue()


def test_a_newer_text_is_asked_about_again(archive, monkeypatch):
    """And says that it is newer."""
    assert asker().ask(archive, NOW, io.StringIO("yes\n"))
    monkeypatch.setattr(consent, "VERSION", "2030-01-01")
    screen = Screen()

    assert not asker(screen=screen).ask(archive, NOW, io.StringIO("\n"))
    assert "This text has changed" in screen.getvalue()


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_the_text_names_every_opt_in_and_what_is_switched_on(language):
    """Each is a decision of its own."""
    text = "\n".join(asker(language, opt_ins=("vpn", "deep")).text(newer=False))

    assert all(name in text for name in ("@news", "@vpn", "deep = true", "dalel purge", "--dry-run"))
    assert "vpn, deep" in text


def test_a_screen_without_the_letters_gets_english():
    """Question marks cannot be agreed to."""
    screen = Screen()
    screen.encoding = "ascii"
    asking = asker("kk", screen=screen)
    asking.show()

    assert "Before Dalel runs around the clock" in screen.getvalue()
    assert asking._consent("terminal", NOW).language == "en"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("flag", "environ", "how"),
    [(True, {}, "flag"), (False, {"DALEL_ACCEPT_RISK": "1"}, "environment"), (False, {"DALEL_ACCEPT_RISK": "0"}, None)],
)
async def test_unattended_the_flag_or_the_variable_agrees(archive, flag, environ, how):
    """Anything but a yes in the variable is no yes."""
    agreed = await asker(accept_risk=flag, environ=environ).agreed(archive, NOW)

    assert agreed == (how is not None)
    assert (last(archive) and last(archive).how) == how


@pytest.mark.anyio
async def test_without_anybody_the_text_is_shown_once_and_a_later_agreement_is_noticed(archive):
    """A container that restarts nothing and asks nobody: it waits."""
    screen = Screen()
    asking = asker(screen=screen)
    assert [await asking.agreed(archive, NOW) for _ in range(3)] == [False] * 3
    assert screen.getvalue().count("Before Dalel runs") == 1
    assert "DALEL_ACCEPT_RISK=1" in screen.getvalue()

    asker().ask(archive, NOW, io.StringIO("yes\n"))
    assert await asking.agreed(archive, NOW)


def environment(folder):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DALEL_")}
    return kept | {"DALEL_DATA_DIR": str(folder), "LANG": "ru_RU.UTF-8", "PYTHONUTF8": "1"}


def test_run_without_anybody_shows_the_text_and_measures_nothing(tmp_path):
    """It stays up and idle, in the language of the system, and goes when it is told to."""
    command = [sys.executable, "-m", "probe", "run"]
    with subprocess.Popen(
        command, env=environment(tmp_path), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stderr is not None
        seen = b""
        while b"Nothing is measured, because" not in seen and (piece := os.read(process.stderr.fileno(), 65536)):
            seen += piece
        assert process.poll() is None, seen.decode()
        process.send_signal(signal.SIGTERM)
        seen += process.stderr.read()
        assert process.wait(60) == 0

    assert "Прежде чем Dalel начнёт работать круглосуточно" in seen.decode()
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        assert archive.runs() == ()
        assert last(archive) is None


@pytest.mark.parametrize(
    ("language", "nobody", "somebody"),
    [
        ("en", "Nobody has agreed yet", "Agreed to version"),
        ("ru", "Пока никто не согласился", "Согласие дано"),
        ("kk", "Әзірге ешкім келіскен жоқ", "Келісім берілді"),
    ],
)
def test_whether_it_is_agreed_to_is_said_in_the_language_of_the_text(tmp_path, language, nobody, somebody):
    """Below the text, before and after; never in another language than the text."""
    shown = [dalel(tmp_path, "consent", "--show", "--language", language)]
    dalel(tmp_path, "consent", "--accept-risk", "--language", language)
    shown.append(dalel(tmp_path, "consent", "--show", "--language", language))
    last_lines = [done.stdout.strip().splitlines()[-1] for done in shown]
    assert [done.returncode for done in shown] == [1, 0]
    assert last_lines[0].startswith(nobody)
    assert last_lines[1].startswith(somebody)
    assert VERSION in last_lines[1]


def test_on_a_terminal_the_command_asks_and_keeps_the_answer(tmp_path):
    """As a person sees it: the text, the question, an answer typed."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "probe", "consent"]
    process = subprocess.Popen(command, env=environment(tmp_path), stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    seen = b""
    try:
        while "напишите".encode() not in seen:
            seen += os.read(leader, 65536)
        os.write(leader, "да\n".encode())
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)

    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        assert (last(archive).language, last(archive).how) == ("ru", "terminal")

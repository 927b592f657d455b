"""What `dalel check` makes of what was typed."""

import dataclasses
import io
import sys
from typing import Any

import pytest

from probe.cli import check_cmd, choices, dry_run
from probe.cli.common import ConfigError
from probe.cli.progress import Progress
from probe.runner import Judged, OwnSide, Started, Step
from probe.settings import Settings
from probe.verdict.model import STATUSES, NetworkVerdict
from probe.wire import Wire
from probe.wire.this_host import HostState
from targets.loader import load_canaries
from targets.model import Asked, Endpoint
from tests.unit import pieces as made


@pytest.mark.parametrize(
    ("words", "profile"),
    [((), "light"), (("@news",), "light"), (("facebook",), "full"), (("x.com", "@news"), "light")],
)
def test_what_was_named_is_looked_at_fully(words, profile):
    """Whole lists are measured with little traffic, what somebody names with its page."""
    assert profile == check_cmd.profile_for(words)


@pytest.mark.parametrize(
    ("families", "v4", "v6", "told"),
    [
        ((6,), True, False, "no way out over IPv6, and nothing else is asked over: leave out -6"),
        ((4,), False, True, "no way out over IPv4, and nothing else is asked over: leave out -4"),
        ((4, 6), True, False, ""),
        ((6,), True, True, ""),
        ((6,), True, None, ""),
        ((6,), False, False, ""),
    ],
)
def test_a_family_that_this_computer_lacks_is_told_before_it_is_asked_over(families, v4, v6, told):
    """Else the result is "measure it again", for ever. A computer without any way out is told by its own side."""

    class _Host:
        def host(self):
            return HostState(
                default_route_v4=v4, default_route_v6=v6, tunnels=(), proxies=(), in_container=False, suspended_s=None
            )

    notes: Any = choices.notes_of((), _Host(), families, quiet=True)  # type: ignore[arg-type]
    assert told in "".join(notes)
    assert bool(notes) == bool(told)


def test_a_timeout_shortens_every_deadline():
    """No single wait may outlast what the user wants to wait for all."""
    deadlines = check_cmd._hurried(Settings(), 2.0).deadlines

    assert 2.0 == deadlines.endpoint == max(getattr(deadlines, f.name) for f in dataclasses.fields(deadlines))
    assert Settings().deadlines.arm_gap == deadlines.arm_gap


def test_a_longer_timeout_lengthens_only_the_whole():
    """--timeout 240 does not wait longer for one packet."""
    deadlines = check_cmd._hurried(Settings(), 240.0).deadlines

    assert dataclasses.replace(Settings().deadlines, endpoint=240.0) == deadlines


def test_words_come_from_standard_input(monkeypatch):
    """One a line; comments and empty lines are left out."""
    stdin = io.TextIOWrapper(io.BytesIO(b"# mine\n\n facebook \nhttps://example.com/#top\n"))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert choices.words_of(("x.com", "-")) == ("x.com", "facebook", "https://example.com/#top")


def test_the_statuses_of_fail_on_are_those_of_the_judge():
    """The option's list cannot drift from the words."""
    assert STATUSES == choices.STATUSES


class _Screen(io.StringIO):
    def __init__(self, *, tty):
        super().__init__()
        self._tty = tty

    def isatty(self):
        return self._tty


def events():
    asked = tuple(Asked(number=n, endpoint=Endpoint(f"https://{n}.example/"), target="x") for n in range(2))
    yield Started(made.run(), asked)
    yield Step(0, "baseline")
    yield OwnSide(NetworkVerdict(status="ok"))
    yield Step(1, "neutral_pair")
    yield Judged(made.result(0, "https://0.example/", made.verdict("blocked")))
    yield Judged(made.result(1, "https://1.example/", made.verdict("accessible")))


def heard(*, tty, seconds):
    screen, clock = _Screen(tty=tty), iter(range(0, 1000, seconds))
    progress = Progress(screen, lambda: next(clock), kept_in=None)
    for event in events():
        progress(event)
    progress.close()
    return screen.getvalue()


def test_a_terminal_has_one_line_that_is_taken_away(monkeypatch):
    """What follows the progress starts on an empty line."""
    monkeypatch.setenv("COLUMNS", "100")
    text = heard(tty=True, seconds=1)

    assert "\r\x1b[K1 of 2 measured · 1 blocked · 1.example: comparing names somewhere else" in text
    assert text.endswith("\r\x1b[K")
    assert text.startswith("Asking about 2. Nothing is kept. Ctrl-C stops it.\n")
    assert text.count("\n") == 1


def test_asking_about_the_own_network_does_not_sound_like_a_finding():
    """ "your own network" behind a site's name would read as what is wrong with it."""
    screen = _Screen(tty=True)
    progress = Progress(screen, lambda: 0.0, kept_in=None)
    for event in (*list(events())[:1], Step(1, "network")):
        progress(event)
    assert "1.example: checking your own network" in screen.getvalue()


@pytest.mark.parametrize("columns", [30, 60])
def test_progress_fits_into_one_line_of_the_screen(columns, monkeypatch):
    """What runs into a second line could not be taken away again."""
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = heard(tty=True, seconds=1).split("\r\x1b[K")[1:]

    assert max(map(len, lines)) == min(
        columns - 1, len("1 of 2 measured · 1 blocked · 1.example: comparing names somewhere else")
    )


def test_elsewhere_a_plain_line_every_few_seconds():
    """A log gets no control characters, and not a line an event."""
    assert heard(tty=False, seconds=2) == (
        "0 of 2 measured · 0.example: as a browser does\n"
        "0 of 2 measured · 1.example: comparing names somewhere else\n"
        "2 of 2 measured · 1 accessible, 1 blocked\n"
    )


def test_an_app_is_measured_as_its_app_does(monkeypatch):
    """No browser speaks it; what follows has the same names for all."""
    monkeypatch.setenv("COLUMNS", "100")
    screen, asked = _Screen(tty=True), Asked(number=1, endpoint=Endpoint("ikev2://vpn.example"), target="x")
    progress = Progress(screen, lambda: 0.0, kept_in=None)
    for event in (Started(made.run(), (asked,)), Step(1, "website"), Step(1, "retry")):
        progress(event)
    assert "vpn.example: as its app does" in screen.getvalue()
    assert "vpn.example: trying again" in screen.getvalue()


def test_a_quick_check_says_nothing_where_nobody_watches():
    """Cron sends no mail for it."""
    screen = _Screen(tty=False)
    progress = Progress(screen, lambda: 0.0, kept_in=None)
    for event in events():
        progress(event)

    assert screen.getvalue() == ""


def test_what_is_deep_is_listed_only_if_it_was_asked_for():
    """--dry-run tells of every packet: of those that take minutes only with --deep."""
    canaries = load_canaries()

    def follow_ups(settings):
        lines = dry_run.describe((), settings, canaries, Wire())
        return {line.partition(":")[0].strip() for line in lines if line.startswith("  ")}

    assert not {"residual", "split"} & follow_ups(Settings())
    assert {"residual", "split", "behind"} <= follow_ups(Settings(deep=True))
    assert "split" not in follow_ups(Settings(deep=True, skip=("split",)))


@pytest.mark.parametrize(
    ("typed", "environment", "deep"),
    [
        ((), {}, False),
        (("--deep",), {}, True),
        ((), {"DALEL_CHECK_DEEP": "yes"}, True),
        ((), {"DALEL_CHECK_DEEP": "0"}, False),
    ],
)
def test_deep_is_a_flag_and_a_setting(monkeypatch, typed, environment, deep):
    """What is deep is an opt-in, and the run says so."""
    asked = []

    def run(_options: Any, request: Any, _wire: Any, **_more: Any) -> int:
        asked.append(request)
        return 0

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(check_cmd, "_run", run)

    check_cmd.command.main([*typed, "--no-save", "-q", "https://example.com/"], standalone_mode=False)

    (request,) = asked
    assert request.settings.deep is deep
    assert ("deep" in request.opt_ins) is deep


def test_a_flag_that_is_neither_yes_nor_no_is_refused(monkeypatch):
    """With the words that are allowed."""
    monkeypatch.setenv("DALEL_CHECK_DEEP", "perhaps")
    with pytest.raises(ConfigError, match="true or false"):
        check_cmd.command.main(["https://example.com/"], standalone_mode=False)

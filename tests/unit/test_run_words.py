"""What `dalel run` writes: its schedule on paper, and its lines."""

import io
import json
import re

import pytest

from probe.cli import run
from probe.cli.daemon_log import Log
from targets import select
from targets.loader import load_catalogue


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CONFIG_HOME", "DALEL_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def rounds(told, rhythm):
    """Of how many addresses the rounds of a rhythm take some, which are fewer."""
    found = re.search(rf"{rhythm}: (\d+) of (\d+) addresses", told)
    assert found is not None
    some, of = map(int, found.groups())
    assert 0 < some < of
    return of


# ---------------------------------------------------------------------------------------------------------------------
# the schedule


def test_a_dry_run_tells_the_schedule_and_the_data_and_sends_nothing(home, capsys, monkeypatch):
    """Every rhythm with its addresses, bytes a day and a month, the kill switch; no socket is made and no file."""
    monkeypatch.setattr("socket.socket", None)
    assert run(["run", "--dry-run"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Every 60 to 120 seconds: is your own network in order?" in told
    asked = select.resolve((), load_catalogue())
    assert rounds(told, "Every 9.5 to 10.5 minutes") == len(asked)
    apps = [one for one in asked if (one.platform, one.service) == ("telegram", "apps")]
    assert f"telegram (apps): {len(apps)} addresses" in told
    assert sum(map(int, re.findall(r"\([a-z-]+\): (\d+) address", told))) == len(asked)
    assert "MB a month" in told
    assert str(home / "stop") in told
    assert list(home.iterdir()) == []


def test_a_pace_of_its_own_is_a_line_of_its_own(home, capsys):
    """A platform's pace outranks its list's; a list that is not watched changes nothing."""
    settings = home / "config.toml"
    settings.write_text(
        "[run.platform.telegram]\nevery = 120\n[run.list.default]\nevery = 1200\n[run.list.news]\nevery = 60\n"
    )
    assert run(["run", "--dry-run", "--config", str(settings), "telegram", "@default"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert rounds(told, "Every 114 to 126 seconds") == len(select.resolve(("telegram",), load_catalogue()))
    assert "Every 19 to 21 minutes:" in told
    assert "Every 54 to 66 seconds" not in told


def test_a_small_cap_is_told_to_make_rounds_rarer(home, capsys):
    """On a metered line the rounds come as often as the bytes allow."""
    settings = home / "config.toml"
    settings.write_text("[run]\nmetered_megabytes_per_day = 4\n")
    assert run(["run", "--dry-run", "--metered", "--config", str(settings)]) == 0
    assert "times rarer than they would be" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--dry-run", "facebok"], "Did you mean 'facebook'?"),
        (["run", "--dry-run", "--only", "nothing"], "there is no 'nothing'"),
    ],
)
def test_a_mistake_is_one_clear_error(home, capsys, words, said):
    """Exit 2 before anything begins."""
    assert run(words) == 2
    assert said in capsys.readouterr().err


def test_a_pace_of_nobody_is_an_error(home, capsys):
    """[run.platform.NAME] has to name a platform."""
    settings = home / "config.toml"
    settings.write_text("[run.platform.telegarm]\nevery = 120\n")
    assert run(["run", "--dry-run", "--config", str(settings)]) == 2
    assert "[run.platform.telegarm] in the settings: No platform is called" in capsys.readouterr().err
    settings.write_text("[run.list.nwes]\nevery = 120\n")
    assert run(["run", "--dry-run", "--config", str(settings)]) == 2
    assert "[run.list.nwes] in the settings: No list is called" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------------------
# lines


def log_to(form):
    file = io.StringIO()
    return file, Log(file, form, lambda: 1_795_000_000_000_000)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            {"event": "notify.not_sent", "channel": "phone", "said": "ntfy.sh was not reached: eof_error"},
            "Not sent to phone yet, and tried again later: ntfy.sh was not reached: eof_error",
        ),
        ({"event": "notify.sent", "channel": "phone", "said": "200"}, "Told phone: 200"),
        (
            {"event": "notify.dropped", "channel": "", "said": "it has waited for a month", "count": 2},
            "Messages that are not sent any more (2): it has waited for a month",
        ),
        ({"event": "notify.round_too_long", "channel": ""}, "Sending takes too long, and goes on later."),
    ],
)
def test_what_became_of_messages_is_a_sentence(told, line):
    """No event's name, which is for programs, in what people read; in JSON it is there."""
    file, log = log_to("text")
    log.as_file().write(json.dumps(told) + "\n")
    assert file.getvalue() == f"{line}\n"
    file, log = log_to("json")
    log.as_file().write(json.dumps(told) + "\n")
    assert json.loads(file.getvalue())["event"] == told["event"]


def test_lines_for_people_are_sentences_without_tricks():
    """No escape sequence of a stranger's reaches the terminal, and journald knows the time itself."""
    file, log = log_to("text")
    log("started", "Watching \x1b[31m1 address.")
    assert "\x1b" not in file.getvalue()
    assert file.getvalue().startswith("Watching")


def test_lines_for_programs_are_json_with_the_time():
    """One object a line, with the name of what happened and its facts."""
    file, log = log_to("json")
    log("cap", "Too few are left.", bytes=5)
    assert json.loads(file.getvalue()) == {
        "at": "2026-11-18T11:06:40Z",
        "event": "cap",
        "message": "Too few are left.",
        "bytes": 5,
    }


def test_what_is_told_of_incidents_comes_out_in_the_same_form():
    """A teller writes JSON; a log for people shows the title of it."""
    file, log = log_to("text")
    lines = log.as_file()
    print(json.dumps({"event": "incident", "title": "Blocked: facebook", "text": "long"}), file=lines, flush=True)
    print("no JSON at all", file=lines)
    assert file.getvalue() == "Blocked: facebook\nno JSON at all\n"


def test_a_bug_shows_where_it_was():
    """The traceback is of use to the maintainers, and there is nobody to ask for it later."""
    file, log = log_to("text")
    log("bug", "A bug in dalel.", traceback="Traceback\n  File x\n")
    assert "File x" in file.getvalue()


def test_a_log_that_is_gone_stops_nothing():
    """The pipe may be closed."""
    file, log = log_to("text")
    file.close()
    log("started", "Watching.")

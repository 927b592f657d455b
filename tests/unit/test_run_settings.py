"""[run]: the keys, the paces of platforms and lists, and what is said of wrong ones."""

import subprocess
import sys
from typing import Any

import pytest

from probe.cli import run
from probe.settings.apart import load_apart
from probe.settings.file import SettingsError, load

PACES = """\
[run]
every = 300
metered = true

[run.platform.telegram]
every = 120

[run.list."news"]
every = 1800
"""
WRONG = """\
[run]
every = 3
[run.platform.telegram]
evry = 120
[run.list.news]
every = "x"
[run.list.vpn]
every = true
[check]
deep = 5
"""


def read(tmp_path, text, environ=None):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(environ or {}, config=str(path)).settings.run


def test_paces_of_platforms_and_lists_are_read(tmp_path):
    """A platform and a list may have an `every` of their own; the rest of [run] is as in any section."""
    settings = read(tmp_path, PACES)
    assert settings.platforms == (("telegram", 120.0),)
    assert settings.lists == (("news", 1800.0),)
    assert (settings.every, settings.metered) == (300.0, True)


def test_the_smaller_cap_holds_where_bytes_are_paid_for(tmp_path):
    """`metered` chooses between the two caps; the environment may say it."""
    text = "[run]\nmegabytes_per_day = 50\nmetered_megabytes_per_day = 5\n"
    assert read(tmp_path, text).cap_bytes == 50_000_000
    assert read(tmp_path, text, {"DALEL_RUN_METERED": "yes"}).cap_bytes == 5_000_000


@pytest.mark.parametrize(
    ("port", "right"), [("1", True), ("65535", True), ("0", False), ("65536", False), ("99999", False)]
)
def test_a_port_is_one_that_there_is(tmp_path, port, right):
    """At others the page of metrics would never be there, or nobody would know where."""
    text = f'[metrics]\nlisten = "127.0.0.1:{port}"\n'
    if right:
        read(tmp_path, text)
    else:
        with pytest.raises(SettingsError, match=r"config.toml:2: \[metrics\] listen"):
            read(tmp_path, text)


def test_everything_that_is_wrong_is_told_with_its_line(tmp_path):
    """A wrong pace is an error of its own line, and hides no other."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, WRONG)
    told = [problem.rpartition("config.toml:")[2] for problem in caught.value.problems]
    assert [line.partition(":")[0] for line in told] == ["2", "3", "5", "7", "10"]
    assert 'there is no "evry" here' in told[1]
    assert "every must be a number of seconds from 60 to 86400" in told[2]


@pytest.mark.parametrize("text", ["[run]\nplatform = 3\n", "[run.platform]\ntelegram = 3\n"])
def test_a_pace_outside_of_its_section_is_an_error(tmp_path, text):
    """`platform = 3` names nobody and sets nothing."""
    with pytest.raises(SettingsError):
        read(tmp_path, text)


def test_config_show_prints_a_file_that_says_the_same(tmp_path, capsys):
    """What `config show` prints can be kept as the settings file."""
    path = tmp_path / "config.toml"
    path.write_text(PACES)
    assert run(["config", "show", "--config", str(path)]) == 0
    again = tmp_path / "again.toml"
    again.write_text(capsys.readouterr().out)
    assert load({}, config=str(again)).settings == load({}, config=str(path)).settings


def test_settings_read_by_another_process_are_the_same(tmp_path):
    """With the flags, the environment and the file; what is wrong is told with the same words."""
    path = tmp_path / "config.toml"
    path.write_text(PACES)
    words: dict[str, Any] = {"config": str(path), "flags": {"run.deep": ("--deep", True)}}
    environ = {"DALEL_RUN_INCIDENT_EVERY": "120"}
    assert load_apart(environ, **words) == load(environ, **words)
    path.write_text(WRONG)
    with pytest.raises(SettingsError) as here:
        load(environ, **words)
    with pytest.raises(SettingsError) as there:
        load_apart(environ, **words)
    assert there.value.problems == here.value.problems


def test_a_daemon_does_not_keep_what_checks_its_settings(tmp_path):
    """pydantic is in no process that stays."""
    path = tmp_path / "config.toml"
    path.write_text(PACES)
    code = (
        "import sys; from probe.settings.apart import load_apart\n"
        f"load_apart({{}}, config={str(path)!r})\n"
        "assert 'pydantic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

"""``dalel targets``: what it prints, and what it says when something is wrong."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from probe.cli.targets_cmd import command

CSV = "url,category_code,category_description,date_added,source,notes\n"


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run ``dalel targets`` in a home of its own; exit code, stdout, stderr."""
    for name in list(os.environ):
        if name.startswith(("DALEL_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def runner(*words):
        result = CliRunner().invoke(command, words)
        assert not isinstance(result.exception, Exception), result.exception
        return result.exit_code, result.stdout, result.stderr

    return runner


def test_list_shows_current_platforms_and_where_ones_own_files_go(run, tmp_path):
    """Aligned plain text, retired platforms left out."""
    code, out, err = run("list")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    (facebook,) = [line for line in lines if line.startswith("facebook ")]
    assert facebook.split() == ["facebook", "Facebook", "GRP", "social", "default", "2"]
    assert {line.index(word) for line, word in ((lines[0], "CATEGORY"), (facebook, "GRP"))} == {
        lines[0].index("CATEGORY")
    }
    assert not any(line.startswith("periscope") for line in lines)
    assert lines[-1] == f"Your own target files: {tmp_path}/home/.config/dalel/targets"


def test_list_all_shows_the_retired_ones_with_their_dates(run):
    """They are history, not gone."""
    _code, out, _err = run("list", "--all")
    assert "Periscope (retired 2021-03-31)" in out


def test_list_of_one_list(run):
    """With or without the @."""
    for word in ("@vpn", "vpn"):
        code, out, _err = run("list", word)
        assert code == 0
        assert len(out.splitlines()) == 15
        assert out.endswith("\n\nCategories: ANON anonymity and circumvention.\n")
        assert "mullvad" in out
        assert "facebook" not in out


def test_list_as_json_has_everything(run):
    """One document; what a program needs and no table has."""
    code, out, _err = run("list", "--format", "json", "--all")
    document = json.loads(out)
    assert (code, document["schema"], len(document["platforms"])) == (0, "dalel.targets/1", 39)
    (signal,) = [platform for platform in document["platforms"] if platform["id"] == "signal"]
    assert [service["own_root"] for service in signal["services"]] == [True, False, False]


def test_show_tells_what_is_measured_and_why(run):
    """By any name of the platform."""
    code, out, _err = run("show", "телеграм")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "telegram"
    assert "  why       Disrupted in January 2022." in lines
    assert "  apps: works if any of these does; the platform stands or falls with it" in lines
    assert "    mtproto://149.154.167.51:443" in lines


def test_show_of_an_address_that_is_in_no_platform(run):
    """Said as it would be measured."""
    code, out, _err = run("show", "пример.рф")
    assert (code, out) == (0, "not part of a platform:\n  https://xn--e1afmkfd.xn--p1ai/\n")


def test_an_unknown_name_is_exit_2_with_the_near_name(run):
    """On stderr, in one line."""
    code, out, err = run("show", "facebok")
    assert (code, out) == (2, "")
    assert err == (
        "dalel: No platform is called 'facebok'. Did you mean 'facebook'? For all names see `dalel targets list`.\n"
    )


def test_an_unknown_list_is_exit_2_with_the_near_name(run):
    """The same for lists."""
    code, _out, err = run("list", "@nws")
    assert code == 2
    assert "Did you mean '@news'?" in err


def test_validate_looks_over_the_shipped_files_and_ones_own(run, tmp_path):
    """Nothing to find where nothing is wrong."""
    assert run("validate") == (0, "40 target files are right.\n", "")
    own = tmp_path / "home" / ".config" / "dalel" / "targets"
    own.mkdir(parents=True)
    (own / "own.toml").write_text('id = "x y"\n')
    code, out, err = run("validate")
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[0] == "dalel: the target files are wrong, in 4 places:"
    assert lines[1] == f"  {own}/own.toml:1: id: 'x y' must be of small letters a-z, digits and single hyphens."


def test_validate_of_one_file_and_of_a_directory(run, tmp_path):
    """Before it is put where it counts."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "good.toml").write_text(
        'id = "good"\ncategory = "NEWS"\nnames = { en = "Good" }\n'
        'services.web = { rule = "each", endpoints = ["https://good.example/"] }\n'
    )
    assert run("validate", "own/good.toml") == (0, "1 target file is right.\n", "")
    assert run("validate", "own") == (0, "1 target file is right.\n", "")


def test_an_imported_list_can_be_listed(run, tmp_path):
    """Import, and it is there under its name."""
    (tmp_path / "Kz list.csv").write_text(CSV + "http://a.example/,NEWS,,,,\nhttp://b.example/,NEWS,,,,\n")
    path = tmp_path / "home/.config/dalel/targets/kz-list.toml"
    assert run("import", "Kz list.csv") == (
        0,
        f"2 sites in the list @kz-list, kept in {path}. To measure it: dalel check @kz-list\n",
        "",
    )
    assert run("list", "@kz-list") == (0, "@kz-list: 2 sites from Kz list.csv\n", "")
    assert "@kz-list: 2 sites" in run("list")[1]


def test_an_import_with_bad_rows_writes_nothing_and_names_every_row(run, tmp_path):
    """Unless told to leave them out."""
    (tmp_path / "kz.csv").write_text(CSV + "nope,NEWS,,,,\nhttp://a.example/,NEWS,,,,\nhttp://b.example/,X,,,,\n")
    code, out, err = run("import", "kz.csv")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "dalel: some rows cannot be measured, in 2 places:",
        "  kz.csv:2: 'nope' is no URL: it must start with http:// or https://.",
        "  kz.csv:4: 'X' is no category code of the Citizen Lab.",
        "Nothing was imported. Correct the rows, or leave them out with --skip-bad-rows.",
    ]
    assert not (tmp_path / "home").exists()
    code, out, err = run("import", "kz.csv", "--skip-bad-rows")
    assert code == 0
    assert out.startswith("1 site in the list @kz,")
    assert err.splitlines()[0] == "Left out, line 2: 'nope' is no URL: it must start with http:// or https://."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("news", "dalel: '@news' is taken: give the list another name with --name.\n"),
        ("default", "dalel: '@default' is taken: give the list another name with --name.\n"),
        ("canaries", "dalel: '@canaries' is taken: give the list another name with --name.\n"),
        (
            "Мой",
            (
                "dalel: A list cannot be called 'Мой': give it another name with --name, of small letters a-z, digits and "
                "single hyphens.\n"
            ),
        ),
    ],
)
def test_a_list_cannot_take_a_name_that_means_something(run, tmp_path, name, message):
    """Nor one that cannot be typed."""
    (tmp_path / "kz.csv").write_text(CSV + "http://a.example/,NEWS,,,,\n")
    assert run("import", "kz.csv", "--name", name) == (2, "", message)


def test_what_a_target_file_says_cannot_act_on_the_terminal(run, tmp_path):
    """Target files may come from anybody."""
    own = tmp_path / "home/.config/dalel/targets"
    own.mkdir(parents=True)
    (own / "own.toml").write_text(
        'id = "own"\ncategory = "NEWS"\nnames = { en = "\\u001b[31mRed" }\nnotes = "\\u0007"\n'
        'services.web = { rule = "each", endpoints = ["https://good.example/"] }\n'
    )
    for words in (("list",), ("show", "own")):
        _code, out, _err = run(*words)
        assert "\x1b" not in out
        assert "\x07" not in out


@pytest.mark.parametrize("words", [("--help",), ("list", "--help"), ("import", "--help")])
def test_help_has_examples(run, words):
    """Every command shows what to type."""
    code, out, _err = run(*words)
    assert code == 0
    assert "dalel targets" in out.split("\n", 2)[2]


def test_listing_imports_nothing_heavy():
    """Listing a catalogue needs neither pydantic nor anything that speaks to a network."""
    code = (
        "import sys; from probe.cli.targets_cmd import command\n"
        "try: command(['list'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'rich', 'httpx', 'sqlalchemy', 'asyncio', 'idna'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr

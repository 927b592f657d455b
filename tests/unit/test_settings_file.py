"""Settings: one file, variables and flags, and every error told at once."""

import contextlib
import dataclasses
import sys
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from probe.settings import Settings
from probe.settings.file import SettingsError, as_toml, find, load
from probe.settings.keys import BY_LABEL, KEYS, SECTIONS, apply

BROKEN = """\
colour = 3
[check]
profile = "lite"
families = [4, 5]
only = "retry"
[deadlnes]
dns = 4
[deadlines]
tls_hrad = 4
dns = "5"
connect = nan
[network]
country = "kz
asn = -1
[database]
url = 5
[budgets]
redirects = true
[priors]
blocked = 2
"""
ITS_ERRORS = f"""\
:1: there is no key "colour" outside of a section. There are: {", ".join(SECTIONS)}.
:3: [check] profile: "lite" is not allowed. It must be light or full.
:4: [check] families: [4, 5] is not allowed. It must be a list of 4 (IPv4) and 6 (IPv6).
:5: [check] only: "retry" is not allowed. It must be a list of names of experiments.
:6: there is no section [deadlnes]. Did you mean [deadlines]?
:9: there is no "tls_hrad" in [deadlines]. Did you mean "tls_hard"?
:10: [deadlines] dns: "5" is not allowed. It must be a number of seconds from 0.01 to 600.
:11: [deadlines] connect: nan is not allowed. It must be a number of seconds from 0.01 to 600.
:13: this is not TOML: a quote is opened and not closed on the same line
:14: [network] asn: -1 is not allowed. It must be the number of your provider's network, such as 9198.
:16: [database] url: its value is not allowed. It must be a database URL or the path of an SQLite file, such as \
/var/lib/dalel/dalel.db.
:18: [budgets] redirects: true is not allowed. It must be a number of at least 1.
:20: [priors] blocked: 2 is not allowed. It must be a probability from 0 to 1.
"""


def written(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def problems(environ, config=None):
    with pytest.raises(SettingsError) as caught:
        load(environ, config=config)
    return caught.value.problems


def test_every_error_of_a_file_is_told_at_once(tmp_path):
    """Each has its line and what to do; syntax errors do not hide the others."""
    path = written(tmp_path, BROKEN)

    assert [path + line for line in ITS_ERRORS.splitlines()] == list(problems({}, path))


def test_without_anything_the_defaults_hold():
    """No file, no variable: the defaults, and pydantic stays out of it."""
    loaded = load({})

    assert Settings() == loaded.settings
    assert {"default"} == set(loaded.origins.values())


def test_a_file_is_read_whole(tmp_path):
    """Values of every kind arrive where they belong, with file and line as their origin."""
    path = written(
        tmp_path,
        '[check]\nfamilies = [4]\nskip = ["retry"]\n[network]\nasn = 9198\n[deadlines]\ndns = 2\n[http]\nuser_agent = "x"\n',
    )
    loaded = load({}, config=path)

    settings = loaded.settings
    assert (
        settings.families,
        settings.skip,
        settings.asn,
        settings.deadlines.dns,
        settings.user_agent,
    ) == ((4,), ("retry",), 9198, 2, "x")
    assert f"{path}:2" == loaded.origins["check.families"]
    assert f"{path}:7" == loaded.origins["deadlines.dns"]


def test_variables_outrank_the_file_and_flags_outrank_both(tmp_path):
    """defaults < file < environment < flags, each remembered as the origin."""
    path = written(tmp_path, '[check]\nprofile = "light"\n[network]\ncountry = "KZ"\nasn = 1\n')
    loaded = load(
        {"DALEL_CONFIG": path, "DALEL_NETWORK_ASN": "2", "DALEL_NETWORK_COUNTRY": "RU"},
        flags={"network.country": ("--country", "UZ")},
    )

    assert (loaded.settings.profile, loaded.settings.country, loaded.settings.asn) == ("light", "UZ", 2)
    assert (f"{path}:2", "--country", "DALEL_NETWORK_ASN") == tuple(
        loaded.origins[k] for k in ("check.profile", "network.country", "network.asn")
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("DALEL_CHECK_PROFILE", "lite"),
        ("DALEL_CHECK_FAMILIES", "4,5"),
        ("DALEL_NETWORK_COUNTRY", "kz"),
        ("DALEL_NETWORK_ASN", "AS9198"),
        ("DALEL_DEADLINES_DNS", "nan"),
        ("DALEL_DEADLINES_DNS", "0"),
        ("DALEL_BUDGETS_REDIRECTS", "2.5"),
        ("DALEL_PRIORS_BLOCKED", "1.5"),
    ],
)
def test_a_variable_is_held_to_the_same_rules(variable, text):
    """What a file may not say, the environment may not either."""
    (problem,) = problems({variable: text})

    key = next(key for key in KEYS if key.variable == variable)
    assert f'{variable}: "{text}" is not allowed. It must be {key.expected}.' == problem


def test_an_empty_variable_is_not_set():
    """Docker and systemd hand over empty ones."""
    assert Settings() == load({"DALEL_NETWORK_ASN": ""}).settings


def test_lists_in_variables_have_commas():
    """DALEL_CHECK_SKIP=retry, siblings."""
    assert load({"DALEL_CHECK_SKIP": "retry, siblings"}).settings.skip == ("retry", "siblings")


def test_a_secret_may_be_in_a_file_of_its_own(tmp_path):
    """DALEL_DATABASE_URL_FILE keeps a password out of the environment."""
    path = tmp_path / "url"
    path.write_text("postgresql://u:p@h/d\n", encoding="utf-8")
    loaded = load({"DALEL_DATABASE_URL_FILE": str(path)})

    assert loaded.settings.database == "postgresql://u:p@h/d"
    assert loaded.origins["database.url"] == "DALEL_DATABASE_URL_FILE"


def test_a_secret_set_twice_is_an_error(tmp_path):
    """Nobody can tell which of the two was meant."""
    environ = {"DALEL_DATABASE_URL": "a", "DALEL_DATABASE_URL_FILE": str(tmp_path / "b")}

    assert problems(environ) == ("DALEL_DATABASE_URL and DALEL_DATABASE_URL_FILE are both set: keep one of them.",)


def test_a_secret_that_cannot_be_read_is_an_error(tmp_path):
    """The message names the variable, the file and the reason."""
    environ = {"DALEL_DATABASE_URL_FILE": str(tmp_path / "b")}
    expected = f"DALEL_DATABASE_URL_FILE names {tmp_path}/b, which cannot be read: no such file or directory."

    assert (expected,) == problems(environ)


def test_a_secret_is_never_in_a_message(tmp_path):
    """A wrong password must not end up in a log."""
    (problem,) = problems({}, written(tmp_path, '[database]\nurl = ["postgresql://u:hunter2@h/d"]\n'))

    assert "[database] url: its value is not allowed." in problem
    assert "hunter2" not in problem


def test_the_first_file_that_there_is_is_the_one(tmp_path):
    """--config, then DALEL_CONFIG, then XDG; nothing is merged."""
    first, second, third = (tmp_path / name for name in ("first.toml", "second.toml", "xdg/dalel/config.toml"))
    third.parent.mkdir(parents=True)
    for path in (first, second, third):
        path.write_text("", encoding="utf-8")
    environ = {"DALEL_CONFIG": str(second), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}

    assert first == find(environ, str(first))
    assert second == find(environ)
    assert third == find({"XDG_CONFIG_HOME": str(tmp_path / "xdg")})
    assert third == find({"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg")})


def test_a_file_that_was_named_must_exist():
    """A typing error is not silently the defaults."""
    assert problems({}, "/nowhere.toml") == ("There is no settings file /nowhere.toml (--config names it).",)
    assert problems({"DALEL_CONFIG": "/nowhere.toml"}) == (
        "There is no settings file /nowhere.toml (DALEL_CONFIG names it).",
    )


def test_a_file_that_is_no_text_is_an_error(tmp_path):
    """Not a traceback."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")

    assert (f"The settings file {path} cannot be read: it is not UTF-8 text.",) == problems({}, str(path))


@hypothesis_settings(deadline=None)  # the first one imports pydantic
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_words(tmp_path_factory, text):
    """No file makes the reader itself fail."""
    path = tmp_path_factory.mktemp("any") / "config.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(SettingsError):
        load({}, config=str(path))


def test_every_setting_of_the_program_can_be_written():
    """A field of Settings that no key reaches could never be set; controls have sections of their own."""
    reached = {key.attribute[0] for key in KEYS}
    fields = {field.name for field in dataclasses.fields(Settings)}

    assert fields - reached == {"deadline_scale", "controls", "proxies"}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.label)
def test_each_default_is_allowed_by_its_own_rule(key):
    """What `config show` prints can be written back."""
    value = key.read(Settings())
    if value is not None and value != ():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert value == key.parse(text)


def test_what_is_shown_can_be_read_again(tmp_path):
    """TOML out, TOML in, the same settings."""
    lines = []
    for section in SECTIONS:
        lines.append(f"[{section}]")
        lines += [
            f"{key.name} = {as_toml(value)}"
            for key in KEYS
            if key.section == section and (value := key.read(Settings())) is not None
        ]

    assert Settings() == load({}, config=written(tmp_path, "\n".join(lines))).settings


def test_apply_changes_nothing_else():
    """One deadline changed, all others as they were."""
    changed = apply({"deadlines.dns": 1.0})

    assert dataclasses.replace(Settings().deadlines, dns=1.0) == changed.deadlines
    assert Settings().budgets == changed.budgets


def test_every_setting_is_in_the_help():
    """`dalel help settings` leaves none out."""
    text = files("probe.help").joinpath("settings.md").read_text(encoding="utf-8")

    assert [label for label, key in BY_LABEL.items() if key.name not in text] == []
    assert [section for section in SECTIONS if f"[{section}]" not in text] == []


def test_pydantic_is_imported_only_for_a_file():
    """A start without a settings file does not pay for it."""
    import subprocess

    code = "import sys; from probe.settings.file import load; load({}); sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0

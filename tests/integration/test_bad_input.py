"""Bad input as a user meets it: what is typed, what is in files and variables, databases, disks and closed streams.

Every test runs the installed command and compares the whole message. All of them run in a network namespace of their own
without any network, so that nothing leaves and the answer is always "not connected".
"""

import contextlib
import re
import sqlite3
import subprocess
import time

import pytest

from tests.integration.command import DALEL, environment

USAGE = "Usage: dalel check [OPTIONS] [TARGET|@LIST|URL|HOST|-]...\nTry 'dalel check --help' for help.\n\nError: "
NO_NAME = "is not a host name:"
PORT = "a port is a number from 1 to 65535."
EMPTY = "it is empty. Was a variable in your script never set?\n"
SECONDS = "It must be a number of seconds from 0.1 to 600.\n"
FILE = "looks like a file. To check what a file lists, one target a line: dalel check - < FILE"
NOT_CONNECTED = "No network — this computer is not connected to any network"


@pytest.fixture
def home(tmp_path):
    """An empty home."""
    return tmp_path


def sealed(home, script, *, stdin=None, **more):
    """A shell script with ``$DALEL`` in it, in namespaces of its own: without a network, and free to mount."""
    return subprocess.run(
        ["unshare", "-Urnm", "sh", "-c", script],
        env=environment(home, DALEL=str(DALEL), **more),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def typed(home, *words, stdin="", **more):
    """The command itself without a network: if it does not see the mistake, nothing is sent either."""
    return subprocess.run(
        ["unshare", "-Urn", str(DALEL), *words],
        env=environment(home, **more),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def told(home, *words, **more):
    """What stderr says, of a command that must end with exit code 2, nothing on stdout and nothing left behind."""
    before = sorted(home.iterdir())
    done = typed(home, *words, **more)
    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(home.iterdir()) == before
    return done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# what is typed

LONG = "a" * 300
TARGETS = {
    "facebok": "No platform is called 'facebok'. Did you mean 'facebook'? For all names see `dalel targets list`.",
    "вконтакт": "No platform is called 'вконтакт'. Did you mean 'вконтакте'? For all names see `dalel targets list`.",
    "localhost": "No platform is called 'localhost'. For all names see `dalel targets list`.",
    "": "An empty word names no target. See `dalel targets list`.",
    "@nolist": "No list is called '@nolist'. Lists: @all, @default, @dns, @messengers, @news, @social, @vpn.",
    "https://example.com:0/": f"'https://example.com:0/' has port 0: {PORT}",
    "tcp://host:99999": f"'tcp://host:99999' has port 99999: {PORT}",
    "tcp://host:ssh": "'tcp://host:ssh' has a port that is not a number.",
    "tcp://example.com": "'tcp://example.com' has no port. Write tcp://host:port, for example tcp://example.com:443.",
    "https://[::1": "'https://[::1' has an IPv6 address whose brackets do not match.",
    "ftp://example.com/": "'ftp://example.com/' starts with 'ftp://', which cannot be measured. "
    "Use https://, http:// or tcp://host:port.",
    f"{LONG}.example": f"'{LONG[:79]}…' {NO_NAME} it is longer than 253 characters.",
    f"{LONG[:64]}.example": f"'{LONG[:64]}.example' {NO_NAME} a part between dots is longer than 63 characters.",
    f"https://h.example/{LONG * 20}": f"'https://h.example/{LONG[:61]}…' is too long for an address: "
    "more than 4096 characters.",
    "/etc/hosts": f"'/etc/hosts' {FILE}",
    "./my/sites": f"'./my/sites' {FILE}",
    "sites.txt": f"'sites.txt' {FILE}",
    "two words.example": "No platform is called 'two words.example'. For all names see `dalel targets list`.",
    "a\nb.example": "'a\\nb.example' has a space or an unprintable character in it. Put one target in one word.",
    "при😀мер.рф": f"'при😀мер.рф' {NO_NAME} '😀' is not allowed in names.",
    "прим..рф": f"'прим..рф' {NO_NAME} there is nothing between two dots.",
    "я" * 70 + ".рф": f"'{'я' * 70}.рф' {NO_NAME} it is too long.",
    "https://-пример.рф/": f"'https://-пример.рф/' {NO_NAME} a part between dots begins or ends with a hyphen, "
    "or has two of them in third place.",
}


@pytest.mark.parametrize("word", TARGETS, ids=lambda word: repr(word[:24]))
def test_a_target_that_is_none_is_told_with_what_to_do(home, word):
    """One sentence, exit 2, nothing on stdout, nothing written."""
    assert told(home, "check", word) == f"dalel: {TARGETS[word]}\n"


OPTIONS = {
    ("--only", "nonsense"): "Invalid value for '--only': there is no 'nonsense'. There are: website, network, ",
    ("--timeout", "abc"): f"Invalid value for '--timeout': 'abc' is not allowed. {SECONDS}",
    ("--timeout", "-1"): f"Invalid value for '--timeout': '-1' is not allowed. {SECONDS}",
    ("--timeout", "nan"): f"Invalid value for '--timeout': 'nan' is not allowed. {SECONDS}",
    ("--format", "xml"): "Invalid value for '--format': 'xml' is not one of 'table', 'json', 'jsonl', 'csv'.\n",
    ("--config", ""): f"Invalid value for '--config': {EMPTY}",
    ("--database", ""): f"Invalid value for '--database': {EMPTY}",
    ("-o", ""): f"Invalid value for '-o' / '--output': {EMPTY}",
}


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
def test_an_option_that_means_nothing_is_told(home, words):
    """click's form with our words."""
    assert told(home, "check", "example.com", *words).startswith(USAGE + OPTIONS[words])


def test_standard_input_is_read_as_people_write_it(home):
    """A mark of the encoding, Windows' line ends, comments and blank lines are no targets; a NUL is told."""
    good = typed(home, "check", "-", "--dry-run", stdin="\ufeff# mine\r\n\r\n  https://one.example/  \r\n")
    assert "You asked about 1:\n  https://one.example/\n" in good.stdout
    bad = told(home, "check", "-", stdin="a\0b.example\n")
    assert (
        bad == "dalel: 'a\\x00b.example' has a space or an unprintable character in it. Put one target in one word.\n"
    )
    assert told(home, "check", "-", stdin=" \n#\n") == USAGE + "Standard input names no target.\n"


def test_standard_input_without_end_is_not_read_to_its_end(home):
    """/dev/zero ends in a sentence, and soon."""
    begun = time.monotonic()
    done = sealed(home, "ulimit -v 1000000; $DALEL check - < /dev/zero")
    assert done.stderr.decode() == USAGE + "Standard input is longer than 4 MB: that is no list of targets.\n"
    assert done.returncode == 2
    assert time.monotonic() - begun < 20


def test_a_list_full_of_mistakes_tells_the_first_of_them(home):
    """Twenty, and how many more."""
    lines = told(home, "check", "-", stdin="".join(f"nobody{n}\n" for n in range(100))).splitlines()
    assert lines[0] == "dalel: not everything was understood, in 100 places:"
    assert lines[-1] == "  … and 80 more."
    assert len(lines) == 22


def test_nothing_that_was_typed_reaches_the_terminal_raw(home):
    """Whatever is quoted back: targets, options, file names, variables, commands."""
    evil = "\x1b]0;owned\x07\x9b31m"
    for words, more in (
        (("check", f"x{evil}"), {}),
        (("check", "--format", evil), {}),
        (("check", "--config", f"/no{evil}"), {}),
        (("check", "--only", evil), {}),
        (("check", f"--{evil}"), {}),
        ((evil,), {}),
        (("check", "x.example", "-o", f"/no{evil}/where"), {}),
        (("check", "x.example"), {"DALEL_CONFIG": f"/no{evil}"}),
        (("check", "x.example"), {"DALEL_DEADLINES_DNS": evil}),
        (("check", "x.example"), {"DALEL_DATABASE_URL": f"/dev/null/{evil}"}),
    ):
        found = typed(home, *words, **more)
        assert found.returncode == 2
        assert not set(found.stderr) & {"\x1b", "\x07", "\x9b"}, (words, more)


# ---------------------------------------------------------------------------------------------------------------------
# settings: files and variables

TOML_VALUES = 'text goes in "double quotes", dates are 2026-11-21'
BROKEN = """\
[check
profile = "lite"
[deadlines]
dns = fast
connect = -1
[nonsense]
"""


def test_broken_toml_is_told_whole(home):
    """Every error at once, syntax and meaning, each with file and line."""
    path = home / "broken.toml"
    path.write_text(BROKEN, encoding="utf-8")
    assert told(home, "check", "--config", str(path)) == (
        "dalel: the settings are wrong, in 5 places:\n"
        f"  {path}:1: this is not TOML: the name of a section is not closed with ]\n"
        f'  {path}:2: [check] profile: "lite" is not allowed. It must be light or full.\n'
        f'  {path}:4: this is not TOML: what stands after the = is no value: text goes in "double quotes"\n'
        f"  {path}:5: [deadlines] connect: -1 is not allowed. It must be a number of seconds from 0.01 to 600.\n"
        f"  {path}:6: there is no section [nonsense]. There are: check, network, database, data, targets, http, run, notify, "
        "metrics, deadlines, budgets, keep, priors.\n"
    )


def test_broken_target_files_are_told_whole(home):
    """Every error of every file."""
    folder = home / ".config/dalel/targets"
    folder.mkdir(parents=True)
    (folder / "one.toml").write_text('id = "one\nnames = { en = "One" }\ncategory = news\n', encoding="utf-8")
    (folder / "two.toml").write_text('id = "two"\n[services.web]\nrule = "any-of"\nendpoints = ["https://x.y:0/"]\n')
    lines = told(home, "check").splitlines()
    assert lines[0].startswith("dalel: your own target files are wrong, in ")
    assert f"  {folder}/one.toml:1: a quote is opened and not closed on the same line." in lines
    assert f"  {folder}/one.toml:3: what stands after the = is no value: {TOML_VALUES}." in lines
    assert f"  {folder}/two.toml:4: services.web.endpoints[0]: 'https://x.y:0/' has port 0: {PORT}" in lines


def test_variables_that_mean_nothing_are_told_at_once(home):
    """Each under its own name."""
    assert told(home, "check", DALEL_CHECK_PROFILE="lite", DALEL_DEADLINES_DNS="abc") == (
        "dalel: the settings are wrong, in 2 places:\n"
        '  DALEL_CHECK_PROFILE: "lite" is not allowed. It must be light or full.\n'
        '  DALEL_DEADLINES_DNS: "abc" is not allowed. It must be a number of seconds from 0.01 to 600.\n'
    )


@pytest.mark.parametrize("variable", ["DALEL_CONFIG", "HOME"])
def test_a_settings_file_that_is_none(home, variable):
    """A directory, a pipe nobody writes to, a disk's worth of text, bytes, nothing at all: a sentence, at once."""
    place = home / ".config/dalel/config.toml"
    place.parent.mkdir(parents=True)
    named = {"DALEL_CONFIG": str(place)} if variable == "DALEL_CONFIG" else {}
    belongs = f"dalel: {place} is where the settings file belongs, and is no file: move it away.\n"

    place.mkdir()
    is_directory = f"dalel: {place} is a directory, not a settings file (DALEL_CONFIG names it).\n"
    assert told(home, "check", **named) == (is_directory if named else belongs)
    place.rmdir()
    with place.open("wb") as file:
        file.truncate(50_000_000)
    assert told(home, "check", **named) == (
        f"dalel: The settings file {place} is longer than 1 MB: that is no settings file.\n"
    )
    place.write_bytes(b'a = "\xff\xfe"')
    assert told(home, "check", **named) == f"dalel: The settings file {place} cannot be read: it is not UTF-8 text.\n"
    place.unlink()
    missing = f"dalel: There is no settings file {place} (DALEL_CONFIG names it).\n"
    if named:
        assert told(home, "check", **named) == missing


def test_a_settings_file_that_cannot_be_read(home):
    """The kernel's reason, in a sentence."""
    assert told(home, "check", "--config", "/proc/self/mem") == (
        "dalel: The settings file /proc/self/mem cannot be read: input/output error.\n"
    )


def test_a_directory_of_targets_that_is_not_there(home):
    """Named and missing is a slip, not an empty catalogue."""
    assert told(home, "check", DALEL_TARGETS_DIR=f"{home}/none") == (
        f"dalel: There is no directory {home}/none for your own target files ([targets] dir names it).\n"
    )


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("/nowhere.pem", "which cannot be read: No such file or directory"),
        ("/tmp", "which cannot be read: Is a directory"),
        ("/etc/passwd", "which holds no usable PEM certificate"),
    ],
)
def test_certificates_that_are_none_are_no_bug_of_ours(home, named, reason):
    """Said before anything is sent."""
    assert told(home, "check", "example.com", "--no-save", SSL_CERT_FILE=named) == (
        f"dalel: SSL_CERT_FILE names {named}, {reason}. Name a file of certificates (PEM), or unset SSL_CERT_FILE.\n"
    )


# ---------------------------------------------------------------------------------------------------------------------
# databases and disks

ELSEWHERE = "name another file with --database, or check with --no-save.\n"


def kept(home):
    return home / ".local/state/dalel/dalel.db"


def test_a_newer_database_is_left_alone(home):
    """Both versions are named, by every command and by the doctor, and nothing in it is changed."""
    assert sealed(home, "$DALEL check example.com").returncode == 3
    with contextlib.closing(sqlite3.connect(kept(home))) as database, database:
        (known,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    sentence = (
        f"The database {kept(home)} has schema 9999, but this version of Dalel knows schemas only up to {known}. "
        "Update Dalel, or name another file with --database."
    )
    for words in (("check", "example.com"), ("status",), ("export",), ("reclassify",)):
        assert told(home, *words) == f"dalel: {sentence}\n"
    assert sentence in " ".join(typed(home, "doctor", COLUMNS="400").stdout.split())


def test_a_file_that_is_no_database(home):
    """Somebody's list is not written over, and nothing is left beside it."""
    mine = home / "mine"
    mine.write_text("facebook\n" * 100)
    before = sorted(home.iterdir())
    done = typed(home, "check", "example.com", "--database", str(mine))
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        f"dalel: {mine} cannot be read as a database (file is not a database). Name another file with --database.\n",
    )
    typed(home, "status", "--database", str(mine))
    assert mine.read_text() == "facebook\n" * 100
    assert sorted(home.iterdir()) == before


def test_a_place_that_cannot_be_written(home):
    """A file where a directory should be; and a disk mounted for reading only."""
    assert told(home, "check", "example.com", DALEL_DATA_DIR="/dev/null/x") == (
        f"dalel: Results cannot be kept in /dev/null/x/dalel.db: Not a directory. Make it writable, {ELSEWHERE}"
    )
    done = sealed(home, 'mount -t tmpfs -o ro none "$HOME" && $DALEL check example.com')
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        f"dalel: Results cannot be kept in {kept(home)}: Read-only file system. Make it writable, {ELSEWHERE}"
    )


FULL = """
mount -t tmpfs -o size=4000k none "$HOME" && dd if=/dev/zero of="$HOME/fill" bs=1k count={fill} 2>/dev/null
$DALEL check example.com
"""


@pytest.mark.parametrize("fill", [4000, 3996, 3960])
def test_a_disk_without_room_for_a_database(home, fill):
    """Said before anything is sent; exit 2, and no bug of ours."""
    done = sealed(home, FULL.format(fill=fill))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        f"dalel: Results cannot be kept in {kept(home)}: the disk is full. Make room, {ELSEWHERE}"
    )


def test_a_disk_that_fills_up_takes_the_record_and_not_the_answer(home):
    """The database is begun and has no room for the results, and neither has the spool: the answer is shown."""
    done = sealed(home, FULL.format(fill=3750))
    text = " ".join(done.stdout.decode().split())
    assert (done.returncode, done.stderr) == (3, b"")
    assert NOT_CONNECTED in text
    assert (
        f"Results could not be kept: {kept(home)} cannot be written (database or disk is full), "
        "and the spool cannot either."
    ) in text


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_an_output_without_room_is_no_bug_of_ours(home, form):
    """On stdout and in a file: a sentence, exit 2."""
    words = f"$DALEL check example.com --no-save --format {form}"
    for where in ("> /dev/full", "-o /dev/full"):
        done = sealed(home, f"{words} {where}")
        assert done.stderr.decode() == "dalel: the output cannot be written to its end: no space left on device.\n"
        assert done.returncode == 2
    assert sealed(home, f"{words} > /dev/full 2>&1").returncode == 2


def test_a_name_that_no_disk_takes(home):
    """Too long for a file."""
    name = "a" * 300
    assert told(home, "check", "example.com", "--no-save", "-o", name) == (
        f"dalel: {name} cannot be written: file name too long.\n"
    )


# ---------------------------------------------------------------------------------------------------------------------
# streams, screens and locales


@pytest.mark.parametrize("form", ["table", "json"])
def test_closed_streams_are_no_bug_of_ours(home, form):
    """``<&- >&- 2>&-``: the check is made and kept, and no message is written into the database."""
    done = sealed(home, f"$DALEL check example.com --format {form} <&- >&- 2>&-")
    assert done.returncode == 3
    with contextlib.closing(sqlite3.connect(kept(home))) as database, database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM verdicts").fetchone() == (1,)
    database.close()
    assert list(home.glob("dalel-bug-*")) == []


def test_a_closed_standard_input_names_no_target(home):
    """As an empty one does."""
    done = sealed(home, "$DALEL check - <&-")
    assert (done.returncode, done.stderr.decode()) == (2, USAGE + "Standard input names no target.\n")


def test_a_mistake_with_nobody_to_tell(home):
    """The exit code is all there is."""
    assert sealed(home, "$DALEL check facebok 2>&-").returncode == 2
    assert sealed(home, "$DALEL --help >&-").returncode == 0


def test_a_screen_of_twenty_columns(home):
    """Everything is there, and no line is wider."""
    done = sealed(home, "$DALEL check example.com --no-save", COLUMNS="20")
    lines = done.stdout.decode().splitlines()
    assert max(map(len, lines)) <= 20
    assert "! example.com No network — this computer is not connected" in " ".join(" ".join(lines).split())


def test_no_color_is_obeyed(home):
    """On a screen with colours the words have them, unless NO_COLOR is set; none of it on a dumb one."""

    def shown(**more):
        return sealed(home, "$DALEL check example.com --no-save", FORCE_COLOR="1", **more).stdout.decode()

    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(shown(TERM="xterm"))
    assert not colour.search(shown(TERM="xterm", NO_COLOR="1"))
    assert "\x1b" not in sealed(home, "$DALEL check example.com --no-save", TERM="xterm").stdout.decode()


@pytest.mark.parametrize(
    "locale", [{"LANG": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"LANG": "xx_YY.KOI8-R"}]
)
def test_names_in_other_letters_are_understood_in_any_locale(home, locale):
    """Cyrillic words are read as meant; what the screen has no letters for is written in others."""
    done = sealed(home, "$DALEL check пример.рф вконтакте --no-save; $DALEL targets show vkontakte", **locale)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "Nothing can be said about: пример.рф, vkontakte" in text or (
        "Nothing can be said about: xn--e1afmkfd.xn--p1ai, vkontakte" in text
    )


@pytest.mark.parametrize("command", [("incidents",), ("export", "verdicts")])
def test_a_time_that_ends_before_it_begins_is_a_slip(home, command):
    """Else it says that nothing happened then. One moment is no time either."""
    for since, until in (("1d", "7d"), ("2026-11-02", "2026-11-01"), ("2026-11-01", "2026-11-01")):
        said = told(home, *command, "--since", since, "--until", until)
        assert said.endswith(f"Invalid value for '--until': {until} is not after {since}, which --since says.\n")

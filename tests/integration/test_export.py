"""An export: the right rows, a file that is whole or not there, cells that do nothing, and memory that does not grow."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from probe.observations import HttpFact, Observation, Operation
from probe.workflows.export import ExportRequest, export
from storage.archive import Archive
from storage.errors import StorageError
from storage.export.columns import COLUMNS, choose
from storage.export.formats import Format, csv_chunks, harmless, maybe_runnable
from storage.export.output import opened
from storage.export.query import Selection
from storage.location import Location, parse
from targets.model import Endpoint
from tests.integration.command import environment
from tests.storage_samples import (
    MINUTE_US,
    START_US,
    fill_verdicts,
    run_id,
    sample_asked,
    sample_observations,
    sample_result,
    sample_run,
    sample_verdict,
    save_sample_run,
)

pytest_plugins = ("tests.postgresql",)

# The command as it is installed, with something before or after it.
RUN = """
import sys, probe.cli as cli
code = cli.run(sys.argv[1:])
"""
RUN, PEAK = (
    f"{RUN}{last}sys.exit(code)\n"
    for last in ("", "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)\n")
)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return parse(str(tmp_path / "dalel.db"))
    return parse(request.getfixturevalue("postgresql_url"), data_dir=tmp_path)


@pytest.fixture
def filled(location: Location) -> Location:
    with Archive.open(location) as archive:
        for number in (1, 2, 3):
            save_sample_run(archive, number)
    return location


def _export(location: Location, selection: Selection, columns: Sequence[str] = (), form: Format = "csv") -> bytes:
    out = io.BytesIO()
    request = ExportRequest(
        location=location, selection=selection, columns=choose(selection.what, tuple(columns)), format=form
    )
    count = export(request, out)
    assert count == _count(out.getvalue(), form)
    return out.getvalue()


def _count(data: bytes, form: Format) -> int:
    return len(_rows(data)) if form == "csv" else data.count(b"\n")


def _rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def _dalel(home: Path, *words: str, code: str = RUN) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code, *words], env=environment(home), capture_output=True, timeout=120)


# ---------------------------------------------------------------------------------------------------------------------
# rows and cells


def test_a_verdict_has_its_words(filled: Location) -> None:
    """One row an endpoint and run, oldest run first; the values are those that were saved, absent ones are empty."""
    rows = _rows(_export(filled, Selection(what="verdicts"), ["all"]))
    assert [(row["run"], row["endpoint"]) for row in rows] == [
        (run_id(r), str(e)) for r in (1, 2, 3) for e in (1, 2, 3)
    ]
    blocked, accessible, inconclusive = rows[:3]
    assert blocked["status"] == "blocked"
    assert blocked["signature"] == "tls.timeout.sni"
    assert blocked["confidence"] == "0.97"
    assert blocked["where"] == "access"
    assert blocked["impairments"] == "quic ipv6"
    assert blocked["evidence"] == "contrast.neutral tls.unacked"
    assert blocked["against"] == "control.silent"
    assert blocked["asn"] == "4200000001"
    assert blocked["named_as_url"] == "false"
    assert inconclusive["named_as_url"] == "true"
    assert (accessible["method"], accessible["confidence"]) == ("", "0.99")
    assert (inconclusive["confidence"], inconclusive["leaning"]) == ("", "blocked")
    assert inconclusive["settle"] == "another.network a.control"


def test_times_are_utc_and_corrected_by_the_clock_offset(filled: Location) -> None:
    """RFC 3339 with a Z, milliseconds, the run's clock offset added; the offset itself is a column."""
    (row, *_rest) = _rows(_export(filled, Selection(what="verdicts"), ["started_at", "judged_at", "clock_offset_us"]))
    # 1_790_000_060.123456 + 0.001 (first endpoint) - 0.0015 (offset) → .122956
    assert row == {
        "started_at": "2026-09-21T14:14:20.122Z",
        "judged_at": "2026-09-21T14:14:20.374Z",
        "clock_offset_us": "-1500",
    }


def test_only_the_newest_verdict_is_exported(filled: Location) -> None:
    """After `dalel reclassify` a row shows what is thought today, once."""
    with Archive.open(filled) as archive:
        for ruleset in ("b", "c"):
            new = sample_verdict(2, status="blocked", ruleset=ruleset, horizon=9)
            archive.add_verdicts(run_id(2), [new], judged_us=START_US).result(timeout=30)
    rows = _rows(_export(filled, Selection(what="verdicts"), ["run", "endpoint", "status", "ruleset", "version"]))
    assert len(rows) == 9
    assert rows[4] == {"run": run_id(2), "endpoint": "2", "status": "blocked", "ruleset": "c", "version": "3"}
    assert not _rows(_export(filled, Selection(what="verdicts", statuses=("accessible",)), ["run"]))[2:]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(what="verdicts", statuses=("blocked", "inconclusive")), [1, 3, 1, 3, 1, 3]),
        (Selection(what="verdicts", targets=("platform2",)), [2, 2, 2]),
        (Selection(what="verdicts", targets=("https://own3.example/", "@default")), [1, 2, 3] * 3),
        (Selection(what="verdicts", targets=("' OR 1=1 --",)), []),
        (Selection(what="verdicts", since_us=START_US + 2 * MINUTE_US), [2, 3, 1, 2, 3]),
        (Selection(what="verdicts", until_us=START_US + 2 * MINUTE_US), [1, 2, 3, 1]),
        # Exactly from one to exactly before the next.
        (
            Selection(
                what="verdicts", since_us=START_US + 2 * MINUTE_US + 500, until_us=START_US + 2 * MINUTE_US + 1500
            ),
            [2],
        ),
        (
            Selection(
                what="verdicts", since_us=START_US + 2 * MINUTE_US - 400, until_us=START_US + 2 * MINUTE_US + 600
            ),
            [2],
        ),
    ],
)
def test_rows_can_be_chosen(filled: Location, selection: Selection, expected: list[int]) -> None:
    """By status, by target as typed, platform or URL, and by time of measuring, corrected: from included to not included."""
    assert [int(row["endpoint"]) for row in _rows(_export(filled, selection, ["endpoint"]))] == expected


def test_observations_are_exported_whole(filled: Location) -> None:
    """Every observation of every run, the own side's too, its facts as JSON; a title with escapes stays JSON."""
    rows = _rows(_export(filled, Selection(what="observations")))
    assert len(rows) == 3 * 13
    context, _dns, tcp = rows[:3]
    assert (context["kind"], context["endpoint"], context["url"]) == ("context", "", "")
    assert (tcp["url"], tcp["port"], tcp["failure"]) == ("https://www.platform1.example/", "443", "")
    assert json.loads(tcp["fact"])["kernel"]["bytes_acked"] == 2**33
    assert "\\u001b[31m\\u0000" in rows[4]["fact"]


def test_json_lines_have_values_not_cells(filled: Location) -> None:
    """Numbers, lists, objects, null and true; keys are the columns."""
    data = _export(filled, Selection(what="verdicts"), ["confidence", "impairments", "named_as_url", "basis"], "jsonl")
    lines = [json.loads(line) for line in data.splitlines()]
    assert lines[0] == {
        "confidence": 0.97,
        "impairments": ["quic", "ipv6"],
        "named_as_url": False,
        "basis": "contrast",
    }
    assert lines[2] == {"confidence": None, "impairments": [], "named_as_url": True, "basis": None}
    facts = _export(filled, Selection(what="observations"), ["fact"], "jsonl").splitlines()
    assert json.loads(facts[2])["fact"]["kernel"]["state"] == 1


def test_cells_that_a_spreadsheet_would_run_do_nothing(location: Location) -> None:
    """An apostrophe goes in front of text that begins like a formula; JSON Lines and the database have it raw."""
    run, (asked,) = sample_run(), sample_asked(1)
    asked = replace(asked, target="=HYPERLINK(1)", platform="@SUM", service="a,=b", endpoint=Endpoint("+1 2\n=3"))
    seen = sample_observations(1, 1, 0)
    with Archive.open(location) as archive:
        archive.begin(run, (asked,))
        archive.save(run.id, sample_result(asked, run, seen), seen).result(timeout=30)
    names = ["target", "platform", "service", "url"]
    (row,) = _rows(_export(location, Selection(what="verdicts"), names))
    assert row == {"target": "'=HYPERLINK(1)", "platform": "'@SUM", "service": "a,=b", "url": "'+1 2\n=3"}
    assert json.loads(_export(location, Selection(what="verdicts"), names, "jsonl"))["target"] == "=HYPERLINK(1)"


DANGEROUS = ("=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a", '=","', '-"', "=\r\n")


@pytest.mark.parametrize("cell", DANGEROUS)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_dangerous_cell_is_overlooked(cell: str, place: int) -> None:
    """In the first, middle and last column, alone or in a batch: the quick search through a batch finds it."""
    quiet = ["a", "https://a.example/?b=c+d-e@f", "x\ty"]
    loud = [*quiet[:place], cell, *quiet[place + 1 :]]
    columns = choose("verdicts", ("run", "url", "status"))
    pieces = [piece for piece, _count in csv_chunks(columns, [[quiet, loud, quiet]])]
    assert list(csv.reader(io.StringIO(b"".join(pieces[1:]).decode(), newline="")))[1][place] == f"'{cell}"
    assert harmless(cell) == f"'{cell}"


def test_ordinary_batches_are_not_looked_at_twice() -> None:
    """What makes an export fast: no quiet cell, empty last column or quoted cell sets the close look off."""
    assert not maybe_runnable(b'a,b=c,"x,y",\r\n,"d ""e""",\r\nhttps://a/?b=-c,1,"z"\r\n')


def test_csv_is_rfc_4180(filled: Location) -> None:
    """CRLF after every line, the last too; as many cells in every row; UTF-8 without a mark."""
    data = _export(filled, Selection(what="observations"), ["all"])
    assert data.endswith(b"\r\n")
    assert not data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    assert {len(row) for row in rows} == {len(COLUMNS["observations"])}
    assert rows[0] == [column.name for column in COLUMNS["observations"]]


# ---------------------------------------------------------------------------------------------------------------------
# the command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a database in the usual place."""
    with Archive.open(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db")) as archive:
        save_sample_run(archive)
    return tmp_path


def test_the_command_writes_rows_and_counts_them(home: Path) -> None:
    """Rows on stdout, their number on stderr; with -o the file's name too."""
    done = _dalel(home, "export", "--columns", "endpoint,status")
    assert done.stdout == b"endpoint,status\r\n1,blocked\r\n2,accessible\r\n3,inconclusive\r\n"
    assert (done.stderr, done.returncode) == (b"3 verdicts\n", 0)
    file = home / "week.csv"
    done = _dalel(home, "export", "--status", "blocked", "--columns", "endpoint", "-o", str(file))
    assert (done.stdout, file.read_bytes()) == (b"", b"endpoint\r\n1\r\n")
    assert done.stderr.decode() == f"1 verdict written to {file}\n"


def test_gzip_has_the_same_rows(home: Path) -> None:
    """On stdout and in a file; the same rows give the same bytes."""
    plain = _dalel(home, "export").stdout
    assert gzip.decompress(_dalel(home, "export", "--gzip").stdout) == plain
    files = [home / "a.csv.gz", home / "b.csv.gz"]
    for file in files:
        _dalel(home, "export", "--gzip", "-o", str(file))
    assert gzip.decompress(files[0].read_bytes()) == plain
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes()[4:8] == bytes(4), "a time inside would make them differ a second later"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--since", "yesterday"), "'yesterday' is no moment; give a period back from now"),
        (("--columns", "run,colour"), "there is no column 'colour' in verdicts; `--columns help` lists them"),
        (("--status", "down"), "there is no status 'down'. There are: accessible, blocked"),
        (("observations", "--status", "blocked"), "Observations have no status"),
        (
            ("--database", "/proc/nothing.db"),
            "There are no results yet: /proc/nothing.db does not exist. Run `dalel check`",
        ),
        (("-o", "/proc/nothing/out.csv"), "/proc/nothing/out.csv cannot be written: No such file or directory."),
    ],
)
def test_what_is_wrong_is_said(home: Path, words: Sequence[str], sentence: str) -> None:
    """Exit code 2 and a sentence on stderr."""
    done = _dalel(home, "export", *words)
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.decode().split())
    assert done.stdout == b""


def test_columns_are_explained(home: Path) -> None:
    """Every column has a line."""
    for what, columns in COLUMNS.items():
        lines = _dalel(home, "export", what, "--columns", "help").stdout.decode().splitlines()
        assert [line.split()[0] for line in lines] == [column.name for column in columns]


def test_a_full_disk_leaves_the_earlier_file(home: Path) -> None:
    """The old export stays as it was, no half file is left, and the sentence has the reason; the same for stdout."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", RUN, "export"],
            env=environment(home),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr == b"dalel: Standard output cannot be written: No space left on device.\n"
    file = home / "week.csv"
    file.write_text("earlier")
    with pytest.raises(StorageError, match="No space left"):
        _fail_halfway(file)
    assert file.read_text() == "earlier"
    assert [path.name for path in home.glob("*week*")] == ["week.csv"]


def _fail_halfway(file: Path) -> None:
    with opened(file, compress=False) as out:
        out.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_that_is_none_is_written_directly(home: Path) -> None:
    """A pipe (or a device) gets the rows and stays what it is. The device of all programs is not risked here."""
    pipe = home / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", RUN, "export", "--columns", "endpoint", "-o", str(pipe)]
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = subprocess.run(command, env=environment(home), capture_output=True, timeout=60)
        assert os.read(reading, 100) == b"endpoint\r\n1\r\n2\r\n3\r\n"
    finally:
        os.close(reading)
    assert done.returncode == 0
    assert pipe.is_fifo()


# ---------------------------------------------------------------------------------------------------------------------
# many rows

MANY = 60_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("many")
    fill_verdicts(home / "dalel.db", MANY, seed=1)
    return home


def test_a_reader_that_goes_away_is_no_trouble(many: Path) -> None:
    """`dalel export | head`: not a word on stderr."""
    command = [sys.executable, "-c", RUN, "export", "--database", str(many / "dalel.db")]
    with subprocess.Popen(command, env=environment(many), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline().startswith(b"run,endpoint,")
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=60) == 128 + signal.SIGPIPE


def test_stopped_halfway_there_is_no_file(many: Path) -> None:
    """Ctrl-C in the middle: neither the file nor a part of it."""
    directory = many / "out"
    directory.mkdir()
    command = [
        *(sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + RUN),
        *("export", "--gzip", "--database", str(many / "dalel.db"), "-o", str(directory / "out.csv.gz")),
    ]
    with subprocess.Popen(command, env=environment(many), stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 60
        while not list(directory.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == 130
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_memory_does_not_grow_with_the_rows(many: Path, form: str) -> None:
    """Sixty thousand verdicts need no more than a few megabytes over none at all."""
    fill_verdicts(empty := many / f"empty-{form}.db", 0, seed=1)

    def peak(database: Path) -> int:
        words = (
            "export",
            "--database",
            str(database),
            "--columns",
            "all",
            "--format",
            form,
            "-o",
            str(many / "rows.out"),
        )
        done = _dalel(many, *words, code=PEAK)
        assert done.returncode == 0, done.stderr
        return int(done.stderr.split()[-1])

    grown = peak(many / "dalel.db") - peak(empty)
    assert grown < 10 * 1024


def test_memory_does_not_grow_with_what_was_seen(tmp_path: Path) -> None:
    """Observations with whole pages in them are fetched a few at a time."""
    run, body = sample_run(), "x" * 65_536
    fact = HttpFact(method="GET", url="http://a.example/", verified_chain=False, body=body)
    seen = [
        Observation(number=n, operation=Operation(fact=fact, started_us=n), purpose="own_side") for n in range(1, 801)
    ]
    path = tmp_path / "dalel.db"
    with Archive.open(str(path)) as archive:
        archive.begin(run, ())
        archive.save_observations(run.id, seen).result(timeout=60)

    def peak(*words: str) -> int:
        done = _dalel(
            tmp_path, "export", "observations", "--database", str(path), "-o", str(tmp_path / "out"), *words, code=PEAK
        )
        return int(done.stderr.split()[-1])

    assert peak() - peak("--target", "nothing") < 20 * 1024

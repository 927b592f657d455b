"""Servers that send what no browser should have to read, met by the whole command: its words, its time and its memory.

The servers are those of :mod:`tests.integration.bad_servers`; everything between the first word and the exit code is what
users have. Sizes of memory are the most that the process (and the servers in it) ever had resident.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from dataclasses import dataclass
from importlib.resources import files

import jsonschema
import pytest

from tests.integration import bad_servers as bad
from tests.integration.command import dalel, environment

ACT = "tests.integration.bad_servers:ACT"
ROOM_KB = 25_000
"""How much more than for an ordinary page a check may need: a tenth of the bomb, and two and a half long headers."""
HARMLESS = {"\n", "\r", "\t"}


@dataclass(frozen=True)
class Done:
    """One command to its end."""

    code: int
    out: str
    err: str
    seconds: float
    peak_kb: int

    @property
    def text(self):
        """What was said, without where its lines end."""
        return " ".join(self.out.split())


def run(home, *words, **more):
    """``dalel check`` of the bad servers; killed after two minutes."""
    argv = [sys.executable, "-m", "tests.integration.pretend", ACT, "check", *words]
    begun = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            argv, env=environment(home, **more), stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        late = threading.Timer(120, process.send_signal, (signal.SIGKILL,))
        late.start()
        try:
            # Only wait4 tells what one child needed: RUSAGE_CHILDREN is the most of all children so far.
            _pid, status, usage = os.wait4(process.pid, 0)
        finally:
            late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        out.seek(0)
        err.seek(0)
        texts = out.read().decode(), err.read().decode()
    return Done(process.returncode, *texts, seconds, usage.ru_maxrss)


def controls(text):
    """The characters of *text* that a terminal would act on, or that reorder what is around them."""
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in HARMLESS}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home for all of them."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ordinary_kb(home):
    """What a check of an ordinary page needs here, servers included."""
    return run(home, bad.IDN, "--no-save").peak_kb


def check(home, ordinary_kb, url, *, within_s):
    """Check *url* and hold it to what every check must keep to, whatever the server sends."""
    done = run(home, url, "--no-save", "-q")
    assert done.err == ""
    assert "Traceback" not in done.out
    assert controls(done.out) == set()
    assert done.seconds < within_s
    assert done.peak_kb < ordinary_kb + ROOM_KB
    return done


UNDECIDED = "Inconclusive — there is not enough evidence to say; it may be the site that is down"
WORKS = "Accessible — an ordinary user on this network reaches it (more than 99 % sure)"
OWN_WORD = "The answer came over a connection with a valid certificate for {}: it is the site's own word."
TOOK_THE_REQUEST = "took the request and no complete answer came:"

# Each waits once, and its three retries side by side once more, for the head (10 s) or the body (20 s) of an answer.
SAID = {
    bad.HEADER: (3, 30, UNDECIDED, f"header.example {TOOK_THE_REQUEST} what came is nothing that a browser can read."),
    bad.GARBAGE: (
        3,
        30,
        UNDECIDED,
        f"garbage.example {TOOK_THE_REQUEST} what came is nothing that a browser can read.",
    ),
    bad.BOMB: (0, 20, WORKS, OWN_WORD.format("bomb.example")),
    bad.CIRCLE: (
        3,
        30,
        UNDECIDED,
        "circle.example sends visitors on to another address again and again (11 times here), and no page ever comes.",
    ),
    bad.DRIP: (3, 45, UNDECIDED, f"drip.example {TOOK_THE_REQUEST} no answer within the time allowed."),
    bad.SLOW_PAGE: (3, 60, UNDECIDED, f"slow-page.example {TOOK_THE_REQUEST} no answer within the time allowed."),
    bad.LOOP: (
        3,
        40,
        UNDECIDED,
        "This network's DNS gave no usable address for loop.example: it answered with nonsense.",
    ),
    bad.MANY_NAMES: (0, 20, WORKS, OWN_WORD.format("many-names.example")),
    bad.TOO_MANY_NAMES: (
        3,
        40,
        UNDECIDED,
        (
            "The connection to too-many-names.example opened, but the greeting that begins encryption (TLS) failed: the "
            "greeting was refused."
        ),
    ),
    bad.TITLE: (
        1,
        20,
        "Blocked — your network shows a page of its own instead of the site (more than 99 % sure)",
        "At 2 unrelated addresses abroad, asking for title.example failed every time (12 times, another page)",
    ),
    bad.IDN: (0, 20, WORKS, OWN_WORD.format("xn--e1afmkfd.example")),
}


@pytest.mark.parametrize("url", SAID, ids=lambda url: url.partition("://")[2].strip("/"))
def test_what_the_reader_is_told(home, ordinary_kb, url):
    """The word, the sentence that decided it and the exit code, in time and without memory; nothing else is blamed."""
    code, within_s, word, sentence = SAID[url]
    done = check(home, ordinary_kb, url, within_s=within_s)
    title = url.removeprefix("https://").removesuffix("/")
    assert word in done.text
    assert done.text[2:].startswith(title)
    assert sentence in done.text
    assert "✓ Your network: works" in done.text
    assert done.code == code


def test_a_title_that_acts_on_terminals_is_quoted_harmlessly(home):
    """With -v the page's title stands on the screen, with a mark for everything that a terminal would act on."""
    done = run(home, bad.TITLE, "--no-save", "-q", "-v")
    assert (
        "Instead of title.example came a page that says access is closed by an order "
        "(“Access restricted�[2J�]0;owned��[31mRED�31m��gnp��”)."
    ) in done.text
    assert controls(done.out) == set()


def test_an_endless_redirect_says_what_to_do(home, ordinary_kb):
    """A browser with its cookies may get further than we do."""
    done = check(home, ordinary_kb, bad.CIRCLE, within_s=30)
    assert "→ To settle it: Open it in a browser: what turns this program away may let people in." in done.text


# ---------------------------------------------------------------------------------------------------------------------
# the same as data


@pytest.fixture(scope="module")
def document(home):
    """All of them in one check, as JSON, and kept."""
    done = run(home, *SAID, "--format", "json")
    assert done.code == 1
    assert controls(done.out) == set()
    found = json.loads(done.out)
    jsonschema.validate(
        found,
        json.loads(files("probe.schema").joinpath("check.json").read_text(encoding="utf-8")),
        jsonschema.Draft202012Validator,
    )
    return {result["target"]: result for result in found["results"]}


def facts(document, url, kind):
    """The facts of one kind that the baseline of *url* met."""
    seen = document[url]["observations"]
    return [o["fact"] | {"failure": o["failure"]} for o in seen if o["purpose"] == "baseline" and o["kind"] == kind]


def test_each_has_the_same_word_as_on_the_screen(document):
    """Side by side as one by one."""
    words = {"Inconclusive": "inconclusive", "Accessible": "accessible", "Blocked": "blocked"}
    assert {url: document[url]["status"] for url in SAID} == {
        url: words[word.partition(" ")[0]] for url, (_, _, word, _) in SAID.items()
    }


def test_what_was_too_long_is_kept_short(document):
    """The header is not kept, the bomb is not unpacked, of the names there are fifty, of the redirects eleven."""
    (header,) = facts(document, bad.HEADER, "http")
    assert header["failure"] == "http_request_failed"
    assert not header.keys() & {"headers", "status", "body"}
    assert document[bad.HEADER]["bytes_received"] < 1_000_000  # four tries and the comparisons
    (bomb,) = facts(document, bad.BOMB, "http")
    assert (bomb["status"], bomb["body_length"], bomb["body_truncated"]) == (200, 65_536, True)
    (greeting,) = facts(document, bad.MANY_NAMES, "tls")
    assert len(greeting["chain"][0]["names"]) == 50
    assert [page["status"] for page in facts(document, bad.CIRCLE, "http")] == [302] * 11


def test_what_came_slowly_is_a_timeout_with_what_came(document):
    """A byte a minute is one byte."""
    (head,) = facts(document, bad.DRIP, "http")
    assert head["failure"] == "generic_timeout_error"
    assert "status" not in head
    (page,) = facts(document, bad.SLOW_PAGE, "http")
    assert (page["failure"], page["status"], page["body_length"]) == ("generic_timeout_error", 200, 1)


def test_a_name_that_points_at_itself_is_nonsense_and_no_address(document):
    """The library's reader gives up, and so do we."""
    asked = [fact for fact in facts(document, bad.LOOP, "dns") if fact["transport"] == "udp"]
    assert [(fact["failure"], fact.get("answers", [])) for fact in asked] == [("dns_server_misbehaving", [])]


def test_a_name_in_other_letters_is_measured_as_the_network_spells_it(document):
    """As typed in ``target``, as A-labels everywhere else."""
    result = document[bad.IDN]
    assert result["url"] == bad.IDN_IN_ASCII
    names = {o["name"] for o in result["observations"]}
    assert names == {"xn--e1afmkfd.example"}
    (greeting,) = facts(document, bad.IDN, "tls")
    assert greeting["sni"] == "xn--e1afmkfd.example"


def test_facts_keep_what_screens_and_sheets_must_not_get(home, document):
    """The title is raw in the data, and harmless in every rendering of what was kept."""
    (page,) = facts(document, bad.TITLE, "http")
    assert page["title"] == "Access restricted" + bad.ESCAPES.replace("\x00", "�")
    for words in (("status",), ("export",), ("export", "observations"), ("export", "--format", "jsonl")):
        done = dalel(home, *words)
        assert "title.example" in done.stdout
        assert controls(done.stdout) == set(), words

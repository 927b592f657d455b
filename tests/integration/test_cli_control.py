"""`dalel control serve` and `dalel check --control` as a user types them: real processes, on loopback."""

import contextlib
import http.client
import json
import re
import signal
import ssl
import subprocess
import sys
import time
from importlib.resources import files

import jsonschema
import pytest

from probe.control import protocol
from probe.control.protocol import Request
from tests.integration.command import DALEL, dalel, environment, modules_after

TOKEN = "a-token-of-sixteen-and-more"
LINE = re.compile(r"--control 'https://([^:]+):(\d+)#token=([^&]+)&sha256=([0-9a-f]{64})'")


@contextlib.contextmanager
def control(home, *words, **more):
    """The process, and what it printed: host, port, token and certificate."""
    with subprocess.Popen(
        [str(DALEL), "control", "serve", "--listen", "127.0.0.1:0", *words],
        env=environment(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            printed = process.stdout.readline() + process.stdout.readline()
            found = LINE.search(printed)
            assert found is not None, printed
            yield process, found.groups()
        finally:
            process.terminate()


def ask(port, method, path, body=None, token=None):
    """Status, JSON body, and the SHA-256 of the certificate that was shown."""
    import hashlib

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
        assert connection.sock is not None
        shown = hashlib.sha256(connection.sock.getpeercert(binary_form=True) or b"").hexdigest()
        response = connection.getresponse()
        return response.status, json.loads(response.read()), shown
    finally:
        connection.close()


def schema():
    return json.loads(files("probe.schema").joinpath("control.json").read_text(encoding="utf-8"))


def test_what_it_prints_is_what_it_shows(tmp_path):
    """A token is made, the certificate is the one that is named, and everything it says is in its schema."""
    with control(tmp_path) as (_, (host, port, token, sha256)):
        status, health, shown = ask(int(port), "GET", "/healthz")
        question = protocol.request_to_json(Request("http://127.0.0.1/"))
        refused, told, _ = ask(int(port), "POST", "/v1/measure", question, token)
        unknown, _, _ = ask(int(port), "POST", "/v1/measure", question, token + "x")

    assert (host, status, refused, unknown) == ("127.0.0.1", 200, 403, 401)
    assert shown == sha256
    assert len(token) >= 24
    for document in (health, told, json.loads(question)):
        jsonschema.validate(document, schema())


def test_it_ends_well_on_a_signal(tmp_path):
    """SIGTERM: what was begun is finished, exit 0, and a log of JSON lines without addresses."""
    with control(tmp_path) as (process, (_, port, _, _)):
        ask(int(port), "GET", "/healthz")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)

    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert events == ["sinks", "answered", "draining", "stopped", "sinks_stopped"]
    assert "127.0.0.1" not in log


def test_tokens_come_from_a_file_and_are_not_repeated(tmp_path):
    """Where nobody but a log looks, the operator's own token is not printed."""
    file = tmp_path / "tokens"
    file.write_text(f"# probes\n{TOKEN}\nanother-token-of-a-probe\n")
    for words, more in ((("--token-file", str(file)), {}), ((), {"DALEL_CONTROL_TOKEN_FILE": str(file)})):
        with control(tmp_path, *words, **more) as (_, (_, port, token, _)):
            question = protocol.request_to_json(Request("http://10.0.0.1/"))
            assert token == "TOKEN"
            assert ask(int(port), "POST", "/v1/measure", question, TOKEN)[0] == 403
            assert ask(int(port), "POST", "/v1/measure", question, "another-token-of-a-probe")[0] == 403
            assert ask(int(port), "POST", "/v1/measure", question, "TOKEN")[0] == 401


def test_a_certificate_of_ones_own(tmp_path):
    """Named by its fingerprint too."""
    import datetime as dt

    from probe.demo.authority import PUBLIC, Authority

    folder = tmp_path / "ca"
    folder.mkdir()
    authority = Authority(folder, now=dt.datetime.now(dt.UTC), names=PUBLIC)
    root = authority.root_file()
    status = dalel(tmp_path, "control", "serve", "--tls-cert", str(root), "--tls-key", str(root))
    assert status.returncode == 2
    assert "cannot be used" in status.stderr
    assert "Traceback" not in status.stderr


def test_it_is_the_same_after_it_was_killed(tmp_path):
    """With a certificate that was made as the README says: kill -9, up again at once at the same port, and nothing to paste."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=control -keyout"
    subprocess.run(
        ["openssl", *made.split(), str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=30
    )
    own = ("--token", TOKEN, "--country", "DE", "--tls-cert", str(certificate), "--tls-key", str(key))
    with control(tmp_path, *own) as (process, (_, port, _, first)):
        assert ask(int(port), "GET", "/healthz")[2] == first
        process.kill()
        process.wait(10)
    with control(tmp_path, *own, "--listen", f"127.0.0.1:{port}") as (_, (_, again, _, second)):
        status, _, shown = ask(int(again), "GET", "/healthz")

    assert (status, again, second, shown) == (200, port, first, first)


MISTAKES = [
    (("--listen", "localhost"), "is no ADDRESS:PORT"),
    (("--listen", "0.0.0.0:99999"), "is no ADDRESS:PORT"),
    (("--listen", "127.0.0.1:0", "--token", "short"), "at least 16"),
    (("--listen", "127.0.0.1:0", "--token", ""), "empty"),
    (("--listen", "127.0.0.1:0", "--token-file", "/nowhere"), "cannot be read"),
    (("--listen", "127.0.0.1:0", "--tls-cert", "x.pem"), "go together"),
    (("--listen", "127.0.0.1:0", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"), "cannot be used"),
    (("--listen", "192.0.2.1:0"), "it cannot listen on"),
    (("--listen", "127.0.0.1:0", "--country", "Germany"), "two capital letters"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES)
def test_a_mistake_is_one_clear_error(tmp_path, words, said):
    """Exit 2, what is wrong, nothing served, no traceback."""
    done = dalel(tmp_path, "control", "serve", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


CHECKS = [
    (("--control", "http://control.example"), "--control: its address must read"),
    (("--control", "https://control.example#token=secret-secret&colour=red"), '--control: there is no "colour"'),
    (("--control", "https://control.example"), "has no token"),
    (("--control", ""), "it is empty"),
    (("--control", "socks5://127.0.0.1"), "--control: its address must read"),
    (("--control", "socks5://127.0.0.1:9050#token=secret-secret"), "a proxy has neither a token"),
    (("--control", "https://control.example", "--control-token", "secret secret"), "characters that no token has"),
]


@pytest.mark.parametrize(("words", "said"), CHECKS)
def test_a_control_that_is_none_is_told_before_anything_is_sent(tmp_path, words, said):
    """Exit 2, and no token in it."""
    done = dalel(tmp_path, "check", "--dry-run", *words, "facebook")

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "secret" not in done.stderr


def test_the_dry_run_says_what_a_control_is_told(tmp_path):
    """Only where there is one."""
    line = f"https://control.example#token={TOKEN}&name=Helsinki"
    told = dalel(tmp_path, "check", "--dry-run", "--control", line, "facebook").stdout

    assert "to your control" in " ".join(told.split())
    assert "Helsinki" in told
    assert TOKEN not in told
    words = ("--control", "https://control.example", "--control-token", TOKEN, "--control", "socks5://127.0.0.1:9050")
    both = dalel(tmp_path, "check", "--dry-run", *words, "facebook").stdout
    assert all(name in both for name in ("control.example", "127.0.0.1-9050"))
    assert TOKEN not in both
    assert "your control" not in dalel(tmp_path, "check", "--dry-run", "facebook").stdout


def test_nobody_else_pays_for_it(tmp_path):
    """A check without a control, and the list of commands, import neither server nor its protocol's parts."""
    started = time.monotonic()
    found = modules_after(tmp_path, ["control", "--help"])
    assert found & {"h11", "httpx", "cryptography", "sqlalchemy", "asyncio"} <= {"asyncio"}
    assert time.monotonic() - started < 10


def test_its_schema_is_printed(tmp_path):
    """And is a schema."""
    done = dalel(tmp_path, "schema", "control")

    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["title"] == protocol.VERSION


def test_a_check_says_that_its_control_was_silent(tmp_path):
    """Whole command, pretend Internet: nobody answers there, the site is judged all the same, and it says so."""
    line = f"https://198.51.100.7:8443#token={TOKEN}&name=Helsinki"
    words = ["check", "https://videos.example/", "--control", line, "--timeout", "3", "--no-save", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.pretend", "handshakes", *words],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    (result,) = json.loads(done.stdout)["results"]
    asked = [o for o in result["observations"] if o["purpose"] == "control"]
    assert [(o["member"], o["failure"], o["address"]) for o in asked] == [
        ("control:Helsinki", "generic_timeout_error", None)
    ]
    assert TOKEN not in done.stdout + done.stderr
    assert not [f for f in result["evidence"] + result["against"] if f["family"] == "control"]


def test_its_other_ports_are_announced_and_may_be_left_out(tmp_path):
    """To those who know the token; ``--no-sinks`` opens none."""
    for words, kinds in (
        ((), {"tls", "http", "dns_silent", "dns_closing", "echo_udp", "echo_tcp", "quic", "bulk"}),
        (("--no-sinks",), set()),
    ):
        with control(tmp_path, "--token", TOKEN, *words) as (_, (_, port, _, _)):
            status, told, _ = ask(int(port), "GET", "/v1/sinks", token=TOKEN)
        assert status == 200
        assert {sink["kind"] for sink in told["sinks"]} == kinds

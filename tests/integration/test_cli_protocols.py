"""What is typed of VPN protocols: addresses that name a server, and comparisons that need a control."""

import subprocess
import sys

import pytest

from tests.integration.command import environment

CONTROL = "https://192.0.2.7:8443#token=a-token-of-sixteen-and-more"


def check(home, *words):
    return subprocess.run(
        [sys.executable, "-m", "probe", "check", *words],
        env=environment(home),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_comparison_needs_a_control(tmp_path):
    """Exit 2 and what to do; a proxy is none."""
    for more in ((), ("--control", "socks5://192.0.2.7:1080")):
        done = check(tmp_path, "--dry-run", "protocol://openvpn", *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert "protocol://openvpn needs a server of yours elsewhere" in done.stderr
        assert "--control" in done.stderr


def test_what_would_be_sent_is_said_beforehand(tmp_path):
    """Of the comparison and of a server that is named; and that nothing else than the protocol is asked there."""
    named = ("openvpn://192.0.2.1", "tor://192.0.2.1", "ikev2://192.0.2.1")
    done = check(tmp_path, "--dry-run", "protocol://wireguard", *named, "--control", CONTROL)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "random ones of the same sizes" in said
    assert "the first packet of OpenVPN, over UDP" in said
    assert "VERSIONS" in said
    assert "protocol_pair:" in said
    for url in ("protocol://wireguard", "openvpn://192.0.2.1", "tor://192.0.2.1", "ikev2://192.0.2.1"):
        assert url in said


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("protocol://tor", "There are protocol://openvpn"),
        ("protocol://openvpn:1194", "has a port"),
        ("wireguard://h.example:51820", "needs key="),
        ("wireguard://h.example:51820?key=AAAA", "has no public key of WireGuard"),
    ],
)
def test_what_cannot_be_asked_is_told_so(tmp_path, typed, told):
    """Before anything is sent, with what would do."""
    done = check(tmp_path, "--dry-run", typed)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())

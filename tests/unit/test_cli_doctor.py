"""What the doctor makes of a computer and its network, without sending anything."""

import dataclasses

import pytest

from probe.cli.doctor_checks import checks
from probe.settings import Settings
from probe.settings.file import Loaded
from probe.wire import Wire
from probe.wire.resolvers import Nameserver
from probe.wire.this_host import HostState


class Host(Wire):
    """A computer made up for one test."""

    def __init__(self, *servers, **state):
        super().__init__()
        self._servers = tuple(Nameserver(address) for address in servers)
        well = HostState(
            default_route_v4=True, default_route_v6=True, tunnels=(), proxies=(), in_container=False, suspended_s=0.0
        )
        self._state = dataclasses.replace(well, **state)

    def nameservers(self):
        return self._servers

    def host(self):
        return self._state


def examine(tmp_path, wire, **environ):
    (tmp_path / "targets").mkdir(exist_ok=True)
    loaded = Loaded(Settings(data_dir=str(tmp_path / "data"), targets_dir=str(tmp_path / "targets")), {}, None)
    return list(checks(loaded, wire, environ))


def found(tmp_path, name, wire, **environ):
    (check,) = [check for check in examine(tmp_path, wire, **environ) if check.name == name]
    return check


def test_a_healthy_computer_has_nothing_to_do(tmp_path):
    """All is well, and nothing is asked of the user."""
    seen = examine(tmp_path, Host("192.168.1.1"))

    assert {check.state for check in seen} == {"ok"}
    assert "".join(check.do for check in seen) == ""


@pytest.mark.parametrize(
    ("name", "state", "wire"),
    [
        ("route", "broken", Host("192.168.1.1", default_route_v4=False, default_route_v6=False)),
        ("nameservers", "broken", Host()),
        ("nameservers", "warning", Host("8.8.8.8")),
        ("nameservers", "warning", Host("9.9.9.9")),
        ("vpn", "warning", Host("192.168.1.1", tunnels=("wg",))),
        ("proxy", "warning", Host("192.168.1.1", proxies=("HTTPS_PROXY",))),
    ],
)
def test_trouble_comes_with_its_meaning_and_its_remedy(tmp_path, name, state, wire):
    """Nobody is told that something is wrong and left alone with it."""
    check = found(tmp_path, name, wire)

    assert check.state == state
    assert check.means
    assert check.do


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("8.8.8.8", "8.8.8.8 belongs to google, not to your ISP"),
        ("9.9.9.9", "9.9.9.9 belongs to quad9, not to your ISP, and filters"),
        ("127.0.0.53", "127.0.0.53: systemd-resolved on this computer, which passes questions on"),
        ("192.168.1.1", "192.168.1.1: a router or server of your own network"),
        ("fe80::1%eth0", "fe80::1%eth0: a router or server of your own network"),
        ("95.56.237.24", "95.56.237.24: probably your ISP's"),
    ],
)
def test_each_dns_server_is_told_apart(tmp_path, address, words):
    """Whose DNS is asked decides what a result says about the ISP."""
    assert found(tmp_path, "nameservers", Host(address)).found == words


def test_dockers_fallback_is_named(tmp_path):
    """A container that asks Google tests nothing of the ISP's DNS, and the user did not choose that."""
    check = found(tmp_path, "nameservers", Host("8.8.8.8", in_container=True))

    assert "Docker sets it where it finds no other." in check.means


def test_a_replaced_set_of_authorities_is_told(tmp_path):
    """SSL_CERT_FILE decides what counts as forged."""
    pem = tmp_path / "roots.pem"
    pem.write_text("", encoding="ascii")

    assert found(tmp_path, "trust", Host("192.168.1.1"), SSL_CERT_FILE=str(pem)).state == "warning"
    assert found(tmp_path, "trust", Host("192.168.1.1"), SSL_CERT_FILE="/nowhere").state == "broken"


def test_wrong_target_files_are_told(tmp_path):
    """Before a check refuses to start because of them."""
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "mine.toml").write_text("id = 3\n", encoding="utf-8")
    check = found(tmp_path, "targets", Host("192.168.1.1"))

    assert check.state == "broken"
    assert "mine.toml:1" in check.found


def test_a_place_for_results_that_cannot_be_made_is_told(tmp_path):
    """The nearest directory that exists decides."""
    (tmp_path / "data").write_text("in the way", encoding="utf-8")

    assert found(tmp_path, "database", Host("192.168.1.1")).state == "broken"

"""The failure map is total: whatever number the platform gives, the result is a name of df-007."""

import errno
import socket
import ssl

import pytest

from probe.instruments import failures
from probe.observations.failures import FAILURES, UNKNOWN_FAILURE, is_failure_name


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_errno_has_a_failure_name(number: int):
    """Each errno of this platform maps to a df-007 name, as a number and inside an OSError."""
    assert is_failure_name(failures.from_errno(number))
    assert failures.from_os_error(OSError(number, "text that must not matter")) == failures.from_errno(number)


def test_every_response_code_has_a_failure_name():
    """Each of the 4096 (extended) response codes is a df-007 name; NOERROR alone is no failure."""
    names = {rcode: failures.from_rcode(rcode) for rcode in range(4096)}

    assert [rcode for rcode, name in names.items() if name is None] == [0]
    assert {name for name in names.values() if name} <= FAILURES


def test_every_verify_error_has_a_failure_name():
    """Each X509_V_ERR number to 200 is one of the standard ssl_* names, never an unknown one."""
    assert {failures.from_verify_code(code) for code in range(201)} == {
        "ssl_failed_handshake",
        "ssl_invalid_certificate",
        "ssl_invalid_hostname",
        "ssl_unknown_authority",
    }


def test_every_getaddrinfo_error_has_a_failure_name():
    """Each EAI_* name of this platform maps to a df-007 name, and so does one that nobody knows."""
    for name in [name for name in dir(socket) if name.startswith("EAI_")] + ["EAI_FROM_THE_FUTURE"]:
        assert is_failure_name(failures.from_gai(name))


@pytest.mark.parametrize(
    ("number", "failure"),
    [
        (errno.ECONNREFUSED, "connection_refused"),
        (errno.ECONNRESET, "connection_reset"),
        (errno.EPIPE, "connection_reset"),
        (errno.ECONNABORTED, "connection_aborted"),
        (errno.EHOSTUNREACH, "host_unreachable"),
        (errno.ENETUNREACH, "network_unreachable"),
        (errno.ENETDOWN, "network_down"),
        (errno.ENETRESET, "network_reset"),
        (errno.ETIMEDOUT, "generic_timeout_error"),
        (errno.EACCES, "unknown_failure: EACCES"),
        (None, "unknown_failure: no errno"),
    ],
)
def test_the_usual_errnos(number: int | None, failure: str):
    """The errnos of a socket get the words of the specification; others keep their symbol."""
    assert failures.from_errno(number) == failure


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (10, "ssl_invalid_certificate"),
        (9, "ssl_invalid_certificate"),
        (18, "ssl_unknown_authority"),
        (19, "ssl_unknown_authority"),
        (20, "ssl_unknown_authority"),
        (21, "ssl_unknown_authority"),
        (62, "ssl_invalid_hostname"),
        (64, "ssl_invalid_hostname"),
        (17, "ssl_failed_handshake"),
    ],
)
def test_the_usual_verify_errors(code: int, failure: str):
    """Expired, unknown issuer and wrong name are three failures; a verifier that broke is none of them."""
    assert failures.from_verify_code(code) == failure


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (TimeoutError(), "generic_timeout_error"),
        (ssl.SSLEOFError(8, "x"), "eof_error"),
        (ssl.SSLError(1, "an OpenSSL number that is EPERM as an errno"), "ssl_failed_handshake"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "dns_nxdomain_error"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "dns_temporary_failure"),
    ],
)
def test_errors_that_carry_no_errno(error: OSError, failure: str):
    """A number of OpenSSL's or of getaddrinfo's is never read as an errno."""
    assert failures.from_os_error(error) == failure
    assert failures.errno_name(error) is None


def test_rcodes_of_a_resolver():
    """The three response codes with a word of their own, and the rest."""
    assert [failures.from_rcode(rcode) for rcode in (1, 2, 3, 5, 23)] == [
        "dns_server_misbehaving",
        "dns_servfail_error",
        "dns_nxdomain_error",
        "dns_refused_error",
        "dns_server_misbehaving",
    ]


def test_unknown_failures_carry_their_symbol():
    """An errno without a word is told by its symbol, an unheard-of one by its number."""
    assert failures.from_errno(errno.EMFILE) == UNKNOWN_FAILURE + "EMFILE"
    assert failures.from_errno(99_999) == UNKNOWN_FAILURE + "errno 99999"

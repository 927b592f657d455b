"""From what the platform says went wrong to the failure strings of df-007. Total maps: every number has a name.

Numbers decide, never message text: an errno, a response code, an ``EAI_*`` name or an X509_V_ERR number. What has no string
of its own becomes ``unknown_failure: …`` with the symbol, so that nothing is guessed and nothing is lost.
"""

from __future__ import annotations

import errno
import socket
import ssl

from probe.observations.failures import UNKNOWN_FAILURE

TIMEOUT = "generic_timeout_error"
EOF = "eof_error"
BAD_HANDSHAKE = "ssl_failed_handshake"
MISBEHAVING = "dns_server_misbehaving"

_ERRNO = {
    errno.ECONNREFUSED: "connection_refused",
    errno.ECONNRESET: "connection_reset",
    errno.EPIPE: "connection_reset",  # Linux: a RST came after the peer's FIN
    errno.ECONNABORTED: "connection_aborted",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.EHOSTDOWN: "host_unreachable",
    errno.ENETUNREACH: "network_unreachable",
    errno.ENETDOWN: "network_down",
    errno.ENETRESET: "network_reset",
    errno.ETIMEDOUT: TIMEOUT,
    errno.EINTR: "interrupted",
    errno.ECANCELED: "interrupted",
    errno.EBADF: "connection_already_closed",
    errno.ENOTCONN: "connection_already_closed",
    errno.ESHUTDOWN: "connection_already_closed",
}

_RCODE = {2: "dns_servfail_error", 3: "dns_nxdomain_error", 5: "dns_refused_error"}

_GAI = {
    "EAI_NONAME": "dns_nxdomain_error",
    "EAI_NODATA": "dns_no_answer",
    "EAI_ADDRFAMILY": "dns_no_answer",
    "EAI_AGAIN": "dns_temporary_failure",
    "EAI_FAIL": "dns_non_recoverable_failure",
}
_GAI_NAMES = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}

# openssl/x509_vfy.h. No issuer that is trusted: 2 issuer not found, 18 and 19 self-signed, 20 issuer not found locally,
# 21 only one certificate, 27 not trusted for this use.
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21, 27})
_OTHER_NAME = frozenset({62, 63, 64})
# The verifier itself gave up: 0 no verdict, 1 unspecified, 17 out of memory, 69 invalid call, 70 store lookup.
_NO_VERDICT = frozenset({0, 1, 17, 69, 70})


def from_errno(number: int | None) -> str:
    """The failure for an errno of a socket call; ``None`` is an error that carried no number."""
    if number is None:
        return UNKNOWN_FAILURE + "no errno"
    return _ERRNO.get(number) or UNKNOWN_FAILURE + errno.errorcode.get(number, f"errno {number}")


def from_rcode(rcode: int) -> str | None:
    """The failure for a DNS response code (extended ones included); ``None`` for NOERROR."""
    return None if rcode == 0 else _RCODE.get(rcode, MISBEHAVING)


def from_gai(name: str) -> str:
    """The failure for an ``EAI_*`` name of getaddrinfo(3)."""
    return _GAI.get(name) or UNKNOWN_FAILURE + name


def from_verify_code(code: int) -> str:
    """The failure for an X509_V_ERR number."""
    if code in _NO_VERDICT:
        return BAD_HANDSHAKE
    if code in _OTHER_NAME:
        return "ssl_invalid_hostname"
    return "ssl_unknown_authority" if code in _UNKNOWN_AUTHORITY else "ssl_invalid_certificate"


def from_os_error(error: OSError) -> str:
    """The failure for whatever the socket, ssl or resolver modules raised."""
    # SSLError is an OSError whose errno is an OpenSSL number: 1 there is not EPERM.
    if isinstance(error, ssl.SSLCertVerificationError):
        return from_verify_code(error.verify_code)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return EOF
    if isinstance(error, ssl.SSLError):
        return BAD_HANDSHAKE
    if isinstance(error, socket.gaierror):
        return from_gai(_GAI_NAMES.get(error.errno or 0, "EAI_FAIL"))
    if isinstance(error, TimeoutError) and error.errno is None:
        return TIMEOUT
    return from_errno(error.errno)


def errno_name(error: OSError) -> str | None:
    """``ECONNRESET`` and the like; ``None`` where the number is not an errno."""
    if isinstance(error, ssl.SSLError | socket.gaierror):
        return None
    return errno.errorcode.get(error.errno or 0)

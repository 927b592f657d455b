"""Run a command to which the kernel tells nothing of its TCP connections: ``python blind.py COMMAND …``.

A seccomp filter (seccomp(2), Documentation/userspace-api/seccomp_filter.rst) answers ``getsockopt(…, IPPROTO_TCP, TCP_INFO)``
with ENOPROTOOPT, as systems do that do not know it; everything else passes. It needs no privilege and outlives ``execve``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

_ARCHITECTURES = {"x86_64": (0xC000003E, 55), "aarch64": (0xC00000B7, 209)}
"""machine → AUDIT_ARCH_…, number of getsockopt."""
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K
_NUMBER, _ARCHITECTURE, _LEVEL, _OPTION = 0, 4, 24, 32  # offsets in struct seccomp_data; arguments are 64 bits each
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def program(machine: str) -> bytes:
    """The filter: each test that fails jumps to the last line, which lets the call pass. ``KeyError`` for other machines."""
    architecture, number = _ARCHITECTURES[machine]
    wanted = (
        (_ARCHITECTURE, architecture),
        (_NUMBER, number),
        (_LEVEL, socket.IPPROTO_TCP),
        (_OPTION, socket.TCP_INFO),
    )
    lines: list[tuple[int, int, int, int]] = []
    for place, (offset, value) in enumerate(wanted):
        to_the_end = 2 * (len(wanted) - place) - 1
        lines += [(_LOAD, 0, 0, offset), (_EQUAL, 0, to_the_end, value)]
    lines += [(_RETURN, 0, 0, _ERRNO | errno.ENOPROTOOPT), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def main() -> None:
    code = program(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    filters = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _FILTER, ctypes.byref(filters), 0, 0
    ):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()

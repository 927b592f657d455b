"""The control at work: ``dalel control serve``, as it is installed, on the machine abroad, and what the probe is told of it.

A row that has ``serves=Serves(…)`` is asked with ``--control``. The machine is a rented one (``net.CONTROL``); it asks the
resolvers abroad and trusts the lab's root. What the probe sends to it passes the row's rules, what it sends to others only
those that ``control.py`` speaks of. One that lies is run by ``control_liar.py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import shelf
from tests.lab.authority import authority
from tests.lab.namespaces import LabError
from tests.lab.net import CONTROL, REPOSITORY

if TYPE_CHECKING:
    from tests.lab.net import Net

DALEL = Path(sys.executable).with_name("dalel")
ADDRESS, PORT = CONTROL.address.partition("/")[0], 8443
HOST = "control.falkenstein.example"
NAME, TOKEN = "Falkenstein", "of-the-lab-and-of-nobody-else"
_LINE = re.compile(r"#token=TOKEN&sha256=([0-9a-f]{64})'")
_LISTENING = re.compile("^listening$", re.MULTILINE)
_PROXY_PORT = 1080
_PATIENCE_S = 20.0
_PYTHON = ("env", "--chdir", str(REPOSITORY), "PYTHONDONTWRITEBYTECODE=1", sys.executable, "-m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serves:
    """How the control behaves, and what the user has told the probe of both.

    ``country`` is where the control says that it is, ``home`` what the probe's settings say of the probe; ``None``: nothing is
    said. ``manner`` is how it lies (see ``control_liar.py``); ``absent``: it is not there at all; ``proxy``: a SOCKS5
    proxy runs there in its place (see ``control_proxy.py``).
    """

    country: str | None = "DE"
    home: str | None = "KZ"
    manner: str = ""
    absent: bool = False
    proxy: bool = False
    named: bool = False
    """It has a name and a certificate that everybody trusts, not an address and one of its own."""

    def environment(self) -> dict[str, str]:
        """What the probe's user has set besides."""
        return {"DALEL_NETWORK_COUNTRY": self.home} if self.home else {}


def start(net: Net, serves: Serves, environment: dict[str, str]) -> tuple[str, ...]:
    """Start it, wait until it listens, and say how ``dalel check`` is told of it. ``LabError`` if it does not come up."""
    if serves.absent:
        return _words(serves, "0" * 64)
    log = net.directory / "control.log"
    tokens = net.directory / "control.tokens"
    tokens.write_text(f"{TOKEN}\n")
    tokens.chmod(0o644)
    if serves.proxy:
        proxy = [*_PYTHON, "tests.lab.control_proxy", f"0.0.0.0:{_PROXY_PORT}"]
        _await(net[CONTROL.name].spawn(proxy, log=str(log), env=environment), log, _LISTENING)
        return ("--control", f"socks5://{ADDRESS}:{_PROXY_PORT}#name={NAME}&country={serves.country}")
    argv = [*_program(serves), "--listen", f"0.0.0.0:{PORT}", "--token-file", str(tokens)]
    argv += ["--country", serves.country] if serves.country else []
    if serves.named:
        files = shelf.certificate(authority(), HOST, (HOST,))
        argv += ["--tls-cert", str(files.chain), "--tls-key", str(files.key)]
    process = net[CONTROL.name].spawn(argv, log=str(log), env=environment)
    return _words(serves, _await(process, log, _LINE)[1])


def _await(process: subprocess.Popen[bytes], log: Path, line: re.Pattern[str]) -> re.Match[str]:
    """Wait until it has said that line."""
    deadline = time.monotonic() + _PATIENCE_S
    while (found := line.search(log.read_text(errors="replace"))) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"the control does not come up: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    return found


def _program(serves: Serves) -> list[str]:
    if serves.manner:
        return [*_PYTHON, "tests.lab.control_liar", serves.manner]
    return [str(DALEL), "control", "serve"]


def _words(serves: Serves, sha256: str) -> tuple[str, ...]:
    where, pin = (HOST, "") if serves.named else (ADDRESS, f"&sha256={sha256}")
    return ("--control", f"https://{where}:{PORT}#token={TOKEN}{pin}&name={NAME}")

"""A private PostgreSQL server for the tests: its own directory, a Unix socket and no port, gone at the end."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

WHAT_TO_INSTALL = "The storage tests need PostgreSQL's server. Install it: apt-get install postgresql"
_numbers = itertools.count(1)


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    binary = str(found[-1]) if found else shutil.which(name)
    if binary is None:
        pytest.fail(WHAT_TO_INSTALL, pytrace=False)
    return binary


def _as_owner(directory: Path) -> list[str]:
    """PostgreSQL refuses to run as root; whoever runs it, it ends with the tests."""
    prefix = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres", "postgres")
        prefix += ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    return prefix


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """The directory of a running server's socket."""
    initdb, server = _binary("initdb"), _binary("postgres")
    # Not pytest's directory: its path may be too long for a socket, and only its owner may enter it.
    directory = Path(tempfile.mkdtemp(prefix="dalel-pg-"))
    owner = _as_owner(directory)
    data = directory / "data"
    try:
        command = [
            *owner,
            initdb,
            "-D",
            str(data),
            "-U",
            "dalel",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=directory)
        assert done.returncode == 0, done.stderr
        settings = {"listen_addresses": "", "unix_socket_directories": str(directory), "fsync": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        log = directory / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen([*owner, server, "-D", str(data), *options], stderr=stream, cwd=directory)
        try:
            _wait(directory, process, log)
            yield directory
        finally:
            process.send_signal(signal.SIGINT)  # a "fast" shutdown: it waits for no client
            process.wait(timeout=60)
    finally:
        shutil.rmtree(directory)


def _wait(directory: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(host=str(directory), user="dalel", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {log.read_text()}", pytrace=False)
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def postgresql_url(postgresql: Path) -> str:
    """The URL of a new, empty database."""
    name = f"dalel_{next(_numbers)}"
    with psycopg.connect(host=str(postgresql), user="dalel", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql:///{name}?host={postgresql}&user=dalel"

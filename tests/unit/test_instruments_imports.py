"""What starting costs: the first packet must not wait for what only a later step needs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["dns", "tcp", "tls", "kernel", "ntp", "trust", "failures", "certificates", "http", "warm"]
)
def test_importing_an_instrument_imports_nothing_heavy(module: str):
    """httpx, httpcore, h2 and cryptography are imported when first used, not when first named."""
    code = (
        f"import sys, probe.instruments.{module}; "
        "print(*sorted({'httpx', 'httpcore', 'h2', 'anyio', 'cryptography', 'certifi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_warming_up_imports_what_the_first_check_needs():
    """After warm() a handshake and a request import nothing more."""
    code = (
        "import asyncio, sys; from probe.instruments.trust import Trust; from probe.instruments.warm import warm; "
        "trust = Trust.load({})\n"
        "async def main(): warm(trust)\n"
        "asyncio.run(main()); "
        "print(*sorted({'httpx', 'httpcore', 'h2', 'cryptography', 'anyio._backends._asyncio'} & set(sys.modules)), len(trust._contexts))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["anyio._backends._asyncio", "h2", "httpcore", "httpx", "1"]

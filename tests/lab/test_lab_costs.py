"""Bytes, memory and imports of a check on a healthy path: counted by the router and the kernel, so they can be asserted.
Times are in ``tests/bench/reports``."""

from __future__ import annotations

import json

import pytest

from tests.bench.bench_check import hop_bytes, imported
from tests.lab.lab import DALEL
from tests.lab.scenarios import FACEBOOK_URL
from tests.lab.test_lab_slice import lab_of


@pytest.fixture(scope="module")
def lab():
    with lab_of("healthy") as lab:
        yield lab


def test_a_healthy_hop_takes_ten_kilobytes_at_most(lab):
    """In the ``light`` profile every HTTPS hop of the default list, with chains of the web's size, DNS included."""
    lab.net.router.clear()
    done = lab.dalel("check", "--profile", "light", "--format", "json", "--no-save", "-q").ok()
    sizes = hop_bytes(lab, json.loads(done.stdout)["results"], lab.net.router.counters())
    assert len(sizes) > 20
    assert max(sizes.values()) <= 10_000, sizes
    assert min(sizes.values()) > 4_000, "chains are too small to say anything"


def test_one_endpoint_takes_less_than_70_megabytes(lab):
    """Resident memory of the whole command at its most."""
    measured = lab.measured(str(DALEL), "check", FACEBOOK_URL, "--no-save", "-q")
    measured.done.ok()
    assert measured.resident_mb < 70


def test_heavy_parts_are_not_imported(lab):
    """With ``--no-save`` neither SQLAlchemy nor what no check needs; and nothing is left in the home."""
    assert (
        imported(
            lab, ("scapy", "starlette", "sqlalchemy", "alembic", "pydantic"), "check", FACEBOOK_URL, "--no-save", "-q"
        )
        == []
    )
    assert list((lab.net.directory / "home").iterdir()) == []

"""Rows of scenarios_watch: two rounds of one process with something in between, and looks at a line that was shut."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import servers
from tests.lab.lab import Lab
from tests.lab.rounds import told
from tests.lab.scenarios import FACEBOOK_URL, OTHER
from tests.lab.scenarios_watch import BETWEEN, CLOSED, Between, Closed
from tests.lab.world import whole_world


def words_of(came: dict[str, Any], url: str = FACEBOOK_URL) -> dict[str, Any]:
    found: list[dict[str, Any]] = [reading for reading in came["readings"] if reading["url"] == url]
    (reading,) = found
    return reading


@pytest.mark.parametrize("row", BETWEEN, ids=lambda row: row.name)
def test_what_happened_since_the_ticket(row: Between) -> None:
    """The second round says what is true then; the sister site is well in both, unless the line itself is dead."""
    world = row.world(whole_world())
    with Lab(whole_world()) as lab, told(lab, FACEBOOK_URL, OTHER) as ask:
        first = ask("cheap")
        assert [reading["status"] for reading in first["readings"]] == ["accessible"] * 2
        if row.restarts:
            servers.stop(lab.net)
            servers.start(lab.net, world)
        lab.net.router.set_rules(*row.rules(world))
        for proof in row.proofs:
            proof(lab)
        lab.net.router.set_rules(*row.rules(world))
        second = ask("cheap")
        reading, sister = words_of(second), words_of(second, OTHER)
        assert any(words.fit(reading) for words in row.acceptable), reading
        assert sister["status"] == ("no_network" if reading["status"] == "no_network" else "accessible")
        short = reading["status"] == "accessible" and second["bytes_received"] < first["bytes_received"] / 5
        assert short == row.resumed, (first, second)
        assert not second["bugs"]


@pytest.mark.parametrize("row", CLOSED, ids=lambda row: row.name)
def test_a_line_that_is_shut(row: Closed) -> None:
    """A small look that fails is followed by a whole one, and that by a search for holes, which are named."""
    world = row.world(whole_world())
    with Lab(world) as lab, told(lab) as ask:
        assert ask("look")["own_side"]["status"] == "ok"
        lab.net.router.set_rules(*row.rules(world))
        for proof in row.proofs:
            proof(lab)
        lab.net.router.set_rules(*row.rules(world))
        came = ask("whole" if row.whole else "look")
        own = came["own_side"]
        assert any(words.fit(own) for words in row.words), own
        assert tuple(own["holes"]) == row.holes, own
        assert not came["bugs"]

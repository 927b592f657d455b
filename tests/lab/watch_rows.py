"""Try rows of scenarios_watch: two rounds of one process with something in between, or looks at a line that was shut.

    python -m tests.lab.watch_rows [NAME …]

Prints a line a row and exits with 1 if one is wrong. All of them take some seven minutes; `make test` has a few.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.lab import servers
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.rounds import told
from tests.lab.scenarios import FACEBOOK_URL, OTHER
from tests.lab.scenarios_watch import BETWEEN, CLOSED, Between, Closed
from tests.lab.world import World, whole_world


def complaint(row: Between | Closed) -> str | None:
    """What is wrong with what was said; ``None`` if nothing is. ``LabError`` where the network does not do what it says."""
    return _between(row) if isinstance(row, Between) else _closed(row)


def _between(row: Between) -> str | None:
    world = row.world(whole_world())
    with Lab(whole_world()) as lab, told(lab, FACEBOOK_URL, OTHER) as ask:
        first = ask("cheap")
        if [reading["status"] for reading in first["readings"]] != ["accessible"] * 2:
            return f"not all was well in the first round: {first}"
        if row.restarts:
            servers.stop(lab.net)
            servers.start(lab.net, world)
        _change(lab, row, world)
        second = ask("cheap")
    reading, sister = second["readings"]
    short = reading["status"] == "accessible" and second["bytes_received"] < first["bytes_received"] / 5
    if not any(words.fit(reading) for words in row.acceptable):
        return f"wrong word: {reading}"
    if sister["status"] != ("no_network" if reading["status"] == "no_network" else "accessible"):
        return f"wrong word of the sister site: {sister}"
    if short != row.resumed:
        return f"{'not ' if row.resumed else ''}resumed: {first['bytes_received']} and {second['bytes_received']} bytes"
    return _bugs(second)


def _closed(row: Closed) -> str | None:
    world = row.world(whole_world())
    with Lab(world) as lab, told(lab) as ask:
        first = ask("look")["own_side"]
        if first["status"] != "ok":
            return f"not all was well in the first look: {first}"
        _change(lab, row, world)
        came = ask("whole" if row.whole else "look")
    own = came["own_side"]
    if not any(words.fit(own) for words in row.words):
        return f"wrong word: {own}"
    return f"other holes: {own['holes']}" if tuple(own["holes"]) != row.holes else _bugs(came)


def _change(lab: Lab, row: Between | Closed, world: World) -> None:
    """The network as it is from now on, proven; what its devices have seen of the proofs is forgotten."""
    lab.net.router.set_rules(*row.rules(world))
    for proof in row.proofs:
        proof(lab)
    lab.net.router.set_rules(*row.rules(world))


def _bugs(came: dict[str, Any]) -> str | None:
    return f"{came['bugs']} bugs of ours" if came["bugs"] else None


def main(names: list[str]) -> int:
    wrong = 0
    for row in (*BETWEEN, *CLOSED):
        if names and row.name not in names:
            continue
        try:
            said = complaint(row)
        except LabError as error:
            said = str(error)
        wrong += said is not None
        print(f"{'wrong' if said else 'right'}  {row.name}{f': {said}' if said else ''}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

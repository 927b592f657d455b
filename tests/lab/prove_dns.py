"""What dig sees of a tree of zones: more than an address. See prove.py for what a proof is."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tests.lab.namespaces import LabError
from tests.lab.prove import Proof

if TYPE_CHECKING:
    from tests.lab.lab import Lab


def _dig(lab: Lab, name: str, server: str | None, options: tuple[str, ...]) -> str:
    at = [f"@{server}"] if server else []
    waits = [] if any(option.startswith("+time") for option in options) else ["+time=6"]
    return lab.run("dig", *at, "+tries=1", *waits, *options, name).stdout


def dig(name: str, server: str | None, *options: str, has: tuple[str, ...] = (), lacks: tuple[str, ...] = ()) -> Proof:
    """dig's output (blanks made one) has these words and lacks those. ``None`` is the provider's resolver."""

    def prove(lab: Lab) -> None:
        said = re.sub(r"[ \t]+", " ", _dig(lab, name, server, options))
        missing, extra = [word for word in has if word not in said], [word for word in lacks if word in said]
        if missing or extra:
            raise LabError(
                f"the scenario does not do what it says: {name} at {server}: not {missing}, but {extra}: {said}"
            )

    return prove


def denied_by(zone: str, name: str, server: str | None = None) -> Proof:
    """The name does not exist, and that zone's SOA says so, for less time with each second (RFC 2308 §5)."""

    def prove(lab: Lab) -> None:
        left = []
        for _ in range(2):
            said = _dig(lab, name, server, ())
            found = re.search(rf"^{re.escape(zone)}\.\s+(\d+)\s+IN\s+SOA\s", said, re.MULTILINE)
            if "status: NXDOMAIN" not in said or found is None:
                raise LabError(f"the scenario does not do what it says: {name} is not denied by {zone}: {said}")
            left.append(int(found[1]))
            time.sleep(1.1)
        if left[1] >= left[0]:
            raise LabError(f"the scenario does not do what it says: the denial of {name} does not age: {left}")

    return prove


def sets_differ(name: str, *, of: int) -> Proof:
    """So many questions to a server of the zone bring more than one address."""

    def prove(lab: Lab) -> None:
        server = next(zone.servers[0] for zone in lab.world.recursion.zones if zone.servers)  # type: ignore[union-attr]
        said = {_dig(lab, name, server, ("+short", "+norec")) for _ in range(of)}
        if len(said) < 2:
            raise LabError(f"the scenario does not do what it says: {name} is always {said}")

    return prove


def later(seconds: float, proof: Proof) -> Proof:
    """The same after a while: what was remembered for a second is not any more."""

    def prove(lab: Lab) -> None:
        time.sleep(seconds)
        proof(lab)

    return prove

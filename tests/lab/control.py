"""The control vantage: what is different for it, and what each scenario must look like from there.

A host abroad, in the same lab (``net.CONTROL``). The generic proof follows from the row's truth: where the trouble is the
probe's own or somebody's between it and the site, the site answers abroad; where it is the platform's own, curl meets the same
there as here. A row of which that is not so states its own proofs (``Scenario.control``) or says why there is none.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from targets.loader import shipped_platforms
from tests.lab.namespaces import LabError
from tests.lab.net import REPOSITORY
from tests.lab.world import World

if TYPE_CHECKING:
    from tests.lab.lab import Lab
    from tests.lab.prove import Proof

THEIR_OWN = ("outage", "denied")
"""Truths that are the platform's own doing: they look the same from everywhere, unless the row says otherwise."""

_SAMPLE = ("https://www.facebook.com/", "https://www.livejournal.com/")
"""What is looked at where the whole catalogue is checked."""
_BROKEN_OFF = (16, 18, 35, 52, 56, 92)
"""curl's exit codes for a connection that opened and came to a bad end, after whichever byte."""
_SEEN_BY_NGINX = ("status", "https", "http", "body")


# ---------------------------------------------------------------------------------------------------------------------
# what is different there


def with_elsewhere(world: World, away: World) -> World | None:
    """*world*, in which servers and resolvers show the control what they show in *away*.

    ``None`` where one lab cannot be both: another year, other machines, certificates or ports, or directives of nginx that
    are not a plain page. What *away* says at its provider's resolver is what the control's says.
    """
    names = {name for name in {**world.abroad, **away.lies} if world.abroad.get(name) != away.lies.get(name)}
    others = [site for name, site in away.sites.items() if site != world.sites.get(name)]
    same = (world.shift_days, world.names, world.ports, world.closed_ports, world.centres, world.stuns) == (
        away.shift_days, away.names, away.ports, away.closed_ports, away.centres, away.stuns,
    )  # fmt: skip
    if not same or set(world.sites) != set(away.sites) or "*" in names:
        return None
    for site in others:
        here = world.sites[site.name]
        plainly = dataclasses.replace(here, **{field: getattr(site, field) for field in _SEEN_BY_NGINX})
        if plainly != site or site.https or site.http:
            return None
    said = {name: away.lies.get(name, ",".join(world.records()[name])) for name in names}
    return dataclasses.replace(world, elsewhere=tuple(others), said_elsewhere=said)


# ---------------------------------------------------------------------------------------------------------------------
# what must be seen there


def from_control(*proofs: Proof) -> Proof:
    """The same proofs, with the commands run on the control's machine."""

    def prove(lab: Lab) -> None:
        for proof in proofs:
            try:
                proof(lab.from_control())
            except LabError as error:
                raise LabError(f"from the control: {error}") from None

    return prove


def generic(truth: str, asked: Sequence[str], *, is_elsewhere: bool, at_far_side: bool) -> tuple[Proof, ...]:
    """What follows from the row's first acceptable word, for what it checks: URLs, names of platforms, or everything.

    Where nobody can know the truth, it is the place that tells: *at_far_side* a rule acts on everybody.
    """
    alike = not is_elsewhere and (truth in THEIR_OWN or (truth == "inconclusive" and at_far_side))
    return tuple((is_alike if alike else is_there)(url) for url in urls(asked))


def urls(asked: Sequence[str]) -> tuple[str, ...]:
    """One URL for each target of the command; a sample where there is none."""
    first = {platform.id: platform.endpoints[0].url for platform in shipped_platforms() if platform.endpoints}
    return tuple(dict.fromkeys(first.get(target, target) for target in asked)) or _SAMPLE


def is_there(url: str) -> Proof:
    """The control gets an answer that is no error, over a chain that it trusts; at a bare port, a connection."""

    def prove(lab: Lab) -> None:
        shifted = lab.world.shift_days and url.startswith("https:")
        seen = (_by_its_clock if shifted else outcome)(lab.from_control(), url, "10")
        if not seen.startswith(("2", "3", "open")):
            raise LabError(f"the scenario does not do what it says: from the control {url}: {seen}")

    return prove


def is_alike(url: str) -> Proof:
    """curl meets the same on both sides: the same status, or the same kind of failure."""

    def prove(lab: Lab) -> None:
        with ThreadPoolExecutor(2) as pool:
            here, there = pool.map(lambda where: outcome(where, url), (lab.from_probe(), lab.from_control()))
        if here != there:
            raise LabError(f"the scenario does not do what it says: {url}: here {here}, from the control {there}")

    return prove


def _by_its_clock(lab: Lab, url: str, patience_s: str) -> str:
    """``open`` if openssl, told the hour of a world whose clocks are elsewhere, trusts the chain that it is shown."""
    host = urlsplit(url).hostname or ""
    hour = int(dt.datetime.now(dt.UTC).timestamp()) + lab.world.shift_days * 86400
    done = lab.run(
        "timeout", patience_s, "openssl", "s_client", "-connect", f"{host}:443", "-servername", host, "-CAfile",
        str(lab.roots), "-verify_hostname", host, "-verify_return_error", "-attime", str(hour),
    )  # fmt: skip
    return "open" if "Verify return code: 0 (ok)" in done.stdout else done.stderr.strip()[-200:]


def mtproto_says(lab: Lab, address: str, port: int, *words: str) -> str:
    """What the lab's own client of Telegram's data centres meets there (see mtproto.py)."""
    command = ("env", "--chdir", str(REPOSITORY), sys.executable, "-S", "-m", "tests.lab.mtproto", "ask")
    return lab.run(*command, address, str(port), *words).ok().stdout.strip()


def stun_says(lab: Lab, host: str, port: int) -> str:
    """What the lab's own client of servers for calls meets there (see stun.py)."""
    command = ("env", "--chdir", str(REPOSITORY), sys.executable, "-S", "-m", "tests.lab.stun", "ask")
    return lab.run(*command, host, str(port)).ok().stdout.strip()


def outcome(lab: Lab, url: str, patience_s: str = "2.5") -> str:
    """A status (``200``), ``open`` for a bare port or an app that answers, or a kind of failure in curl's terms."""
    parts = urlsplit(url)
    if parts.scheme == "mtproto":
        said = mtproto_says(lab, parts.hostname or "", parts.port or 443)
        return {"answered": "open", "refused": "no connection"}.get(said, said)
    if parts.scheme == "stun":
        said = stun_says(lab, parts.hostname or "", parts.port or 3478)
        return {"answered": "open", "refused": "no connection"}.get(said, said)
    if parts.scheme == "mtproto+ws":
        # Whatever its front page says: that is not what it is for.
        seen = outcome(lab, f"https://{parts.hostname}/", patience_s)
        return "open" if seen == "404" else seen
    if parts.scheme == "tcp":
        port = f"exec 3<>/dev/tcp/{parts.hostname}/{parts.port}"
        code = lab.run("timeout", patience_s, "bash", "-c", port).returncode
        return {0: "open", 124: "silence"}.get(code, "no connection")
    done = lab.run("curl", "-sS", "-o", "/dev/null", "-m", patience_s, "-w", "%{http_code}", url)
    if done.returncode in _BROKEN_OFF:
        return "broken off"
    if "esolving timed out" in done.stderr:
        return "no address"
    failures = {6: "no address", 7: "no connection", 28: "silence", 60: "untrusted"}
    return failures.get(done.returncode, done.stdout if not done.returncode else f"curl {done.returncode}")

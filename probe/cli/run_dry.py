"""``run --dry-run``: what would be measured when, and the data that it takes. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from probe.daemon.daemon_costs import Estimate, estimate
from probe.daemon.plan import FULL_EVERY, JITTER, OWN_SIDE_JITTER, share
from probe.experiments.holes import MOST_ADDRESSES, SHUT_PORTS, TCP_PORTS, UDP_PORTS
from probe.report.safe import safe

if TYPE_CHECKING:
    from probe.daemon.daemon_jobs import WatchSet
    from probe.daemon.plan import Watched


def schedule(watch: WatchSet) -> Iterator[str]:
    """The lines, none of them wrapped."""
    pace, run = watch.pace, watch.settings.run
    expected = estimate(watch.watched, pace)
    yield "This is what dalel run would do. Nothing has been sent."
    yield ""
    yield f"Every {_between(pace.own_side, OWN_SIDE_JITTER)}: is your own network in order?"
    yield (
        f"  Where it is not, twice: what still gets through, by TCP to ports {_ports(TCP_PORTS, SHUT_PORTS)} and by UDP to "
        f"ports {_ports(UDP_PORTS)} of up to {MOST_ADDRESSES} of the well-known places that are asked anyway."
    )
    for every, services in _rhythms(watch).items():
        at_once = sum(share(len(members), every) for members in services.values())
        yield (
            f"Every {_between(every * pace.stretch, JITTER)}: {at_once} of {_addresses(sum(map(len, services.values())))}, "
            f"of each platform and service in turn; every {FULL_EVERY}th time fully."
        )
        for (platform, service), members in sorted(services.items()):
            yield f"  {safe(platform)}{f' ({safe(service)})' if service else ''}: {_addresses(len(members))}"
    if pace.stretch == 1.0:
        yield "So every address is measured at least once an hour, or as often as you have set."
    else:
        yield (
            f"Your cap of {run.cap_bytes / 1e6:g} MB a day makes rounds {pace.stretch:.1f} times rarer than they would be."
        )
    yield "As soon as an address fails: that one twice more within a minute, and all others of its platform once."
    yield f"Every {_between(pace.incident * pace.stretch, JITTER)}: what fails, while it does."
    if pace.may_deep:
        yield "When something begins to fail, and hourly: how it is blocked, which takes minutes."
    yield ""
    yield from _data(expected, run.cap_bytes)
    yield f"While the file {watch.kill_switch} exists nothing is measured."
    yield "What exactly is sent, and to whom: dalel check --dry-run, with the same targets."


def _data(expected: Estimate, cap: int) -> Iterator[str]:
    yield (
        f"Data, when all is well: about {expected.bytes_per_day / 1e6:.1f} MB a day, "
        f"{expected.bytes_per_month / 1e6:.0f} MB a month ({expected.own_sides} looks at your own network, {expected.cheap} "
        f"short and {expected.full} full measurements a day). While something fails it is more, and never more than "
        f"{cap / 1e6:g} MB in 24 hours."
    )


def _rhythms(watch: WatchSet) -> dict[float, dict[tuple[str, str], list[Watched]]]:
    found: dict[float, dict[tuple[str, str], list[Watched]]] = {}
    for one in sorted(watch.watched, key=lambda one: one.every):
        found.setdefault(one.every, {}).setdefault((one.platform, one.service), []).append(one)
    return found


def _ports(*groups: tuple[int, ...]) -> str:
    """Numbers, in order."""
    *first, last = sorted(port for group in groups for port in group)
    return f"{', '.join(map(str, first))} and {last}"


def _between(seconds: float, jitter: float) -> str:
    """An interval as people say it, its jitter included."""
    low, high = seconds * (1 - jitter), seconds * (1 + jitter)
    if high < 180:
        return f"{low:.0f} to {high:.0f} seconds"
    if high < 7200:
        return f"{low / 60:.3g} to {high / 60:.3g} minutes"
    return f"{low / 3600:.3g} to {high / 3600:.3g} hours"


def _addresses(count: int) -> str:
    return f"{count} address" if count == 1 else f"{count} addresses"

"""Is it the size of the packets? A path that loses full segments without a word looks exactly like a censor.

An alert for an innocuous name is 7 bytes and passes where a certificate flight of 4 KB does not; so before silence counts,
an ordinary hello, a small one (one segment, a classical group) and a small one with small segments take turns. Where the
neutral places decide it is not asked: there both names were answered, or not, by packets of one size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.experiments.contrast import undecided
from probe.experiments.steps import Place, arm

if TYPE_CHECKING:
    from probe.experiments.site import Site

SMALL_SEGMENT = 1200
_VARIANTS = (("normal", False, None), ("small", True, None), ("small+mss", True, SMALL_SEGMENT))
_ROUNDS = 2


async def run(site: Site) -> None:
    """Two rounds of the three variants for the target's name at its own address."""
    address = site.first_address()
    if address is None or not await site.still_asks() or not await undecided(site):
        return
    for number in range(_ROUNDS):
        for group, small, mss in _VARIANTS:
            if site.succeeded:
                return
            place = Place(purpose="path_mtu", endpoint=site.number, group=group, round=number)
            patience_s = max(site.settings.deadlines.arm_floor, site.patience_s())
            await arm(
                site.session, place, address, site.port, sni=site.host, deadline_s=patience_s, small=small, mss=mss
            )
            await site.wire.sleep(site.settings.deadlines.arm_gap)

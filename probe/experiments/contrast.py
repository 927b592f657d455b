"""Pairs: the same thing asked twice with one variable changed, the name.

T is the target's name, I an innocuous one of the same length: another one each time, for some names are free on used-up
tariffs, and every second one made up, for some boxes let through what they know. At a *neutral* address, which serves
neither, only the network in between can tell them apart; at the target's *own* address the server can too, so a flip there
is a leaning. Arms alternate I T I T … T from fresh ports, begun a gap apart: three T then three I was computed to call 19 to
381 of 1,000 ordinary failures a flip, because whatever happens in a second happens to one name only. An innocuous success
counts between two failures of T, so one after the last of them would tell nothing.

What a neutral place decides need not be asked elsewhere: :func:`undecided`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from probe.experiments import gateway
from probe.experiments.company import Together, keep_for, leave
from probe.experiments.depth import deep_arm, depth_of
from probe.experiments.places import sni_of
from probe.experiments.steps import ArmResult, Place, arm, connect, verified
from probe.observations import Arm, DnsFact, Operation, Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probe.experiments.company import Seat
    from probe.experiments.neutrals import Neutral
    from probe.experiments.site import Site

# An innocuous name that is refused by one neutral is asked of the next; this many refusals say something of their own.
_TRIES = 4
BESIDE = 2
"""Rounds of other places that are asked beside the neutral ones, and the rest if those do not decide: enough to see whether
anybody is there at all, and how far away."""


async def neutral_pairs(site: Site) -> None:
    """Alternate T and I at two neutral addresses, side by side; what broke off at once is held against the own router."""
    async with asyncio.TaskGroup() as group:
        asked = gateway.broke_off_at_once(site)
        if asked:
            group.create_task(gateway.measure(site))
        flipped = group.create_task(_at_all_places(site))
    if not asked and gateway.broke_off_at_once(site):
        await gateway.measure(site)
    site.flipped = flipped.result()


async def undecided(site: Site) -> bool:
    """Whether the neutral places leave anything to be asked elsewhere.

    They are waited for as long as names take turns at all of them. Where they have no answer to any name, nobody waits.
    """
    if "neutral_pair" in site.started:
        if site.alternating < site.settings.budgets.neutrals:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(site.settings.deadlines.suspicion_floor):
                    await site.neutrals_settled.wait()
        if site.alternating >= site.settings.budgets.neutrals:
            await site.neutrals_settled.wait()
    return not (site.flipped or site.succeeded)


async def _at_all_places(site: Site) -> bool:
    """Whether the name failed to the end everywhere while the other one was answered; in company, if there is any."""
    places = [f"neutral/{index}" for index in range(1, site.settings.budgets.neutrals + 1)]
    flipped = await _in_company(site, places) if _may_share(site) else None
    if flipped is None:
        async with asyncio.TaskGroup() as group:
            pairs = [group.create_task(_neutral_pair(site, place)) for place in places]
        flipped = bool(pairs) and all(pair.result() for pair in pairs)
    return flipped


async def _neutral_pair(site: Site, group: str) -> bool:
    """Whether the name failed there to the end while the other one was answered."""
    flipped = await _flips(site, group)
    if not flipped:
        site.neutrals_settled.set()
    return flipped


def _may_share(site: Site) -> bool:
    """Whether many are in trouble, and the first record of an answer decides."""
    return site.turns.crowded and site.scheme != "http" and depth_of(site) == "record"


async def _in_company(site: Site, places: Sequence[str]) -> bool | None:
    """The same, beside another endpoint's name; ``None`` where there is none to share the places with."""
    found = await site.session.companions.join(site)
    if not isinstance(found, tuple):
        return found
    host, guest = found
    told: bool | None = None
    try:
        if not (_may_share(host.site) and _may_share(guest.site)):
            return None
        networks = host.site.neutral_networks | guest.site.neutral_networks
        host.site.neutral_networks = guest.site.neutral_networks = networks
        async with asyncio.TaskGroup() as group:
            both = [group.create_task(_both_flip(host, guest, place)) for place in places]
        ours, theirs = zip(*(one.result() for one in both), strict=True)
        told = all(theirs)
        return all(ours)
    finally:
        leave(guest, told)


async def _both_flip(host: Seat, guest: Seat, group: str) -> tuple[bool, bool]:
    """Of either, whether its name failed there to the end while the other one was answered."""
    flips = await _both_at(host, guest, group)
    for seat, flipped in zip((host, guest), flips, strict=True):
        if not flipped:
            seat.site.neutrals_settled.set()
    return flips


async def _both_at(host: Seat, guest: Seat, group: str) -> tuple[bool, bool]:
    session, sites = host.site.session, (host.site, guest.site)
    unlike = tuple(address for site in sites for address in site.addresses)
    for _ in range(_TRIES):
        drawing = Place(purpose="neutral_pair", endpoint=host.site.number, group=group)
        neutral = await session.neutrals.draw(session, drawing, unlike, host.site.neutral_networks)
        if neutral is None:
            break
        innocuous = _others(host.site, neutral.name)
        pairs = [Pair(site, "neutral_pair", group, neutral.address, innocuous) for site in sites]
        together = Together(group, (host, guest), pairs)
        if not (await together.innocuous(0)).passed:
            continue
        _keep_draw(host, guest, neutral.address)
        for site in sites:
            site.alternating += 1
        flips = await together.alternate(host.site.settings.budgets.pair_rounds)
        for site, flipped in zip(sites, flips, strict=True):
            if flipped:
                site.flips.append((neutral.address, innocuous[0]))
        return flips[0], flips[1]
    return False, False


def _keep_draw(host: Seat, guest: Seat, address: str) -> None:
    """Under which name the place was found, for the guest as well."""
    for o in tuple(host.site.session.recorder.observations):
        mine = o.endpoint == host.site.number and o.purpose == "neutral_pair" and o.group == "draw"
        if mine and isinstance(o.fact, DnsFact) and address in o.fact.addresses:
            keep_for(guest, o)


async def _flips(site: Site, group: str) -> bool:
    for _ in range(_TRIES):
        drawing = Place(purpose="neutral_pair", endpoint=site.number, group=group)
        neutral = await site.session.neutrals.draw(site.session, drawing, tuple(site.addresses), site.neutral_networks)
        if neutral is None:
            return False
        flipped = await _alternate_at(site, neutral, group)
        if flipped is not None:
            return flipped
    return False


async def _alternate_at(site: Site, neutral: Neutral, group: str) -> bool | None:
    """Run the pair at *neutral*, and whether it flipped; ``None`` if an innocuous foreign name is not answered there, and T
    was never sent.
    """
    innocuous = _others(site, neutral.name)
    pair = Pair(site, "neutral_pair", group, neutral.address, innocuous)
    first = await pair.send("innocuous", 0)
    if not first.passed:
        return None
    site.alternating += 1
    flipped = await pair.alternate(first)
    if flipped:
        site.flips.append((neutral.address, innocuous[0]))
    return flipped


def _others(site: Site, avoid: str) -> tuple[str, ...]:
    """The innocuous names of a pair, one a round, every other one of them made up (:meth:`Neutrals.mixed`)."""
    return site.session.neutrals.mixed(site.host, avoid, site.settings.budgets.pair_rounds)


async def neutral_chains(site: Site) -> None:
    """The target's name at two neutral addresses, up to the certificate: a chain in its name there was made on the way.

    A neutral has no certificate for the target and can only show its own. Where it shows one, an innocuous name that it does
    not serve either tells whether that is what it shows to every stranger.
    """
    async with asyncio.TaskGroup() as places:
        places.create_task(gateway.measure(site))
        for index in range(1, site.settings.budgets.neutrals + 1):
            places.create_task(_neutral_chain(site, index))


async def _neutral_chain(site: Site, index: int) -> None:
    place = Place(purpose="neutral_chain", endpoint=site.number, group=f"neutral/{index}", arm="target")
    neutral = await site.session.neutrals.draw(site.session, place, tuple(site.addresses), site.neutral_networks)
    if neutral is None:
        return
    names: dict[Arm, str] = {
        "target": site.host,
        "innocuous": site.session.neutrals.innocuous(site.host, neutral.name),
    }
    for which, name in names.items():
        here = dataclasses.replace(place, arm=which)
        await verified(site, here, neutral.address, 443, deadline_s=site.settings.deadlines.tls_soft, name=name)


async def own_pair(site: Site) -> None:
    """Alternate T and I at the target's own address: a few times, and to the end if the neutral places do not decide."""
    address = site.first_address()
    if address is None or not await site.still_asks():
        return
    pair = BesidePair(site, "own_pair", f"own/{address}", address, _others(site, site.host))
    await pair.alternate(await pair.send("innocuous", 0))


class Pair:
    """One address, the name and *innocuous* ones, in turn. *port*: another one than the name's scheme has."""

    def __init__(
        self,
        site: Site,
        purpose: Purpose,
        group: str,
        address: str,
        innocuous: Sequence[str],
        port: int | None = None,
    ) -> None:
        self._site = site
        self._purpose = purpose
        self._group = group
        self._address = address
        self._innocuous = tuple(innocuous)
        self._port = port or (80 if site.scheme == "http" else 443)
        # Some act on a page and not on its site. What stands behind a question mark is no stranger's business.
        self._path = urlsplit(site.focus.url if site.focus is not None else site.asked.endpoint.url).path or "/"
        self._patience_s = site.settings.deadlines.tls_soft
        # Of all arms alike: what is found out meanwhile must not make two names go to different lengths.
        self._depth = depth_of(site)
        self._begun = 0.0

    async def alternate(self, first: ArmResult) -> bool:
        """T I T I … T until every round is done, T has passed (the flip is withdrawn), or I fails twice running.

        Also until the baseline has come through after all: slow is not silent, and asking on would only slow it more.
        Where T passes after it has failed, the rounds go on: each arm has a port of its own, and with it perhaps a path of
        its own, so the rest tells on how many of them T is stopped. Whether every round was done, T never passed and I never
        failed.
        """
        self.learn(first)
        lost, ever = (0, 0) if first.passed else (1, 1)
        passed, rounds = False, self._site.settings.budgets.pair_rounds
        for number in range(rounds):
            if not await self.goes_on(number):
                return False
            await self._gap()
            if self._site.succeeded:
                return False
            passed |= (await self.send("target", number)).passed
            if passed and number == 0:
                return False
            if number + 1 == rounds:
                break
            if number + 2 == rounds and not (ever or passed) and self.is_frugal():
                continue
            await self._gap()
            innocuous = await self.send("innocuous", number + 1)
            self.learn(innocuous)
            lost = 0 if innocuous.passed else lost + 1
            ever += not innocuous.passed
            if lost >= 2:
                return False
        return not (ever or passed)

    def is_frugal(self) -> bool:
        """Whether the last innocuous arm is left out, since five were answered: no more is asked than the rule needs. Among
        many endpoints in trouble each flow is another one's.
        """
        return self._purpose == "neutral_pair" and self._site.turns.crowded

    async def goes_on(self, number: int) -> bool:  # noqa: ARG002 - a place that costs more may ask
        """Whether round *number* is worth asking."""
        return True

    def learn(self, innocuous: ArmResult) -> None:
        if innocuous.passed:
            floor = self._site.settings.deadlines.arm_floor
            self._patience_s = max(floor, 4 * innocuous.elapsed_s)

    async def _gap(self) -> None:
        """What an arm itself took counts: silence is a gap as well."""
        wire = self._site.wire
        await wire.sleep(max(0.0, self._begun + self._site.settings.deadlines.arm_gap - wire.monotonic()))

    async def send(self, which: Arm, number: int) -> ArmResult:
        """One arm from a fresh port."""
        self._begun = self._site.wire.monotonic()
        place = Place(purpose=self._purpose, endpoint=self._site.number, group=self._group, arm=which, round=number)
        name = self._site.host if which == "target" else self._innocuous[number % len(self._innocuous)]
        if self._site.scheme == "http":
            return await self._send_request(place, name)
        sni = sni_of(name) or name
        if self._depth != "record":
            return await deep_arm(
                self._site, place, self._address, self._port, sni=sni, deadline_s=self._patience_s, depth=self._depth
            )
        return await arm(
            self._site.session, place, self._address, self._port, sni=sni, deadline_s=self._patience_s, sips=True
        )

    async def _send_request(self, place: Place, host: str) -> ArmResult:
        from probe.instruments import http

        site, begun = self._site, self._site.wire.monotonic()
        operation: Operation | None = None
        stream = await connect(site.session, place, self._address, self._port, name=host)
        if stream is not None:
            operation = await http.request(
                site.wire,
                stream,
                method="GET",
                url=f"http://{host}{self._path}",
                user_agent=site.settings.user_agent,
                verified_chain=False,
                head_deadline_s=self._patience_s,
                body_deadline_s=self._patience_s,
                body_cap=site.settings.budgets.body_light,
                header_cap=site.settings.budgets.headers,
                keep_body=True,
            )
            site.session.record(operation, **place.fields())
        passed = operation is not None and operation.failure is None
        # A page put in by the network is an answer too: HTTP pairs run to the end, and the judge compares the pages.
        flips = passed and not (place.arm == "target" and "page" in site.suspicions)
        elapsed = site.wire.monotonic() - begun
        return ArmResult(passed=flips, connected=stream is not None, elapsed_s=elapsed, operation=operation)


class BesidePair(Pair):
    """A pair at another place than a neutral one: two rounds beside those, and the others if they do not decide."""

    async def goes_on(self, number: int) -> bool:
        return number < BESIDE or await undecided(self._site)

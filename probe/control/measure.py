"""What a control does for a probe: the probe's own baseline from where the control is, and the same at given addresses.

The experiments and instruments are the probe's, so both vantages see alike. What the control knows of its own network
(its resolver's address, private answers, its own host's files) does not leave it, and no page does: hashes and lengths.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from probe.control.guard import is_public
from probe.control.protocol import Request, Seen
from probe.control.wire import GuardedWire
from probe.experiments import contrast, website
from probe.experiments.network import well_known_sites
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer, Turns
from probe.experiments.places import is_literal
from probe.experiments.session import Session, guarded
from probe.experiments.site import CERTIFICATE, Site
from probe.experiments.steps import Place, connect, fetch, shake_hands
from probe.instruments import dns
from probe.observations import BugFact, DnsFact, Fact, HttpFact, Observation, TcpFact, TlsFact
from probe.settings import Budgets, Deadlines, Settings
from probe.wire.resolvers import Nameserver
from targets.address import parse_endpoint
from targets.model import Asked, Canaries, Endpoint, TargetError

if TYPE_CHECKING:
    from probe.experiments.site import FollowUp, FollowUps
    from probe.instruments.trust import Trust
    from probe.observations import Operation

SETTINGS = Settings(
    profile="full",
    # Shorter than the probe's: it waits for the answer, and another vantage has no slow line to be patient with.
    deadlines=replace(
        Deadlines(), dns=2.0, dns_system=4.0, connect=4.5, tls_soft=6.0, tls_hard=7.0, http_head=7.0, http_body=7.0
    ),
    # Its own pairs only have to show that its line is clear; a word of interference is the probe's business.
    budgets=replace(Budgets(), body_full=16_384, redirects=5, pair_rounds=3),
)
_LINE_KEPT_S = 60.0
"""How long it is believed that this control's own line works: as long as a probe's run, and cheap enough."""
_REFUSED = "EACCES"
_SERVER_ERROR = 500


class RefusedError(ValueError):
    """This target is not measured for anybody; the text says why."""


@dataclass(slots=True, kw_only=True)
class Vantage:
    """One control's view. ``wire`` lets out only what may go out; one session serves all questions."""

    wire: GuardedWire
    trust: Trust
    canaries: Canaries
    settings: Settings = SETTINGS
    bugs: int = 0
    _pacer: Pacer = field(init=False)
    _line: tuple[Seen, ...] = ()
    _line_at: float = float("-inf")
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        budgets = self.settings.budgets
        # Many probes share it: the pace of one host is kept, the two-minute cap is for home lines.
        self._pacer = Pacer(self.wire, budgets.flows_per_second, 20 * budgets.flows_per_120_s)

    def endpoint(self, url: str) -> Endpoint:
        """What *url* names, if it may be asked for at all. Raises :class:`RefusedError`."""
        try:
            endpoint = parse_endpoint(url)
        except TargetError as error:
            raise RefusedError(str(error)) from error
        if not self.wire.measures(endpoint.port):
            raise RefusedError(f"port {endpoint.port} is not one that is measured")
        if is_literal(endpoint.host) and not self.wire.allows(endpoint.host, endpoint.port):
            raise RefusedError("the target is no public address")
        return endpoint

    async def measure(self, request: Request, deadline_s: float) -> tuple[Seen, ...]:
        """Everything that was seen of the target within *deadline_s*, in two looks if the first does not come through to the
        end of it at once: anybody's line hiccups. Raises :class:`RefusedError`.
        """
        asked = Asked(number=1, endpoint=self.endpoint(request.url), target="")
        looks = [self._session(asked)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as group:
                group.create_task(self._own_line())
                first = group.create_task(self._look(looks[0], request, _own_pairs))
                await asyncio.wait({first}, timeout=self.settings.deadlines.own_side_gap)
                if not _is_through(looks[0]):
                    if first.done():
                        await self.wire.sleep(self.settings.deadlines.own_side_gap)
                    looks.append(self._session(asked))
                    await self._look(looks[1], request, _nothing)
        self.bugs += sum(1 for look in looks for o in look.recorder.observations if isinstance(o.fact, BugFact))
        told = (_told(look.recorder.observations, number) for number, look in enumerate(looks))
        return (*self._line, *itertools.chain.from_iterable(told))

    async def _look(self, session: Session, request: Request, follow_ups: FollowUps) -> None:
        """The target as it is found by asking for it, at the addresses that the probe has, and what public resolvers say."""
        session.has_ipv6 = bool(self.wire.host().default_route_v6)
        sites: list[Site] = []
        try:
            async with asyncio.TaskGroup() as group:
                sites += [_site(session, group, follow_ups), _site(session, group, follow_ups)]
                group.create_task(guarded(session, "website", website.run(sites[0]), endpoint=1))
                for address in request.addresses:  # what is not public the wire refuses
                    group.create_task(guarded(session, "addresses", _at(sites[1], address), endpoint=1))
                for server in self._resolvers(sites[0].host):
                    group.create_task(guarded(session, "dns", _ask(sites[1], server), endpoint=1))
        finally:
            for lingering in (lingering for site in sites for lingering in site.lingering):
                lingering.close()

    def _session(self, asked: Asked) -> Session:
        session = Session(
            wire=self.wire,
            settings=self.settings,
            trust=self.trust,
            canaries=self.canaries,
            asked=(asked,),
            pacer=self._pacer,
            neutrals=Neutrals(self.canaries, self.wire.random),
        )
        session.own_side_known.set()
        return session

    def _resolvers(self, host: str) -> tuple[Nameserver, ...]:
        if is_literal(host):
            return ()
        return tuple(Nameserver(canary.where) for canary in self.canaries.family("resolver")[:2])

    async def _own_line(self) -> None:
        """Whether well-known sites can be reached from here, now or a moment ago."""
        async with self._asking:
            if self.wire.monotonic() - self._line_at < _LINE_KEPT_S:
                return
            session = self._session(Asked(number=1, endpoint=Endpoint("https://example.com/"), target=""))
            await guarded(session, "own line", well_known_sites(session), endpoint=None)
            self._line, self._line_at = _told(session.recorder.observations), self.wire.monotonic()


def _site(session: Session, group: asyncio.TaskGroup, follow_ups: FollowUps) -> Site:
    """The target as the experiments take it; suspicion starts little here, because the probe has its own."""
    return Site(
        session=session,
        asked=session.asked[0],
        group=group,
        on_step=lambda _step: None,
        turns=Turns(),
        follow_ups=follow_ups,
    )


def _nothing(
    _scheme: str, _stage: str, _operation: Operation | None, _settings: Settings
) -> tuple[tuple[str, FollowUp], ...]:
    """The second look asks nothing more."""
    return ()


def _is_through(session: Session) -> bool:
    """Whether a page came, or the bare port took the connection."""
    endpoint = session.asked[0].endpoint
    return any(
        o.failure is None
        and o.purpose in ("baseline", "siblings")
        and o.operation.name == endpoint.host
        and (
            (isinstance(o.fact, HttpFact) and o.fact.status is not None and o.fact.status < _SERVER_ERROR)
            or (isinstance(o.fact, TcpFact) and endpoint.scheme == "tcp")
        )
        for o in session.recorder.observations
    )


def _own_pairs(
    scheme: str, stage: str, operation: Operation | None, _settings: Settings
) -> tuple[tuple[str, FollowUp], ...]:
    """What a control asks on its own account: whether its own line lets the name through at places that do not serve it.

    One that is censored itself is found out so. A certificate that does not verify, and a bare port, are no matter of names.
    """
    named = stage in ("tls", "http", "page") and scheme != "tcp"
    if not named or (operation is not None and operation.failure in CERTIFICATE):
        return ()
    return (("neutral_pair", contrast.neutral_pairs),)


async def _at(site: Site, address: str) -> None:
    """The target at one address that the probe was given: connection, greeting, page."""
    place = Place(purpose="siblings", endpoint=1, group=f"address/{address}")
    if site.scheme == "https":
        secure = await shake_hands(site, place, address, site.port, deadline_s=site.settings.deadlines.tls_hard)
        if secure is not None:
            await fetch(site, place, secure, verified_chain=True)
        return
    stream = await connect(site.session, place, address, site.port, name=site.host)
    if stream is not None and site.scheme == "http":
        await fetch(site, place, stream, verified_chain=False)
    elif stream is not None:
        stream.close()


async def _ask(site: Site, server: Nameserver) -> None:
    """What a public resolver says of the name, asked from here."""
    deadlines = site.settings.deadlines
    place = Place(purpose="dns_answers", endpoint=1, group="foreign")
    await site.session.pacer.flow()
    asked = await dns.ask_udp(
        site.wire,
        server,
        dns.Question(site.host),
        role="foreign",
        deadline_s=deadlines.dns,
        resend_s=deadlines.dns_resend,
    )
    asked.lingering.close()
    site.record(asked.operation, **place.fields())


# ---------------------------------------------------------------------------------------------------------------------
# what leaves the control


def _told(observations: list[Observation], look: int | None = None) -> tuple[Seen, ...]:
    return tuple(
        Seen(
            replace(o.operation, fact=_without_pages(o.fact), address=_address(o)),
            o.purpose,
            group=o.group,
            hop=o.hop,
            member=o.member,
            arm=o.arm,
            round=o.round if o.purpose == "neutral_pair" else look,
        )
        for o in observations
        if _may_be_told(o)
    )


def _may_be_told(observation: Observation) -> bool:
    fact = observation.fact
    if isinstance(fact, DnsFact):
        # A private answer is this network's own business; the library was not asked (see the guarded wire).
        return fact.transport != "getaddrinfo" and all(is_public(address) for address in fact.addresses)
    if isinstance(fact, TcpFact):
        return fact.errno != _REFUSED
    return isinstance(fact, TlsFact | HttpFact)


def _address(observation: Observation) -> str | None:
    """Where it was done; the control's own resolver has no business with others."""
    fact = observation.fact
    return None if isinstance(fact, DnsFact) and fact.role == "system" else observation.operation.address


def _without_pages(fact: Fact) -> Fact:
    """*fact* without bodies, values of headers, and whole certificates."""
    if isinstance(fact, HttpFact):
        return replace(fact, body=None, headers=tuple((name, "") for name, _value in fact.headers))
    if isinstance(fact, TlsFact):
        return replace(fact, chain=tuple(replace(one, der_base64=None) for one in fact.chain))
    return fact

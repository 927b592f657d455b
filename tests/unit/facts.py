# ruff: noqa: A001, A002 - "round" is the field's name
"""Hand-made observations for the judge: small builders that read like the story they tell.

``Facts`` is one run with one endpoint (more can be added with ``also``). Builders add observations by the conventions of
the experiments and return ``self``; ``verdict()`` judges them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from probe.observations import (
    Answer,
    AppFact,
    BugFact,
    Certificate,
    ClockFact,
    ContextFact,
    DnsFact,
    HostFact,
    HttpFact,
    KernelCounters,
    Observation,
    Operation,
    TcpFact,
    TlsFact,
)
from probe.settings import Priors
from probe.verdict.judge import judge
from probe.verdict.model import NetworkVerdict, Verdict
from probe.verdict.network import judge_network
from probe.verdict.view import View
from targets.model import Asked, Endpoint

HOST = "www.facebook.com"
SITE = "157.240.205.35"
OTHER_SITE = "31.13.72.36"
BLOCK_HOST = "195.12.99.9"
NEUTRALS = ("151.101.0.223", "208.80.154.224", "203.119.1.1")
PROVIDER = "92.46.1.1"
HOME = "192.168.1.1"
TIMEOUT, RESET, EOF = "generic_timeout_error", "connection_reset", "eof_error"
REFUSED = "connection_refused"
INNOCUOUS = "www.wikipedia1.org"
DAY_US = 86_400_000_000
NOW_US = 1_795_000_000_000_000
GOOD_ISSUER = "C=US, O=DigiCert Inc, CN=DigiCert TLS RSA SHA256 2020 CA1"


def answer(name: str, *values: str) -> tuple[Answer, ...]:
    """Address records for *name*."""
    return tuple(Answer(name=name, rtype="AAAA" if ":" in v else "A", value=v, ttl=60) for v in values)


def certificate(
    *names: str,
    issuer: str = GOOD_ISSUER,
    subject: str | None = None,
    self_issued: bool = False,
    expired: bool = False,
) -> Certificate:
    """A leaf for *names*, valid around NOW unless *expired*."""
    end = NOW_US - DAY_US if expired else NOW_US + 60 * DAY_US
    return Certificate(
        sha256="00" * 32,
        subject=subject or f"CN={names[0] if names else 'nobody'}",
        issuer=issuer,
        not_before_us=NOW_US - 60 * DAY_US,
        not_after_us=end,
        names=names,
        self_issued=self_issued,
    )


class Facts:
    """One run, told step by step."""

    def __init__(self, url: str = f"https://{HOST}/", **asked: Any) -> None:
        self.observations: list[Observation] = []
        self.asked = Asked(number=1, endpoint=Endpoint(url), target=url, **asked)
        self.others: list[Asked] = []
        self.clock_us = NOW_US

    @property
    def host(self) -> str:
        return self.asked.endpoint.host

    # the plain builder

    def add(
        self,
        fact: Any,
        *,
        purpose: str,
        endpoint: int | None = 1,
        failure: str | None = None,
        name: str | None = None,
        address: str | None = None,
        port: int | None = None,
        duration_us: int = 40_000,
        vantage: str = "local",
        **place: Any,
    ) -> Facts:
        """One observation, a little later than the last."""
        operation = Operation(
            fact=fact,
            started_us=self.clock_us,
            duration_us=duration_us,
            failure=failure,
            name=name,
            address=address,
            port=port,
        )
        self.clock_us += duration_us + 1_000
        self.observations.append(
            Observation(
                number=len(self.observations) + 1,
                operation=operation,
                purpose=purpose,  # type: ignore[arg-type]
                endpoint=endpoint,
                vantage=vantage,
                **place,
            )
        )
        return self

    # facts

    def dns(
        self,
        *values: str,
        purpose: str = "baseline",
        group: str | None = "v4",
        role: str = "system",
        transport: str = "udp",
        failure: str | None = None,
        name: str | None = None,
        server: str = PROVIDER,
        qtype: str = "A",
        endpoint: int | None = 1,
        duration_us: int = 20_000,
        arm: str | None = None,
        round: int | None = None,
        hop: int = 0,
        member: str | None = None,
        vantage: str = "local",
        **fact: Any,
    ) -> Facts:
        """One question and its answer (*values*) or failure."""
        name = name or self.host
        rcodes = {
            "dns_nxdomain_error": 3,
            "dns_servfail_error": 2,
            "dns_refused_error": 5,
            "dns_no_answer": 0,
            None: 0,
        }
        fact.setdefault("rcode", rcodes.get(failure))
        private = server.startswith(("192.168.", "10.", "127."))
        return self.add(
            DnsFact(
                transport=transport,  # type: ignore[arg-type]
                role=role,  # type: ignore[arg-type]
                qname=name,
                qtype=qtype,
                resolver_is_private=private,
                answers=answer(name, *values),
                **fact,
            ),
            purpose=purpose,
            endpoint=endpoint,
            failure=failure,
            name=name,
            address=server,
            port=53,
            duration_us=duration_us,
            group=group,
            arm=arm,
            round=round,
            hop=hop,
            member=member,
            vantage=vantage,
        )

    def tcp(
        self,
        address: str = SITE,
        *,
        purpose: str = "baseline",
        group: str | None = "v4",
        failure: str | None = None,
        port: int = 443,
        name: str | None = None,
        endpoint: int | None = 1,
        arm: str | None = None,
        round: int | None = None,
        hop: int = 0,
        member: str | None = None,
        vantage: str = "local",
        duration_us: int = 40_000,
        **fact: Any,
    ) -> Facts:
        """One connection."""
        return self.add(
            TcpFact(**fact),
            purpose=purpose,
            endpoint=endpoint,
            failure=failure,
            name=name or self.host,
            address=address,
            port=port,
            duration_us=duration_us,
            group=group,
            arm=arm,
            round=round,
            hop=hop,
            member=member,
            vantage=vantage,
        )

    def tls(
        self,
        address: str = SITE,
        *,
        purpose: str = "baseline",
        group: str | None = "v4",
        failure: str | None = None,
        sni: str | None = None,
        verify: bool = True,
        chain: tuple[Certificate, ...] | None = None,
        endpoint: int | None = 1,
        arm: str | None = None,
        round: int | None = None,
        hop: int = 0,
        member: str | None = None,
        duration_us: int = 80_000,
        vantage: str = "local",
        port: int = 443,
        **fact: Any,
    ) -> Facts:
        """One greeting; without a failure it verified (if asked to) and got a ServerHello."""
        sni = sni or self.host
        certificate_failure = (failure or "").startswith("ssl_") and failure != "ssl_failed_handshake"
        hello = failure is None or certificate_failure
        if chain is None:
            chain = (certificate(sni),) if verify and hello else ()
        fact.setdefault("verified", (failure is None) if verify and hello else None)
        fact.setdefault("server_hello", hello)
        return self.add(
            TlsFact(sni=sni, verify=verify, chain=chain, **fact),
            purpose=purpose,
            endpoint=endpoint,
            failure=failure,
            name=sni,
            address=address,
            port=port,
            duration_us=duration_us,
            group=group,
            arm=arm,
            round=round,
            hop=hop,
            member=member,
            vantage=vantage,
        )

    def http(
        self,
        status: int | None = 200,
        *,
        address: str = SITE,
        purpose: str = "baseline",
        group: str | None = "v4",
        failure: str | None = None,
        url: str | None = None,
        verified_chain: bool | None = None,
        endpoint: int | None = 1,
        arm: str | None = None,
        round: int | None = None,
        hop: int = 0,
        member: str | None = None,
        vantage: str = "local",
        **fact: Any,
    ) -> Facts:
        """One request and its response."""
        url = url or self.asked.endpoint.url
        if verified_chain is None:
            verified_chain = url.startswith("https:")
        return self.add(
            HttpFact(
                method="GET",
                url=url,
                verified_chain=verified_chain,
                status=None if failure else status,
                **fact,
            ),
            purpose=purpose,
            endpoint=endpoint,
            failure=failure,
            name=Endpoint(url).host,
            address=address,
            port=443 if url.startswith("https:") else 80,
            group=group,
            arm=arm,
            round=round,
            hop=hop,
            member=member,
            vantage=vantage,
        )

    # elsewhere

    def app(
        self,
        address: str = SITE,
        *,
        failure: str | None = None,
        purpose: str = "baseline",
        group: str | None = "v4",
        port: int = 443,
        protocol: str = "mtproto",
        transport: Any = "tcp",
        round: int | None = None,
        **fact: Any,
    ) -> Facts:
        """One exchange of an app's own protocol: answered as it has to be, unless it fails."""
        if failure is None:
            fact = {"answered": True, "expected": True, **fact}
        return self.add(
            AppFact(protocol=protocol, transport=transport, sent="req_pq_multi", **fact),
            purpose=purpose,
            failure=failure,
            name=self.host,
            address=address,
            port=port,
            group=group,
            round=round,
        )

    def control_line(self, *sites: str, failure: str | None = None, vantage: str = "control:Helsinki") -> Facts:
        """A control's own canaries, two of them if none is named: what must work before it is heard."""
        for site in sites or ("www.wikipedia.org", "www.debian.org"):
            place: dict[str, Any] = {"purpose": "own_side", "group": "before", "member": f"foreign/{site}"}
            self.tls("198.35.26.96", sni=site, failure=failure, vantage=vantage, **place)
        return self

    def control_asked(
        self,
        country: str | None = "DE",
        *,
        round: int = 0,
        vantage: str = "control:Helsinki",
        failure: str | None = None,
    ) -> Facts:
        """A control that was asked, and the country that it is known to be in."""
        fact = HttpFact(method="POST", url="/v1/measure", verified_chain=True, status=None if failure else 200)
        group = f"country/{country}" if country else None
        return self.add(fact, purpose="control", member=vantage, group=group, round=round, failure=failure)

    def control_tried(self, kind: str, *, failure: str | None, vantage: str = "control:Helsinki") -> Facts:
        """What a control says of a site that was reached here (``known``), or of a name that nobody has (``nobody``)."""
        place: dict[str, Any] = {"purpose": "control", "endpoint": None, "group": f"{kind}/www.example.net"}
        return self.tls(OTHER_SITE, sni="www.example.net", failure=failure, vantage=vantage, **place)

    # the own side

    def context(self, **fields: Any) -> Facts:
        """What the run says of itself."""
        return self.add(
            ContextFact(software="0", catalogue="1", trust="certifi", **fields), purpose="context", endpoint=None
        )

    def own(self, member: str, group: str = "before", round: int = 0) -> dict[str, Any]:
        return {"purpose": "own_side", "endpoint": None, "member": member, "group": group, "round": round}

    def machine(self, group: str = "before", round: int = 0, **fields: Any) -> Facts:
        """What this host says of itself."""
        fields.setdefault("default_route_v4", True)
        fields.setdefault("default_route_v6", False)
        fields.setdefault("nameservers", (PROVIDER,))
        return self.add(HostFact(**fields), **self.own("host", group, round))

    def canary(
        self, member: str, failure: str | None = None, *, group: str = "before", round: int = 0, **fact: Any
    ) -> Facts:
        """One member of a family, by its kind: a literal is connected to, a name greeted, a resolver asked."""
        family, _, where = member.partition("/")
        place = self.own(member, group, round)
        if family in ("literal", "transparent", "ipv6"):
            return self.tcp(where, failure=failure, name=where, **place, **fact)
        if family in ("system", "resolver"):
            role = "system" if family == "system" else "foreign"
            values = () if failure else ("151.101.0.223",)
            return self.dns(*values, failure=failure, name="www.python.org", server=where, role=role, **place, **fact)
        if family == "clock":
            return self.add(ClockFact(source="ntp", **fact), failure=failure, name=where, **place)
        if failure in ("dns", "dns_nxdomain_error", "dns_servfail_error"):
            failure = "dns_servfail_error" if failure == "dns" else failure
            return self.dns(failure=failure, name=where, **place)
        if failure in ("tcp", REFUSED, "network_unreachable", "host_unreachable"):
            failure = TIMEOUT if failure == "tcp" else failure
            return self.tcp(failure=failure, name=where, **place)
        self.tcp(name=where, **place)
        return self.tls(sni=where, verify=family == "foreign", failure=failure, **place, **fact)

    def portal(
        self, status: int = 204, *, which: str = "connectivitycheck.gstatic.com/generate_204", **fact: Any
    ) -> Facts:
        """One well-known test page."""
        fact.setdefault("body", "")
        group, round = fact.pop("group", "before"), fact.pop("round", 0)
        return self.http(status, url=f"http://{which}", **self.own(f"portal/http://{which}", group, round), **fact)

    def healthy(self, group: str = "before", round: int = 0, **machine: Any) -> Facts:
        """A round in which everything answers."""
        self.machine(group, round, **machine)
        at: dict[str, Any] = {"group": group, "round": round}
        for member in ("system/92.46.1.1", "literal/1.1.1.1", "literal/8.8.8.8", "literal/9.9.9.9"):
            self.canary(member, **at)
        for member in ("foreign/www.python.org", "foreign/www.debian.org", "foreign/www.gnu.org", "domestic/egov.kz"):
            self.canary(member, **at)
        self.canary("domestic/kaspi.kz", **at)
        self.canary("transparent/192.0.2.1", TIMEOUT, **at)
        self.portal(**at)
        self.portal(200, which="captive.apple.com/hotspot-detect.html", body="<BODY>Success</BODY>", **at)
        self.canary("clock/time.google.com", offset_s=0.1, stratum=1, **at)
        return self

    def dead(self, failure: str = TIMEOUT, group: str = "before", round: int = 0, **machine: Any) -> Facts:
        """A round in which nobody outside answers."""
        self.machine(group, round, **machine)
        at: dict[str, Any] = {"group": group, "round": round}
        for member in ("system/92.46.1.1", "literal/1.1.1.1", "literal/8.8.8.8", "literal/9.9.9.9", "resolver/8.8.8.8"):
            self.canary(member, failure, **at)
        self.canary("resolver/9.9.9.9", failure, **at)
        for member in ("foreign/www.python.org", "foreign/www.debian.org", "domestic/egov.kz", "domestic/kaspi.kz"):
            self.canary(member, "dns_servfail_error", **at)
        return self.canary("transparent/192.0.2.1", failure, **at)

    # baselines

    def works(self, status: int = 200, group: str = "v4", address: str = SITE, **fact: Any) -> Facts:
        """A baseline that gets a page."""
        self.dns(address, group=group, qtype="AAAA" if ":" in address else "A")
        self.tcp(address, group=group, port=443 if self.asked.endpoint.scheme == "https" else 80)
        if self.asked.endpoint.scheme == "https":
            self.tls(address, group=group)
        return self.http(status, address=address, group=group, **fact)

    def no_name(self, failure: str, *values: str, **fact: Any) -> Facts:
        """A baseline that ends at DNS."""
        return self.dns(*values, failure=failure, **fact)

    def no_connection(self, failure: str = TIMEOUT, address: str = SITE, group: str = "v4", **fact: Any) -> Facts:
        """A baseline that ends at the connection."""
        self.dns(address, group=group, qtype="AAAA" if ":" in address else "A")
        return self.tcp(address, group=group, failure=failure, **fact)

    def no_greeting(self, failure: str = TIMEOUT, **fact: Any) -> Facts:
        """A baseline that ends at TLS."""
        return self.dns(SITE).tcp().tls(failure=failure, **fact)

    def retry_tls(self, failure: str | None = None, n: int = 1, group: str | None = None, **fact: Any) -> Facts:
        """One more walk from a fresh port."""
        group = group or f"retry/{n}"
        return self.tcp(purpose="retry", group=group).tls(purpose="retry", group=group, failure=failure, **fact)

    # pairs

    def arm(
        self, purpose: str, group: str, address: str, arm: str, failure: str | None, round: int, **fact: Any
    ) -> Facts:
        """One arm: a connection and a greeting."""
        sni = self.host if arm == "target" else INNOCUOUS
        place: dict[str, Any] = {"purpose": purpose, "group": group, "arm": arm, "round": round}
        self.tcp(address, name=sni, **place)
        alert = 40 if failure == "alert" else None
        failure = "ssl_failed_handshake" if failure == "alert" else failure
        return self.tls(address, sni=sni, verify=False, failure=failure, alert=alert, **place, **fact)

    def pair(
        self,
        purpose: str,
        group: str,
        address: str,
        *,
        target: str | None = TIMEOUT,
        innocuous: str | None = None,
        rounds: int = 6,
        target_fact: dict[str, Any] | None = None,
        innocuous_fact: dict[str, Any] | None = None,
    ) -> Facts:
        """I T I T … at one address; *target* and *innocuous* are how each arm ends (``None``: with a ServerHello)."""
        self.arm(purpose, group, address, "innocuous", innocuous, 0, **(innocuous_fact or {}))
        for number in range(rounds):
            self.arm(purpose, group, address, "target", target, number, **(target_fact or {}))
            self.arm(purpose, group, address, "innocuous", innocuous, number + 1, **(innocuous_fact or {}))
        return self

    def neutrals(self, count: int = 2, **kw: Any) -> Facts:
        """Pairs at *count* neutral addresses."""
        for index in range(count):
            self.pair("neutral_pair", f"neutral/{index + 1}", NEUTRALS[index], **kw)
        return self

    def own_pair(self, **kw: Any) -> Facts:
        """The pair at the target's own address."""
        return self.pair("own_pair", f"own/{SITE}", SITE, **kw)

    # DNS around

    def foreign(
        self, *values: str, failure: str | None = None, servers: tuple[str, ...] = ("8.8.8.8", "9.9.9.9"), **kw: Any
    ) -> Facts:
        """Public resolvers, asked plainly and over HTTP."""
        for server in servers:
            self.dns(
                *values,
                purpose="dns_answers",
                group="foreign",
                role="foreign",
                server=server,
                failure=failure,
                arm="target",
                **kw,
            )
        for server in servers:
            self.dns(
                *values,
                purpose="dns_answers",
                group="doh",
                role="foreign",
                transport="doh",
                server=server,
                failure=failure,
                **kw,
            )
        return self

    def tried(self, address: str = SITE, failure: str | None = None, **fact: Any) -> Facts:
        """An answered address, tried for the name's certificate."""
        group = f"address/{address}"
        self.tcp(address, purpose="dns_answers", group=group)
        return self.tls(address, purpose="dns_answers", group=group, failure=failure, **fact)

    def system(self, group: str, *values: str, failure: str | None = None, name: str | None = None, **kw: Any) -> Facts:
        """One more question to the system's resolver: ``cd``, ``random_label``, ``never_asked``, ``filter`` …"""
        return self.dns(*values, purpose="dns_answers", group=group, failure=failure, name=name, **kw)

    def bug(self, purpose: str = "baseline") -> Facts:
        """Our own program broke off."""
        return self.add(BugFact(experiment="website", error="ValueError: x", traceback=""), purpose=purpose)

    # judging

    def also(self, number: int, url: str) -> Facts:
        """Another endpoint of the same run; its observations are added with ``endpoint=number``."""
        self.others.append(Asked(number=number, endpoint=Endpoint(url), target=url))
        return self

    def view(self, horizon: int | None = None) -> View:
        return View(self.observations, (self.asked, *self.others), horizon)

    def verdict(self, priors: Priors | None = None) -> Verdict:
        return judge(self.view(), self.asked, priors or Priors())

    def network(self) -> NetworkVerdict:
        return judge_network(self.view())

    def word(self) -> str:
        """``status/method/signature``, shortest first: what most tests compare."""
        v = self.verdict()
        return "/".join(part for part in (v.status, v.method, v.signature) if part)

    def codes(self) -> set[str]:
        """Codes of all findings that count (weight not 0)."""
        v = self.verdict()
        return {f.code for f in (*v.findings, *v.against) if f.weight != 0}


def kernel(**fields: Any) -> KernelCounters:
    """Kernel counters."""
    return KernelCounters(**fields)


def renumbered(observations: list[Observation]) -> list[Observation]:
    """The same observations, numbered from 1."""
    return [dataclasses.replace(o, number=n) for n, o in enumerate(observations, 1)]

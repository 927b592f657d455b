"""A world without a censor: some of all flows fail, whatever the name. How often does the judge say ``blocked``?

    python -m tests.mutants.ordinary_failures [--sets 100000] [--seed 7]

Each set is one endpoint of one run, measured as the experiments measure it: baseline over one or both address families,
retries, two neutral pairs and the own pair by the alternation rule (they end at the first target success and after two
lost innocuous arms running), path MTU, siblings, and foreign DNS. Four worlds, a quarter of the sets each: 1, 10, 25 and
50 % of flows die. What dies, dies as flows do: silent connects, silent greetings (acknowledged or not), resets, closes.
In every second set the site's own server is dead as well, so that no luck at its address withdraws anything: what is left
between ordinary loss and ``blocked`` is the alternation rule alone.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from probe.settings import Priors
from probe.verdict.judge import judge
from probe.verdict.model import Verdict
from probe.verdict.ruleset import RULESET
from probe.verdict.view import View
from tests.mutants import reports
from tests.unit.facts import EOF, NEUTRALS, OTHER_SITE, REFUSED, RESET, SITE, TIMEOUT, Facts

RATES = (0.01, 0.10, 0.25, 0.50)
_GREETING_DEATHS = (TIMEOUT, TIMEOUT, TIMEOUT, RESET, EOF)
_CONNECT_DEATHS = (TIMEOUT, TIMEOUT, REFUSED)


class World:
    """One set: dice, and a run of facts."""

    def __init__(self, rate: float, seed: int, *, dead: bool = False) -> None:
        self.rate = rate
        self.dead = dead
        self.dice = random.Random(seed)
        self.facts = Facts()

    def dies(self) -> bool:
        return self.dice.random() < self.rate

    def connect(self, address: str, **place: object) -> bool:
        """A connection; half of a flow's deaths happen here."""
        bad = self.dice.random() < self.rate / 2
        self.facts.tcp(address, failure=self.dice.choice(_CONNECT_DEATHS) if bad else None, **place)  # type: ignore[arg-type]
        return not bad

    def greet(self, address: str, *, verify: bool, sni: str | None = None, **place: object) -> bool:
        """A greeting; the other half happens here, acknowledged or not."""
        bad = self.dice.random() < self.rate / 2 / (1 - self.rate / 2) or (self.dead and address in (SITE, OTHER_SITE))
        failure = self.dice.choice(_GREETING_DEATHS) if bad else None
        acknowledged = self.dice.random() < 0.5 if bad else True
        self.facts.tls(address, failure=failure, verify=verify, sni=sni, hello_acked=acknowledged, **place)  # type: ignore[arg-type]
        return not bad

    def flow(self, address: str, *, verify: bool, sni: str | None = None, **place: object) -> bool:
        return self.connect(address, **place) and self.greet(address, verify=verify, sni=sni, **place)

    # the experiments

    def run(self) -> Facts:
        """Measure once; follow-ups only where the baseline failed, as in the program."""
        facts = self.facts.context()
        self.own_side("before", 0)
        families = [self.baseline("v4", SITE)]
        if self.dice.random() < 0.3:
            families.append(self.baseline("v6", "2a03:2880:f10c::25"))
        if all(families):
            return facts
        if not families[0]:
            self.follow_up()
        self.own_side("after", 1)
        return facts

    def own_side(self, group: str, number: int) -> None:
        at = {"group": group, "round": number}
        self.facts.machine(group, number, default_route_v6=True)
        for member in ("system/92.46.1.1", "literal/1.1.1.1", "literal/8.8.8.8", "literal/9.9.9.9"):
            self.facts.canary(member, TIMEOUT if self.dies() else None, **at)  # type: ignore[arg-type]
        for name in ("foreign/www.python.org", "foreign/www.debian.org", "foreign/www.gnu.org", "domestic/egov.kz"):
            self.facts.canary(name, "tcp" if self.dies() else None, **at)  # type: ignore[arg-type]

    def baseline(self, group: str, address: str) -> bool:
        qtype = "AAAA" if group == "v6" else "A"
        if self.dies():
            self.facts.dns(
                failure=self.dice.choice((TIMEOUT, "dns_servfail_error")), group=group, qtype=qtype, rcode=None
            )
            return False
        self.facts.dns(address, group=group, qtype=qtype)
        if not self.flow(address, verify=True, group=group):
            return False
        if self.dies():
            self.facts.http(failure=self.dice.choice((TIMEOUT, RESET)), address=address, group=group)
            return False
        self.facts.http(200, address=address, group=group)
        return True

    def follow_up(self) -> None:
        self.dns_answers()
        if self.facts.observations[-1].operation.kind == "dns":
            return
        for n in range(1, 4):
            if self.flow(SITE, verify=True, purpose="retry", group=f"retry/{n}"):
                break
        for index in (0, 1):
            self.pair("neutral_pair", f"neutral/{index + 1}", NEUTRALS[index])
        self.pair("own_pair", f"own/{SITE}", SITE)
        for n in (0, 1):
            for group in ("normal", "small", "small+mss"):
                self.flow(SITE, verify=False, purpose="path_mtu", group=group, round=n)
        self.flow(OTHER_SITE, verify=True, purpose="siblings", group=f"address/{OTHER_SITE}")

    def pair(self, purpose: str, group: str, address: str) -> None:
        def send(arm: str, number: int) -> bool:
            sni = self.facts.host if arm == "target" else "www.wikipedia1.org"
            return self.flow(address, verify=False, sni=sni, purpose=purpose, group=group, arm=arm, round=number)

        first = send("innocuous", 0)
        if purpose == "neutral_pair" and not first:
            return
        lost = 0 if first else 1
        for number in range(6):
            if send("target", number):
                return
            lost = 0 if send("innocuous", number + 1) else lost + 1
            if lost >= 2:
                return

    def dns_answers(self) -> None:
        for server in ("8.8.8.8", "9.9.9.9"):
            for group in ("foreign", "doh"):
                at = {"purpose": "dns_answers", "group": group, "role": "foreign", "server": server}
                transport = "doh" if group == "doh" else "udp"
                if self.dies():
                    self.facts.dns(failure=TIMEOUT, rcode=None, transport=transport, **at)  # type: ignore[arg-type]
                else:
                    self.facts.dns(SITE, OTHER_SITE, transport=transport, **at)  # type: ignore[arg-type]
        for arm, name in (("innocuous", "www.wikipedia1.org"), ("target", self.facts.host)):
            at = {"purpose": "dns_answers", "group": "no_resolver", "role": "no_resolver", "server": NEUTRALS[2]}
            self.facts.dns(failure=TIMEOUT, rcode=None, name=name, arm=arm, **at)  # type: ignore[arg-type]
        self.flow(SITE, verify=True, purpose="dns_answers", group=f"address/{SITE}")


Kind = tuple[float, bool]


def judged(index: int, seed: int) -> tuple[Kind, Verdict]:
    """Set number *index*, judged; the same seed gives the same one."""
    rate, dead = RATES[index % len(RATES)], index // len(RATES) % 2 == 1
    facts = World(rate, seed * 1_000_003 + index, dead=dead).run()
    return (rate, dead), judge(View(facts.observations, (facts.asked,)), facts.asked, Priors())


def verdicts(sets: int, seed: int) -> Iterator[tuple[Kind, Verdict]]:
    """*sets* judged sets, the worlds in turn."""
    return (judged(index, seed) for index in range(sets))


def _count(job: tuple[int, int, int]) -> Counter[tuple[Kind, str]]:
    first, last, seed = job
    found = (judged(index, seed) for index in range(first, last))
    return Counter((kind, verdict.status) for kind, verdict in found)


def main(arguments: list[str] | None = None) -> int:
    """Count the words; 1 if ``blocked`` came more than ten times in 100,000."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--report", action="store_true", help="also write tests/mutants/reports/<date>-….md")
    chosen = parser.parse_args(arguments)
    begun = time.monotonic()
    step = 2_500
    jobs = [(n, min(n + step, chosen.sets), chosen.seed) for n in range(0, chosen.sets, step)]
    counted: Counter[tuple[Kind, str]] = Counter()
    with ProcessPoolExecutor(chosen.processes) as pool:
        for part in pool.map(_count, jobs):
            counted.update(part)
    lines = []
    for kind in sorted({kind for kind, _ in counted}, key=lambda kind: (kind[1], kind[0])):
        row = {word: count for (k, word), count in sorted(counted.items()) if k == kind}
        lines.append(f"{kind[0]:5.0%} of flows die, {'server dead ' if kind[1] else 'server alive'}: {row}")
    blocked = sum(count for (_, word), count in counted.items() if word == "blocked")
    bound = f"; rule of three: below {3 / chosen.sets:.1e}" if blocked == 0 else ""
    took = time.monotonic() - begun
    lines.append(f"blocked {blocked} of {chosen.sets:,} (seed {chosen.seed}, ruleset {RULESET}){bound}; {took:.0f} s")
    print("\n".join(lines))
    if chosen.report:
        reports.write(
            "ordinary-failures", "Ordinary failures, whatever the name: how often is it called blocked?", lines
        )
    return int(blocked > 10 * chosen.sets / 100_000)


if __name__ == "__main__":
    sys.exit(main())

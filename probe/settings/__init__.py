"""One typed ``Settings``: defaults < TOML file < ``DALEL_*`` environment < flags.

The dataclasses are what the program uses; reading and checking a file (pydantic, imported only then) is
``probe.settings.file``'s business. Every number here has its reason beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from probe.settings.controls import Control
from probe.settings.keep import Keep
from probe.settings.notify import Language, Notify
from probe.settings.run import RunSettings

Profile = Literal["light", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long each operation may take, in seconds. ``scaled`` divides all of them (the demo's only liberty)."""

    dns_resend: float = 1.0
    """A lost datagram is asked again from a new port with a new id, so two replies to one query stay a finding."""
    dns: float = 3.0
    """Soft deadline of a question: foreign resolvers are asked after it. Cold names rarely need longer."""
    dns_system: float = 10.0
    """Hard deadline of the system's resolvers: glibc waits 5 s twice, and a slow answer is not a missing one."""
    connect: float = 7.5
    """Linux sends SYNs at 0, 1, 2, 3, 4, 5.1 and 7.1 s, older kernels at 0, 1, 3 and 7 s: four tries at least."""
    tls_soft: float = 5.0
    """Past this a handshake counts as slow."""
    tls_hard: float = 15.0
    """Throttled handshakes in Kazakhstan had medians over 4 s; a shorter limit would call slow silent."""
    quic: float = 3.0
    """One QUIC handshake, with some four of its own repetitions. Browsers wait a third of a second before they take TCP."""
    http_head: float = 10.0
    """First byte of a response after the request."""
    http_body: float = 20.0
    """The whole body of the ``full`` profile."""
    endpoint: float = 45.0
    """Everything about one endpoint."""
    own_side: float = 3.0
    """One canary. The own side must be known before anything is blamed, and within 5 s of the start."""
    own_side_gap: float = 2.0
    """Between two looks at the own side: endpoints that end in between share the next one."""
    suspicion_floor: float = 1.0
    """Silence is suspicious after max(this, 4 × RTT); follow-ups then run while the first socket keeps waiting."""
    arm_floor: float = 1.0
    """An arm gives up at max(this, 4 × the innocuous arm's time): six silent ones must not take minutes."""
    arm_gap: float = 0.3
    """Between the arms of a pair: residual blocking is per 4-tuple, and a restart of a server outlasts a volley."""
    deep: float = 200.0
    """One deep question (``--deep``): the longest memories of devices that have been reported are 120 and 180 s."""

    def scaled(self, divisor: float) -> Deadlines:
        """The same deadlines, *divisor* times shorter."""
        return Deadlines(**{name: getattr(self, name) / divisor for name in self.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Caps on what is sent and read."""

    flows_per_second: int = 100
    flows_per_120_s: int = 1000
    """Shared addresses are handed out in blocks of 512 to 2,048 ports; using one up would look like a dead network."""
    body_light: int = 10_240
    body_full: int = 65_536
    headers: int = 65_536
    redirects: int = 10
    pair_rounds: int = 6
    """Six target failures, five innocuous successes: confidence 0.9 asks for no fewer."""
    neutrals: int = 2
    """A flip must be seen at this many addresses that have nothing to do with the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """What is believed of a status before anything was measured. Stated, never fitted on the lab's mix."""

    accessible: float = 0.90
    blocked: float = 0.02
    denied: float = 0.01
    outage: float = 0.03
    no_network: float = 0.04
    print_blocked_at: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run may be told. ``country`` (ISO 3166-1 alpha-2) and ``asn`` are the user's own word."""

    deadlines: Deadlines = field(default_factory=Deadlines)
    budgets: Budgets = field(default_factory=Budgets)
    priors: Priors = field(default_factory=Priors)
    deadline_scale: float = 1.0
    profile: Profile = "light"
    families: tuple[int, ...] = (4, 6)
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    deep: bool = False
    """Ask also how long a device remembers, and whether it reads greetings in pieces: minutes more for one target a run."""
    country: str | None = None
    asn: int | None = None
    database: str | None = None
    data_dir: str | None = None
    targets_dir: str | None = None
    controls: tuple[Control, ...] = ()
    proxies: tuple[Control, ...] = ()
    """Proxies that stand in for controls: what is seen through one is less."""
    run: RunSettings = field(default_factory=RunSettings)
    notify: Notify = field(default_factory=Notify)
    keep: Keep = field(default_factory=Keep)
    metrics_listen: str | None = None
    """Where ``/metrics`` and ``/healthz`` are answered, as ``HOST:PORT``; unset: nowhere."""
    language: Language | None = None
    """Of messages and of the consent text; unset: what the environment says (``LANG``)."""
    user_agent: str = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36"
    )

    def hurried(self, divisor: float) -> Settings:
        """These settings with every deadline divided by *divisor*, and the scale recorded."""
        return replace(self, deadlines=self.deadlines.scaled(divisor), deadline_scale=self.deadline_scale / divisor)

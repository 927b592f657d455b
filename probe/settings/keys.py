"""Every setting that a person may write: its section and key, what it may be, and where ``Settings`` keeps it.

Declared once. The file, the environment and ``dalel config show`` all read this table; the deadlines, budgets and priors
are taken from their dataclasses, so a new one there is a new key here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from probe.settings import Budgets, Deadlines, Priors, Settings
from probe.settings.run import EVERY_EXPECTED, LONGEST_EVERY, SHORTEST_EVERY

Kind = Literal["text", "integer", "number", "texts", "integers", "flag"]
Value = str | int | float | tuple[str, ...] | tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One setting. ``attribute`` is its place in ``Settings``; ``expected`` ends the sentence "it must be …"."""

    section: str
    name: str
    kind: Kind
    attribute: tuple[str, ...]
    expected: str
    choices: tuple[str | int, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str | None = None
    secret: bool = False

    @property
    def label(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"DALEL_{self.section}_{self.name}".upper()

    def read(self, settings: Settings) -> Value:
        """Its value in *settings*."""
        value: Any = settings
        for attribute in self.attribute:
            value = getattr(value, attribute)
        return cast("Value", value)

    def parse(self, text: str) -> Value:
        """The value that *text* (of an environment variable) says; ``ValueError`` if it says none that is allowed."""
        value: Value = _PARSERS[self.kind](text.strip())
        for item in value if isinstance(value, tuple) else (value,):
            self._check(item)
        return value

    def _check(self, item: Any) -> None:
        wrong = (
            (self.choices and item not in self.choices)
            # "not >=" rather than "<": NaN compares false with everything.
            or (self.low is not None and not item >= self.low)
            or (self.high is not None and not item <= self.high)
            or (self.pattern is not None and not re.fullmatch(self.pattern, item))
        )
        if wrong:
            raise ValueError(item)


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag(text: str) -> bool:
    """A word for yes or no, as people write it into environments."""
    if text.lower() not in _FLAGS:
        raise ValueError(text)
    return _FLAGS[text.lower()]


_FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_PARSERS: Mapping[Kind, Any] = {
    "flag": _flag,
    "text": str,
    "integer": int,
    "number": float,
    "texts": _texts,
    "integers": lambda text: tuple(int(part) for part in _texts(text)),
}


def _group(section: str, cls: type[Any], *, low: float, high: float | None, expected: str) -> tuple[Key, ...]:
    """The keys of one of the dataclasses inside ``Settings``."""
    return tuple(
        Key(
            section=section,
            name=field.name,
            kind="integer" if field.type == "int" else "number",
            attribute=(section, field.name),
            expected=expected,
            low=low,
            high=high,
        )
        for field in dataclasses.fields(cls)
    )


def _channel(kind: str, expected: str) -> Key:
    """The short form of a channel: one address, which is as secret as a password."""
    return Key(
        section="notify",
        name=kind,
        kind="text",
        attribute=("notify", kind),
        expected=expected,
        pattern=".+",
        secret=True,
    )


def _run(name: str, low: float, high: float, expected: str) -> Key:
    return Key(section="run", name=name, kind="number", attribute=("run", name), expected=expected, low=low, high=high)


def _keep(name: str, low: int, high: int, expected: str) -> Key:
    return Key(
        section="keep", name=name, kind="integer", attribute=("keep", name), expected=expected, low=low, high=high
    )


RUN: tuple[Key, ...] = (
    _run("every", SHORTEST_EVERY, LONGEST_EVERY, EVERY_EXPECTED),
    _run("own_side_every", 30.0, 3600.0, "a number of seconds from 30 to 3600"),
    _run("incident_every", SHORTEST_EVERY, 3600.0, "a number of seconds from 60 to 3600"),
    Key(section="run", name="deep", kind="flag", attribute=("run", "deep"), expected="true or false"),
    _run("megabytes_per_day", 1.0, 1e6, "a number of megabytes from 1 to 1000000"),
    Key(section="run", name="metered", kind="flag", attribute=("run", "metered"), expected="true or false"),
    _run("metered_megabytes_per_day", 1.0, 1e6, "a number of megabytes from 1 to 1000000"),
    Key(
        section="run",
        name="kill_switch",
        kind="text",
        attribute=("run", "kill_switch"),
        expected="the path of a file",
        pattern=".+",
    ),
    Key(
        section="run",
        name="language",
        kind="text",
        attribute=("language",),
        expected="en, ru or kk",
        choices=("en", "ru", "kk"),
    ),
)
NOTIFY: tuple[Key, ...] = (
    Key(
        section="notify",
        name="probe",
        kind="text",
        attribute=("notify", "probe"),
        expected="a short name, such as Almaty",
        pattern=".{1,60}",
    ),
    Key(
        section="notify",
        name="remind_hours",
        kind="number",
        attribute=("notify", "remind_hours"),
        expected="a number of hours from 0 (never) to 720",
        low=0,
        high=720,
    ),
    _channel("webhook", "https://HOST/PATH"),
    _channel("ntfy", "https://HOST/TOPIC"),
    _channel("email", "smtps://USER:PASSWORD@HOST?from=A@B&to=C@D"),
    _channel("apprise", "an address as Apprise writes it"),
)


_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
"""From 1 to 65535: at 0 the system would choose one that nobody is told."""

KEYS: tuple[Key, ...] = (
    Key(
        section="check",
        name="profile",
        kind="text",
        attribute=("profile",),
        expected="light or full",
        choices=("light", "full"),
    ),
    Key(
        section="check",
        name="families",
        kind="integers",
        attribute=("families",),
        expected="a list of 4 (IPv4) and 6 (IPv6)",
        choices=(4, 6),
    ),
    Key(
        section="check",
        name="only",
        kind="texts",
        attribute=("only",),
        expected="a list of names of experiments",
    ),
    Key(
        section="check",
        name="skip",
        kind="texts",
        attribute=("skip",),
        expected="a list of names of experiments",
    ),
    Key(section="check", name="deep", kind="flag", attribute=("deep",), expected="true or false"),
    Key(
        section="network",
        name="country",
        kind="text",
        attribute=("country",),
        expected="two capital letters, such as KZ",
        pattern="[A-Z]{2}",
    ),
    Key(
        section="network",
        name="asn",
        kind="integer",
        attribute=("asn",),
        expected="the number of your provider's network, such as 9198",
        low=1,
        high=4_294_967_295,
    ),
    Key(
        section="database",
        name="url",
        kind="text",
        attribute=("database",),
        expected="a database URL or the path of an SQLite file, such as /var/lib/dalel/dalel.db",
        pattern=".+",
        secret=True,
    ),
    Key(section="data", name="dir", kind="text", attribute=("data_dir",), expected="a directory", pattern=".+"),
    Key(section="targets", name="dir", kind="text", attribute=("targets_dir",), expected="a directory", pattern=".+"),
    Key(
        section="http",
        name="user_agent",
        kind="text",
        attribute=("user_agent",),
        expected="a line of text",
        pattern=".+",
    ),
    *RUN,
    *NOTIFY,
    Key(
        section="metrics",
        name="listen",
        kind="text",
        attribute=("metrics_listen",),
        expected="an address of this computer and a port, such as 127.0.0.1:9464",
        pattern=rf"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):{_PORT}",
    ),
    *_group("deadlines", Deadlines, low=0.01, high=600.0, expected="a number of seconds from 0.01 to 600"),
    *_group("budgets", Budgets, low=1, high=None, expected="a number of at least 1"),
    _keep("details_days", 1, 36_500, "a number of days from 1 to 36500"),
    _keep("readings_days", 1, 36_500, "a number of days from 1 to 36500"),
    _keep("megabytes", 0, 10_000_000, "a number of megabytes from 0 (no limit) to 10000000"),
    *_group("priors", Priors, low=0.0, high=1.0, expected="a probability from 0 to 1"),
)
BY_LABEL: Mapping[str, Key] = {key.label: key for key in KEYS}
SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(key.section for key in KEYS))


def apply(values: Mapping[str, Value], settings: Settings | None = None) -> Settings:
    """*settings* (the defaults, if none) with the values of some labels (``check.profile``) replaced."""
    made = Settings() if settings is None else settings
    for label, value in values.items():
        attribute = BY_LABEL[label].attribute
        if len(attribute) == 1:
            made = dataclasses.replace(made, **{attribute[0]: value})  # type: ignore[arg-type]
        else:
            outer = dataclasses.replace(getattr(made, attribute[0]), **{attribute[1]: value})
            made = dataclasses.replace(made, **{attribute[0]: outer})
    return made

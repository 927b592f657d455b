"""Devices that go by what a customer has paid for: names of a list are free, and all others are stopped or slow.

As lists of names that are stopped (``rules``, ``throttle``), turned round: a name is free if the list has it, or one above it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab import censor, censor_quic, rules, throttle
from tests.lab.rules import ByName


@dataclass(kw_only=True)
class _AllOthers(ByName):
    """For every name but ``names``."""

    def covers(self, name: str) -> bool:
        return not super().covers(name)


@dataclass(kw_only=True)
class OthersDrop(_AllOthers, rules.NameDrop):
    """From any other name on, what the client sends is dropped."""


@dataclass(kw_only=True)
class OthersReset(_AllOthers, rules.NameReset):
    """Any other name is answered with a RST."""


@dataclass(kw_only=True)
class OthersResetBeside(_AllOthers, censor.NameResetBeside):
    """The same from beside the path: the greeting goes on, and the server's answer comes behind the RST."""


@dataclass(kw_only=True)
class OthersPolice(_AllOthers, throttle.NamePolice):
    """What comes on a flow with any other name is cut down, flow by flow."""


@dataclass(kw_only=True)
class OthersQuicDrop(censor_quic.QuicDrop):
    """From a QUIC greeting with any other name on, what the client sends is dropped."""

    def covers(self, name: str) -> bool:
        return not super().covers(name)

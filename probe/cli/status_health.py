"""``dalel status --health``: whether ``dalel run`` is alive, in one line and an exit code, for containers and monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from probe.cli.archive import read_place

if TYPE_CHECKING:
    from pathlib import Path

    from probe.settings import Settings
    from storage.health import Pulse

HEALTHY, UNHEALTHY = 0, 1
_PATIENCE = 4.0
"""Looks at the own side that may be missing: one is jittered by a third, and a round may be slow."""
_LEAST_S = 600.0
_NEARLY_ALL = 0.9


def health(database: str | None, config: str | None) -> int:
    """Say it, and give the exit code: 0 or 1 and never another, for others mean something else to a container's engine."""
    from probe.cli.common import ConfigError
    from probe.daemon.caps import switch_of
    from probe.wire import Wire
    from storage.errors import NoDatabaseError, StorageError
    from storage.health import pulse

    try:
        location, settings = read_place(database, config)
        now_us = Wire().now_us()
        switch = switch_of(settings.run.kill_switch, location.data_dir)
        well, sentence = judge(pulse(location, now_us), settings, now_us, switch)
    except NoDatabaseError as error:
        well, sentence = False, f"{error.what} Is `dalel run` running?"
    except (ConfigError, StorageError) as error:
        well, sentence = False, str(error)
    click.echo(f"{'healthy' if well else 'unhealthy'}: {sentence}")
    return HEALTHY if well else UNHEALTHY


def is_used_up(used: int, settings: Settings) -> bool:
    """Whether so many bytes of 24 hours are used that next to nothing may be measured: a round may cost more than the rest."""
    return used >= _NEARLY_ALL * settings.run.cap_bytes


def judge(pulse: Pulse, settings: Settings, now_us: int, switch: Path) -> tuple[bool, str]:
    """Whether all is as its owner wants it, and a sentence. What was stopped on purpose is well."""
    from probe.daemon.consent import VERSION

    if pulse.consent != VERSION:
        return False, "nothing is measured, because nobody has agreed to it yet. `dalel consent` says what to do."
    age_s = None if pulse.last_us is None else (now_us - pulse.last_us) / 1e6
    if age_s is not None and age_s <= max(_PATIENCE * settings.run.own_side_every, _LEAST_S):
        return True, f"the last look was {max(age_s, 0):.0f} s ago."
    if switch.exists():
        return True, f"nothing is measured while {switch} exists."
    if is_used_up(pulse.bytes_lately, settings):
        cap = settings.run.cap_bytes / 1e6
        return True, f"the {cap:g} MB of 24 hours are used up; measuring goes on when some of them are a day old."
    if age_s is None:
        return False, "nobody has looked yet. Is `dalel run` running?"
    return False, f"the last look was {age_s / 60:.0f} minutes ago. Is `dalel run` running?"

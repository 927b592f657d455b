"""Who opens connections has a list, and often a part of the lines: which name meets him first, and when, is chance.

In July 2019 he stood in Kazakhstan on 24 % of the paths to hosts that he opened (Raman et al., IMC 2020). One endpoint alone is
then met now and then, with good readings between, and takes an hour to be sure of; all of them together are sure within
minutes. So what such readings say is added up over the endpoints of one way out, as long as they say the same: the status, the
method, and the signature. What opens must have been seen at two names, and for longer than a confirm burst takes; what ends has
to be good at all of them. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from probe.incidents.evidence import Rules, goods_against, lucky, of_a_known_forger, share_at_least
from probe.incidents.track import Held, Interval, Suspicion, Track, interval

METHODS = frozenset({"mitm"})
SPAN_US = 45_000_000
"""As long as the confirm burst: what a few looks of one minute say together is one look."""
_NAMES = 2
_PERHAPS = 0.2
"""So likely may it be luck that all were well in one round, and the others of the list are looked at all the same: every fifth
round while it goes on, for an end that is told a round sooner.
"""
_SURER = 3.0
"""Good readings of several endpoints come in quick turns, so that chance has many tries at a run of them."""

Tracks = Mapping[tuple[str, str], Track]


def is_known(why: Suspicion) -> bool:
    """Whether *why* speaks of a forger whose sights add up."""
    return of_a_known_forger(why.method, why.signature)


def alike(tracks: Tracks, interface: str, why: Suspicion) -> dict[str, Suspicion]:
    """By URL, what speaks for the same list as *why* does: suspicions of endpoints, and what they are held for here."""
    if not is_known(why):
        return {}
    return {
        url: other
        for (way, url), track in tracks.items()
        if url and way == interface
        for other in (*track.suspicions, *((track.held.why,) if track.held is not None and not track.held.away else ()))
        if (other.status, other.method, other.signature) == (why.status, why.method, why.signature)
    }


def ready(tracks: Tracks, interface: str, why: Suspicion, rules: Rules) -> bool:
    """Whether *why*, just seen again, is enough together with what speaks for the same list."""
    found = alike(tracks, interface, why)
    if len(found) < _NAMES or not why.full or not why.recent[-1].bad:
        return False
    span_us = max(one.seen_us for one in found.values()) - min(one.first.at_us for one in found.values())
    return span_us >= max(SPAN_US, rules.span_us) and sum(one.bad for one in found.values()) >= rules.need_least


def began(tracks: Tracks, interface: str, why: Suspicion) -> Interval:
    """When whoever is on the list was first opened, as all that speaks for it tells: the share of failures is that of all of
    it, and good readings anywhere count, for what was met late at one endpoint may have begun before.
    """
    found = alike(tracks, interface, why).values()
    first, *later = sorted(
        (point for one in found for point in (one.first, one.second) if point), key=lambda point: point.at_us
    )
    goods = sorted(good for one in found for good in one.goods if good < first.at_us)
    bad, of = sum(one.bad for one in found), sum(one.of for one in found)
    return interval(tuple(goods), first, later[0] if later else first, bad, of)


def recovered(held: Held, mates: Iterable[Held], rules: Rules) -> bool:
    """Whether *held* is over. The share of failures is that of all *mates* of its incident, of which it is one; and either its
    own good readings in a row are enough, or those of all mates since the last failure of any, and all are well.
    """
    if not held.full:
        return False
    mates = tuple(mates)
    _, row, bad, of = _since(mates)
    surer = replace(rules, close_at=rules.close_at * _SURER)
    # What was seen first is what he was told by, so its share of failures is higher than his.
    need = goods_against(surer, share_at_least(bad, of))
    return len(held.goods) >= need or (len(row) >= need and all(mate.full for mate in mates))


def perhaps_over_us(mates: Iterable[Held]) -> int | None:
    """When the good readings of all *mates* began of which so many in a row are worth a look at the rest; else ``None``."""
    _, row, bad, of = _since(tuple(mates))
    return row[0] if len(row) >= lucky(bad, of, _PERHAPS) else None


def ended(mates: Iterable[Held]) -> Interval:
    """When he ended who was met at all *mates*: after the last failure of any, and by the first good reading of all that was
    no luck.
    """
    last_us, row, bad, of = _since(tuple(mates))
    return last_us, row[min(lucky(bad, of), len(row)) - 1] if row else last_us


def _since(mates: tuple[Held, ...]) -> tuple[int, tuple[int, ...], int, int]:
    """The last failure of any of *mates*, the good readings of all since then, and how many failed of how many before. Those
    of the same minute were good beside it, and not after it.
    """
    last_us = max(mate.why.seen_us for mate in mates)
    row = tuple(sorted(good for mate in mates for good in mate.goods if good > last_us + SPAN_US))
    bad = sum(mate.why.bad for mate in mates)
    of = sum(mate.why.of + len(mate.goods) for mate in mates) - len(row)
    return last_us, row, bad, of

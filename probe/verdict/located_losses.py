"""Whether looking for the place came to nothing because of a line that loses everything for a while. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from probe.observations import Observation
from probe.verdict.located import distance_of, shots

_BROKEN_OFF = ("reset", "fin")


def is_spoilt(observations: Sequence[Observation]) -> bool:
    """Whether half of the greetings with the other name got no word either, of routers who do speak, or the place itself was
    never heard. A router that speaks of nothing has lost nothing.
    """
    sent = shots(observations)
    others = [(shot.ttl, shot.innocuous.came) for shot in sent if shot.innocuous is not None]
    speak = {shot.ttl for shot in sent if shot.syn is not None and shot.syn.came == "icmp"}
    speak |= {ttl for ttl, came in others if came in ("icmp", "answer")}
    lost = [ttl for ttl, came in others if came in _BROKEN_OFF or (came == "nothing" and ttl in speak)]
    return bool(sent) and (distance_of(sent) is None or (bool(others) and len(lost) * 2 >= len(others)))

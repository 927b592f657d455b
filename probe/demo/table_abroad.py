"""The act with a second pair of eyes: a control of the user's own in another country looks at what is silent here."""

from __future__ import annotations

from probe.demo.accepted import ACCESSIBLE
from probe.demo.scene import Accepted, Act, Scene

ABROAD = Act(
    name="abroad",
    title="Silent here: and elsewhere? A small server of your own in another country looks too",
    control=True,
    scenes=(
        Scene(
            url="https://orchard.example/",
            done="nothing: it works",
            accepted=ACCESSIBLE,
        ),
        Scene(
            url="https://quarry.example/",
            done="its server is dead: it answers nobody, here or in the other country",
            server=None,
            accepted=(Accepted("outage", ("server",)),),
        ),
        Scene(
            url="https://meadow.example/",
            done="packets to its address are lost on the way from here; in the other country it answers",
            server=None,
            up_abroad=True,
            # Who does that, and why, cannot be seen: a broken route and a site that shuns this country look the same.
            accepted=(Accepted("inconclusive", leanings=("blocked",)),),
        ),
    ),
)

"""Every signature that the judge can print, explained: what it means, what else could cause it, how that was excluded.

Where it was not excluded the last part says so, and what the verdict is then. Tests hold this against the evidence table in
both directions, and ask for all three parts.
"""

from __future__ import annotations

from probe.verdict.explain import apps, certificates, connections, names, own_side, pages, slowness
from probe.verdict.explain.explanation import Explanation

SIGNATURES: dict[str, Explanation] = {
    **names.EXPLAINED,
    **connections.EXPLAINED,
    **certificates.EXPLAINED,
    **pages.EXPLAINED,
    **own_side.EXPLAINED,
    **apps.EXPLAINED,
    **slowness.EXPLAINED,
}

NOT_YET: frozenset[str] = frozenset()
"""Names that are reserved: this version does not look for what they stand for."""

"""The helper that listens to packets, as a program that has CAP_NET_RAW and nothing else; inside the sealed network only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.lab import DALEL, Lab
from tests.lab.scenarios import FACEBOOK_URL
from tests.lab.table import ALL

ONLY_RAW = ("setpriv", "--bounding-set", "-all,+net_raw", "--inh-caps", "-all", "--no-new-privs")
"""Root in there gets what is left of the bounding set: this one capability."""


def checked(lab: Lab, *before: str) -> dict[str, Any]:
    """What the installed command says of the row's site, started by *before*."""
    words = ("check", FACEBOOK_URL, "--format", "json", "--no-save", "-q")
    done = lab.probe.run([*before, str(DALEL), *words], timeout=90, env=lab.environment(), capabilities=bool(before))
    document: dict[str, Any] = json.loads(done.stdout)
    (result,) = document["results"]
    return {
        "word": (result["status"], result["signature"]),
        "codes": {finding["code"] for finding in (*result["evidence"], *result["against"])},
        "facts": [o["fact"] for o in result["observations"] if o["kind"] == "packets"],
        "bugs": [o for o in result["observations"] if o["kind"] == "bug"],
    }


@pytest.mark.parametrize("name", ["behind_reset_from_farther", "translator_with_sni_reset_behind"])
def test_the_marks_of_a_reset_are_heard_and_the_word_is_the_same(name: str) -> None:
    """A device's resets have another TTL than the server's packets; without the capability nothing of it is there."""
    row = next(row for row in ALL if row.name == name)
    with row.lab() as lab:
        heard = checked(lab, *ONLY_RAW)
        deaf = checked(lab)
    assert heard["bugs"] == deaf["bugs"] == []
    assert heard["word"] == deaf["word"] == ("blocked", "tls.reset.sni")
    assert deaf["facts"] == []
    assert "reset_marked_otherwise" not in deaf["codes"]
    broken = [fact["packets"] for fact in heard["facts"] if any("R" in packet["flags"] for packet in fact["packets"])]
    assert broken
    assert {packet["flags"] for packets in broken for packet in packets} >= {"SA"}
    assert len({packet["ttl"] for packets in broken for packet in packets}) > 1
    assert ("identification" in broken[0][-1]) == (name == "behind_reset_from_farther")
    if sum("SA" in [packet["flags"] for packet in packets] for packets in broken) > 1:
        assert "reset_marked_otherwise" in heard["codes"]

"""Telegram as it is counted and said: data centres and not ports, schemes as they are typed, and what a check would send."""

from __future__ import annotations

import dataclasses
import random
import re
from importlib.resources import files

import pytest

from probe.cli.dry_run import describe
from probe.experiments.suspicion import follow_ups
from probe.report.platforms import sentence
from probe.settings import Settings
from probe.settings.controls import Control
from probe.verdict.rollup import roll_up
from probe.wire import Wire
from targets import schemes
from targets.address import parse_endpoint
from targets.loader import load_canaries, shipped_platforms
from targets.model import Asked, TargetError
from tests.unit.test_verdict_rollup import result

TELEGRAM = next(platform for platform in shipped_platforms() if platform.id == "telegram")
APPS = next(service for service in TELEGRAM.services if service.name == "apps")


def said(*well: str) -> str:
    """What is said of the apps where these data centres answer, or these ports of them."""
    results = [
        dataclasses.replace(
            result(
                n,
                "accessible" if any(word in endpoint.url for word in well) else "inconclusive",
                service="apps",
                rule="any-of",
                platform="telegram",
            ),
            url=endpoint.url,
        )
        for n, endpoint in enumerate(APPS.endpoints)
    ]
    return sentence(roll_up(results, [TELEGRAM])[0])


@pytest.mark.parametrize(
    ("well", "words"),
    [
        (("//149.",), "the apps work (5 of 6 data centres answer)"),
        (("171.5:80",), "the apps work (1 of 6 data centres answers)"),
        ((":443",), "the apps work (6 of 12 answer)"),
        ((), "whether the apps work is not known (none of 6 data centres answers)"),
        (("//",), "the apps work"),
    ],
)
def test_data_centres_are_counted_and_not_their_ports(well: tuple[str, ...], words: str) -> None:
    """One that answers on a port of its two answers; where all do so on some, their ports are told."""
    assert said(*well) == f"Telegram: {words}. Not all of it was measured."


@pytest.mark.parametrize(
    ("typed", "url", "port"),
    [
        ("mtproto://149.154.167.51:80", "mtproto://149.154.167.51:80", 80),
        ("mtproto://149.154.167.51", "mtproto://149.154.167.51", 443),
        ("mtproto://[2001:67c:4e8:f002::a]:443", "mtproto://[2001:67c:4e8:f002::a]:443", 443),
        ("mtproto+ws://Venus.Web.Telegram.org", "mtproto+ws://venus.web.telegram.org/apiws", 443),
        ("mtproto+ws://venus.web.telegram.org/apiws", "mtproto+ws://venus.web.telegram.org/apiws", 443),
    ],
)
def test_an_apps_address_is_taken_as_it_is_typed(typed: str, url: str, port: int) -> None:
    """With the port that is meant where none is named, and the path that there is."""
    endpoint = parse_endpoint(typed)
    assert (endpoint.url, endpoint.port) == (url, port)
    assert endpoint.app is not None
    assert endpoint.app.protocol == "mtproto"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("mtproto://149.154.167.51:80/x", "has a path"),
        ("mtproto://149.154.167.51:80?x=1", "behind a question mark"),
        ("mtproto://149.154.167.51:0", "a port is a number from 1 to 65535"),
        ("mtproto://user@149.154.167.51", "user name or password"),
        ("mtproto3://149.154.167.51", "cannot be measured"),
    ],
)
def test_an_apps_address_that_is_wrong_is_explained(typed: str, says: str) -> None:
    """In one sentence."""
    with pytest.raises(TargetError, match=says):
        parse_endpoint(typed)


def test_a_dry_run_names_what_an_app_would_send() -> None:
    """No page is asked for, and no greeting is promised where there is none."""
    asked = [Asked(number=0, endpoint=parse_endpoint("mtproto://149.154.167.51:80"), target="x")]
    lines = list(describe(asked, Settings(), load_canaries(), Wire(rng=random.Random(1))))
    (line,) = [line for line in lines if line.startswith("  mtproto://") and ";" in line]
    assert line.endswith(
        "a TCP connection to the port that it names; Telegram's first question to a data centre (req_pq_multi)"
    )
    assert not any("sends its visitors elsewhere" in line for line in lines)


def test_every_scheme_that_can_be_typed_is_explained() -> None:
    """In `dalel help apps`; and what cannot be, is not."""
    text = files("probe.help").joinpath("apps.md").read_text()
    shown = set(re.findall(r"([a-z0-9+]+)://", text))
    assert shown == {scheme.name for scheme in schemes.ready()}


def started(scheme: str, stage: str) -> set[str]:
    """What a long silence at *stage* starts, with a control of the user's own."""
    settings = Settings(controls=(Control(name="there", host="203.0.113.9", port=8443),))
    return {name for name, _ in follow_ups(scheme, stage, None, settings)}


def test_what_says_no_name_is_not_compared_by_name() -> None:
    """A data centre is followed up as a bare connection is; a websocket begins with a greeting that names its host."""
    pairs = {"neutral_pair", "neutral_chain", "own_pair", "control_pair"}
    assert started("mtproto", "tcp") == started("tcp", "tcp")
    assert {"retry", "siblings", "neighbours", "locate", "control"} <= started("mtproto", "tcp")
    assert not started("mtproto", "app") & pairs
    assert "retry" in started("mtproto", "app")
    assert {"neutral_pair", "own_pair", "control_pair"} <= started("mtproto+ws", "tls")


def test_a_control_is_not_asked_about_what_has_no_connection() -> None:
    """It could only connect, and there is nothing to connect to."""
    assert "control" in started("mtproto", "dns")
    assert "control" not in started("stun", "dns")

"""What is asked after an app's silence, and of a vendor: only where it can tell anything."""

from __future__ import annotations

import pytest

from probe.experiments.suspicion import follow_ups
from probe.settings import Settings
from targets.loader import load_catalogue
from targets.select import resolve

CATALOGUE = load_catalogue()


def asked_after(scheme: str, stage: str) -> set[str]:
    """Names of the follow-ups."""
    return {name for name, _run in follow_ups(scheme, stage, None, Settings())}


@pytest.mark.parametrize("scheme", ["stun", "openvpn", "ikev2", "wireguard"])
def test_datagrams_elsewhere_are_tried_after_silence_over_udp(scheme: str) -> None:
    """Whether any pass here is the first thing to know."""
    assert "udp_here" in asked_after(scheme, "app")


@pytest.mark.parametrize("scheme", ["mtproto", "mtproto+ws", "tor", "openvpn+tcp", "quic", "doq"])
def test_datagrams_elsewhere_tell_nothing_of_connections_and_of_quic(scheme: str) -> None:
    """A connection is no datagram, and QUIC has a look at its own port."""
    assert "udp_here" not in asked_after(scheme, "app")


@pytest.mark.parametrize("stage", ["tcp", "tls", "http"])
def test_a_vendors_sign_is_asked_for_where_a_host_fails(stage: str) -> None:
    """At every step behind the name; who may block the name may write the sign as well."""
    assert "vendor_sign" in asked_after("https", stage)
    assert "vendor_sign" not in asked_after("https", "dns")


def test_every_host_of_a_vendor_knows_its_sign() -> None:
    """Of Signal's platform, the site's too; and of no other."""
    signal = resolve(["signal"], CATALOGUE)
    assert {(a.sign, a.sign_answers, a.sign_outage) for a in signal} == {
        ("uptime.signal.org", ("127.0.0.1", "127.0.0.2"), ("127.0.0.2",))
    }
    assert {a.sign for a in resolve(["whatsapp", "messenger"], CATALOGUE)} == {None}


def test_of_the_message_edge_only_a_greeting_is_asked() -> None:
    """And of everything else what is asked of any host."""
    asked = {a.endpoint.url: a.handshake_only for a in resolve(["messenger"], CATALOGUE)}
    assert [url for url, only in asked.items() if only] == ["https://edge-mqtt.facebook.com/"]

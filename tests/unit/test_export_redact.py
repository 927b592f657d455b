"""What an export that can be given away keeps, and what it does not."""

import dataclasses
import ipaddress
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe import observations
from storage.export import redact
from storage.export.columns import COLUMNS, Column

SECRETS = ("203.0.113.77", "2001:db8::77", "Helsinki", "/home/aigerim", "session=1", "hunter2", "Acme intranet")
NESTED = (
    observations.Answer,
    observations.Mark,
    observations.Certificate,
    observations.KernelCounters,
    observations.Soa,
    observations.Network,
    observations.Arrived,
)


def column(what, name):
    return next(column for column in COLUMNS[what] if column.name == name)


@pytest.mark.parametrize("what", COLUMNS)
def test_of_every_column_it_is_decided_whether_it_may_be_given_away(what):
    """A new one is left out, and this test asks for the decision."""
    known = redact.KEPT | redact.TEXTS | redact.URLS | redact.DROPPED | {"fact"}

    assert [c.name for c in COLUMNS[what] if c.kind != "time" and c.name not in known] == []
    assert redact.cell(Column("unheard", "x", "y"), "anything") is None


def test_of_every_field_of_a_fact_it_is_decided_whether_it_may_be_given_away():
    """The same, for what was seen."""
    names = {field.name for cls in (*observations.KINDS.values(), *NESTED) for field in dataclasses.fields(cls)}

    assert sorted(names - redact.FACT_KEPT - redact.FACT_DROPPED) == []
    assert not redact.FACT_KEPT & redact.FACT_DROPPED


def test_nothing_of_the_owner_is_in_a_fact():
    """Addresses, own names, paths, texts of pages, headers; the words that are evidence stay."""
    fact = {
        "kind": "http",
        "data": {},
        "url": "https://user:hunter2@site.example:8443/path?session=1#x",
        "location": "https://203.0.113.77/warn?ip=203.0.113.77",
        "headers": [["Set-Cookie", "session=1"]],
        "title": "Acme intranet, hello 203.0.113.77",
        "body": "hunter2",
        "status": 200,
        "answers": [{"name": "site.example", "rtype": "A", "value": "203.0.113.77", "ttl": 60}],
        "nameservers": ["203.0.113.77"],
        "trust": "SSL_CERT_FILE=/home/aigerim/ca.pem",
        "chain": [{"subject": "CN=203.0.113.77", "issuer": "CN=[2001:db8::77]", "sha256": "ab"}],
        "kernel": {"rtt_us": 5},
    }
    told = json.loads(redact.cell(column("observations", "fact"), json.dumps(fact)))

    assert not [secret for secret in SECRETS if secret in json.dumps(told)]
    assert told["url"] == "https://site.example:8443/path"
    assert told["location"] == "https://address/warn"
    assert (told["status"], told["kernel"], told["answers"][0]["value"]) == (200, {"rtt_us": 5}, "address")


@pytest.mark.parametrize(
    ("what", "name", "value", "told"),
    [
        ("observations", "address", "203.0.113.77", None),
        ("observations", "member", "system/203.0.113.77", "system/address"),
        ("observations", "member", "resolver/2001:db8::77", "resolver/address"),
        ("observations", "member", "control:Helsinki", "control"),
        ("observations", "vantage", "control:Helsinki", "control"),
        ("observations", "group", "own/[2001:db8::77]", "own/address"),
        ("observations", "name", "site.example", "site.example"),
        ("observations", "started_at", "2026-11-22T15:50:30.123Z", "2026-11-22T15:00:00.000Z"),
        ("incidents", "began_after", "2026-12-31T23:50:30.123Z", "2026-12-31T23:00:00.000Z"),
        ("incidents", "began_by", "2026-12-31T23:50:30.123Z", "2027-01-01T00:00:00.000Z"),
        ("incidents", "ended_by", "2026-12-31T23:00:00.000Z", "2026-12-31T23:00:00.000Z"),
        (
            "incidents",
            "urls",
            '["https://a.example/?q=1","tcp://203.0.113.77:443"]',
            "https://a.example/ tcp://address:443",
        ),
        ("incidents", "platforms", "Telegram 203.0.113.77", "Telegram address"),
        ("incidents", "interface", "wlan0", None),
        ("verdicts", "target", "site.example?session=1", "site.example"),
        ("verdicts", "trust", "SSL_CERT_FILE=/home/aigerim/ca.pem", None),
        ("verdicts", "clock_offset_us", -12345, None),
        ("verdicts", "country", "KZ", "KZ"),
        ("verdicts", "confidence", 0.93, 0.93),
    ],
)
def test_cells_are_as_they_may_be_given_away(what, name, value, told):
    """One of each kind."""
    assert redact.cell(column(what, name), value) == told


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(addresses, st.sampled_from(["", "system/", "own/", "a ", "("]), st.sampled_from(["", " b", ",", ")", "/x"]))
def test_no_address_gets_through_in_a_text(address, before, after):
    """Of either version, wherever it stands."""
    assert address not in redact.text(f"{before}{address}{after}")


@given(st.text(max_size=60))
def test_a_text_without_an_address_stays_as_it_is(said):
    """Times, versions and words are not taken for addresses."""

    def is_address(word):
        try:
            ipaddress.ip_address(word)
        except ValueError:
            return False
        return True

    if not any(is_address(word) for word in re.findall(r"[0-9A-Fa-f:.]+", said)) and "control:" not in said:
        assert redact.text(said) == said


@given(st.text(max_size=80))
def test_any_url_can_be_redacted(said):
    """Whatever was typed."""
    assert "?" not in redact.url(f"https://a.example/{said}?x=1")

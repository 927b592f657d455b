"""QUIC is an extra: without it pages are measured as ever, and what is QUIC alone is refused with what to do."""

import pytest

from probe.cli.choices import need_aioquic
from probe.cli.common import ConfigError
from probe.experiments.cheap import Memory
from probe.instruments import quic
from probe.settings import Settings
from targets.model import Asked, Endpoint


def asked(url: str) -> tuple[Asked, ...]:
    return (Asked(number=0, endpoint=Endpoint(url), target=url),)


@pytest.mark.parametrize(
    ("url", "only", "refused"),
    [("https://example.org/", (), False), ("quic://example.org", (), True), ("https://example.org/", ("quic",), True)],
)
def test_without_aioquic_what_needs_it_is_refused(monkeypatch, url, only, refused):
    """With the way to install it; a page is not."""
    monkeypatch.setattr(quic, "is_here", lambda: False)
    if refused:
        with pytest.raises(ConfigError, match=r"dalel\[quic\]"):
            need_aioquic(asked(url), Settings(only=only))
    else:
        need_aioquic(asked(url), Settings(only=only))


def test_a_question_is_due_once_in_its_time():
    """And each by itself; what was asked longest ago is forgotten first."""
    memory = Memory(at_most=2)
    assert memory.is_due("a", 0.0, 10.0)
    assert not memory.is_due("a", 9.9, 10.0)
    assert memory.is_due("b", 9.9, 10.0)
    assert memory.is_due("a", 10.0, 10.0)
    assert memory.is_due("c", 10.0, 10.0)
    assert memory.is_due("b", 10.0, 10.0)

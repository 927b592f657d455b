"""Who may ask a control, how often, and how much at once. Pure but for the clock that is passed in."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class TooMuchError(Exception):
    """The caller has asked too often, or too much at once; ``retry_after_s`` says when to come back."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"come back in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps of one control. A probe whose whole list fails asks some dozens of questions in a minute."""

    connections: int = 256
    """Open at once, whoever they are from: a connection costs some 0.4 MB before anybody has shown a token. Beyond, one that is
    silent makes room."""
    connections_each: int = 64
    """Of one address: what it opens beyond is closed at once, before it costs anything."""
    at_once: int = 32
    """Measurements at once, of all tokens."""
    at_once_each: int = 8
    per_minute: float = 120.0
    burst: int = 40
    head_bytes: int = 8_192
    body_bytes: int = 16_384
    request_s: float = 10.0
    """From the first byte to the last of a request, and of an answer's way out."""
    measure_s: float = 20.0
    drain_s: float = 25.0
    """How long what is being measured may go on after the signal to stop."""


@dataclass(slots=True)
class _Account:
    """What one token has left: a bucket that fills with time, and what it is doing now."""

    left: float
    since: float
    running: int = 0


@dataclass(slots=True)
class Tokens:
    """The tokens of the probes, and what each may still do. *clock* is monotonic seconds."""

    known: tuple[str, ...]
    limits: Limits
    clock: Callable[[], float]
    _accounts: dict[str, _Account] = field(default_factory=dict)
    _running: int = 0

    @classmethod
    def of(cls, tokens: Iterable[str], limits: Limits, clock: Callable[[], float]) -> Tokens:
        """Raises ``ValueError`` if there is none, or one that could be guessed."""
        known = tuple(dict.fromkeys(tokens))
        if not known or any(len(token) < 16 or not token.isascii() or not token.isprintable() for token in known):
            raise ValueError("a token is at least 16 printable characters long")
        return cls(known, limits, clock)

    def find(self, authorization: str | None) -> str | None:
        """The token that an ``Authorization: Bearer …`` header shows, if it is one of ours.

        All are compared, each in constant time, so that how long it takes tells nothing about any of them.
        """
        scheme, _, shown = (authorization or "").partition(" ")
        given = shown.strip().encode() if scheme.lower() == "bearer" else b""
        found = None
        for token in self.known:
            if hmac.compare_digest(token.encode(), given):
                found = token
        return found

    def pay(self, token: str) -> None:
        """One question that costs no measurement. Raises :class:`TooMuchError` if *token* has asked too often."""
        account, rate = self._account(token), self.limits.per_minute / 60
        if account.left < 1:
            raise TooMuchError(int((1 - account.left) / rate) + 1)
        account.left -= 1

    def _account(self, token: str) -> _Account:
        """What *token* has left now."""
        now = self.clock()
        account = self._accounts.setdefault(token, _Account(float(self.limits.burst), now))
        rate = self.limits.per_minute / 60
        account.left = min(self.limits.burst, account.left + (now - account.since) * rate)
        account.since = now
        return account

    @contextmanager
    def turn(self, token: str) -> Iterator[None]:
        """One measurement of *token*. Raises :class:`TooMuchError` if it may not have it now."""
        account = self._account(token)
        if account.running >= self.limits.at_once_each or self._running >= self.limits.at_once:
            raise TooMuchError(2)
        self.pay(token)
        account.running += 1
        self._running += 1
        try:
            yield
        finally:
            account.running -= 1
            self._running -= 1

"""``dalel control serve``: be the second vantage for probes elsewhere."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import os
import signal
import socket
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from probe import __version__
from probe.cli.common import ConfigError, WholeGroup, not_empty, not_empty_each, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from probe.control.certificate import Shown
    from probe.control.server import Server
    from probe.control.sinks import Sinks
    from probe.wire import Wire

_OPEN_FILES = 16_384
_PASTE = "Give this to your probe (or put it into its settings, as the url of a [[control]]):"


@click.group("control", cls=WholeGroup)
def command() -> None:
    """Serve as a second vantage for your own probes.

    \b
    Examples:
      dalel control serve --country DE
    """  # noqa: D301


@command.command("serve", short_help="Measure for your probes, from here, and be measured.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default="0.0.0.0:8443",
    show_default=True,
    help="Where to listen.",
)
@click.option("--token", "tokens", multiple=True, callback=not_empty_each, metavar="T", help="A probe's token.")
@click.option("--token-file", metavar="FILE", callback=not_empty, help="Tokens, one a line.")
@click.option("--tls-cert", metavar="FILE", callback=not_empty, help="Your certificate chain (PEM) [self-signed].")
@click.option("--tls-key", metavar="FILE", callback=not_empty, help="Its key (PEM).")
@click.option(
    "--country", metavar="CC", callback=not_empty, help="Where this computer is, such as DE: told to your probes."
)
@click.option("--no-sinks", is_flag=True, help="Do not be measured: open no ports beside this one.")
def serve(
    *,
    listen: str,
    tokens: tuple[str, ...],
    token_file: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    country: str | None,
    no_sinks: bool,
) -> int:
    """Measure for probes that show a token, from here, what they see as broken; and be measured by them.

    Only public addresses, only web and DNS ports and those of the catalogue. Nothing is kept, nobody's address is logged.
    Without a token one is made; DALEL_CONTROL_TOKEN_FILE may name a file of them. SIGTERM lets what was begun finish.

    \b
    Examples:
      dalel control serve --country DE
      dalel control serve --country DE --token-file tokens --tls-cert cert.pem --tls-key key.pem
    """  # noqa: D301
    place = _place(listen)
    found, made = _tokens(tokens, token_file)
    shown = _certificate(tls_cert, tls_key)
    server = build(found, country=_country(country))
    try:
        sock = socket.create_server(place, family=socket.AF_INET6 if ":" in place[0] else socket.AF_INET)
    except OSError as error:
        why = (error.strerror or "it is not possible").lower()
        raise ConfigError(f"it cannot listen on {listen}: {why}. Name another place with --listen.") from error
    _allow_many_connections()
    with sock:
        if not no_sinks:
            server.sinks = open_sinks(place[0], shown)
        for line in _greeting(sock, shown.sha256, found[0], tell=made or sys.stdout.isatty()):
            click.echo(line)
        for line in _open_ports(server.sinks):
            click.echo(line)
        sys.stdout.flush()
        asyncio.run(run(server, sock, shown))
    return 0


async def run(server: Server, sock: socket.socket, shown: Shown) -> None:
    """Serve until SIGTERM or SIGINT; a second one leaves at once."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop(number: int) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        async with server.sinks.listening() if server.sinks else nullcontext(), server.listening(sock, shown):
            await stopped.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def open_sinks(host: str, shown: Shown) -> Sinks:
    """The sinks that may listen on *host*, an address; they serve once the server does."""
    from probe.control.ledger import Ledger
    from probe.control.sinks import Sinks, bind_all, for_quic

    bound, ledger = bind_all(host), Ledger(time.monotonic)
    return Sinks(bound=bound, context=shown.context, ledger=ledger, for_quic=for_quic(shown.pem))


def _open_ports(sinks: Sinks | None) -> list[str]:
    """What came up to be measured; nothing where nothing did."""
    up = {sink.kind: sink.port for sink in sinks.announced} if sinks is not None else {}
    udp = {"dns_silent", "echo_udp", "quic"}
    told = dict.fromkeys(f"{port}/{'udp' if kind in udp else 'tcp'}" for kind, port in up.items())
    lines = [f"Your probes may measure the way to it at these ports: {', '.join(told)}."] if told else []
    if told and "quic" not in up:
        lines.append("Not over QUIC: that needs aioquic (pip install 'dalel[quic]').")
    return lines


def build(
    tokens: tuple[str, ...],
    wire: Wire | None = None,
    *,
    own: Callable[[str], bool] | None = None,
    country: str | None = None,
) -> Server:
    """The server with its limits and the shipped catalogue. *wire* and *own* (which addresses are this host's) are for
    pretend networks only. Raises :class:`ConfigError` for tokens that could be guessed.
    """
    from probe.control.limits import Limits, Tokens
    from probe.control.measure import SETTINGS, Vantage
    from probe.control.server import Server
    from probe.control.wire import PORTS, GuardedWire, is_own
    from probe.instruments.trust import Trust
    from probe.wire import Wire

    limits = Limits()
    try:
        known = Tokens.of(tokens, limits, time.monotonic)
    except ValueError as error:
        raise ConfigError(f"{error}.") from error
    catalogue, canaries = read_catalogue(SETTINGS)
    ports = PORTS | {endpoint.port for platform in catalogue.platforms for endpoint in platform.endpoints}
    resolvers = [canary.where for canary in canaries.family("resolver")]
    guarded = GuardedWire(wire or Wire(), ports=ports, resolvers=resolvers, is_own=own or is_own)
    return Server(
        vantage=Vantage(wire=guarded, trust=Trust.load(os.environ), canaries=canaries),
        tokens=known,
        limits=limits,
        software=f"dalel {__version__}",
        clock=time.monotonic,
        country=country,
    )


def _country(typed: str | None) -> str | None:
    from probe.control.protocol import is_country

    if typed is not None and not is_country(typed):
        raise click.UsageError(f"--country: '{typed[:40]}' is not two capital letters, such as DE.")
    return typed


def _allow_many_connections() -> None:
    """As many open files as this user may have: whoever holds connections open must not keep others out."""
    try:
        import resource
    except ImportError:  # not on this platform
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        address, number = str(ipaddress.ip_address(host)), int(port)
    except ValueError:
        address, number = "", -1
    if not 0 <= number <= 65_535:
        raise click.UsageError(f"--listen: '{listen}' is no ADDRESS:PORT, such as 0.0.0.0:8443 or [::]:8443.")
    return address, number


def _tokens(typed: tuple[str, ...], file: str | None) -> tuple[tuple[str, ...], bool]:
    """The tokens, and whether one had to be made."""
    from probe.settings.controls import ControlError, read_token, tokens_in

    try:
        found = (*typed, *(tokens_in(file, "--token-file") if file else ())) or read_token(os.environ)
    except ControlError as error:
        raise ConfigError(f"{error}.") from None
    if found:
        return found, False
    import secrets

    return (secrets.token_urlsafe(24),), True


def _certificate(certificate: str | None, key: str | None) -> Shown:
    from probe.control.certificate import CertificateError, load, make

    if (certificate is None) != (key is None):
        raise click.UsageError("--tls-cert and --tls-key go together: name both, or none.")
    if certificate is None or key is None:
        return make(dt.datetime.now(dt.UTC))
    try:
        return load(certificate, key)
    except CertificateError as error:
        raise ConfigError(f"{error}.") from None


def _greeting(sock: socket.socket, sha256: str, token: str, *, tell: bool) -> list[str]:
    """What to give to a probe. Where nobody looks at it but a log, a token that the operator has is not repeated."""
    address, port = sock.getsockname()[:2]
    anywhere = ipaddress.ip_address(address).is_unspecified
    host = "HOST" if anywhere else f"[{address}]" if ":" in address else address
    lines = [_PASTE, f"  --control 'https://{host}:{port}#token={token if tell else 'TOKEN'}&sha256={sha256}'"]
    if anywhere:
        lines.append("HOST is the name or address of this computer, as your probe reaches it.")
    return lines

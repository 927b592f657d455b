"""``dalel service print``: a systemd unit that keeps ``dalel run`` going and lets it do nothing else."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from probe.cli.common import WholeGroup, read_catalogue, read_settings

UNIT = """\
# Written by `dalel service print`. Install it:
#   dalel service print | sudo tee /etc/systemd/system/dalel.service
#   sudo systemctl daemon-reload && sudo systemctl enable --now dalel
{consent}# Settings go to /etc/dalel/config.toml. Results are in /var/lib/dalel, which the other commands have to be told of:
#   sudo DALEL_DATA_DIR=/var/lib/dalel {program} status
[Unit]
Description=Dalel: is it blocked, is it down, or is it my own network?
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={start}
ExecReload=/bin/sh -c "kill -HUP $MAINPID"
{environment}Environment=DALEL_DATA_DIR=/var/lib/dalel
StateDirectory=dalel
StateDirectoryMode=0700
ConfigurationDirectory=dalel
Restart=on-failure
RestartSec=30s
# What is being measured is finished and kept before it goes.
TimeoutStopSec=90s
TimeoutStartSec=infinity
WatchdogSec=10min

# A user of its own that exists only while it runs, and owns nothing but its data.
DynamicUser=yes
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={home}
ProtectProc=invisible
ProcSubset=all
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
DevicePolicy=closed
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute={no_exec}
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

# It is a guest: everything else on this computer goes first.
Nice=10
IOSchedulingClass=idle
CPUWeight=20
MemoryMax=256M
TasksMax=64

[Install]
WantedBy=multi-user.target
"""


NOBODY_AGREED = """\
# Nothing is measured until somebody has read what it means, and agrees:
#   sudo DALEL_DATA_DIR=/var/lib/dalel {program} consent
"""


@click.group("service", cls=WholeGroup)
def command() -> None:
    """Keep `dalel run` going by the system's own means.

    \b
    Examples:
      dalel service print
    """  # noqa: D301


@command.command("print")
@click.option(
    "--accept-risk", is_flag=True, help="You have read `dalel consent`, and agree; it is written into the unit."
)
@click.argument("words", nargs=-1, metavar="[TARGET|@LIST|URL]...")
def print_unit(*, accept_risk: bool, words: Sequence[str]) -> None:
    """Print a hardened systemd unit for `dalel run`, and how to install it.

    Targets are those of `dalel run`; none is @default.

    \b
    Examples:
      dalel service print | sudo tee /etc/systemd/system/dalel.service
      dalel service print --accept-risk telegram https://kaz.tv/
    """  # noqa: D301
    _check(words)
    click.echo(unit(_program(), words, accept_risk=accept_risk), nl=False)


def _check(words: Sequence[str]) -> None:
    """A slip in a name is told now, and not in a log that nobody reads."""
    from probe.cli.choices import understood
    from targets import select

    catalogue, _canaries = read_catalogue(read_settings(None).settings)
    with understood():
        select.resolve(words, catalogue)


def unit(program: Path, words: Sequence[str], *, accept_risk: bool) -> str:
    """The unit for *program*; *words* are what it is to watch."""
    start = " ".join(_quoted(word) for word in (str(program), "run", *words))
    # A program under somebody's home can only be started if that is seen, read-only.
    homes = ("/home/", "/root/", "/run/user/")
    shown = shlex.quote(str(program))
    return UNIT.format(
        consent="" if accept_risk else NOBODY_AGREED.format(program=shown),
        program=shown,
        start=start,
        environment="Environment=DALEL_ACCEPT_RISK=1\n" if accept_risk else "",
        home="read-only" if str(program).startswith(homes) else "yes",
        no_exec="yes",
    )


def _program() -> Path:
    """The command as it was started, for PATH is another one under systemd."""
    named = Path(sys.argv[0])
    found = named if named.is_absolute() and named.exists() else Path(shutil.which(named.name) or named)
    return found.absolute()


def _quoted(word: str) -> str:
    """As a unit file has it: in quotes where it must be, ``%`` and ``$`` doubled (systemd.service(5), "Command lines")."""
    word = word.replace("%", "%%").replace("$", "$$")
    if word and not any(character in word for character in " \t\"'\\;"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

"""The command line: commands are imported only when they are invoked, and nothing in here measures or knows SQL.

A command is one row of ``COMMANDS`` and one module with a click command named ``command``. Its callback returns the exit
code (``None`` is 0) and raises ``click.ClickException`` for what the user can put right. Exit codes, signals, broken
pipes and our own bugs are handled in one place: :func:`main`.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TextIO

import click

from probe import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXIT_USAGE = 2
EXIT_BUG = 4
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LONGEST_LINE = 8192

HELP = """\
Is it blocked, is it down, or is it my own network?

\b
Dalel answers with evidence. Try:
  dalel check facebook telegram
  dalel check https://example.com/
"""

EXIT_CODES = """\
\b
Exit codes, the first that applies:
  2    the command line or the settings are wrong
  4    a bug in dalel itself
  1    at least one result is blocked, denied or outage
  3    at least one result is no_network or inconclusive
  0    everything else
  130  stopped by Ctrl-C      143  stopped by SIGTERM
       (what was measured until then is kept)
"""


class Row(NamedTuple):
    """One command: its name, the module that has it, and what ``--help`` says (so that help imports nothing).

    ``hidden``: it can be called, and help does not name it.
    """

    name: str
    module: str
    help: str
    hidden: bool = False


COMMANDS = (
    Row("check", "probe.cli.check_cmd", "Check platforms and sites: blocked, down, or my own network?"),
    Row("demo", "probe.cli.demo_cmd", "See every verdict on a pretend Internet; sends nothing."),
    Row("run", "probe.cli.run_cmd", "Watch around the clock, and say when something begins and ends."),
    Row("status", "probe.cli.status_cmd", "Show the last result of every platform and address."),
    Row("incidents", "probe.cli.incidents_cmd", "Show what began and ended, and when."),
    Row("note", "probe.cli.note_cmd", "Write down what happened in the world, to be shown beside incidents."),
    Row("explain", "probe.cli.explain_cmd", "Explain a signature such as tls.timeout.sni."),
    Row("export", "probe.cli.export_cmd", "Write stored results as CSV or JSON Lines."),
    Row("reclassify", "probe.cli.reclassify_cmd", "Judge stored facts again by this version's rules."),
    Row("targets", "probe.cli.targets_cmd", "List, show, check and import what can be measured."),
    Row("fingerprints", "probe.cli.fingerprints_cmd", "Recognise block pages by a list that others have collected."),
    Row("networks", "probe.cli.networks_cmd", "Name the networks on the way by a table that you bring."),
    Row("doctor", "probe.cli.doctor_cmd", "Look at this computer and its network, and say what to do."),
    Row("control", "probe.cli.control_cmd", "Serve as a second vantage for your own probes."),
    Row("consent", "probe.cli.consent_cmd", "Read what watching around the clock means, and agree or not."),
    Row("notify", "probe.cli.notify_cmd", "Test the channels through which dalel run tells people."),
    Row("config", "probe.cli.config_cmd", "Show the settings in force, and where each comes from."),
    Row("db", "probe.cli.db_cmd", "Look after the database: upgrade, backup, prune, check, repair."),
    Row("service", "probe.cli.service_cmd", "Print a systemd unit that keeps dalel run going."),
    Row("purge", "probe.cli.purge_cmd", "Remove all stored results."),
    Row("schema", "probe.cli.schema_cmd", "Print the JSON Schema of a document."),
    Row("completion", "probe.cli.completion_cmd", "Complete commands in bash, zsh or fish."),
    Row(
        "help",
        "probe.cli.help_cmd",
        "Explain a topic: verdicts, exit-codes, output, export, safety, settings, notify, control, apps.",
    ),
)


class ReaderGone(BaseException):
    """Whoever read our output has gone, as ``head`` does."""


class LazyGroup(click.Group):
    """Knows its commands from a table, and imports the one that is invoked."""

    def __init__(self, *args: Any, rows: Sequence[Row] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = {row.name: row for row in rows}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        row = self.rows.get(cmd_name)
        if row is None:
            return None
        command = importlib.import_module(row.module).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.rows and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(self._unknown(name), ctx)
        return super().resolve_command(ctx, args)

    def _unknown(self, name: str) -> str:
        import difflib

        near = difflib.get_close_matches(name, self.rows, n=1)
        if near:
            return f"There is no command '{name}'. Did you mean '{near[0]}'?"
        return f"There is no command '{name}'. To check a site: dalel check {name}"

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would make it exit code 1, which is a finding here
            raise ReaderGone from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from click.shell_completion import CompletionItem

        return [CompletionItem(r.name, help=r.help) for r in self._shown() if r.name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.help) for row in self._shown()])

    def _shown(self) -> list[Row]:
        return [row for row in self.rows.values() if not row.hidden]


@click.command(
    cls=LazyGroup,
    rows=COMMANDS,
    help=HELP,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="dalel", message="%(prog)s %(version)s")
def dalel() -> None:
    """The group itself does nothing."""


class Terminated(BaseException):
    """SIGTERM, as an exception: files are closed and temporary ones removed on the way out."""


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    _open_closed_streams()
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run the command line; the exit code. Nothing but ``SystemExit`` from click's own help is left to the caller."""
    try:
        code = dalel.main(args=list(argv), prog_name="dalel", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except Terminated:
        return EXIT_TERMINATED
    except (ReaderGone, BrokenPipeError):
        _let_go_of(sys.stdout)
        return EXIT_BROKEN_PIPE
    except OSError as error:
        if error.errno in _NO_ROOM:
            return _no_room(error)
        return _bug(error, argv)
    except Exception as error:
        return _bug(error, argv)
    return code if isinstance(code, int) else 0


def _bug(error: Exception, argv: Sequence[str]) -> int:
    from probe.cli.bug import report

    report(error, argv)
    return EXIT_BUG


def _show(error: click.ClickException) -> None:
    """Say on stderr what is wrong. It may quote what was typed, so nothing in it may reach the terminal raw."""
    from probe.report.safe import safe

    told = io.StringIO()
    error.show(told)
    for line in told.getvalue().splitlines():
        click.echo(safe(line, _LONGEST_LINE), err=True)


def _no_room(error: OSError) -> int:
    """A full disk is no bug: neither of ours nor of the network."""
    reason = (error.strerror or "it is full").lower()
    _let_go_of(sys.stdout)
    try:
        click.echo(f"dalel: the output cannot be written to its end: {reason}.", err=True)
    except OSError:
        _let_go_of(sys.stderr)
    return EXIT_USAGE


def _open_closed_streams() -> None:
    """Open descriptors 0 to 2 on nothing where the caller has closed them.

    Else the next file or socket would get such a number, and a message meant for people would be written into it: that
    is how databases are corrupted.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _let_go_of(stream: TextIO) -> None:
    """Nobody can read *stream*: point it at nothing, or the interpreter complains when it flushes it on the way out."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)

"""E-mail, by the standard library's smtplib in a thread of its own.

The connection is made with the probe's own instrument, so that it has a deadline; the thread gets the open socket. When the
time of the message is over, the connection is cut from here, and the thread, which nothing waits for, ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from probe.daemon.telling.dial import dial
from probe.daemon.telling.means import Means, Sent
from probe.daemon.telling.messages import Message
from probe.instruments.trust import Trust
from probe.observations import Operation
from probe.settings.notify import Channel

_OURSELVES = "[127.0.0.1]"
"""What we greet with (RFC 5321 §4.1.3). The name of this computer is nobody's business, and would be in every header."""
_LONGEST_SAID = 200
_ORDINARY = re.compile(r"[^\W\d_]+(['’-][^\W\d_]+)*[.,;:!?]?")
_STATUS = re.compile(r"\d\.\d{1,3}\.\d{1,3}")
"""RFC 3463 §2."""


async def email(channel: Channel, message: Message, means: Means) -> Sent:
    """Hand *message* to the mail server of *channel*. Nothing of the network raises."""
    try:
        async with asyncio.timeout(means.limits.message_s):
            trust = means.trust() if channel.scheme != "smtp-plain" else None
            letter = write(channel, message, means.wire.now_us())
            stream = await dial(channel.host, channel.port, means)
            if isinstance(stream, Operation):
                return Sent(ok=False, reached=False, said=f"{channel.host} was not reached: {stream.failure}")
            session = _Session(channel, letter, stream.socket, means.limits.step_s, trust)
            return await _in_a_thread(session.run, stream.socket)
    except TimeoutError:
        return Sent(ok=False, said=f"{channel.host} took longer than {means.limits.message_s:g} s")


def write(channel: Channel, message: Message, now_us: int) -> EmailMessage:
    """The letter. Its Message-ID is the message's own, so that one that comes twice can be known."""
    letter = EmailMessage(policy=SMTP)
    letter["Subject"] = message.title
    letter["From"] = channel.sender
    letter["To"] = ", ".join(channel.to)
    letter["Date"] = format_datetime(datetime.fromtimestamp(now_us // 1_000_000, UTC))
    # RFC 2606 keeps .invalid free: the part after the @ must be unique, and no host of ours is to be named.
    letter["Message-ID"] = f"<{message.id}@dalel.invalid>"
    letter["References"] = f"<{message.thread}@dalel.invalid>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice answers this
    letter["Content-Language"] = message.language
    letter.set_content(f"{message.text}\n", charset="utf-8", cte="base64")
    return letter


class _Given(smtplib.SMTP):
    """SMTP over a socket that is there already."""

    def __init__(self, given: socket.socket, host: str, port: int, timeout_s: float) -> None:
        self._given = given
        super().__init__(host, port, local_hostname=_OURSELVES, timeout=timeout_s)

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self._given


class _Session:
    """One letter over one connection, in a thread. It owns the socket."""

    def __init__(
        self, channel: Channel, letter: EmailMessage, sock: socket.socket, step_s: float, trust: Trust | None
    ) -> None:
        self._channel = channel
        self._letter = letter
        self._socket = sock
        self._step_s = step_s
        self._trust = trust

    def run(self) -> Sent:
        with contextlib.ExitStack() as stack:
            stack.callback(self._close)
            try:
                self._socket.settimeout(self._step_s)
                if self._channel.scheme == "smtps":
                    self._socket = self._context().wrap_socket(self._socket, server_hostname=self._channel.host)
                smtp = _Given(self._socket, self._channel.host, self._channel.port, self._step_s)
                stack.callback(smtp.close)
                return self._hand_over(smtp)
            except smtplib.SMTPAuthenticationError as error:
                return Sent(
                    ok=False, refused=True, said=f"the mail server refused user or password ({error.smtp_code})"
                )
            except smtplib.SMTPRecipientsRefused as error:
                return Sent(ok=False, refused=True, said=f"the mail server refused every address: {_codes(error)}")
            except smtplib.SMTPResponseException as error:
                refused = error.smtp_code >= 500
                return Sent(ok=False, refused=refused, said=f"the mail server said {error.smtp_code}: {_plain(error)}")
            except smtplib.SMTPNotSupportedError:
                return Sent(
                    ok=False, refused=True, said="the mail server offers no encryption, or no login: nothing was sent"
                )
            except ssl.SSLCertVerificationError as error:
                return Sent(ok=False, refused=True, said=f"the mail server's certificate: {error.verify_message}")
            except (OSError, smtplib.SMTPException, ValueError) as error:
                return Sent(ok=False, said=f"the mail server broke off ({type(error).__name__})")

    def _close(self) -> None:
        """Whichever it is by now: encryption has taken the first one's place."""
        self._socket.close()

    def _hand_over(self, smtp: smtplib.SMTP) -> Sent:
        channel = self._channel
        if channel.scheme == "smtp":
            # A server that does not offer it is not sent to in the clear: somebody on the way may have taken the offer out.
            smtp.starttls(context=self._context())
        if channel.user is not None and channel.password is not None:
            smtp.login(channel.user, channel.password)
        refused = smtp.send_message(self._letter, channel.sender, list(channel.to))
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it has been taken by now, whatever comes
            smtp.quit()
        took = len(channel.to) - len(refused)
        return Sent(ok=True, said=f"the mail server took it for {took} of {len(channel.to)}")

    def _context(self) -> ssl.SSLContext:
        assert self._trust is not None
        return self._trust.context((), small=False)


def _codes(error: smtplib.SMTPRecipientsRefused) -> str:
    return ", ".join(sorted({str(code) for code, _text in error.recipients.values()}))


def _plain(error: smtplib.SMTPResponseException) -> str:
    """What the server said, but for addresses and names: who sends from a home line is told its public address there."""
    text = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    words = (word if _ORDINARY.fullmatch(word) or _STATUS.fullmatch(word) else "…" for word in text.split())
    return re.sub(r"…( …)+", "…", " ".join(words))[:_LONGEST_SAID]


async def _in_a_thread(work: Callable[[], Sent], sock: socket.socket) -> Sent:
    """Do *work*, which blocks on *sock*, in a daemon thread; whoever stops waiting cuts the connection."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Sent] = loop.create_future()
    # The thread may wrap and close its own; this one is for cutting it.
    handle = sock.dup()

    def run() -> None:
        try:
            outcome: Sent | BaseException = work()
        except BaseException as error:  # a bug of ours: it belongs to whoever waits
            outcome = error
        with contextlib.suppress(RuntimeError):  # the loop may be over
            loop.call_soon_threadsafe(_tell, done, outcome)

    try:
        threading.Thread(target=run, name="dalel-mail", daemon=True).start()
        return await done
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)
        raise
    finally:
        handle.close()


def _tell(done: asyncio.Future[Sent], outcome: Sent | BaseException) -> None:
    if done.done():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)

"""Which channel sends how. A new channel is one case here, its settings in ``probe.settings.notify``, and one function.

Each is imported when it is first used: whoever has set up ntfy does not pay for e-mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe.daemon.telling.means import Means, Sent
from probe.instruments.trust import TrustError

if TYPE_CHECKING:
    from probe.daemon.telling.messages import Message
    from probe.settings.notify import Channel


async def send(channel: Channel, message: Message, means: Means) -> Sent:
    """Try once to give *message* to a channel that needs a network. Only bugs of ours raise."""
    try:
        match channel.kind:
            case "webhook":
                from probe.daemon.telling.web import webhook as way
            case "ntfy":
                from probe.daemon.telling.web import ntfy as way
            case "email":
                from probe.daemon.telling.mail import email as way
            case "apprise":
                from probe.daemon.telling.others import apprise as way
            case _:
                raise ValueError(channel.kind)
        return await way(channel, message, means)
    except TrustError as error:
        return Sent(ok=False, reached=False, said=str(error))

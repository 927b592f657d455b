"""What is told about the signatures of apps, and of VPN protocols at the echo of a control."""

from __future__ import annotations

from probe.verdict.explain.explanation import Explanation

_DEAD_APP = (
    "A server that is overloaded, limits its visitors or dislikes this program; a firewall of a household or company; or a "
    "device on the way that reads the first bytes and stops this kind of them."
)
_APP_NOT_TOLD_APART = (
    "Nothing excludes these yet, so this signature alone never means “blocked”: the result is inconclusive. What the app says "
    "was said again over new connections. Other ports, other servers of the same app and another provider tell more."
)
_OTHERS_PROTOCOL = (
    "A firewall of a household, a company or a school that lets no VPN pass, or one before the server of yours: a hosting "
    "company that lets no VPN in, or its protection against floods."
)
_PROTOCOL_EXCLUDED = (
    "Packets of the same sizes in which there is nothing were sent in turn with them, to the same server and port, and all "
    "came back: so neither that server nor the line is at fault, and it is what the packets look like that they are stopped "
    "for. It takes six failures and five packets that came back between them. “Blocked” is said only if it is stopped between "
    "two routers of your provider's: the nearer one has spoken of every packet that looks like it, the farther one never, and "
    "of the others always. A box at home lets none as far as that, or stops the answers, which no router tells of; a hosting "
    "company's stands behind other networks. In any other case the result is inconclusive."
)

EXPLAINED: dict[str, Explanation] = {
    # apps
    "app.timeout": Explanation(
        means="The app's server, or the way to it, was there as far as can be told, and what the app says first got no answer.",
        besides=_DEAD_APP,
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.reset": Explanation(
        means="The connection was broken off when the app had said its first words.",
        besides=_DEAD_APP,
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.eof": Explanation(
        means="The connection was closed when the app had said its first words.",
        besides=_DEAD_APP,
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.refused": Explanation(
        means="Somebody said, in the server's name, that nobody listens there.",
        besides="A server that was stopped or has moved. Anybody on the way can say the same in its name.",
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.unreachable": Explanation(
        means="Somebody on the way said that what the app sends cannot be delivered.",
        besides="A broken road, or a filter in a household or company.",
        excluded=_APP_NOT_TOLD_APART,
    ),
    "app.other": Explanation(
        means="Something answered in the app's place that does not speak what the app speaks. That the address answers does "
        "not mean that the app works.",
        besides="A gateway of a household or company, a network that wants a log-in first, a proxy that takes every "
        "connection, or somebody who has the address by now.",
        excluded="Networks that want a log-in and proxies that take every connection are recognised, and then this does not "
        "count. The rest is not told apart: the result is inconclusive, and never accessible.",
    ),
    # protocols, at the echo of a control
    "app.timeout.protocol": Explanation(
        means="Packets that look like this protocol's stop on the way to a server of yours elsewhere, at once or after some of "
        "them: nothing comes back any more.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.reset.protocol": Explanation(
        means="Connections on which this protocol is spoken to a server of yours elsewhere are broken off.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.eof.protocol": Explanation(
        means="Connections on which this protocol is spoken to a server of yours elsewhere are closed.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.unreachable.protocol": Explanation(
        means="Somebody on the way to a server of yours elsewhere says that this protocol's packets cannot be delivered.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
    "app.other.protocol": Explanation(
        means="Something else than what was sent comes back from a server of yours that sends everything back, when this "
        "protocol is spoken.",
        besides=_OTHERS_PROTOCOL,
        excluded=_PROTOCOL_EXCLUDED,
    ),
}

"""What is told about the signatures of throttling: later, slower, or stopped after some bytes."""

from __future__ import annotations

from probe.verdict.explain.explanation import Explanation

EXPLAINED: dict[str, Explanation] = {
    "throttling.sni": Explanation(
        means="The site comes, and slower than other names do on the same road: so little that videos and pictures do not.",
        besides="A busy line, a far server, or a site that limits its visitors, or this one name.",
        excluded="The same bytes are asked for with this name and with another one, in turn, at two servers that have nothing "
        "to do with the site. “Blocked” is said only if the name is half as fast at most, with 99 % "
        "certainty, if chance alone does so less than once in a hundred times, and if the other name got all of it each time.",
    ),
    "throttling.delay.sni": Explanation(
        means="Connections that name the site are answered seconds later than others. What comes after that may be quick.",
        besides="A site whose server is busy, a far one, or a line with a long queue.",
        excluded="Greetings with this name and with another one are sent in turn to servers that have nothing to do with the "
        "site. “Blocked” is said only if those with the name are late each time, and the others are not.",
    ),
    "throttling.freeze": Explanation(
        means="The connection stops for good after the first few kilobytes, or after some two dozen packets.",
        besides="A server whose program hangs, or packets that are too large for the way.",
        excluded="The same bytes are asked for with this name and with another one, in turn, at servers that have nothing to "
        "do with the site. “Blocked” is said only if the name stops there and the other one gets all of it each time.",
    ),
}

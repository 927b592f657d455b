"""What is told about the signatures of throttling: later, slower, or stopped after some bytes."""

from __future__ import annotations

from probe.verdict.explain.explanation import Explanation

EXPLAINED: dict[str, Explanation] = {
    "throttling.sni": Explanation(
        means="The site comes, but more slowly than others do on the same road: often too slowly for videos and pictures.",
        besides="A busy line, a far server, or a site that limits its visitors, or this one name. An operator may also slow "
        "down a kind of sites for those whose tariff lacks it: the network treats the name worse then, and a contract is not "
        "seen from here.",
        excluded="The same bytes are asked for with this name and with other names, in turn, at two servers that have nothing "
        "to do with the site. Half of the other names are nobody's, so that a list of free or known sites does not matter. "
        "“Blocked” is said only if this name is half as fast at most, with 99 % certainty, if chance "
        "alone does so less than once in a hundred times, and if all of it came each time that another name was used.",
    ),
    "throttling.delay.sni": Explanation(
        means="Connections that name the site are answered seconds later than others. What comes after that may be quick.",
        besides="A site whose server is busy, a far one, or a line with a long queue.",
        excluded="Greetings with this name and with other names are sent in turn to two servers that have nothing to do with "
        "the site. “Blocked” is said only if those with this name are answered later by more than chance explains, and those "
        "with other names are answered each time.",
    ),
    "throttling.freeze": Explanation(
        means="The connection stops for good after the first few kilobytes, or after some two dozen packets.",
        besides="A server whose program hangs, or packets that are too large for the way.",
        excluded="The same bytes are asked for with this name and with other names, in turn, at two servers that have nothing "
        "to do with the site. “Blocked” is said only if with this name they stop coming, and with other names all of them "
        "come each time.",
    ),
}

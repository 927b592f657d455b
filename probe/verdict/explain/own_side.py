"""What is told about the signatures of the own side: this computer, its network, the whole country."""

from __future__ import annotations

from probe.verdict.explain.explanation import Explanation

EXPLAINED: dict[str, Explanation] = {
    "network.link": Explanation(
        means="This computer has no connection to any network, so nothing can be said about any site.",
        besides="A cable, the Wi-Fi, a switch for mobile data, or a program on this computer that stops everything.",
        excluded="The computer itself has no way out in its list of routes. Why that is so this program cannot tell.",
    ),
    "network.upstream": Explanation(
        means="The computer is connected, and nobody outside answers.",
        besides="A dead router, an unpaid bill, trouble at the provider, or a cut of the whole network.",
        excluded="Unrelated well-known places of different operators are all silent, by name and by number, so it is no "
        "trouble of one site. Which of the causes it is cannot be told from here.",
    ),
    "network.resolver": Explanation(
        means="Addresses answer and names do not: the DNS service of this network is dead for every name.",
        besides="A block of one name looks like this too, if only that name is asked for.",
        excluded="Unrelated names of different operators were asked for as well, and none was answered, while addresses "
        "answered by number.",
    ),
    "network.captive_portal": Explanation(
        means="Well-known test pages are answered by somebody else: this network wants a login, a payment or a consent first. "
        "Open any page in a browser and follow it.",
        besides="A notice of blocking, a cache, or one operator's test page that is out of order.",
        excluded="Not one test page was right, and no well-known site abroad showed its own certificate. Mere silence is "
        "never called so.",
    ),
    "network.clock": Explanation(
        means="The clock of this computer is off by more than a day, so valid certificates look expired or not yet valid. Set "
        "the clock and measure again.",
        besides="The one that was asked for the time may be wrong, or somebody on the way may lie about it.",
        excluded="Time servers and the dates in the answers of well-known sites were compared, and most of them must agree. A "
        "certificate of another site that is valid now speaks against it.",
    ),
    "network.international": Explanation(
        means="Sites in this country answer and nobody abroad does. That is a cut of the whole country's connections, or of "
        "this provider's, and not a block of one platform.",
        besides="One site abroad that is down, or one operator's trouble.",
        excluded="Well-known places abroad of different operators all failed, while several sites in this country answered in "
        "the same minute.",
    ),
    "network.shutdown": Explanation(
        means="Nobody answers at home or abroad, and yet some ports let packets pass. The line works, and somebody has shut it "
        "but for what he needs.",
        besides="An empty balance, a hotspot that wants a login, or an office where everything goes through a proxy.",
        excluded="Two looks must agree, and nobody may put in a page of his own. What passes must be more than DNS and the "
        "time, at machines abroad whose ordinary ports are silent.",
    ),
    "network.whitelist": Explanation(
        means="Machines abroad take connections, and only names of this country are let through to them.",
        besides="Trouble abroad, a proxy that takes every connection itself, or a tariff that is used up and has free names: "
        "see what the operator says of your volume and balance.",
        excluded="The same machines of two operators abroad answered when a name of this country was called, and not when "
        "their own were, in two looks.",
    ),
    "network.filter": Explanation(
        means="This computer, this household or this employer refuses the name: its list of names, a filtering DNS service, "
        "antivirus or a company gateway. The provider is not to blame for it.",
        besides="The provider's own lie, passed on by the household's router, looks similar.",
        excluded="It must have been made on the spot: by this computer's own list of names, by a well-known filtering "
        "service, by a DNS service that refuses advertising in the same way or answers faster than it could have asked, or "
        "by an issuer of certificates that this computer was told to trust. What cannot be shown so stays inconclusive.",
    ),
}

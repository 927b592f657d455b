"""What was done in Kazakhstan, from 2016 to 2024, as one subscriber of one provider would have met it.

The times are those of the sources, which are named in each row; where they say only "hours" or "evenings", a length is
assumed and ``not_replayed`` says so. What a source says of some providers or cities is replayed as theirs.
"""

from __future__ import annotations

import datetime as dt

from tests.lab.replay.model import Event, Phase, Truth, utc
from tests.lab.replay.states import (
    ISCA,
    QAZNET,
    both,
    forged,
    held,
    names_of,
    off,
    off_with_holes,
    silenced,
    silenced_names,
    whitelist,
)

SNI = (("blocked", "tls"),)
OPENED = (("blocked", "mitm"),)
SLOWED = (("blocked", "throttling"),)
SHUT = (("no_network", "shutdown"), ("no_network", "upstream"))
"""Everything behind the provider is silent: a cut cable and a closed network look alike from one place."""

_SOCIAL = ("facebook", "instagram", "youtube")
_VPN = ("expressvpn", "mullvad", "nordvpn", "openvpn", "protonvpn", "surfshark", "tunnelbear", "windscribe")
_NEWS = ("azattyq", "holanews", "the-village", "vlast")

MAY_2016 = Event(
    name="may_2016",
    title="19 May 2016: social networks, then the whole Internet in Almaty",
    source="knews.kg, 20 May 2016",
    phases=(
        Phase(begins=utc("2016-05-19 20:00"), tells="all is well"),
        Phase(
            begins=utc("2016-05-19 21:00"),
            tells="social networks and messengers vanish; Telegram's sites for half of the connections",
            rules=both(silenced(*_SOCIAL, "twitter", "vkontakte", "whatsapp"), silenced("telegram", fraction=0.5)),
        ),
        Phase(begins=utc("2016-05-19 22:00"), tells="no Internet at all", rules=off),
        Phase(begins=utc("2016-05-19 23:00"), tells="all is well"),
    ),
    ends=utc("2016-05-20 00:00"),
    truths=(
        Truth(
            words=SNI,
            began=utc("2016-05-19 21:00"),
            ended=utc("2016-05-19 23:00"),
            platforms=frozenset({*_SOCIAL, "twitter", "vkontakte"}),
            perhaps=frozenset({"whatsapp", "telegram"}),
        ),
        Truth(words=SHUT, began=utc("2016-05-19 22:00"), ended=utc("2016-05-19 23:00")),
    ),
    not_replayed="Astana, where other sites went on; Viber and Moy Mir are not in the catalogue",
)

DECEMBER_2016 = Event(
    name="december_2016",
    title="16 December 2016: Facebook, YouTube, Instagram and Google, for “technical reasons”",
    source="Global Voices, December 2016",
    phases=(
        Phase(begins=utc("2016-12-16 09:00"), tells="all is well"),
        Phase(
            begins=utc("2016-12-16 10:00"),
            tells="four platforms vanish; Twitter and VK go on",
            rules=silenced(*_SOCIAL, "google"),
        ),
        Phase(begins=utc("2016-12-16 14:00"), tells="all is well"),
    ),
    ends=utc("2016-12-16 15:00"),
    truths=(
        Truth(
            words=SNI,
            began=utc("2016-12-16 10:00"),
            ended=utc("2016-12-16 14:00"),
            platforms=frozenset({*_SOCIAL, "google"}),
        ),
    ),
    not_replayed="the hours are assumed (the source says hours); whether by address or by name is not known: by name here",
)


def _night(day: int) -> tuple[Phase, Phase]:
    return (
        Phase(
            begins=utc(f"2018-03-{day} 14:00"),
            tells="the evening's block, during the stream",
            rules=both(silenced("facebook", "youtube", "instagram"), silenced("telegram", fraction=0.3)),
        ),
        Phase(begins=utc(f"2018-03-{day} 16:00"), tells="all is well"),
    )


NIGHTS_2018 = Event(
    name="nights_2018",
    title="Every evening from 20:00 to 22:00, spring 2018",
    source="Eurasianet 2018; Freedom on the Net 2018; Fergana",
    phases=(
        Phase(begins=utc("2018-03-19 13:00"), tells="all is well"),
        *(phase for day in (19, 20, 21) for phase in _night(day)),
    ),
    ends=utc("2018-03-21 17:00"),
    truths=tuple(
        Truth(
            words=SNI,
            began=utc(f"2018-03-{day} 14:00"),
            ended=utc(f"2018-03-{day} 16:00"),
            platforms=frozenset(_SOCIAL),
            perhaps=frozenset({"telegram"}),
        )
        for day in (19, 20, 21)
    ),
    recurs=("14:00", "16:00"),
    # Six transitions two hours apart, with measuring going on all the time: twenty minutes before and after each.
    close=dt.timedelta(minutes=20),
    not_replayed="evenings on which sites were slow and not dead: the replay has none of that kind; three evenings of many",
)

VICTORY_2019 = Event(
    name="victory_day_2019",
    title="9 May 2019: social networks, Telegram's web and four news sites",
    source="NetBlocks, 9 May 2019; Interfax; Meduza",
    phases=(
        Phase(begins=utc("2019-05-09 06:00"), tells="all is well"),
        Phase(
            begins=utc("2019-05-09 07:00"),
            tells="three networks, Telegram's web (the apps go on) and the news vanish",
            rules=both(
                silenced(*_SOCIAL),
                silenced_names("t.me", "telegram.org"),
                silenced_names(*names_of("azattyq", "vlast", "holanews")),
            ),
        ),
        Phase(begins=utc("2019-05-09 14:00"), tells="all is well"),
    ),
    ends=utc("2019-05-09 15:00"),
    watches=("@default", "azattyq", "vlast", "holanews"),
    truths=(
        Truth(
            words=SNI,
            began=utc("2019-05-09 07:00"),
            ended=utc("2019-05-09 14:00"),
            platforms=frozenset({*_SOCIAL, "telegram", "azattyq", "vlast", "holanews"}),
        ),
    ),
    not_replayed="throttling on 7 and 8 May; mobile networks along the marches; providers that began earlier",
)

JUNE_2019 = Event(
    name="elections_2019",
    title="9 to 11 June 2019: VPN sites, an hour without the Internet, then social networks",
    source="NetBlocks, 9 and 11 June 2019; The Babel",
    phases=(
        Phase(begins=utc("2019-06-09 00:00"), tells="all is well"),
        Phase(begins=utc("2019-06-09 01:00"), tells="sites of VPN services vanish", rules=silenced(*_VPN)),
        Phase(begins=utc("2019-06-09 05:00"), tells="no Internet at all", rules=off),
        Phase(begins=utc("2019-06-09 05:55"), tells="back, VPN sites as before", rules=silenced(*_VPN)),
        Phase(
            begins=utc("2019-06-11 09:00"),
            tells="WhatsApp's web, Facebook, Instagram, YouTube and Telegram's web too",
            rules=both(silenced(*_VPN, *_SOCIAL, "whatsapp"), silenced_names("t.me", "telegram.org")),
        ),
        Phase(begins=utc("2019-06-11 13:00"), tells="VPN sites as before", rules=silenced(*_VPN)),
    ),
    ends=utc("2019-06-11 14:00"),
    watches=("@default", "@vpn"),
    truths=(
        Truth(
            words=SNI,
            began=utc("2019-06-09 01:00"),
            ended=None,
            platforms=frozenset(_VPN),
        ),
        Truth(words=SHUT, began=utc("2019-06-09 05:00"), ended=utc("2019-06-09 05:55")),
        Truth(
            words=SNI,
            began=utc("2019-06-11 09:00"),
            ended=utc("2019-06-11 13:00"),
            platforms=frozenset({*_SOCIAL, "telegram"}),
            perhaps=frozenset({"whatsapp"}),
        ),
    ),
    not_replayed="Periscope, which the catalogue lists as ended; the end of 11 June is assumed",
)

_OPENED_2019 = ("google", "youtube", "facebook", "instagram", "twitter", "vkontakte")


def _qaznet(begins: str, tells: str) -> Phase:
    return Phase(begins=utc(begins), tells=tells, rules=forged(QAZNET, *_OPENED_2019, fraction=0.24))


INTERCEPTION_2019 = Event(
    name="interception_2019",
    title="July and August 2019: the Qaznet certificate, on a quarter of the paths",
    source="Raman et al., IMC 2020",
    phases=(
        Phase(begins=utc("2019-07-25 22:00"), tells="all is well"),
        _qaznet("2019-07-25 23:00", "37 names are opened on 24 % of paths"),
        Phase(begins=utc("2019-07-26 11:00"), tells="a pause"),
        _qaznet("2019-07-30 06:00", "again"),
        Phase(begins=utc("2019-07-30 18:00"), tells="all is well"),
    ),
    ends=utc("2019-07-30 19:00"),
    truths=tuple(
        Truth(
            words=OPENED,
            began=utc(began),
            ended=utc(ended),
            # A quarter of the connections: which platforms are met in which round is chance.
            perhaps=frozenset(_OPENED_2019),
            by_chance=True,
            onset=dt.timedelta(hours=1),
            recovery=dt.timedelta(hours=1),
        )
        for began, ended in (("2019-07-25 23:00", "2019-07-26 11:00"), ("2019-07-30 06:00", "2019-07-30 18:00"))
    ),
    not_replayed="two times twelve hours with the pause between, of twenty-one days; of 37 names those in the catalogue",
)

INTERCEPTION_2020 = Event(
    name="interception_2020",
    title="6 December 2020: a national certificate in Nur-Sultan",
    source="net4people/bbs issue 56",
    phases=(
        Phase(begins=utc("2020-12-06 03:00"), tells="all is well"),
        Phase(
            begins=utc("2020-12-06 04:00"),
            tells="listed names are opened by ISCA",
            rules=forged(ISCA, "google", "youtube", "facebook", "instagram", "twitter", "vkontakte"),
        ),
        Phase(begins=utc("2020-12-06 15:00"), tells="all is well"),
    ),
    ends=utc("2020-12-06 16:00"),
    truths=(
        Truth(
            words=OPENED,
            began=utc("2020-12-06 04:00"),
            ended=utc("2020-12-06 15:00"),
            platforms=frozenset({"google", "youtube", "facebook", "instagram", "twitter", "vkontakte"}),
        ),
    ),
    not_replayed="the hours of the day are assumed; the redirect to instructions on plain HTTP",
)

FEBRUARY_2021 = Event(
    name="february_2021",
    title="28 February 2021: three hours without mobile Internet in Almaty and Nur-Sultan",
    source="Access Now, March 2021",
    phases=(
        Phase(begins=utc("2021-02-28 07:00"), tells="all is well"),
        Phase(begins=utc("2021-02-28 08:00"), tells="nothing passes", rules=off),
        Phase(begins=utc("2021-02-28 11:00"), tells="all is well"),
    ),
    ends=utc("2021-02-28 12:00"),
    truths=(Truth(words=SHUT, began=utc("2021-02-28 08:00"), ended=utc("2021-02-28 11:00")),),
    not_replayed="the fixed line that went on: this host has one interface, and local evidence only",
)

MOBILE_2021 = Event(
    name="february_2021_by_two_ways",
    title="The same by a host with a fixed line, which goes on",
    source="Access Now, March 2021",
    phases=(
        Phase(begins=utc("2021-02-28 07:00"), tells="all is well"),
        Phase(begins=utc("2021-02-28 08:00"), tells="nothing passes the mobile network", mobile=off),
        Phase(begins=utc("2021-02-28 11:00"), tells="all is well"),
    ),
    ends=utc("2021-02-28 12:00"),
    truths=(Truth(words=SHUT, began=utc("2021-02-28 08:00"), ended=utc("2021-02-28 11:00"), interface="mobile"),),
    mobile=True,
)

_HOLES = frozenset({"udp/53"})
_WINDOWS = (
    ("2022-01-05 17:30", "2022-01-05 22:00"),
    ("2022-01-06 10:30", "2022-01-06 14:00"),
    ("2022-01-07 02:30", "2022-01-07 06:00"),
    ("2022-01-08 02:30", "2022-01-08 10:00"),
    ("2022-01-09 02:30", "2022-01-09 06:00"),
)
"""When there was access for some hours."""


def _january() -> tuple[Phase, ...]:
    shut = [Phase(begins=utc(ended), tells="shut again, with holes", rules=off_with_holes) for _, ended in _WINDOWS[:3]]
    listed = Phase(
        begins=utc(_WINDOWS[3][1]), tells="only a few of the country's sites", rules=whitelist("kaspi.kz", "egov.kz")
    )
    last = Phase(begins=utc(_WINDOWS[4][1]), tells="shut again, with holes", rules=off_with_holes)
    opened = [Phase(begins=utc(began), tells="a window of access") for began, _ in _WINDOWS]
    return tuple(sorted((*shut, listed, last, *opened), key=lambda phase: phase.begins))


JANUARY_2022 = Event(
    name="january_2022",
    title="2 to 11 January 2022: messengers, then the whole country",
    source="Cloudflare; net4people/bbs issues 99 and 102; RIPE Labs",
    phases=(
        Phase(begins=utc("2022-01-04 15:00"), tells="all is well"),
        Phase(
            begins=utc("2022-01-04 16:00"),
            tells="WhatsApp, Telegram and Signal vanish",
            rules=silenced("whatsapp", "telegram", "signal"),
        ),
        Phase(begins=utc("2022-01-05 10:30"), tells="shut, but for questions, BGP and BFD", rules=off_with_holes),
        *_january(),
        Phase(begins=utc("2022-01-11 02:15"), tells="all is well"),
    ),
    ends=utc("2022-01-11 03:15"),
    truths=(
        Truth(
            words=SNI,
            began=utc("2022-01-04 16:00"),
            # Seen to have ended in the first window.
            ended=utc("2022-01-05 17:30"),
            platforms=frozenset({"signal", "telegram"}),
            perhaps=frozenset({"whatsapp"}),
        ),
        *(
            Truth(
                words=(("no_network", "whitelist"), ("no_network", "international"), *SHUT)
                if began == "2022-01-08 10:00"
                else (("no_network", "shutdown"),),
                began=utc(began),
                ended=utc(ended),
                holes=_HOLES,
            )
            for began, ended in zip(
                ("2022-01-05 10:30", *(ended for _, ended in _WINDOWS)),
                (*(began for began, _ in _WINDOWS), "2022-01-11 02:15"),
                strict=True,
            )
        ),
    ),
    # Seven closures, in which every look waits for answers that do not come: half an hour before and after each change.
    close=dt.timedelta(minutes=30),
    not_replayed="the throttling of mobile networks on 4 January; the short window of 10 January, whose hours are not known",
)

AZATTYQ_2022 = Event(
    name="azattyq_2022",
    title="September 2022 to April 2023: azattyq.org's handshakes take four seconds",
    source="OONI, 2023",
    phases=(
        Phase(begins=utc("2022-09-27 00:00"), tells="all is well"),
        Phase(
            begins=utc("2022-09-27 01:00"),
            tells="greetings with azattyq.org are answered after four seconds",
            rules=held("azattyq", seconds=4.0),
        ),
        Phase(begins=utc("2022-09-27 02:30"), tells="all is well"),
    ),
    ends=utc("2022-09-27 03:30"),
    watches=("azattyq", "livejournal"),
    truths=(
        Truth(
            words=SLOWED,
            began=utc("2022-09-27 01:00"),
            ended=utc("2022-09-27 02:30"),
            platforms=frozenset({"azattyq"}),
        ),
    ),
    not_replayed="seven months of it: an hour and a half; the exact hours are not known",
)

VPN_AND_NEWS_2024 = Event(
    name="vpn_and_news_2024",
    title="2023 and 2024: sites of VPN services and of the press, Tor and WhatsApp as usual",
    source="OONI, 2024",
    phases=(
        Phase(begins=utc("2024-03-01 08:00"), tells="all is well"),
        Phase(begins=utc("2024-03-01 09:00"), tells="listed names vanish", rules=silenced(*_VPN, *_NEWS)),
    ),
    ends=utc("2024-03-01 21:00"),
    watches=("@default", "@vpn", "@news"),
    truths=(Truth(words=SNI, began=utc("2024-03-01 09:00"), ended=None, platforms=frozenset({*_VPN, *_NEWS})),),
    not_replayed="a year of it: twelve hours",
)

_PARTS = (
    INTERCEPTION_2019.part(1, INTERCEPTION_2019.begins, utc("2019-07-26 13:00")),
    INTERCEPTION_2019.part(2, utc("2019-07-30 05:00"), INTERCEPTION_2019.ends),
    JANUARY_2022.part(1, JANUARY_2022.begins, utc("2022-01-07 07:00")),
    JANUARY_2022.part(2, utc("2022-01-07 05:00"), JANUARY_2022.ends),
)
"""The two longest, in halves: as wholes they take more than an hour and a half."""

EVENTS = (
    MAY_2016,
    DECEMBER_2016,
    NIGHTS_2018,
    VICTORY_2019,
    JUNE_2019,
    *_PARTS[:2],
    INTERCEPTION_2020,
    FEBRUARY_2021,
    MOBILE_2021,
    *_PARTS[2:],
    AZATTYQ_2022,
    VPN_AND_NEWS_2024,
)

"""The acts of the own side, one state a network: nothing that goes wrong in them is the provider's doing, or the site's."""

from __future__ import annotations

from probe.demo.accepted import ACCESSIBLE, no_network
from probe.demo.internet import PORTAL
from probe.demo.scene import Act, Scene
from probe.demo.world import Page, Portal, Reply, Resolver
from probe.wire.resolvers import Nameserver

_UNPLUGGED = Act(
    name="unplugged",
    title="The cable is out",
    link="no_route",
    scenes=(
        Scene(url="https://social.example/", done="this host has no connection at all", accepted=no_network("link")),
    ),
)

_DEAD_LINE = Act(
    name="dead-line",
    title="The line behind the router is dead",
    link="silent",
    scenes=(
        Scene(
            url="https://social.example/",
            done="packets leave and nothing ever comes back",
            accepted=no_network("upstream"),
        ),
    ),
)

_DEAD_RESOLVER = Act(
    name="dead-resolver",
    title="The provider's resolver is down",
    nameservers=(Nameserver("21.0.0.54"),),
    scenes=(
        Scene(
            url="https://social.example/",
            done="the only resolver of this host answers nothing",
            accepted=no_network("resolver"),
        ),
    ),
)

_HOTEL_PAGE = Page(
    status=302,
    headers=(("Location", "http://login.hotel.example/welcome"), ("Cache-Control", "no-store")),
    body="Log in",
)
_HOTEL = Act(
    name="hotel",
    title="A hotel's login page stands in the way",
    portal=Portal(page=_HOTEL_PAGE),
    nameservers=(Nameserver(PORTAL),),
    resolvers=(Resolver(address=PORTAL),),
    scenes=(
        Scene(
            url="https://social.example/",
            done="every page is replaced by the hotel's login",
            accepted=no_network("captive_portal"),
        ),
        Scene(
            url="http://weather.example/",
            done="every page is replaced by the hotel's login",
            accepted=no_network("captive_portal"),
        ),
    ),
)

_OLD_CLOCK = Act(
    name="old-clock",
    title="This computer's clock is a year slow",
    ahead_s=365 * 86400.0,
    scenes=(
        Scene(
            url="https://social.example/",
            done="every certificate seems to come from the future",
            accepted=no_network("clock"),
        ),
    ),
)

_HOME = "192.168.1.1"
_HOUSEHOLD = Act(
    name="household",
    title="A filter in the own home",
    nameservers=(Nameserver(_HOME),),
    resolvers=(
        Resolver(
            address=_HOME,
            lies={"arcade.example": Reply(("0.0.0.0",)), "doubleclick.net": Reply(("0.0.0.0",))},
            delay_s=0.0,
        ),
    ),
    scenes=(
        Scene(
            url="https://arcade.example/",
            done="the home router's advertisement and game filter refuses the name",
            accepted=no_network("filter"),
        ),
        Scene(
            url="https://feed.example/",
            done="this computer's own hosts file sends the name nowhere",
            hosts=("0.0.0.0",),
            accepted=no_network("filter"),
        ),
        Scene(url="https://recipes.example/", done="nothing: the filter does not mind it", accepted=ACCESSIBLE),
    ),
)

OWN_SIDE: tuple[Act, ...] = (_HOUSEHOLD, _HOTEL, _OLD_CLOCK, _DEAD_RESOLVER, _DEAD_LINE, _UNPLUGGED)
"""What comes back least at the end."""

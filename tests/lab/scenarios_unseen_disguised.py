"""Blocks that look like a site's own trouble, for the same reader as the troubles beside them. The half that is held out.

Written without knowledge of the judge. The site is well in every row; what acts is a box of the network, by the name. Where a
lie cannot be told from a record that is out of date, ``inconclusive`` is acceptable too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.lab import censor, forgers, prove
from tests.lab import guards_sites as guards
from tests.lab.censor import NameEnd, NameForge, NamePage
from tests.lab.packets import TCP
from tests.lab.prove import Proof
from tests.lab.rules import ByName, When
from tests.lab.scenarios import OTHER, Scenario, Words
from tests.lab.scenarios_unseen_pages import said
from tests.lab.scenarios_unseen_sites import Make, about, add, greets
from tests.lab.world import Site, World

_STRANGER, _NEUTRAL = "www.nobelprize.org", "www.wikipedia.org"
_TLS = (Words("blocked", "tls"),)
_MITM = (Words("blocked", "mitm"),)


def _by_name(rule: type[ByName], *proofs: Callable[[str], Proof], **values: Any) -> Make:
    """A rule on the site's name at the border; a stranger's name passes at its address, and its name nowhere."""

    def make(site: str) -> dict[str, Any]:
        spares = prove.handshake(site, _STRANGER, works=True)
        return {
            "rules": lambda _world: (rule(names=(site.removeprefix("www."),), **values),),
            "proofs": (prove.truth(site), spares, *(proof(site) for proof in proofs)),
        }

    return make


def _silent_elsewhere(site: str) -> Proof:
    return prove.handshake(_NEUTRAL, site, works=False)


def _ended(*codes: int) -> Callable[[str], Proof]:
    return lambda site: prove.says(
        "",
        "sh",
        "-c",
        f"curl -sS -m 9 -o /dev/null https://{site}/; c=$?; for n in {' '.join(map(str, codes))}; do [ $c = $n ] && exit 0; done; exit 99",
        code=0,
    )


def _alerted(site: str) -> Proof:
    return greets(site, words="alert number 112")


def _forged(*, expired: bool) -> Make:
    """The box's certificate: of the same issuer by its words, and run out; or a hosting company's default one."""
    subject = "CN=Lab TLS CA 1C3,O=Lab Trust Services,C=US" if expired else "CN=Plesk,O=Plesk,C=CH"
    default = "parked.hosting.example"

    def make(site: str) -> dict[str, Any]:
        made = forgers.forge(subject, [site if expired else default], expired=expired)
        chain = made.chains[site if expired else default]
        shown = f"CN = {site if expired else default}"
        proofs = (
            prove.truth(site), prove.fails(f"https://{site}/", prove.UNTRUSTED), greets(site, words=shown),
            prove.says(shown, "sh", "-c", f"timeout 3 openssl s_client -connect {{{_NEUTRAL}}}:443 -servername {site} </dev/null"),
            prove.page(f"https://{_STRANGER}/"),
        )  # fmt: skip
        return {"rules": lambda _world: (NameForge(chains={site: chain}, key=made.key),), "proofs": proofs}

    return make


HANDSHAKES = (
    about("box_says_unknown_name", "the greeting is swallowed, and the client gets the alert that the server does not know the name",
          _by_name(NameEnd, _alerted, _silent_elsewhere, says=censor.alert(112)), acceptable=_TLS),
    about("box_gives_up_late", "the greeting is swallowed, and when the client has sent it three times a RST comes, as from a front end that has lost its server",
          _by_name(guards.NameResetLate, _ended(35, 56), _silent_elsewhere), acceptable=_TLS),
    about("box_resets_the_request", "the handshake passes; the request inside it is swallowed and both ends get a RST, as from a broken program",
          _by_name(guards.NameResetRequest, _ended(35, 52, 55, 56, 16), lambda site: prove.handshake(site, site, works=True)), acceptable=_TLS),
    # How many flows get through is chance: a run may see too little.
    about("box_loses_nine_in_ten", "from the greeting on nine of ten packets are lost, as on an overloaded server's line",
          _by_name(guards.NameLoses, lambda site: prove.some_greetings_die(site, low=0, high=4, of=8)), acceptable=(*_TLS, Words("blocked", "throttling"), Words("inconclusive"))),
    about("box_shows_a_certificate_run_out", "a box shows a certificate for the name by an issuer with the true one's words, a week past its end, wherever the name is asked for",
          _forged(expired=True), acceptable=_MITM),
    about("box_shows_a_default_certificate", "a box shows a hosting panel's default certificate wherever the name is asked for", _forged(expired=False), acceptable=_MITM,
          near={"delay": 0.008}),  # nearer by, it may stand in this house
)  # fmt: skip

_SHOP = Site(name="www.bookshop.example", address="95.217.99.9", http=said(200, "Books", "Old and new books."))
_SHOP_URL = f"http://{_SHOP.name}/"
_HTTP = (Words("blocked", "http"),)


def _plain(name: str, tells: str, response: bytes, *proofs: Proof) -> Scenario:
    """A box answers requests for the shop, wherever they go."""
    return Scenario(
        name=name, tells=tells, check=(_SHOP_URL,), sound=(OTHER,), world=add(_SHOP), acceptable=_HTTP, exit_codes=(1,),
        rules=lambda _world: (NamePage(when=When(protocol=TCP, ports=(80,)), names=(_SHOP.name,), response=response),),
        proofs=(prove.truth(_SHOP.name), *proofs),
    )  # fmt: skip


_ERROR = "<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>nginx/1.22.1</center></body></html>"
_TORN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 30000\r\nConnection: close\r\n\r\n<html><head><title>Books</title></head><body>"
_ELSEWHERE = ("-H", f"Host: {_SHOP.name}", f"http://{{{_NEUTRAL}}}/")


def _there(words: str, code: int = 0) -> Proof:
    """A request for the shop at somebody else's address meets the same."""
    return prove.says(words, "curl", "-sSi", "-m", "8", *_ELSEWHERE, code=code)


def _under_repair(world: World) -> World:
    """The provider's resolver sends the shop to a server of the provider's, which says that it is being worked on."""
    notice = said(503, "Технические работы", "Сайт временно недоступен.", headers="add_header Retry-After 3600 always;")
    return add(
        _SHOP,
        Site(name="cache7.provider.example", address="195.12.114.77", http=notice),
        lies={_SHOP.name: "195.12.114.77"},
    )(world)


PAGES = (
    _plain("box_says_503", "a box answers requests for the name with a server's own words for too much load", censor.response("503 Service Temporarily Unavailable", _ERROR, Server="nginx/1.22.1"),
           prove.curl("503 Service", _SHOP_URL), _there("503 Service")),
    _plain("box_sends_in_a_circle", "a box answers requests for the name with a redirect to the same address, again and again", censor.response("302 Found", Location=_SHOP_URL),
           prove.curl("Maximum", _SHOP_URL, "-L", "--max-redirs", "9", code=47), _there("302 Found")),
    _plain("box_tears_the_page", "a box answers requests for the name with the head of a page and its end", _TORN, prove.curl("", _SHOP_URL, code=18), _there("Books", code=18)),
    # The answer leads to a stranger that says little; a record of before a move would do the same.
    Scenario(name="lie_to_a_page_under_repair", tells="the provider's resolver sends the name to a server that says that the site is being worked on; everybody else's is honest",
             check=(_SHOP_URL,), sound=(OTHER,), world=_under_repair, acceptable=(Words("blocked", "dns"), Words("inconclusive")), exit_codes=(1, 3),
             proofs=(prove.answers(_SHOP.name, "195.12.114.77"), prove.truth(_SHOP.name), prove.curl("Технические", _SHOP_URL))),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*HANDSHAKES, *PAGES)

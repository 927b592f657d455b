"""Pages and certificates by their words: block pages dressed as the site's, notices over good chains, names of authorities.

Block pages with the site's own headers and length, in words that a list knows and in words that none does; the face that a
site shows to one country; an order that the site itself obeys; a state's authority of 2019, and a company that bears its name.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.lab import censor, forgers, prove
from tests.lab.control_serve import ADDRESS, Serves
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.prove import Proof
from tests.lab.rules import Rule
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import World

PLAIN = "www.livejournal.com"
PLAIN_URL = f"http://{PLAIN}/"
BLOCKED = (Words("blocked", "http"),)
DENIED = (Words("denied", "legal"),)
NO_BLOCK = (Words("accessible"), Words("inconclusive"))
ABROAD = Serves()

_CARDS = "".join(
    f"<div class=entry><h3>Entry {n}</h3><p>What somebody wrote in a journal on day {n}, and what others said of it</p></div>"
    for n in range(14)
)
FRONT = f"<html><head><title>LiveJournal</title></head><body><nav><ul><li>Home<li>Help</ul></nav>{_CARDS}</body></html>"
_ORDER = (
    "<html><head><title>Доступ ограничен</title></head><body><h1>Доступ ограничен</h1><p>Доступ к данному сайту ограничен по "
    "решению суда на основании статьи 41-1 Закона «О связи».</p></body></html>"
)
_STRANGE = (
    "<html><head><title>Внимание</title></head><body><center><table><tr><td><img src=x><td><h2>Уважаемый абонент</h2><form>"
    "<input type=button value=Назад></form><p>Ресурс, который вы запросили, сейчас не открывается. Просим вас обратиться к "
    "вашему оператору связи.</table></center></body></html>"
)
_LOCAL = (
    "<html><head><title>Живой Журнал</title></head><body><nav><ul><li>Домой<li>Помощь</ul></nav>"
    "<div class=entry><h3>Запись</h3><p>Что написали сегодня в вашей стране</p></div></body></html>"
)


def _as_long_as(page: str, other: str) -> str:
    """*page* with blanks at its end, to the byte as long as *other*."""
    return page + " " * (len(other.encode()) - len(page.encode()))


def _shows(page: str, abroad: str = "") -> Callable[[World], World]:
    """The site answers over plain HTTP with *page*, and the control, if that is another one, with *abroad*."""
    away = f"if ($remote_addr = {ADDRESS}) {{ return 200 '{abroad}'; }}" if abroad else ""
    told = f"location / {{ default_type 'text/html; charset=utf-8'; {away} return 200 '{page}'; }}"
    return lambda world: world.change(PLAIN, http=told)


def _dressed(page: str) -> Callable[[World], tuple[Rule, ...]]:
    """A device that answers requests for the name with *page*, in the site's own headers and to the byte as long."""
    told = censor.response("200 OK", _as_long_as(page, FRONT), Server="nginx", Date="Sun, 22 Nov 2026 12:00:00 GMT")
    return lambda _world: (censor.NamePage(names=(PLAIN,), response=told),)


def _reads(url: str, words: str) -> Proof:
    return prove.curl(words, url)


def _length_is(url: str, expected: int) -> Proof:
    """The page has so many bytes."""

    def run(lab: Lab) -> None:
        told = lab.run("curl", "-sS", "-m", "8", "-o", "/dev/null", "-w", "%{size_download}", url).stdout.strip()
        if told != str(expected):
            raise LabError(f"the scenario does not do what it says: {url} has {told} bytes, not {expected}")

    return run


def _forged(subject: str, *names: str) -> Callable[[World], tuple[Rule, ...]]:
    """A box that opens these names (none: all there are) with certificates of its own."""

    def make(world: World) -> tuple[Rule, ...]:
        made = forgers.forge(subject, names or tuple(world.sites))
        return (censor.NameForge(chains=made.chains, key=made.key),)

    return make


_OWN_LENGTH = len(FRONT.encode())

PAGES: tuple[Scenario, ...] = (
    Scenario(
        name="words_order_dressed_as_the_site",
        tells="a notice of an order in the place of a plain page: status, headers and length are the site's own",
        check=(PLAIN_URL,),
        world=_shows(FRONT),
        rules=_dressed(_ORDER),
        acceptable=(Words("blocked", "http", "http.block_page"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "по решению суда"), _length_is(PLAIN_URL, _OWN_LENGTH)),
        control=(_length_is(PLAIN_URL, _OWN_LENGTH), _reads(PLAIN_URL, "Entry 7")),
    ),
    Scenario(
        name="words_strange_page_dressed_as_the_site",
        tells="the same in words that no list has; a control abroad gets the site's page, and says how that is built",
        check=(PLAIN_URL,),
        world=_shows(FRONT),
        rules=_dressed(_STRANGE),
        acceptable=BLOCKED,
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "Уважаемый абонент"), _length_is(PLAIN_URL, _OWN_LENGTH)),
        control=(_reads(PLAIN_URL, "Entry 7"),),
        # What comes within ten milliseconds may be put in by a company's gateway.
        near={"delay": 0.008},
        serves=ABROAD,
    ),
    Scenario(
        name="words_strange_page_is_the_sites",
        tells="the site itself shows everybody in this country that strange page, and others its own: nobody is in between",
        check=(PLAIN_URL,),
        world=_shows(_STRANGE, FRONT),
        acceptable=NO_BLOCK,
        exit_codes=(0, 3),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "Уважаемый абонент"),),
        control=(_reads(PLAIN_URL, "Entry 7"),),
        serves=ABROAD,
    ),
    Scenario(
        name="words_a_face_for_this_country",
        tells="the site shows visitors from here a short page in their own language, built as its others are",
        check=(PLAIN_URL,),
        world=_shows(_LOCAL, FRONT),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(FACEBOOK_URL,),
        proofs=(_reads(PLAIN_URL, "Живой Журнал"),),
        control=(_reads(PLAIN_URL, "Entry 7"),),
        serves=ABROAD,
    ),
    Scenario(
        name="words_order_that_the_site_obeys",
        tells="the site itself shows a notice of an order to everybody, over its own good certificate",
        world=lambda world: world.change(
            FACEBOOK, https=f"location / {{ default_type 'text/html; charset=utf-8'; return 200 '{_ORDER}'; }}"
        ),
        acceptable=DENIED,
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.page(FACEBOOK_URL), _reads(FACEBOOK_URL, "по решению суда")),
        control=(_reads(FACEBOOK_URL, "по решению суда"),),
        in_slice=True,
    ),
)

CERTIFICATES: tuple[Scenario, ...] = (
    Scenario(
        name="words_national_ca_of_2019",
        tells="a state's box opens one platform with the intermediate authority of 2019, which says no more than its country",
        rules=_forged("CN=Security Certificate,C=KZ", "facebook.com", FACEBOOK),
        acceptable=(Words("blocked", "mitm", "tls.mitm.known_ca"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(prove.certificate_error(FACEBOOK_URL, "certificate"), prove.page(OTHER)),
    ),
    Scenario(
        name="words_company_with_a_states_name",
        tells="a company of another country is called as a state's authority is, and its gateway opens everything",
        check=(FACEBOOK_URL, OTHER),
        rules=_forged("CN=Secure Gateway,O=ISCA,C=US"),
        acceptable=(Words("inconclusive"), Words("no_network", "filter")),
        network=(Words("ok"), Words("inconclusive"), Words("no_network", "filter")),
        exit_codes=(3,),
        proofs=(prove.certificate_error(FACEBOOK_URL, "certificate"),),
    ),
)

SCENARIOS: tuple[Scenario, ...] = (*PAGES, *CERTIFICATES)

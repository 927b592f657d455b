"""Interference with plain requests, and pages put in; beside each the site, the line or the household that shows the same."""

from __future__ import annotations

import dataclasses

from tests.lab import censor, prove, rules
from tests.lab.greetings import (
    BROKEN,
    META,
    NEUTRAL,
    NOTE,
    PLAIN,
    PLAIN_URL,
    SNI_SILENCE,
    always,
    at,
    at_neutral,
    plain_page,
    reads,
    slow_page,
    world_with,
)
from tests.lab.prove import Proof
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, Scenario, Words
from tests.lab.world import Front, World

_NOTICE = censor.response(
    "403 Forbidden",
    "<html><head><title>Доступ ограничен</title></head><body><h1>Доступ к информационному ресурсу ограничен</h1>"
    "<p>Доступ к данному сайту ограничен по решению суда на основании статьи 41-1 Закона «О связи».</p></body></html>",
    Server="nginx/1.14.2",
    Cache_Control="no-cache, no-store",
)
_TO_NOTICE = censor.response("302 Found", Location="http://blockpage.telecom.example/?id=77", Server="ads")


def _http_block(*codes: int) -> tuple[Proof, ...]:
    return (
        prove.fails(PLAIN_URL, *codes),
        prove.page("http://www.nobelprize.org/", 301),
        at_neutral(PLAIN, fails=True),
        at_neutral("www.gnu.org", fails=False),
    )


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="http_host_reset",
        tells="a request with the name is swallowed, and both ends get a RST",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(rules.NameReset(names=(PLAIN,), http=True)),
        acceptable=(Words("blocked", "http", "http.reset.host"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=_http_block(prove.RESET),
        in_slice=True,
    ),
    Scenario(
        name="http_host_drop",
        tells="a request with the name is never delivered",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(rules.NameDrop(names=(PLAIN,), http=True)),
        acceptable=(Words("blocked", "http", "http.timeout.host"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=_http_block(prove.SILENT),
    ),
    Scenario(
        name="http_host_end",
        tells="a request with the name gets an orderly end and nothing else",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(censor.NamePage(names=(PLAIN,))),
        acceptable=(Words("blocked", "http", "http.eof.host"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=_http_block(52),
    ),
    Scenario(
        name="http_block_page",
        tells="the request is swallowed, and a notice of a court's decision comes back (403, Content-Length, nginx)",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(censor.NamePage(names=(PLAIN,), response=_NOTICE)),
        acceptable=(Words("blocked", "http", "http.block_page"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(reads(PLAIN_URL, "по решению суда"), reads("http://www.nobelprize.org/", "301")),
    ),
    Scenario(
        name="http_block_page_races_the_true_one",
        tells="a device beside the path answers first with a notice; the site's own page arrives late and is ignored",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(censor.NamePage(names=(PLAIN,), response=_NOTICE, pass_on=True)),
        acceptable=(Words("blocked", "http", "http.block_page"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(reads(PLAIN_URL, "по решению суда"), reads("http://www.nobelprize.org/", "301")),
    ),
    Scenario(
        name="http_block_page_nobody_knows",
        tells="a notice with status 200 in words that no list has: only another place could tell it from the site's page",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(
            censor.NamePage(
                names=(PLAIN,), response=censor.response("200 OK", "<html><title>Sorry</title>Sorry.</html>")
            )
        ),
        acceptable=(Words("blocked", "http"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(reads(PLAIN_URL, "Sorry."), reads("http://www.nobelprize.org/", "301")),
        needs=("control",),
    ),
    Scenario(
        name="http_refusal_nobody_knows",
        tells="403 in the site's name with a few words that no list has; at unrelated addresses that name gets it too",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=always(censor.NamePage(names=(PLAIN,), response=censor.response("403 Forbidden", "<html>Sorry.</html>"))),
        acceptable=(Words("blocked", "http"),),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(reads(PLAIN_URL, "Sorry."), reads("http://www.nobelprize.org/", "301")),
        needs=("page_contrast",),
    ),
    Scenario(
        name="http_redirect_to_block_page",
        tells="a request with the name is answered with a redirect to the provider's notice, which is there",
        check=(PLAIN_URL,),
        world=lambda world: _notice_site(plain_page(world)),
        rules=always(censor.NamePage(names=(PLAIN,), response=_TO_NOTICE)),
        acceptable=(Words("blocked", "http", "http.redirect"), Words("blocked", "http", "http.block_page")),
        exit_codes=(1,),
        sound=(FACEBOOK_URL,),
        proofs=(
            reads(PLAIN_URL, "Location: http://blockpage.telecom.example/"),
            reads("http://blockpage.telecom.example/", "по решению"),
        ),
    ),
    Scenario(
        name="http_by_url",
        tells="one page of the site is reset by its path, and the rest of it is not",
        check=(f"{PLAIN_URL}banned/2026",),
        world=plain_page,
        rules=always(censor.UrlReset(names=(PLAIN,), path="/banned")),
        acceptable=(Words("blocked", "http", "http.reset"),),
        exit_codes=(1,),
        sound=(PLAIN_URL,),
        proofs=(prove.fails(f"{PLAIN_URL}banned/2026", prove.RESET), prove.page(PLAIN_URL)),
    ),
    Scenario(
        name="http_and_tls_by_name",
        tells="port 80 sends to https, both by the same list: the plain request is reset before any redirect",
        check=("http://www.facebook.com/",),
        rules=always(rules.NameReset(names=META, http=True), rules.NameReset(names=META)),
        acceptable=(Words("blocked", "http", "http.reset.host"),),
        exit_codes=(1,),
        sound=(OTHER,),
        proofs=(
            prove.fails("http://www.facebook.com/", prove.RESET),
            prove.fails(FACEBOOK_URL, prove.HANDSHAKE, prove.RESET),
            prove.page(OTHER),
        ),
    ),
    Scenario(
        name="redirect_into_a_block",
        tells="the first site is fine and sends on to a second one, whose greeting is dropped",
        check=(OTHER,),
        world=lambda world: world.change(PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}"),
        rules=always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(NOTE,),
        proofs=(
            prove.page(OTHER, 302),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, FACEBOOK, works=False),
        ),
    ),
    Scenario(
        name="slow_redirect_into_a_block",
        tells="the first site takes three seconds and sends on to a second one, whose greeting is dropped",
        check=(OTHER,),
        world=lambda world: world.change(
            PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}", front=Front(other="late:3/serve")
        ),
        rules=always(rules.NameDrop(names=META)),
        acceptable=SNI_SILENCE,
        exit_codes=(1,),
        sound=(NOTE,),
        proofs=(slow_page(OTHER, 302, 3), prove.fails(FACEBOOK_URL, prove.SILENT)),
    ),
    Scenario(
        name="redirect_into_an_outage",
        tells="the first site is fine and sends on to a second one, which is silent to everybody",
        check=(OTHER,),
        world=lambda world: world.change(PLAIN, https=f"location / {{ return 302 {FACEBOOK_URL}; }}").change(
            FACEBOOK, front=Front(other="silent")
        ),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(NOTE,),
        proofs=(
            prove.page(OTHER, 302),
            prove.fails(FACEBOOK_URL, prove.SILENT),
            prove.handshake(NEUTRAL, FACEBOOK, works=True),
        ),
    ),
    Scenario(
        name="http_server_resets_one_host",
        tells="the server behind one plain site breaks off requests for it, and answers for every other name",
        check=(PLAIN_URL,),
        world=plain_page,
        rules=lambda world: (rules.NameReset(names=(PLAIN,), http=True, when=at(world, PLAIN), place="far"),),
        acceptable=BROKEN,
        exit_codes=(1, 3),
        sound=(FACEBOOK_URL,),
        proofs=(prove.fails(PLAIN_URL, prove.RESET), at_neutral(PLAIN, fails=False)),
    ),
    Scenario(
        name="http_newspaper_on_blocking",
        tells="a plain site's own page reports on blocking, in the words of a notice, at length",
        check=(PLAIN_URL,),
        world=lambda world: world.change(PLAIN, http=_article()),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(FACEBOOK_URL,),
        proofs=(reads(PLAIN_URL, "по решению суда"), reads(PLAIN_URL, "LiveJournal")),
    ),
    Scenario(
        name="http_hosting_suspended",
        tells="the hosting company has switched a plain site off and says so in its place",
        check=(PLAIN_URL,),
        world=lambda world: world.change(
            PLAIN,
            http="location / { return 403 '<html><title>Account suspended</title>This account has been suspended. "
            "Access to this site is blocked.</html>'; }",
        ),
        acceptable=(Words("denied"), Words("outage"), Words("inconclusive")),
        exit_codes=(1, 3),
        sound=(FACEBOOK_URL,),
        proofs=(reads(PLAIN_URL, "has been suspended"), at_neutral(PLAIN, fails=False)),
    ),
    Scenario(
        name="http_site_moved_away",
        tells="a plain site has moved to another domain and redirects there",
        check=(PLAIN_URL,),
        world=lambda world: world.change(PLAIN, http=f"location / {{ return 301 {NOTE}; }}"),
        acceptable=(Words("accessible"),),
        exit_codes=(0,),
        sound=(FACEBOOK_URL,),
        proofs=(prove.page(PLAIN_URL, 301), prove.page(NOTE)),
    ),
    Scenario(
        name="http_site_bans_visitors_itself",
        tells="a plain site sends visitors whom it dislikes to its own page /blocked",
        check=(PLAIN_URL,),
        world=lambda world: world.change(
            PLAIN,
            http=f"location = /blocked {{ return 403 'Your address is blocked.'; }} location / {{ return 302 {PLAIN_URL}blocked; }}",
        ),
        acceptable=(Words("denied"), Words("inconclusive"), Words("outage")),
        exit_codes=(1, 3),
        sound=(FACEBOOK_URL,),
        proofs=(prove.page(PLAIN_URL, 302), reads(f"{PLAIN_URL}blocked", "Your address is blocked")),
    ),
)


def _article() -> str:
    """Some 18 KB in nginx's words: no parameter of its may be longer than 4 KB."""
    more = "Мы рассказываем, почему так вышло и что об этом думают юристы. " * 20
    text = "Доступ к сайту ограничен по решению суда, пишут читатели. " + "$t" * 8
    page = f"<html><head><title>LiveJournal</title></head><body><p>{text}</p></body></html>"
    return f"set $t '{more}'; location / {{ return 200 '{page}'; }}"


def _notice_site(world: World) -> World:
    body = "<html><title>Доступ ограничен</title>Доступ к ресурсу ограничен по решению уполномоченного органа.</html>"
    site = dataclasses.replace(
        world.sites[PLAIN],
        name="blockpage.telecom.example",
        address="92.47.160.7",
        http=f"location / {{ return 200 '{body}'; }}",
    )
    return world_with(world, sites={**world.sites, site.name: site})

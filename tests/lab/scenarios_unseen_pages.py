"""What sites say when something is wrong with them, or with their visitors: pages, refusals, HTTP. The half that is held out.

Written without knowledge of the judge. None of these rows is a block: where the page comes over a verified chain it is the
site's own word, over plain http anybody could have written it.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.lab import prove
from tests.lab.namespaces import LabError
from tests.lab.prove import Proof
from tests.lab.scenarios import ANY_OUTAGE, OTHER, Scenario, Words
from tests.lab.scenarios_unseen_sites import (
    ACCESSIBLE,
    BY_CHANCE,
    OWN_WORD,
    UNSURE,
    Make,
    about,
    add,
    both,
    changed,
    mannered,
)
from tests.lab.world import Site

if TYPE_CHECKING:
    from tests.lab.lab import Lab

_HTML = "default_type 'text/html; charset=utf-8';"


def said(status: int, title: str, text: str = "", *, headers: str = "") -> str:
    """nginx directives for one page; no single quotes."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    return f"location / {{ {_HTML} {headers} return {status} '{page}'; }}"


def _page(https: str, *proofs: Callable[[str], Proof], **values: Any) -> Make:
    """The site's pages are *https*; each proof is of its URL. ``NAME`` in the directives is the site's name."""

    def make(site: str) -> dict[str, Any]:
        shown = tuple(proof(f"https://{site}/") for proof in proofs)
        return {"world": changed(site, https=https.replace("NAME", site)), "proofs": shown, **values}

    return make


def _words(words: str, *options: str, code: int = 0) -> Callable[[str], Proof]:
    return lambda url: prove.curl(words, url, *options, code=code)


def _manner(word: str, *proofs: Callable[[str], Proof], **values: Any) -> Make:
    def make(site: str) -> dict[str, Any]:
        shown = tuple(proof(f"https://{site}/") for proof in proofs)
        return {"world": changed(site, front=mannered(word)), "proofs": shown, **values}

    return make


_FRAMES = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
context.set_alpn_protocols(["h2"])
host, seen = sys.argv[2].encode(), []
block = b"\\x82\\x84\\x87\\x41" + bytes([len(host)]) + host
for n in range(2):
    with context.wrap_socket(socket.create_connection((sys.argv[1], 443), 3), server_hostname=sys.argv[2]) as s:
        s.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + b"\\0\\0\\0\\4\\0\\0\\0\\0\\0" + len(block).to_bytes(3, "big") + b"\\1\\5\\0\\0\\0\\1" + block)
        data = s.makefile("rb")
        for m in range(9):
            head = data.read(9)
            if len(head) < 9: break
            seen.append((head[3], data.read(int.from_bytes(head[:3], "big"))[-1:]))
            if head[3] in (0, 3, 7): break
print(*(f"{kind}:{last.hex()}" for kind, last in seen))
"""


def frames(site: str, *wanted: str) -> Proof:
    """Two HTTP/2 requests meet these frames: type and the last byte, which is a code where there is one (RFC 9113 §6)."""

    def proven(lab: Lab) -> None:
        address = lab.world.sites[site].address
        seen = lab.run(sys.executable, "-I", "-S", "-c", _FRAMES, address, site).ok().stdout
        if not all(f"{frame}" in seen for frame in wanted):
            raise LabError(f"the scenario does not do what it says: {site} sends the frames {seen!r}, not {wanted}")

    return proven


def _framed(word: str, *wanted: str, **values: Any) -> Make:
    return lambda site: {
        "world": changed(site, front=mannered(word)),
        "proofs": (prove.truth(site), frames(site, *wanted)),
        **values,
    }


_OWN_PAGE = "root {directory}; location / { try_files /NAME.html =404; }"


def _head(url: str) -> Proof:
    return prove.says("200", "curl", "-sSI", "-m", "8", "-o", "/dev/null", "-w", "%{http_code}", url)


def _drips(site: str) -> dict[str, Any]:
    url = f"https://{site}/"
    world = changed(site, https=f"root {{directory}}; location / {{ limit_rate 400; try_files /{site}.html =404; }}")
    return {"world": world, "proofs": (_head(url), prove.fails(url, prove.SILENT)), "control": (_head(url),)}


def _bomb(site: str) -> dict[str, Any]:
    page = b"<!doctype html><html><head><title>Home</title></head><body>" + b" " * 30_000_000
    world = changed(site, body=gzip.compress(page, 9, mtime=0), https=f"root {{directory}}; location / {{ {_HTML} add_header Content-Encoding gzip; try_files /{site}.html =404; }}")  # fmt: skip
    counted = prove.says("30000059", "sh", "-c", f"curl -sS --compressed https://{site}/ | wc -c")
    return {"world": world, "proofs": (prove.page(f"https://{site}/"), counted)}


def _http_loop(site: str) -> dict[str, Any]:
    proofs = (
        prove.page(f"http://{site}/", 301),
        prove.page(f"https://{site}/", 301),
        prove.curl("Maximum", f"https://{site}/", "-L", "--max-redirs", "20", code=47),
    )
    return {"world": changed(site, https="location / { return 301 http://$host$request_uri; }"), "proofs": proofs}


HTTP = (
    # Apache, July 2025: proxies that kept a connection for several names met 421.
    about("misdirected_421", "the front end says of every request that it is for another server (421)", _page(said(421, "Misdirected Request"), lambda url: prove.page(url, 421)),
          acceptable=(*ANY_OUTAGE, Words("denied"))),
    # A browser asks again without a word (RFC 9113 §6.8).
    about("drains_every_other_connection", "the servers are being replaced: every other connection is told to go away before its request was looked at",
          _framed("cycle:2/h2:drain", "7:00", "0:", unproven_abroad="every other visit meets a going server there too"), acceptable=UNSURE),
    about("go_away_and_be_calm", "the server tells every HTTP/2 connection that it asks too much", _framed("h2:calm", "7:0b"), acceptable=(*ANY_OUTAGE, Words("denied"))),
    about("streams_reset", "the server takes HTTP/2 and resets the stream of every request, as guards against robots do", _framed("h2:rst", "3:02"),
          acceptable=(Words("denied", "antibot"), *ANY_OUTAGE)),
    about("head_is_not_answered", "the server ends connections that ask for a head, and serves who asks for the page",
          _page("if ($request_method = HEAD) { return 444; } " + _OWN_PAGE, prove.page, _words("", "--http1.1", "-I", code=52)), acceptable=ACCESSIBLE),
    # Every browser sends the header. A program that does not is turned away as a robot, and cannot see why.
    about("wants_a_language", "a firewall of the site's ends connections whose requests do not say which language is wanted",
          _page("if ($http_accept_language = '') { return 444; } " + _OWN_PAGE, _words("200", "-H", "Accept-Language: kk"), _words("", "--http1.1", code=52)), acceptable=(Words("denied", "antibot"), *UNSURE)),
    about("http_and_https_in_a_circle", "https sends to http and http to https: the content network and the server disagree", _http_loop),
    about("page_drips", "the server sends its page at 400 bytes a second, to everybody", _drips, acceptable=BY_CHANCE),
    # 16 KB and then nothing is what some devices do too; they do it by name or place, and this server does it to all.
    about("page_stops_after_16_kb", "the server's program hangs when it has sent 16 KB of every page", _manner("page:stall", lambda url: prove.curl("words of a page", url, code=28))),
    about("chunks_of_nonsense", "the page comes in chunks whose sizes are no numbers", _manner("page:chunks", _words("200 OK", code=56))),
    about("says_gzip_and_is_not", "the page is said to be compressed and is not, which no browser shows",
          _page(f"location / {{ {_HTML} add_header Content-Encoding gzip; return 200 'not compressed at all'; }}", _words("", "--compressed", code=61))),
    about("thirty_megabytes_in_thirty_kilobytes", "a page of blanks: 30 KB that unfold to 30 MB", _bomb, acceptable=ACCESSIBLE),
    about("early_hints", "the server says 103 with hints before it says 200", _manner("page:hints", _words("103 Early Hints"), prove.page), acceptable=ACCESSIBLE),
    about("cookies_of_48_kilobytes", "the answer's head has 48 cookies of a kilobyte each", _manner("page:headers", _words("experiment47"), prove.page), acceptable=UNSURE),
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# refusals, and notices that are the site's own

_DENIED = (Words("denied"),)
_SEIZED = "This website has been seized by the Federal Bureau of Investigation pursuant to a court order. Access to this site has been blocked by law enforcement."
_MARKET = Site(
    name="www.night-market.example", address="95.217.88.8", http=said(200, "This website has been seized", _SEIZED)
)
_XML = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>7A62C49F347D4E0C</RequestId></Error>'
_STATUS = Site(
    name="status.example-company.com",
    address="51.91.61.61",
    https=said(200, "Scheduled maintenance", "We are down for scheduled maintenance and will be back at 06:00 UTC."),
)


def _maintained(site: str) -> dict[str, Any]:
    world = both(add(_STATUS), changed(site, https=f"location / {{ return 302 https://{_STATUS.name}/; }}"))
    return {"world": world, "proofs": (prove.curl("scheduled maintenance", f"https://{site}/", "-L"),)}


REFUSALS = (
    about("login_wall", "the front page sends everybody who is not logged in to the log-in form",
          _page("location = / { return 302 /accounts/login/?next=/; } " + said(200, "Log in", "Enter your phone number."), _words("phone number", "-L")), acceptable=ACCESSIBLE),
    about("captcha_with_200", "status 200 and a page that wants proof that one is no robot",
          _page(said(200, "Attention Required!", "Please complete the security check to access this site. Why do I have to complete a CAPTCHA?"), _words("CAPTCHA")),
          acceptable=(Words("denied", "antibot"), *ACCESSIBLE)),
    about("not_for_europeans", "a newspaper answers 451 to visitors whom it takes for Europeans, because of their law on data",
          _page(said(451, "Unavailable due to legal reasons", "We recognize you are attempting to access this website from a country belonging to the European Economic Area (EEA)."), _words("EEA")),
          acceptable=(Words("denied", "legal"), Words("denied", "geo"))),
    # Russian authorities' sites, February 2022: 418 to visitors from abroad.
    about("teapot", "the site answers 418, I am a teapot, to visitors from this country", _page("location / { return 418 ''; }", lambda url: prove.page(url, 418), unproven_abroad="it is not said whom the site serves"),
          acceptable=(*_DENIED, Words("inconclusive"))),
    # The network brings it, the site itself is gone for good: both words are right, and so is the law's.
    about("seized_over_tls", "the police of another country have seized the domain and show their banner over a good certificate, to everybody",
          _page(said(200, "This website has been seized", _SEIZED), _words("seized by")), acceptable=(Words("outage"), *ACCESSIBLE, *_DENIED)),
    Scenario(name="seized_plain", tells="the same over plain http: the banner is the same from everywhere, which one network cannot know", world=add(_MARKET),
             check=(f"http://{_MARKET.name}/",), sound=(OTHER,), acceptable=(Words("outage"), *UNSURE, *_DENIED), exit_codes=(0, 1, 3),
             proofs=(prove.truth(_MARKET.name), prove.curl("seized by", f"http://{_MARKET.name}/"))),
    about("maintenance_on_another_host", "the front page sends everybody to the company's status page, which says that it is being worked on", _maintained, acceptable=(Words("outage"), *UNSURE)),
    about("origin_has_no_name", "a content network says that it does not find the site's own server by its name (530, error 1016)",
          _page("location / { default_type text/plain; add_header CF-RAY 8e1f00 always; return 530 'error code: 1016'; }", _words("1016"), lambda url: prove.page(url, 530)), acceptable=OWN_WORD),
    # Cloudflare, 18 November 2025: what stood on the page was about the visitor, and the trouble was theirs.
    about("please_unblock_challenges", "a content network's own trouble: 500, and a page that asks visitors to unblock its challenges",
          _page(said(500, "Just a moment...", "Please unblock challenges.cloudflare.com to proceed."), _words("Please unblock"), lambda url: prove.page(url, 500)), acceptable=(*OWN_WORD, Words("denied", "antibot"))),
    about("bucket_without_rights", "a deployment has closed the site's storage: 403 and an error in XML, to everybody",
          _page(f"location / {{ default_type application/xml; return 403 '{_XML}'; }}", _words("AccessDenied"), lambda url: prove.page(url, 403)), acceptable=(Words("outage"), *_DENIED)),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*HTTP, *REFUSALS)

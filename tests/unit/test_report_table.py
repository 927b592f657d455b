"""The table on the screen, word for word."""

import dataclasses
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.report.terminal import Screen, print_check
from probe.verdict.model import METHODS, STATUSES, Finding, NetworkVerdict, ServiceVerdict
from tests.unit import pieces as made


def shown(outcome, **screen):
    file = io.StringIO()
    print_check(outcome, Screen(file=file, width=screen.pop("width", 100), **screen))
    return file.getvalue()


GOLDEN = {
    ("accessible", None, None): """\
✓ example.com  Accessible — an ordinary user on this network reaches it (93 % sure)
""",
    ("blocked", "tls", "tls.timeout.sni"): """\
✗ example.com  Blocked — your network lets other names through and drops this one (93 % sure)
    → How this was found: dalel explain tls.timeout.sni
""",
    ("denied", "geo", None): """\
⊘ example.com  Denied — the site answers, and refuses visitors from this country (93 % sure)
    → Your network is not the cause. The site decides whom it lets in.
""",
    ("outage", "certificate", None): """\
▽ example.com  Outage — the site's own certificate is not valid; your network is not the cause
               (93 % sure)
    → Check again later. If it stays so for you alone, somebody in another country should check it
      too.
""",
    ("no_network", "captive_portal", None): """\
! example.com  No network — this network wants you to log in or agree to something first (93 % sure)
    → Open any page in a browser, log in, and check again.
""",
    ("inconclusive", None, None): """\
? example.com  Inconclusive — there is not enough evidence to say; it may be blocked, and that is
               not proven
""",
}
FOOTER = "\n✓ Your network: works\n"
MORE = "Every step: add -v. What the words mean: dalel help verdicts\n"


@pytest.mark.parametrize(("status", "method", "signature"), GOLDEN)
def test_each_status_reads_like_this(status, method, signature):
    """The word, what it means, how sure, and what to do."""
    lean = {"leaning": "blocked"} if status == "inconclusive" else {}
    judged = made.verdict(status, method, signature, **lean)

    text = shown(made.pieces(made.result(0, "https://example.com/", judged)))

    assert GOLDEN[status, method, signature] + FOOTER + (MORE if status != "accessible" else "") == text


def test_a_protocol_passes_and_is_not_reached():
    """There is no site that anybody would reach."""
    text = shown(made.pieces(made.result(0, "protocol://wireguard", made.verdict("accessible"))))
    assert "Accessible — what looks like it passes on this network" in text
    blocked = made.verdict("blocked", "protocol", "app.timeout.protocol")
    assert "stops what this app speaks" in shown(made.pieces(made.result(0, "protocol://wireguard", blocked)))


def test_the_evidence_that_decided_it_stands_below():
    """The strongest first, one line a family, no more than three; -v adds codes, weights and what is against it."""
    flip = Finding(
        code="neutral_flip",
        speaks_for="blocked",
        weight=2.0,
        family="contrast",
        basis="contrast",
        observations=(2, 3),
        parameters={
            "places": 2,
            "host": "example.com",
            "target_failures": 12,
            "manner": "timeout",
            "innocuous_successes": 14,
        },
    )
    weaker = dataclasses.replace(flip, code="own_flip", weight=0.5)
    failed = Finding(
        code="retries_failed",
        speaks_for="accessible",
        weight=-0.5,
        family="retry",
        basis="behaviour",
        parameters={"count": 3},
    )
    judged = made.verdict("blocked", "tls", "tls.timeout.sni", findings=(failed, weaker, flip))
    outcome = made.pieces(made.result(0, "https://example.com/", judged))

    assert shown(outcome).splitlines()[1:5] == [
        "    • At 2 unrelated addresses abroad, asking for example.com failed every time (12 times, silence)",
        "      while another name, asked in turn, was answered 14 times.",
        "    • 3 more tries over new connections failed as well.",
        "    → How this was found: dalel explain tls.timeout.sni",
    ]
    assert "for +2.0 neutral_flip: At 2 unrelated" in shown(outcome, verbose=1, width=200)
    assert "(#2, #3)" in shown(outcome, verbose=1, width=200)


def test_long_rows_of_numbers_are_ranges():
    """Forty numbers in a row are one range, so that a reader finds the sentence again."""
    flip = Finding(
        code="retries_failed",
        speaks_for="accessible",
        weight=-0.5,
        family="retry",
        basis="behaviour",
        observations=(9, 2, 3, 5, 6, 7, 8),
        parameters={"count": 3},
    )
    outcome = made.pieces(made.result(0, "https://example.com/", made.verdict("inconclusive", findings=(flip,))))

    assert "(#2, #3, #5-#9)" in shown(outcome, verbose=1, width=200)


def test_what_would_settle_it_is_said():
    """Inconclusive is no dead end."""
    judged = made.verdict("inconclusive", leaning="outage", settle=("later", "another_vantage"))
    text = shown(made.pieces(made.result(0, "https://example.com/", judged)), width=150)

    assert "    → To settle it: Measure again in an hour: " in text
    assert "    → Or: Measure the same site at the same time from another country" in text


def test_impairments_are_said_of_what_works():
    """A site may be reached and yet not be well."""
    judged = made.verdict("accessible", impairments=("ipv6_broken",))

    assert "    Also: The newer kind of address" in shown(made.pieces(made.result(0, "https://example.com/", judged)))


def test_replaced_authorities_are_said():
    """Who believes other authorities is told with every result."""
    assert "Only these authorities were believed: SSL_CERT_FILE=/x.pem\n" in shown(
        made.pieces(trust="SSL_CERT_FILE=/x.pem")
    )


def platform_with_two_words():
    bad, good = made.verdict("blocked", "tls", "tls.reset.sni"), made.verdict("accessible")
    return made.pieces(
        made.result(0, "https://www.facebook.com/", bad, platform="facebook"),
        made.result(1, "https://m.facebook.com/", good, platform="facebook"),
        platforms=(made.platform("facebook", bad, 0, 1),),
        kept_in="/data/dalel.db",
    )


def test_a_platform_says_which_of_its_addresses_have_which_word():
    """One word for the platform, and where it does not hold."""
    assert shown(platform_with_two_words()) == (
        "✗ facebook  Blocked — your network lets other names through and cuts the connection at this one\n"
        "            (93 % sure)\n"
        "    ✗ blocked: www.facebook.com\n"
        "    ✓ accessible: m.facebook.com\n"
        "    → How this was found: dalel explain tls.reset.sni\n"
        + FOOTER
        + "Kept as run 3f2a91c0 in /data/dalel.db\n"
        + MORE
    )


def no_network():
    judged = made.verdict("no_network", "link")
    return made.pieces(
        *(made.result(n, f"https://{n}.example/", judged) for n in range(3)),
        network=NetworkVerdict(status="no_network", method="link"),
    )


def test_a_dead_network_is_told_once():
    """Not the same sentence for every platform, and nobody is called blocked."""
    assert shown(no_network()) == (
        "! No network — this computer is not connected to any network (93 % sure)\n"
        "    Nothing can be said about: 0.example, 1.example, 2.example\n"
        "    → Look at the cable, the Wi-Fi or the mobile data switch.\n"
        "\n"
        "Every step: add -v. What the words mean: dalel help verdicts\n"
    )


def test_a_narrow_terminal_gets_narrow_lines():
    """Nothing is wider than the screen, and nothing is lost."""
    wide, narrow = shown(platform_with_two_words()), shown(platform_with_two_words(), width=34)

    assert max(len(line) for line in narrow.splitlines()) <= 34
    assert sorted(wide.split()) == sorted(narrow.split())


def test_ascii_where_nothing_else_can_be_shown():
    """An old console gets symbols that it has."""
    assert shown(platform_with_two_words(), ascii_only=True).isascii()


def test_no_line_ends_in_spaces():
    """The text can be pasted into a message."""
    assert not re.search(r" $", shown(platform_with_two_words(), verbose=2), re.MULTILINE)


def test_colour_only_repeats_the_words():
    """With colour and without it, the same is said."""
    coloured = shown(platform_with_two_words(), colour=True)

    assert "\x1b[" in coloured
    assert shown(platform_with_two_words()) == re.sub(r"\x1b\[[0-9;]*m", "", coloured)


def test_an_interrupted_check_says_so():
    """Half a check does not pass for a whole one."""
    outcome = made.pieces(
        made.result(0, "https://a.example/", made.verdict("accessible")), run=made.run(interrupted=True)
    )

    assert "Stopped before the end: this is only what was measured until then.\n" in shown(outcome)


def test_what_could_not_be_kept_is_said():
    """A full disk is told where the results would have been."""
    text = shown(made.pieces(unsaved="The disk is full; the results are in /data/spool.", kept_in="/data/dalel.db"))

    assert "The disk is full; the results are in /data/spool.\n" in text
    assert "Kept" not in text


@pytest.mark.parametrize("status", STATUSES)
def test_no_acronym_without_verbose(status):
    """Only DNS, TLS, HTTP, VPN and ISP are said to everybody."""
    for method in METHODS[status] or {None}:
        text = shown(made.pieces(made.result(0, "https://example.com/", made.verdict(status, method))))
        assert set() == set(re.findall(r"\b[A-Z]{2,}\b", text)) - {"DNS", "TLS", "HTTP", "VPN", "ISP"}


def test_verbose_shows_every_operation():
    """Each step with its number, so that the evidence can be followed."""
    outcome = made.pieces(
        made.result(0, "https://example.com/", made.verdict("inconclusive"), observations=(2, 3)),
        observations=made.observations(),
    )
    text = " ".join(shown(outcome, verbose=1, width=200).split())

    assert "#2 baseline (v4) dns udp A example.com 192.0.2.53:53 192.0.2.7 12.0 ms" in text
    assert "#3 baseline (v4) tcp 192.0.2.7:443 connection_refused 40.0 ms" in text
    assert "✓ Your network: works #1 own_side (before host) host" in text


def test_more_verbose_shows_every_fact():
    """-vv has what -v leaves out."""
    outcome = made.pieces(
        made.result(0, "https://example.com/", made.verdict("inconclusive"), observations=(2, 3)),
        observations=made.observations(),
    )

    assert '"errno": "ECONNREFUSED"' in shown(outcome, verbose=2, width=300)
    assert "ECONNREFUSED" not in shown(outcome, verbose=1, width=300)


@given(st.text(st.characters()))
def test_measured_text_never_reaches_the_terminal_raw(text):
    """Whatever was measured or typed, only printable characters and our own line breaks come out."""
    outcome = made.pieces(
        made.result(0, f"https://{text}/", made.verdict("accessible"), observations=(2,)),
        observations=made.observations(text),
        kept_in=text,
    )

    assert shown(outcome, verbose=2).replace("\n", "").isprintable()


def test_square_brackets_are_no_markup():
    """A title cannot colour the screen or vanish."""
    outcome = made.pieces(made.result(0, "https://[bold red]x[/].example/", made.verdict("accessible")))

    assert "[bold red]x[/].example" in shown(outcome)


def test_a_blocked_web_beside_working_apps_is_told_with_its_own_evidence():
    """The platform's word, one sentence that names the parts, and below it the part that is blocked, with why."""
    apps = made.verdict("accessible")
    web = made.verdict("blocked", "tls", "tls.timeout.sni")
    services = (
        ServiceVerdict(service="apps", status="accessible", rule="any-of", working=1, measured=2, main=True),
        ServiceVerdict(service="web", status="blocked", method="tls"),
    )
    outcome = made.pieces(
        made.result(0, "tcp://192.0.2.1:443", apps, platform="telegram", service="apps", rule="any-of"),
        made.result(1, "tcp://192.0.2.2:443", made.verdict("inconclusive"), platform="telegram", service="apps"),
        made.result(2, "https://web.telegram.org/", web, platform="telegram"),
        platforms=(
            made.platform(
                "telegram",
                apps,
                0,
                1,
                2,
                title="Telegram",
                services=services,
                deciding=(0,),
                impairments=("web_blocked",),
            ),
        ),
    )

    assert shown(outcome).splitlines()[:7] == [
        "✓ telegram  Accessible — an ordinary user on this network reaches it (93 % sure)",
        "    Telegram: the apps work (1 of 2 answers), the web is blocked by name.",
        "    ✓ accessible: tcp://192.0.2.1:443",
        "    ? inconclusive: tcp://192.0.2.2:443",
        "    ✗ blocked: web.telegram.org",
        "    → How this was found: dalel explain tls.timeout.sni",
        "",
    ]

"""Words to endpoints: what a user may type, and what is said when it means nothing."""

import pytest

from targets.address import parse_endpoint
from targets.loader import Catalogue, Site, SiteList, load_catalogue
from targets.model import TargetError
from targets.select import resolve, retired_notes


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def urls(words, catalogue):
    return [asked.endpoint.url for asked in resolve(words, catalogue)]


FACEBOOK = ["https://www.facebook.com/", "https://m.facebook.com/"]


@pytest.mark.parametrize("word", ["facebook", "FACEBOOK", " Facebook ", "Фейсбук", "фЕЙСБУК", "fb"])
def test_any_name_in_any_case_means_the_platform(word, catalogue):
    """Russian, Kazakh, English, the id, or an alias."""
    assert urls([word], catalogue) == FACEBOOK


@pytest.mark.parametrize(
    ("word", "platform"),
    [
        ("Азаттық", "azattyq"),
        ("азаттык", "azattyq"),
        ("The Village", "the-village"),
        ("x", "twitter"),
        ("X (Twitter)", "twitter"),
        ("Уатсап", "whatsapp"),
        ("ватсап", "whatsapp"),
    ],
)
def test_names_of_other_languages_and_with_spaces(word, platform, catalogue):
    """People type what they call it."""
    assert {asked.platform for asked in resolve([word], catalogue)} == {platform}


def test_spaces_around_a_word_mean_nothing(catalogue):
    """Words may come from a file; the target is the word without them."""
    assert resolve([" @news "], catalogue) == resolve(["@news"], catalogue)
    assert [asked.target for asked in resolve(["\tvk\n"], catalogue)] == ["vk"]
    with pytest.raises(TargetError, match="An empty word"):
        resolve(["  "], catalogue)


def test_nothing_typed_means_the_default_list(catalogue):
    """And every one of its endpoints says which platform and service it belongs to."""
    found = resolve([], catalogue)
    assert found == resolve(["@default"], catalogue)
    assert sorted({asked.platform or "" for asked in found}) == (
        [
            "facebook",
            "google",
            "instagram",
            "liveinternet",
            "livejournal",
            "messenger",
            "signal",
            "telegram",
            "twitter",
            "vkontakte",
            "whatsapp",
            "youtube",
        ]
    )
    assert {(asked.target, asked.named_as_url) for asked in found} == {(p, False) for p in {a.platform for a in found}}


def test_endpoints_are_numbered_in_the_order_asked(catalogue):
    """0, 1, 2 …, without a hole where something was asked twice."""
    found = resolve(["vk", "google", "vk", "https://b.example/"], catalogue)
    assert [asked.number for asked in found] == [0, 1, 2, 3]
    assert [asked.endpoint.url for asked in found] == [
        "https://vk.com/",
        "https://www.google.com/",
        "https://www.google.kz/",
        "https://b.example/",
    ]


def test_what_is_known_of_an_endpoint_comes_along(catalogue):
    """The judge reads it from ``Asked`` and nowhere else."""
    words = ["signal", "https://uptime.signal.org/"]
    by_host = {asked.endpoint.host: asked for asked in resolve(words, catalogue)}
    chat, uptime, web = by_host["chat.signal.org"], by_host["uptime.signal.org"], by_host["signal.org"]
    assert (chat.own_root, chat.any_status, chat.loopback_answers) == (True, True, ())
    assert (uptime.vendor_sign, uptime.loopback_answers) == (True, ("127.0.0.1", "127.0.0.2"))
    assert (web.own_root, web.vendor_sign, web.service, web.rule) == (False, False, "web", "all-of")
    assert resolve(["facebook"], catalogue)[0].networks == (32934,)


@pytest.mark.parametrize(
    ("word", "url"),
    [
        ("example.com", "https://example.com/"),
        ("Example.COM", "https://example.com/"),
        ("example.com.", "https://example.com/"),
        ("example.com/path?a=b", "https://example.com/path?a=b"),
        ("https://example.com", "https://example.com"),
        ("http://example.com/", "http://example.com/"),
        ("HTTPS://Example.com/A", "https://Example.com/A"),
        ("https://example.com:8443/x", "https://example.com:8443/x"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("tcp://example.com:5222", "tcp://example.com:5222"),
        ("tcp://192.0.2.1:443", "tcp://192.0.2.1:443"),
        ("192.0.2.1", "https://192.0.2.1/"),
        ("2001:db8::1", "https://[2001:db8::1]/"),
        ("[2001:DB8::1]", "https://[2001:db8::1]/"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/"),
        ("tcp://[2001:db8::1]:853", "tcp://[2001:db8::1]:853"),
        ("пример.рф", "https://xn--e1afmkfd.xn--p1ai/"),
        ("ПРИМЕР。РФ", "https://xn--e1afmkfd.xn--p1ai/"),
        ("https://қазақстан.қаз/", "https://xn--80aaa0a6awh12ed.xn--80ao21a/"),
        ("https://ПРИМЕР.РФ/", "https://xn--e1afmkfd.xn--p1ai/"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("https://xn--e1afmkfd.xn--p1ai/", "https://xn--e1afmkfd.xn--p1ai/"),
        ("https://example.com/путь", "https://example.com/%D0%BF%D1%83%D1%82%D1%8C"),
        ("_dmarc.example.com", "https://_dmarc.example.com/"),
    ],
)
def test_addresses_as_people_type_them(word, url, catalogue):
    """A full URL stays as typed; only what cannot be sent is rewritten."""
    (asked,) = resolve([word], catalogue)
    assert (asked.endpoint.url, asked.target, asked.named_as_url, asked.platform) == (url, word, True, None)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "facebok",
            "No platform is called 'facebok'. Did you mean 'facebook'? For all names see `dalel targets list`.",
        ),
        (
            "телеграмма",
            "No platform is called 'телеграмма'. Did you mean 'телеграмм'? For all names see `dalel targets list`.",
        ),
        ("qqqqqq", "No platform is called 'qqqqqq'. For all names see `dalel targets list`."),
        (
            "@nws",
            "No list is called '@nws'. Did you mean '@news'? Lists: @all, @default, @dns, @messengers, @news, @social, @vpn.",
        ),
        ("", "An empty word names no target. See `dalel targets list`."),
        ("example.com:0", "'example.com:0' has port 0: a port is a number from 1 to 65535."),
        ("https://example.com:0/", "'https://example.com:0/' has port 0: a port is a number from 1 to 65535."),
        (
            "tcp://example.com:65536",
            "'tcp://example.com:65536' has port 65536: a port is a number from 1 to 65535.",
        ),
        (
            "example.com:8443",
            (
                "'example.com:8443' has a port but no scheme. Write 'https://example.com:8443/' for a page, or "
                "'tcp://example.com:8443' for a bare connection."
            ),
        ),
        ("https://example.com:x/", "'https://example.com:x/' has a port that is not a number."),
        (
            "tcp://example.com",
            "'tcp://example.com' has no port. Write tcp://host:port, for example tcp://example.com:443.",
        ),
        (
            "tcp://example.com:1/a",
            "'tcp://example.com:1/a' has a path: a bare connection has none. Write tcp://example.com:1.",
        ),
        (
            "ftp://example.com/",
            (
                "'ftp://example.com/' starts with 'ftp://', which cannot be measured. Use https://, http:// or "
                "tcp://host:port."
            ),
        ),
        (
            "https://user:secret@example.com/",
            (
                "'https://user:secret@example.com/' has a user name or password in it: leave it out, nothing is logged "
                "in to."
            ),
        ),
        (
            "opnvpn://vpn.example:1194",
            (
                "'opnvpn://vpn.example:1194' starts with 'opnvpn://', which cannot be measured. Did you mean openvpn://? "
                "Use https://, http:// or tcp://host:port; what apps speak is in `dalel help apps`."
            ),
        ),
        (
            "htps://example.com/",
            (
                "'htps://example.com/' starts with 'htps://', which cannot be measured. Did you mean https://? "
                "Use https://, http:// or tcp://host:port."
            ),
        ),
        (
            "protocol://",
            (
                "'protocol://' names no protocol. There are protocol://openvpn, protocol://openvpn-tcp, protocol://ikev2, "
                "protocol://wireguard, protocol://encrypted."
            ),
        ),
        ("https:///", "'https:///' has no host name."),
        (
            "sites.txt",
            "'sites.txt' looks like a file. To check what a file lists, one target a line: dalel check - < FILE",
        ),
        ("а..рф", "'а..рф' is not a host name: there is nothing between two dots."),
        (
            "b\u00fc\U0001f600.example",
            "'b\u00fc\U0001f600.example' is not a host name: '\U0001f600' is not allowed in names.",
        ),
        ("a..example", "'a..example' is not a host name: there is nothing between two dots."),
        ("-a.example", "'-a.example' is not a host name: '-a' has a character that names cannot have."),
        (
            "a" * 64 + ".example",
            "'" + "a" * 64 + ".example' is not a host name: a part between dots is longer than 63 characters.",
        ),
        ("1.2.3", "'1.2.3' is not a host name, and not an IPv4 address such as 192.0.2.1."),
        ("256.1.1.1", "'256.1.1.1' is not a host name, and not an IPv4 address such as 192.0.2.1."),
        ("https://[::g]/", "'https://[::g]/' has no IPv6 address between its brackets, such as [2001:db8::1]."),
        ("https://[::1", "'https://[::1' has an IPv6 address whose brackets do not match."),
        ("[::1]x", "'[::1]x' has an IPv6 address whose brackets do not match."),
        ("fe80::1%eth0", "'fe80::1%eth0' has an IPv6 address without brackets. Write https://[2001:db8::1]/."),
        (
            "https://exa mple.com/",
            "'https://exa mple.com/' has a space or an unprintable character in it. Put one target in one word.",
        ),
        (
            "-пример.рф",
            "'-пример.рф' is not a host name: a part between dots begins or ends with a hyphen, or has two of them in third place.",
        ),
    ],
)
def test_what_means_nothing_is_told_with_what_to_do(word, message, catalogue):
    """One sentence for each, word by word."""
    with pytest.raises(TargetError) as fault:
        resolve([word], catalogue)
    assert str(fault.value) == message


def test_every_wrong_word_is_told_at_once(catalogue):
    """Nobody should have to run it three times to correct three words."""
    with pytest.raises(TargetError) as fault:
        resolve(["facebok", "google", "@nws", "a:0", "facebok"], catalogue)
    lines = str(fault.value).splitlines()
    assert [line.split(".")[0] for line in lines] == [
        "No platform is called 'facebok'",
        "No list is called '@nws'",
        "'a:0' has port 0: a port is a number from 1 to 65535",
    ]


def test_terminal_escapes_in_a_word_never_reach_the_screen(catalogue):
    """A word may come from a file of strangers."""
    for word in ("\x1b[31mred", "a.b\x1b[2J", "@\x07bell"):
        with pytest.raises(TargetError) as fault:
            resolve([word], catalogue)
        assert str(fault.value).isprintable()


def test_a_url_of_the_catalogue_keeps_its_place_in_the_platform(catalogue):
    """It counts as a URL for the exit code, and history still finds it by its platform."""
    (asked,) = resolve(["https://chat.signal.org"], catalogue)
    assert (asked.platform, asked.service, asked.named_as_url, asked.own_root) == ("signal", "apps", True, True)


def test_another_path_of_a_known_host_keeps_what_is_known_of_the_host(catalogue):
    """The networks and the vendor's root hold for every path; the platform's word does not hang on it."""
    (asked,) = resolve(["https://chat.signal.org/v1/other"], catalogue)
    assert (asked.platform, asked.service, asked.rule) == (None, None, None)
    assert (asked.own_root, asked.any_status) == (True, False)


def test_an_endpoint_named_twice_is_measured_once_and_counts_both_ways(catalogue):
    """As part of the platform, and as a URL."""
    found = resolve(["vk", "https://vk.com", "vk.com"], catalogue)
    assert [(a.target, a.platform, a.named_as_url) for a in found] == [("vk", "vkontakte", True)]


def test_a_url_first_and_its_platform_after_still_make_the_platform_whole(catalogue):
    """The order of the words decides the numbers, never what is measured."""
    found = resolve(["https://m.facebook.com/", "facebook"], catalogue)
    assert [a.endpoint.url for a in found] == FACEBOOK[::-1]
    assert {a.platform for a in found} == {"facebook"}


def test_a_retired_platform_is_measured_only_if_named(catalogue):
    """And then with a note that says what to expect."""
    assert "periscope" not in {asked.platform for asked in resolve(["@social", "@all"], catalogue)}
    found = resolve(["periscope"], catalogue)
    assert {asked.retired for asked in found} == {"2021-03-31"}
    assert retired_notes(found, catalogue) == (
        (
            "Periscope is retired since 2021-03-31: it is measured because you named it, and a failure is what should be "
            "expected."
        ),
    )


def test_a_retired_service_of_a_current_platform_is_left_out(catalogue):
    """The Village's former name would be an outage for ever."""
    assert urls(["the-village"], catalogue) == ["https://www.the-village-kz.com/"]
    assert retired_notes(resolve(["the-village"], catalogue), catalogue) == ()


def test_an_imported_list_stands_for_its_sites(catalogue):
    """Each by itself, named as it could be typed."""
    sites = (Site(url="http://a.example/x", category="NEWS"), Site(url="https://vk.com/"))
    own = Catalogue(
        platforms=catalogue.platforms,
        site_lists=(SiteList(name="mine", origin="mine.csv", imported="2026-11-21", sites=sites),),
    )
    found = resolve(["@Mine"], own)
    assert [(a.target, a.platform, a.named_as_url) for a in found] == [
        ("http://a.example/x", None, True),
        ("https://vk.com/", "vkontakte", True),
    ]


def test_a_long_word_is_cut_in_the_message(catalogue):
    """A pasted page must not fill the screen."""
    with pytest.raises(TargetError) as fault:
        parse_endpoint("https://" + "a" * 5000)
    assert len(str(fault.value)) < 200

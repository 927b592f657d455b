"""What is shipped: every row of the plan, spelled out here and not read from the code."""

import tomllib

import pytest

from targets import loader
from targets.address import parse_endpoint
from targets.model import Platform
from targets.validate import check_files

DATA_CENTRES = (
    "149.154.175.50",
    "149.154.167.51",
    "149.154.175.100",
    "149.154.167.91",
    "149.154.171.5",
    "95.161.76.100",
)
WEBSOCKETS = ("pluto", "venus", "aurora", "vesta", "flora")
"""What the web client calls the data centres."""
TELEGRAM_APPS = {f"mtproto://{address}:{port}" for address in DATA_CENTRES for port in (80, 443)}
WHATSAPP_APPS = {f"tcp://e{number}.whatsapp.net:{port}" for number in range(1, 17) for port in (443, 5222)}

HOSTS = {
    "adguard-dns": "dns.adguard-dns.com",
    "cloudflare-dns": "cloudflare-dns.com one.one.one.one",
    "google-dns": "dns.google",
    "mullvad-dns": "dns.mullvad.net",
    "quad9": "dns.quad9.net",
    "facebook": "www.facebook.com m.facebook.com",
    "messenger": "b-api.facebook.com b-graph.facebook.com edge-mqtt.facebook.com star.c10r.facebook.com"
    " external.xx.fbcdn.net scontent.xx.fbcdn.net stun.fbsbx.com",
    "instagram": "www.instagram.com i.instagram.com",
    "youtube": "www.youtube.com i.ytimg.com redirector.googlevideo.com",
    "google": "www.google.com www.google.kz",
    "twitter": "x.com twitter.com abs.twimg.com",
    "periscope": "www.pscp.tv www.periscope.tv",
    "vkontakte": "vk.com",
    "telegram": "web.telegram.org telegram.org t.me "
    + " ".join((*DATA_CENTRES, *(f"{host}.web.telegram.org" for host in WEBSOCKETS))),
    "whatsapp": "v.whatsapp.net web.whatsapp.com www.whatsapp.com "
    + " ".join(f"e{number}.whatsapp.net" for number in range(1, 17)),
    "signal": "chat.signal.org storage.signal.org cdsi.signal.org sfu.voip.signal.org uptime.signal.org signal.org",
    "nordvpn": "nordvpn.com",
    "protonvpn": "protonvpn.com",
    "expressvpn": "www.expressvpn.com",
    "mullvad": "mullvad.net",
    "surfshark": "surfshark.com",
    "windscribe": "windscribe.com",
    "tunnelbear": "www.tunnelbear.com",
    "psiphon": "psiphon.ca",
    "torproject": "www.torproject.org",
    "outline": "getoutline.org",
    "openvpn": "openvpn.net",
    "cloudflare-1111": "1.1.1.1",
    "the-village": "www.the-village-kz.com the-village.kz",
    "livejournal": "www.livejournal.com",
    "liveinternet": "www.liveinternet.ru",
    "stan-tv": "stan.tv",
    "k-plus": "kplus-tv.net",
    "tjournal": "tjournal.ru",
    "azattyq": "rus.azattyq.org www.azattyq.org",
    "vlast": "vlast.kz",
    "orda": "orda.kz",
    "holanews": "holanews.kz",
    "meduza": "meduza.io",
}
RETIRED = {"periscope": "2021-03-31", "stan-tv": "2013-03-13", "k-plus": "2012-12-06", "tjournal": "2022-09-10"}
DEFAULT = [
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
NEWS = ["azattyq", "holanews", "meduza", "orda", "the-village", "vlast"]
DNS = ["adguard-dns", "cloudflare-dns", "google-dns", "mullvad-dns", "quad9"]
VPN = [
    "cloudflare-1111",
    "expressvpn",
    "mullvad",
    "nordvpn",
    "openvpn",
    "outline",
    "protonvpn",
    "psiphon",
    "surfshark",
    "torproject",
    "tunnelbear",
    "windscribe",
]


@pytest.fixture(scope="module")
def platforms() -> dict[str, Platform]:
    return {platform.id: platform for platform in loader.load_catalogue().platforms}


def hosts_of(platform):
    """All hosts of a platform, those of services that are not measured too."""
    return {endpoint.host for service in platform.services for endpoint in service.endpoints}


def test_every_row_of_the_plan_is_a_platform(platforms):
    """No more and no fewer than the founding articles name, each with all of its hosts."""
    assert HOSTS.keys() == platforms.keys()
    for name, hosts in HOSTS.items():
        assert set(hosts.split()) == hosts_of(platforms[name]), name


def test_retired_platforms_carry_their_dates(platforms):
    """What is gone is kept with the date since when."""
    assert {name: p.retired for name, p in platforms.items() if p.retired} == RETIRED


def test_a_service_can_be_retired_by_itself(platforms):
    """The Village's former name is kept but is no part of what is measured."""
    village = platforms["the-village"]
    assert {service.name: service.retired for service in village.services} == {"web": None, "former": "date unknown"}
    assert [endpoint.host for endpoint in village.endpoints] == ["www.the-village-kz.com"]


def test_a_vendors_sign_of_an_outage_is_no_endpoint_of_its_platform(platforms):
    """It is a DNS answer and no page: measured like one, it would look broken for ever."""
    signal = platforms["signal"]
    assert [service.name for service in signal.services if service.vendor_sign] == ["outage-sign"]
    assert "uptime.signal.org" not in {endpoint.host for endpoint in signal.endpoints}
    assert len(signal.endpoints) == 5


def test_what_is_gone_is_all_measured_when_it_is_asked_for(platforms):
    """Who names a retired platform means it."""
    assert len(platforms["periscope"].endpoints) == 2


def test_the_lists_are_those_of_the_plan():
    """``@default`` is every current platform that is in none of ``@news``, ``@vpn`` and ``@dns``."""
    lists = loader.load_catalogue().lists()
    current = {name: sorted(p.id for p in members if p.retired is None) for name, members in lists.items()}
    assert current["default"] == DEFAULT
    assert current["news"] == NEWS
    assert current["vpn"] == VPN
    assert current["dns"] == DNS
    assert current["all"] == sorted(DEFAULT + NEWS + VPN + DNS)


@pytest.mark.parametrize(
    ("platform", "service", "rule", "urls"),
    [
        ("telegram", "apps", "any-of", TELEGRAM_APPS),
        ("telegram", "web-apps", "any-of", {f"mtproto+ws://{host}.web.telegram.org/apiws" for host in WEBSOCKETS}),
        ("telegram", "web", "all-of", {"https://web.telegram.org/", "https://telegram.org/", "https://t.me/"}),
        ("whatsapp", "apps", "any-of", WHATSAPP_APPS),
        ("whatsapp", "web", "all-of", {"https://web.whatsapp.com/", "https://www.whatsapp.com/"}),
        ("facebook", "web", "all-of", {"https://www.facebook.com/", "https://m.facebook.com/"}),
        ("google", "search", "each", {"https://www.google.com/", "https://www.google.kz/"}),
        ("signal", "outage-sign", "each", {"https://uptime.signal.org/"}),
    ],
)
def test_services_have_the_rules_of_the_plan(platforms, platform, service, rule, urls):
    """A service is the endpoints that are counted together, and how."""
    (found,) = [s for s in platforms[platform].services if s.name == service]
    assert found.rule == rule
    assert {endpoint.url for endpoint in found.endpoints} == urls


def test_messenger_is_a_platform_beside_facebook(platforms):
    """Its apps' hosts count together, any HTTP answer means that they were reached, and of one only a greeting is asked."""
    (found,) = [s for s in platforms["messenger"].services if s.name == "apps"]
    assert (found.rule, found.any_status, len(found.endpoints)) == ("all-of", True, 4)
    assert found.handshake_only == ("https://edge-mqtt.facebook.com/",)
    assert platforms["messenger"].networks == platforms["facebook"].networks == (32934,)


def test_messengers_stand_or_fall_with_their_apps(platforms):
    """A site that is blocked beside apps that work is told, and makes no other word of the platform."""
    mains = {name: [s.name for s in p.services if s.main] for name, p in platforms.items()}
    assert {name: found for name, found in mains.items() if found} == {
        name: ["apps"] for name in ("messenger", "signal", "telegram", "whatsapp")
    }


def test_signals_own_root_is_said_of_its_apps_only(platforms):
    """The web site has a public certificate: an unknown authority there is not expected."""
    assert {s.name: s.own_root for s in platforms["signal"].services} == {
        "apps": True,
        "web": False,
        "outage-sign": False,
    }
    assert platforms["signal"].own_root
    assert not platforms["facebook"].own_root


def test_loopback_answers_belong_to_the_name_that_gives_them(platforms):
    """127.0.0.x is Signal's sign of up or outage; from any other name of it, it would be a lie."""
    answers = {s.name: s.loopback_answers for s in platforms["signal"].services}
    assert answers == {"apps": (), "web": (), "outage-sign": ("127.0.0.1", "127.0.0.2")}
    assert platforms["signal"].loopback_answers == ("127.0.0.1", "127.0.0.2")


def test_every_platform_has_three_names_and_a_reason(platforms):
    """English, Russian and Kazakh, and the article that put it there."""
    for platform in platforms.values():
        assert set(platform.names) == {"en", "ru", "kk"}, platform.id
        assert platform.why, platform.id


@pytest.mark.parametrize(
    ("platform", "network"),
    [("facebook", 32934), ("whatsapp", 32934), ("instagram", 32934), ("telegram", 62041), ("google", 15169)],
)
def test_expected_networks_are_named(platforms, platform, network):
    """The big operators' own AS numbers."""
    assert network in platforms[platform].networks


def test_every_shipped_file_passes_the_strict_validator():
    """What the fast loader trusts is held against the slow one here."""
    files = [*loader.user_files(loader.CATALOGUE_DIR), loader.CANARIES_FILE]
    assert [str(problem) for problem in check_files(files).problems] == []
    assert len(files) == len(HOSTS) + 1


def test_a_file_is_named_after_its_platform():
    """A platform is found by its name."""
    for path in loader.user_files(loader.CATALOGUE_DIR):
        assert tomllib.loads(path.read_text())["id"] == path.stem


def test_shipped_endpoints_are_in_the_form_that_is_sent(platforms):
    """The fast loader does not rewrite them, so they must need no rewriting."""
    for platform in platforms.values():
        for endpoint in (endpoint for service in platform.services for endpoint in service.endpoints):
            assert parse_endpoint(endpoint.url) == endpoint


def test_the_version_is_short_and_follows_the_content(monkeypatch, tmp_path):
    """Two probes with the same version measured the same things; one changed byte changes it."""
    before = loader.catalogue_version()
    assert len(before) == 12
    changed = tmp_path / "canaries.toml"
    changed.write_bytes(loader.CANARIES_FILE.read_bytes() + b"\n")
    monkeypatch.setattr(loader, "CANARIES_FILE", changed)
    loader._shipped.cache_clear()
    try:
        assert loader.catalogue_version() != before
    finally:
        loader._shipped.cache_clear()


# ---------------------------------------------------------------------------------------------------------------------
# canaries

FAMILIES = {
    "domestic": ["egov.kz", "kaspi.kz", "www.zakon.kz", "tengrinews.kz"],
    "foreign": [
        "example.com",
        "www.wikipedia.org",
        "www.debian.org",
        "www.kernel.org",
        "www.python.org",
        "www.iana.org",
        "www.rfc-editor.org",
        "www.gnu.org",
    ],
    "literal": ["1.1.1.1", "8.8.8.8", "9.9.9.9"],
    "portal": [
        "http://connectivitycheck.gstatic.com/generate_204",
        "http://captive.apple.com/hotspot-detect.html",
        "http://www.msftconnecttest.com/connecttest.txt",
    ],
    "resolver": ["8.8.8.8", "9.9.9.9", "1.1.1.1"],
    "clock": ["time.google.com", "time.cloudflare.com"],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_canaries_are_those_of_the_plan(family):
    """Each family with its members in the order of the plan."""
    assert [member.where for member in loader.load_canaries().family(family)] == FAMILIES[family]


@pytest.mark.parametrize(
    ("family", "operators"),
    [("domestic", 4), ("foreign", 7), ("literal", 3), ("portal", 3), ("resolver", 3), ("clock", 2)],
)
def test_the_members_of_a_family_have_different_operators(family, operators):
    """One operator's fault must never fail a family; two foreign members are behind the same CDN, and it says so."""
    assert len({member.operator for member in loader.load_canaries().family(family)}) == operators


def test_portal_canaries_say_what_an_open_network_answers():
    """A captive portal is told by the substituted answer, so the right one is known."""
    members = loader.load_canaries().family("portal")
    assert [(m.status, m.expect) for m in members] == [
        (204, ""),
        (200, "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"),
        (200, "Microsoft Connect Test"),
    ]


def test_innocuous_names_have_every_length_that_targets_have(platforms):
    """The halves of a pair must not differ in length: a pool for every name of the catalogue, and 6 to 40."""
    canaries = loader.load_canaries()
    lengths = {len(host) for platform in platforms.values() for host in hosts_of(platform)}
    assert (lengths | set(range(6, 41))) <= {len(name) for name in canaries.innocuous}
    assert len(set(canaries.innocuous)) == len(canaries.innocuous) >= 120


def test_innocuous_names_are_filed_under_their_length():
    """The file is kept by hand, and a name under the wrong length would be missed."""
    values = tomllib.loads(loader.CANARIES_FILE.read_text())
    for length, names in values["innocuous"].items():
        assert {len(name) for name in names} == {int(length)}


def test_innocuous_names_are_neither_targets_nor_canaries(platforms):
    """The unchanged half of a pair has nothing to do with what is measured, or with the own side."""
    canaries = loader.load_canaries()
    used = {host for platform in platforms.values() for host in hosts_of(platform)}
    used |= {member.where for member in canaries.members} | set(canaries.ad_domains)
    ends = tuple("." + name.removeprefix("www.") for name in used)
    assert [n for n in canaries.innocuous if n in used or f".{n.removeprefix('www.')}".endswith(ends)] == []


def test_names_that_offer_http3_are_neither_targets_nor_canaries_nor_innocuous(platforms):
    """A place for comparisons over QUIC has nothing to do with what is measured, and no other part in the run."""
    canaries = loader.load_canaries()
    used = {host for platform in platforms.values() for host in hosts_of(platform)} | set(canaries.innocuous)
    used |= {member.where for member in canaries.members} | set(canaries.ad_domains)
    assert len(set(canaries.http3)) == len(canaries.http3) >= 8
    assert set(canaries.http3) & used == set()


def test_a_name_gets_innocuous_names_of_its_own_length():
    """Or of the nearest, where the pool has none; never the name itself."""
    canaries = loader.load_canaries()
    assert {len(name) for name in canaries.innocuous_like("www.facebook.com")} == {16}
    assert {len(name) for name in canaries.innocuous_like("x" * 90)} == {40}
    assert "uu.se" not in canaries.innocuous_like("uu.se")


# ---------------------------------------------------------------------------------------------------------------------
# the user's own files over the shipped ones

OWN = """
id = "{id}"
category = "NEWS"
names = {{ en = "{name}" }}
services.web = {{ rule = "each", endpoints = ["https://own.example/"] }}
"""


def test_a_platform_of_the_users_is_added(tmp_path):
    """One TOML file and no code; it is in ``@default`` like any other."""
    (tmp_path / "own.toml").write_text(OWN.format(id="own", name="My Own"))
    catalogue = loader.load_catalogue(tmp_path)
    (own,) = [platform for platform in catalogue.platforms if platform.id == "own"]
    assert own.lists == ("default", "all")
    assert len(catalogue.platforms) == len(HOSTS) + 1


def test_a_platform_of_the_users_takes_the_place_of_a_shipped_one(tmp_path):
    """The same id means the same platform, and the user's word counts."""
    (tmp_path / "fb.toml").write_text(OWN.format(id="facebook", name="Facebook"))
    catalogue = loader.load_catalogue(tmp_path)
    (facebook,) = [platform for platform in catalogue.platforms if platform.id == "facebook"]
    assert [endpoint.url for endpoint in facebook.endpoints] == ["https://own.example/"]
    assert len(catalogue.platforms) == len(HOSTS)


def test_an_international_name_in_a_users_file_becomes_its_a_labels(tmp_path):
    """``Endpoint.host`` is what goes on the wire."""
    (tmp_path / "own.toml").write_text(OWN.format(id="own", name="O").replace("own.example", "пример.рф"))
    (own,) = [platform for platform in loader.load_catalogue(tmp_path).platforms if platform.id == "own"]
    assert own.endpoints[0].host == "xn--e1afmkfd.xn--p1ai"


def test_the_version_says_that_own_files_were_used(tmp_path):
    """A run with the user's files is told apart from one without."""
    assert loader.load_catalogue(tmp_path).version == loader.catalogue_version()
    (tmp_path / "own.toml").write_text(OWN.format(id="own", name="O"))
    assert loader.load_catalogue(tmp_path).version.startswith(loader.catalogue_version() + "+")


def test_a_family_of_canaries_of_the_users_takes_the_shipped_familys_place(tmp_path):
    """And leaves the other families as they are."""
    (tmp_path / "canaries.toml").write_text(
        'clock = [{ where = "ntp.one.example", operator = "One" }, { where = "ntp.two.example", operator = "Two" }]\n'
    )
    canaries = loader.load_canaries(tmp_path)
    assert [member.where for member in canaries.family("clock")] == ["ntp.one.example", "ntp.two.example"]
    assert [member.where for member in canaries.family("literal")] == FAMILIES["literal"]
    assert canaries.version == loader.load_canaries().version + "+own"


def test_no_directory_of_the_users_is_no_fault(tmp_path):
    """Most users have none."""
    assert loader.load_catalogue(tmp_path / "none") == loader.load_catalogue()
    assert loader.load_canaries(tmp_path / "none") == loader.load_canaries()


@pytest.mark.parametrize(
    ("configured", "environ", "expected"),
    [
        ("/srv/targets", {"HOME": "/home/a"}, "/srv/targets"),
        (None, {"HOME": "/home/a"}, "/home/a/.config/dalel/targets"),
        (None, {"HOME": "/home/a", "XDG_CONFIG_HOME": "/etc/xdg"}, "/etc/xdg/dalel/targets"),
    ],
)
def test_the_users_directory_is_the_setting_or_the_xdg_one(configured, environ, expected):
    """One place, found the same way by every command."""
    assert str(loader.user_directory(configured, environ)) == expected

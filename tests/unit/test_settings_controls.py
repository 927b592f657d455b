"""Where controls are named: on the command line, in the settings file, and their tokens in the environment."""

import pytest

from probe.settings.controls import Control, ControlError, parse, read_token, tokens_in, with_token
from probe.settings.file import SettingsError, load

PIN = "ab" * 32


def test_the_line_that_a_control_prints_is_read():
    """Host, port, token and certificate; the name is the host's."""
    told = parse(f"https://198.51.100.7:8443#token=abc-DEF_123&sha256={PIN}")
    assert told == Control(host="198.51.100.7", port=8443, name="198.51.100.7-8443", token="abc-DEF_123", sha256=PIN)
    assert told.vantage == "control:198.51.100.7-8443"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://Control.example", ("control.example", 443, "control.example")),
        ("https://control.example:8443/", ("control.example", 8443, "control.example-8443")),
        ("https://control.example:8443#name=Helsinki", ("control.example", 8443, "Helsinki")),
        ("https://[2001:db8::1]:8443", ("2001:db8::1", 8443, "2001-db8--1-8443")),
        ("https://[::1]:8443", ("::1", 8443, "control-8443")),
    ],
)
def test_addresses_in_their_forms(text, expected):
    """Names in lower case, IPv6 in brackets, a name of one's own."""
    told = parse(text)
    assert (told.host, told.port, told.name) == expected


WRONG = [
    "",
    "control.example:8443",
    "http://control.example",
    "https://",
    "https://control.example:99999",
    "https://control.example:0",
    "https://control.example/path",
    "https://control.example?x=1",
    "https://user@control.example",
    "https://user:secret-token@control.example",
    "https://control.example#secret-token",
    "https://control.example#token=",
    "https://control.example#token=secret-token&sha256=12",
    "https://control.example#token=secret-token&colour=red",
    "https://control.example#token=secret token",
    "https://control.example#token=secret-token&name=a/b",
    "https://con trol.example#token=secret-token",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_control_is_one_clear_error(text):
    """It says what is wrong and never quotes a token: such lines end up in logs."""
    with pytest.raises(ControlError) as raised:
        parse(text)
    assert "secret" not in str(raised.value)


def test_a_token_is_never_shown():
    """Not in what a traceback prints of it either."""
    assert "abcdefgh" not in repr(parse("https://control.example#token=abcdefgh"))


def test_one_token_serves_all_that_have_none(tmp_path):
    """From the variable, or from the first line of the file that it names."""
    file = tmp_path / "token"
    file.write_text("# the probe's\n  shared-token  \nanother\n")
    ours, other = parse("https://a.example#token=own-token"), parse("https://b.example")
    for environ in ({"DALEL_CONTROL_TOKEN": " shared-token "}, {"DALEL_CONTROL_TOKEN_FILE": str(file)}):
        assert [one.token for one in with_token((ours, other), environ)] == ["own-token", "shared-token"]
    assert tokens_in(str(file), "--token-file") == ("shared-token", "another")


def test_a_control_without_a_token_is_an_error(tmp_path):
    """As are two sources of one, a file without one, two controls of one name."""
    other = parse("https://b.example")
    with pytest.raises(ControlError, match=r"b\.example has no token"):
        with_token((other,), {})
    with pytest.raises(ControlError, match="both set"):
        read_token({"DALEL_CONTROL_TOKEN": "x", "DALEL_CONTROL_TOKEN_FILE": "y"})
    with pytest.raises(ControlError, match="cannot be read"):
        read_token({"DALEL_CONTROL_TOKEN_FILE": str(tmp_path / "nowhere")})
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ControlError, match="no token"):
        read_token({"DALEL_CONTROL_TOKEN_FILE": str(tmp_path / "empty")})
    with pytest.raises(ControlError, match="two controls"):
        with_token((other, other), {"DALEL_CONTROL_TOKEN": "x"})
    assert with_token((), {"DALEL_CONTROL_TOKEN": "x", "DALEL_CONTROL_TOKEN_FILE": "y"}) == ()


def settings_of(tmp_path, text):
    file = tmp_path / "config.toml"
    file.write_text(text)
    return load({}, config=str(file)).settings


def test_controls_of_the_settings_file(tmp_path):
    """Several, between other sections; a pasted line is taken apart, and keys beside it win."""
    found = settings_of(
        tmp_path,
        f"""
[check]
profile = "full"

[[control]]
url = "https://a.example:8443#token=abc&sha256={PIN}"
name = "Helsinki"

[[control]]  # the second
url = "https://b.example"
token = "def"

[network]
country = "KZ"
""",
    )
    assert found.country == "KZ"
    assert found.controls == (
        Control(host="a.example", port=8443, name="Helsinki", token="abc", sha256=PIN),
        Control(host="b.example", port=443, name="b.example", token="def"),
    )


def test_what_is_wrong_with_them_has_its_line(tmp_path):
    """All of it at once, and no token in it."""
    text = """[[control]]
url = "http://a.example"

[[control]]
url = "https://b.example"
colour = "red"
token = "secret-token"

[[control]]
url = 7

[check]
profile = "wrong"
"""
    with pytest.raises(SettingsError) as raised:
        settings_of(tmp_path, text)
    lines = [problem.partition("config.toml:")[2] for problem in raised.value.problems]
    assert [line.partition(":")[0] for line in lines] == ["1", "4", "9", "13"]
    assert "colour" in lines[1]
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("text", ['[control]\nurl = "https://a.example"\n', 'control = "https://a.example"\n'])
def test_one_bracket_too_few(tmp_path, text):
    """It says how it is written."""
    with pytest.raises(SettingsError, match=r"config.toml:1: .*\[\[control\]\]"):
        settings_of(tmp_path, text)


def test_config_show_shows_no_token(tmp_path, monkeypatch):
    """All of a control but what must stay with its owner."""
    from click.testing import CliRunner

    from probe.cli.config_cmd import command

    (tmp_path / "config.toml").write_text(
        f'[[control]]\nurl = "https://a.example:8443#token=secret-token&sha256={PIN}"\n'
    )
    monkeypatch.delenv("DALEL_CONFIG", raising=False)
    shown = CliRunner().invoke(command, ["show", "--config", str(tmp_path / "config.toml")]).output
    assert '[[control]]\nurl = "https://a.example:8443"\nname = "a.example-8443"' in shown
    assert PIN in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("socks5://127.0.0.1:9050", ("socks5", "127.0.0.1", 9050, "127.0.0.1-9050", None)),
        ("socks5h://tor.example:9050#name=Tor", ("socks5", "tor.example", 9050, "Tor", None)),
        ("http://proxy.example:3128", ("http", "proxy.example", 3128, "proxy.example-3128", None)),
        ("socks5://me:se%20cret@[::1]:1080", ("socks5", "::1", 1080, "control-1080", ("me", "se cret"))),
    ],
)
def test_a_proxy_may_stand_in_for_a_control(text, expected):
    """With its port, and a login before the host; it has no token, and its password is never shown."""
    told = parse(text)
    assert (told.scheme, told.host, told.port, told.name, told.login) == expected
    assert told.is_proxy
    assert not parse("https://control.example#token=abc").is_proxy
    assert "cret" not in repr(told)
    assert with_token((told,), {}) == (told,)


WRONG_PROXIES = [
    "socks5://127.0.0.1",
    "http://proxy.example",
    "socks4://127.0.0.1:1080",
    "socks5://127.0.0.1:9050#token=secret-token",
    "socks5://127.0.0.1:9050#sha256=" + PIN,
    "socks5://:secret@127.0.0.1:9050",
    f"socks5://{'u' * 256}:secret@127.0.0.1:9050",
]


@pytest.mark.parametrize("text", WRONG_PROXIES)
def test_what_is_no_proxy_is_one_clear_error(text):
    """Its port must be named; what only a control has is refused; no password is quoted."""
    with pytest.raises(ControlError) as raised:
        parse(text)
    assert "secret" not in str(raised.value)


def test_a_typed_token_serves_those_without_one():
    """Before the environment's, and never for a proxy."""
    ours, other, proxy = parse("https://a.example#token=own-token"), parse("https://b.example"), parse("http://c:1")
    found = with_token((ours, other, proxy), {"DALEL_CONTROL_TOKEN": "of-the-environment"}, "typed-token")
    assert [one.token for one in found] == ["own-token", "typed-token", None]
    with pytest.raises(ControlError):
        with_token((other,), {}, "typed token")


def test_a_country_is_two_letters():
    """As typed, and in the file beside a pasted line."""
    assert parse("https://a.example#token=t&country=DE").country == "DE"
    for wrong in ("Germany", "de", "D1"):
        with pytest.raises(ControlError):
            parse(f"https://a.example#token=t&country={wrong}")

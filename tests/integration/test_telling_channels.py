"""Each channel against a real server on loopback: what arrives, and what is said of every way to fail."""

import asyncio
import json
import socket
import threading
from importlib.resources import files

import jsonschema
import pytest

from probe.daemon.telling.channels import send
from probe.daemon.telling.means import Limits, Means
from probe.daemon.telling.messages import Style, a_test, compose
from probe.settings.notify import channel_from_table
from probe.wire import Wire
from tests.integration import telling_world
from tests.ports import free_port
from tests.unit.test_telling_messages import CLOSED, NOW, OPENED, style

pytestmark = pytest.mark.anyio
MESSAGE = compose([OPENED, CLOSED], style("ru"), NOW)
LIMITS = Limits(connect_s=10, step_s=10, message_s=30)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    return telling_world.certificate(tmp_path_factory.mktemp("certificate"))


def means(shown, limits=LIMITS):
    return Means(wire=Wire(), trust=lambda: shown.trust, limits=limits, probe="Almaty")


def web_channel(kind, port, path, scheme="https", **more):
    return channel_from_table({"kind": kind, "url": f"{scheme}://localhost:{port}{path}", **more})


def mail_channel(port, scheme, **more):
    return channel_from_table(
        {"kind": "email", "url": f"{scheme}://localhost:{port}", "from": "probe@a.example", "to": ["me@b.example"]}
        | more
    )


# webhook and ntfy


async def test_a_webhook_gets_the_document_of_its_schema(tmp_path, shown):
    """Over a verified chain, with its token and its id, and nothing of this computer."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        channel = web_channel("webhook", web.secure, "/hook?x=1", token="abc")
        sent = await send(channel, MESSAGE, means(shown))
        (body,) = await web.bodies(1)
        (asked,) = web.asked()

    assert sent.ok, sent.said
    schema = json.loads(files("probe.schema").joinpath("event.json").read_text())
    jsonschema.validate(body, schema, jsonschema.Draft202012Validator)
    assert (asked["uri"], asked["authorization"], asked["key"]) == ("/hook?x=1", "Bearer abc", MESSAGE.id)
    assert asked["agent"].startswith("dalel/")
    assert (body["title"], body["test"], body["probe"]) == (MESSAGE.title, False, "Almaty")
    assert [event["id"] for event in body["events"]] == ["i1/1", "i1/2"]
    assert body["incident"]["began_after"] == "2026-11-22T15:50:30.000000Z"


async def test_a_test_message_is_a_document_too(tmp_path, shown):
    """With no incident in it."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        message = a_test(style(), NOW)
        sent = await send(web_channel("webhook", web.plain, "/", "http"), message, means(shown))
        (body,) = await web.bodies(1)

    assert sent.ok
    jsonschema.validate(body, json.loads(files("probe.schema").joinpath("event.json").read_text()))
    assert (body["test"], body["incident"], body["events"]) == (True, None, [])


async def test_ntfy_gets_json_at_its_root(tmp_path, shown):
    """The topic is in the body, Cyrillic stays Cyrillic, and the same message has the same number in the sequence."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        channel = web_channel("ntfy", web.secure, "/my-topic")
        for _ in range(2):
            assert (await send(channel, MESSAGE, means(shown))).ok
        first, second = await web.bodies(2)
        assert {asked["uri"] for asked in web.asked()} == {"/"}

    assert first == second
    assert (first["topic"], first["title"], first["sequence_id"]) == ("my-topic", MESSAGE.title, MESSAGE.id)
    assert first["tags"] == ["white_check_mark"]


@pytest.mark.parametrize(
    ("path", "said", "refused"),
    [("/gone", "answered 410", True), ("/busy", "answered 503", False), ("/away", "sends to another address", True)],
)
async def test_an_answer_that_is_no_yes_is_said_as_it_was(tmp_path, shown, path, said, refused):
    """And no redirect is followed: it could lead anywhere."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        sent = await send(web_channel("webhook", web.plain, path, "http"), MESSAGE, means(shown))

    assert (sent.ok, sent.reached, sent.refused) == (False, True, refused)
    assert said in sent.said


async def test_nothing_is_sent_where_the_certificate_is_not_right(tmp_path, shown):
    """Somebody in between with a certificate of their own reads nothing."""
    other = tmp_path / "other"
    other.mkdir()
    async with telling_world.web(tmp_path / "web", shown) as web:
        sent = await send(web_channel("webhook", web.secure, "/"), MESSAGE, means(telling_world.certificate(other)))
        asked = web.asked()

    assert (sent.ok, asked) == (False, [])
    assert "ssl_" in sent.said


async def test_nobody_there_is_said_and_not_raised(shown):
    """A closed port, and a name that there is not."""
    closed = web_channel("webhook", free_port(), "/", "http")
    nameless = channel_from_table({"kind": "webhook", "url": "http://no-such-name.invalid/"})

    sent = await send(closed, MESSAGE, means(shown))
    assert (sent.ok, sent.reached) == (False, False)
    assert "connection_refused" in sent.said
    assert not (await send(nameless, MESSAGE, means(shown, Limits(connect_s=2)))).ok


async def test_somebody_who_says_nothing_is_left_in_time(shown):
    """The time of a message ends, whatever the other side does."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = web_channel("webhook", silent.getsockname()[1], "/", "http")
        sent = await send(channel, MESSAGE, means(shown, Limits(connect_s=5, step_s=5, message_s=0.3)))

    assert (sent.ok, sent.reached) == (False, False)
    assert "no answer within 0.3 s" in sent.said


# e-mail


@pytest.mark.parametrize("scheme", ["smtps", "smtp", "smtp-plain"])
async def test_a_letter_arrives_as_it_should(shown, scheme, monkeypatch):
    """Encrypted as the address says, with a login, in UTF-8, and with nothing in it about this computer."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "aigerims-laptop.example.org")
    async with telling_world.mail(shown, at_once=scheme == "smtps") as server:
        login = {} if scheme == "smtp-plain" else {"user": "u", "password": "p"}
        sent = await send(mail_channel(server.port, scheme, **login), MESSAGE, means(shown))

    assert sent.ok, sent.said
    assert "1 of 1" in sent.said
    (letter,) = server.letters
    assert server.encrypted == [scheme != "smtp-plain"]
    assert server.logins == ([("u", "p")] if login else [])
    assert set(server.greeted) == {"[127.0.0.1]"}
    assert (letter["Subject"], letter["Auto-Submitted"]) == (MESSAGE.title, "auto-generated")
    assert letter["Message-ID"] == f"<{MESSAGE.id}@dalel.invalid>"
    assert letter.get_content().split("\r\n")[:-1] == MESSAGE.text.split("\n")
    assert not [name for name in (socket.gethostname(), "aigerim") if name in letter.as_string()]


async def test_a_server_that_hides_encryption_gets_nothing(shown):
    """Somebody on the way may have taken the offer out."""
    async with telling_world.mail(shown, offers=("AUTH PLAIN",)) as server:
        sent = await send(mail_channel(server.port, "smtp", user="u", password="p"), MESSAGE, means(shown))

    assert (sent.ok, sent.refused, server.letters, server.logins) == (False, True, [], [])
    assert "nothing was sent" in sent.said


@pytest.mark.parametrize(
    ("answers", "said", "refused"),
    [
        ({"AUTH": "535 5.7.8 no"}, "refused user or password (535)", True),
        ({"RCPT": "550 5.1.1 unknown"}, "refused every address: 550", True),
        ({"DATA": "451 4.3.0 later"}, "said 451: 4.3.0 later", False),
        ({"MAIL": "552 5.2.2 full"}, "said 552", True),
    ],
)
async def test_a_refusal_is_said_with_its_number(shown, answers, said, refused):
    """Whether it is worth trying soon again is read from it."""
    async with telling_world.mail(shown, answers=answers) as server:
        sent = await send(mail_channel(server.port, "smtp", user="u", password="hush"), MESSAGE, means(shown))

    assert (sent.ok, sent.refused, server.letters) == (False, refused, [])
    assert said in sent.said
    assert "hush" not in sent.said


async def test_what_a_mail_server_says_of_our_address_is_not_repeated(shown):
    """It names the public address of whoever sends from a home line; that belongs in no log and in no database."""
    words = "554 5.7.1 Service unavailable; Client host [203.0.113.7] h-203-0-113-7.isp.example blocked, <me@b.example>, 2001:db8::7"
    async with telling_world.mail(shown, answers={"MAIL": words}) as server:
        sent = await send(mail_channel(server.port, "smtp-plain"), MESSAGE, means(shown))

    assert sent.said == "the mail server said 554: 5.7.1 Service unavailable; Client host … blocked, …"


async def test_one_of_two_addresses_refused_is_said_honestly(shown):
    """It went to one of them."""
    async with telling_world.mail(shown, answers={"RCPT TO:<YOU": "550 unknown"}) as server:
        channel = mail_channel(server.port, "smtp", to=["me@b.example", "you@b.example"])
        sent = await send(channel, MESSAGE, means(shown))

    assert sent.ok
    assert "1 of 2" in sent.said


async def test_a_certificate_of_somebody_else_ends_it(shown, tmp_path):
    """Before user and password are said."""
    other = telling_world.certificate(tmp_path)
    async with telling_world.mail(shown, at_once=True) as server:
        sent = await send(mail_channel(server.port, "smtps", user="u", password="p"), MESSAGE, means(other))

    assert (sent.ok, sent.refused, server.logins) == (False, True, [])
    assert "certificate" in sent.said


@pytest.mark.parametrize("verb", ["EHLO", "DATA"])
async def test_a_mail_server_that_hangs_is_left_and_its_thread_ends(shown, verb):
    """The connection is cut under it, so nothing stays behind."""
    async with telling_world.mail(shown, hangs=verb) as server:
        limits = Limits(connect_s=5, step_s=60, message_s=1.0)
        sent = await send(mail_channel(server.port, "smtp-plain"), MESSAGE, means(shown, limits))
        for _ in range(200):
            if not [thread for thread in threading.enumerate() if thread.name == "dalel-mail"]:
                break
            await asyncio.sleep(0.02)

    assert not sent.ok
    assert "took longer than 1 s" in sent.said
    assert not [thread for thread in threading.enumerate() if thread.name == "dalel-mail"]


# apprise


async def test_without_apprise_its_channel_says_what_to_install(shown, monkeypatch):
    """And nothing else is troubled."""
    monkeypatch.setattr("probe.daemon.telling.others.is_there", lambda: False)
    channel = channel_from_table({"kind": "apprise", "url": "json://localhost/"})
    sent = await send(channel, MESSAGE, means(shown))

    assert (sent.ok, sent.refused) == (False, True)
    assert "dalel[notify]" in sent.said


def test_the_style_of_a_channel_is_its_own():
    """A message to two channels has two ids: what is a repetition for one is news for the other."""
    other = Style(words=style().words, local=style().local, channel="desk")

    assert compose([OPENED], style(), NOW).id != compose([OPENED], other, NOW).id


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own
async def test_apprise_sends_through_a_service_of_its_own(tmp_path, shown):
    """With its own client; the address is Apprise's form of a JSON webhook."""
    async with telling_world.web(tmp_path / "web", shown) as web:
        channel = channel_from_table({"kind": "apprise", "url": f"json://127.0.0.1:{web.plain}/hook"})
        sent = await send(channel, MESSAGE, means(shown))
        assert sent.ok, sent.said
        (body,) = await web.bodies(1)
        failed = await send(
            channel_from_table({"kind": "apprise", "url": f"json://127.0.0.1:{web.plain}/gone"}), MESSAGE, means(shown)
        )
        unknown = await send(channel_from_table({"kind": "apprise", "url": "nosuchservice://x"}), MESSAGE, means(shown))

    assert (sent.ok, failed.ok, unknown.ok, unknown.refused) == (True, False, False, True)
    assert (body["title"], body["message"].splitlines()[0]) == (MESSAGE.title, MESSAGE.text.splitlines()[0])

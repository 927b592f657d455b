"""Channels and quiet times as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.settings.file import SettingsError, load
from probe.settings.notify import Channel, NotifyError, Quiet, channel_from_table, quiet_from_table

MAIL = {"kind": "email", "url": "smtps://mail.example", "from": "a@b.example", "to": "c@d.example"}
SECRET = "hush-hush"


def written(folder, text):
    path = folder / "config.toml"
    path.write_text(text)
    return str(path)


def test_every_kind_of_channel_can_be_written():
    """With its defaults: the name is the kind, the port the scheme's."""
    ntfy = channel_from_table({"kind": "ntfy", "url": "https://ntfy.sh/topic", "language": "kk"})
    mail = channel_from_table(MAIL | {"user": "u", "password": SECRET, "to": ["x@y.example", "z@y.example"]})
    log = channel_from_table({"kind": "log", "events": ["closed", "opened"]})

    assert (ntfy.name, ntfy.host, ntfy.port, ntfy.language, ntfy.is_remote) == ("ntfy", "ntfy.sh", 443, "kk", True)
    assert (mail.port, mail.to, mail.sender) == (465, ("x@y.example", "z@y.example"), "a@b.example")
    assert (log.is_remote, log.events) == (False, ("opened", "closed"))


def test_one_address_can_hold_a_whole_mail_account():
    """For a variable of the environment."""
    mail = channel_from_table(
        {"kind": "email", "url": "smtp://me%40b.example:p%40ss@mail.example?to=c@d.example,e@f.example"}
    )

    assert (mail.user, mail.password, mail.sender) == ("me@b.example", "p@ss", "me@b.example")
    assert mail.to == ("c@d.example", "e@f.example")
    assert mail.url == "smtp://mail.example:587"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "pigeon"}, "kind must be one of"),
        ({"kind": "ntfy"}, "no url"),
        ({"kind": "ntfy", "url": "https://ntfy.sh/"}, "TOPIC"),
        ({"kind": "ntfy", "url": "https://ntfy.sh/a/b"}, "TOPIC"),
        ({"kind": "ntfy", "url": "ftp://ntfy.sh/a"}, "TOPIC"),
        ({"kind": "webhook", "url": "https://u:p@h.example/"}, "use token"),
        ({"kind": "webhook", "url": "https://h.example:0/"}, "must read"),
        ({"kind": "webhook", "url": "https://h.example/", "to": "a@b.c"}, "for email"),
        ({"kind": "webhook", "url": "https://h.example/", "token": "a b"}, "token"),
        ({"kind": "webhook", "url": "https://h.example/\n"}, "characters"),
        ({"kind": "log", "url": "https://h.example/"}, "no more"),
        ({"kind": "ntfy", "url": "https://ntfy.sh/a", "name": "two words"}, "name"),
        ({"kind": "ntfy", "url": "https://ntfy.sh/a", "colour": "red"}, 'no "colour"'),
        ({"kind": "ntfy", "url": "https://ntfy.sh/a", "events": ["ended"]}, "events must be"),
        ({"kind": "ntfy", "url": "https://ntfy.sh/a", "language": "de"}, "language must be"),
        (MAIL | {"user": "u"}, "belong together"),
        (MAIL | {"from": "nobody"}, "from must be"),
        (MAIL | {"to": ["x"]}, "to must be"),
        (MAIL | {"to": "a@b.example\r\nBcc: x@y.example"}, "to must be"),
        (MAIL | {"url": "smtp-plain://mail.example", "user": "u", "password": SECRET}, "readable on the way"),
        ({"kind": "apprise", "url": "nonsense"}, "Apprise"),
    ],
)
def test_a_channel_that_is_wrong_is_told_in_words_without_its_secrets(table, words):
    """What is wrong, and never what the secret is."""
    with pytest.raises(NotifyError) as caught:
        channel_from_table(table)

    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_secret_may_be_in_a_file(tmp_path):
    """For Docker's and systemd's secrets; one that is named and not there is an error."""
    (tmp_path / "token").write_text(f"{SECRET}\n")
    table = {"kind": "webhook", "url": "https://h.example/"}

    assert channel_from_table(table | {"token_file": str(tmp_path / "token")}).token == SECRET
    for wrong in ({"token_file": str(tmp_path / "no")}, {"token_file": "x", "token": "y"}, {"token_file": 3}):
        with pytest.raises(NotifyError):
            channel_from_table(table | wrong)


def test_no_secret_is_in_what_a_channel_looks_like():
    """Neither in its repr, which may end up in a bug report, nor in its address as shown."""
    channel = channel_from_table({"kind": "webhook", "url": f"https://h.example/{SECRET}", "token": SECRET})

    assert SECRET not in repr(channel) + channel.shown
    assert channel.shown == "https://h.example/***"


def test_the_file_has_channels_and_quiet_times(tmp_path):
    """In their own sections, beside the short form."""
    path = written(
        tmp_path,
        '[notify]\nremind_hours = 0\n[[notify.channel]]\nkind = "log"\n'
        '[[notify.quiet]]\nfrom = "23:00"\nuntil = "07:00"\ndays = ["sun", "mon"]\nthen = "never"\n',
    )
    notify = load({"DALEL_NOTIFY_NTFY": "https://ntfy.sh/topic"}, config=path).settings.notify

    assert [channel.kind for channel in notify.channels] == ["log", "ntfy"]
    assert notify.quiet == (Quiet(begins=1380, ends=420, days=("mon", "sun"), later=False),)
    assert notify.remind_hours == 0


def test_a_short_form_may_be_in_a_file(tmp_path):
    """`DALEL_NOTIFY_NTFY_FILE`, as with every secret."""
    (tmp_path / "ntfy").write_text("https://ntfy.sh/topic\n")
    notify = load({"DALEL_NOTIFY_NTFY_FILE": str(tmp_path / "ntfy")}).settings.notify

    assert [channel.url for channel in notify.channels] == ["https://ntfy.sh/topic"]


def test_a_short_form_that_is_wrong_is_called_as_it_was_given(tmp_path):
    """Who has set a variable and no file is not sent to look for a file."""
    (tmp_path / "ntfy").write_text("ntfy.sh/topic\n")
    for environ in ({"DALEL_NOTIFY_NTFY": "ntfy.sh/topic"}, {"DALEL_NOTIFY_NTFY_FILE": str(tmp_path / "ntfy")}):
        with pytest.raises(SettingsError) as caught:
            load(environ)
        assert str(caught.value).startswith(f"{next(iter(environ))}: its url must read https://HOST/TOPIC")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[notify.channel]]\nkind = "ntfy"\n', ":1: [[notify.channel]]: it has no url"),
        ("[notify]\nchannel = 3\n", ":2: a channel is written as [[notify.channel]]"),
        ('[[notify.quiet]]\nfrom = "25:00"\nuntil = "7"\n', ":1: [[notify.quiet]]: from must be a time"),
        ('[notify]\nntfy = "https://ntfy.sh"\n', ":2: [notify] ntfy: its url must read"),
        ('[notify]\nntfy = "x"\nemail = "me@a.b"\nwebhook = "ftp://x"\n', ":3: [notify] email: its url must read"),
        ('[[notify.channel]]\nkind = "log"\n[[notify.channel]]\nkind = "log"\n', "two channels are called log"),
        ("[notify]\nremind_hours = -1\n", ":2: [notify] remind_hours"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(tmp_path, text, words):
    """As of every other setting."""
    with pytest.raises(SettingsError) as caught:
        load({}, config=written(tmp_path, text))

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"from": "23:00"}, "until must be"),
        ({"from": "23:00", "until": "23:00"}, "for a whole day".capitalize()),
        ({"from": "24:00", "until": "07:00"}, "from must be"),
        ({"from": "23:00", "until": "07:00", "days": ["someday"]}, "days must be"),
        ({"from": "23:00", "until": "07:00", "then": "maybe"}, "then must be"),
        ({"from": "23:00", "until": "07:00", "when": "x"}, 'no "when"'),
    ],
)
def test_a_quiet_time_that_is_wrong_is_told_in_words(table, words):
    """What to write instead."""
    with pytest.raises(NotifyError) as caught:
        quiet_from_table(table)

    assert words in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(["kind", "url", "token", "from", "to", "name", "events"]), st.text() | st.integers()
    )
)
def test_any_table_is_a_channel_or_an_error_in_words(table):
    """Whatever somebody writes, it never ends in a traceback."""
    with contextlib.suppress(NotifyError):
        assert isinstance(channel_from_table(table | {"kind": table.get("kind", "webhook")}), Channel)

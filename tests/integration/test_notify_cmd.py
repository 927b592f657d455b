"""`dalel notify` and `dalel config` as they are typed: what was sent is said, and no secret is shown."""

import threading
from contextlib import contextmanager

import pytest

from probe.daemon.telling.items import to_payload
from storage import outbox
from storage.archive import Archive
from tests.integration import telling_world
from tests.integration.command import dalel, modules_after
from tests.integration.test_telling_teller import START, happened
from tests.ports import free_port

SECRET = "hush-hush"


@contextmanager
def web(folder):
    """nginx beside a command that is run from here."""
    import asyncio

    shown = telling_world.certificate(folder)
    ready, over, made = threading.Event(), threading.Event(), []

    async def serve():
        async with telling_world.web(folder / "web", shown) as served:
            made.append(served)
            ready.set()
            await asyncio.to_thread(over.wait, 120)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(60)
    try:
        yield made[0], shown
    finally:
        over.set()
        thread.join()


def written(home, text):
    path = home / "config.toml"
    path.write_text(text)
    return str(path)


def test_each_channel_says_what_came_of_it(tmp_path):
    """One that takes it and one that does not: both are told, and the exit code is 1."""
    with web(tmp_path) as (server, shown):
        config = written(
            tmp_path,
            f'[[notify.channel]]\nkind = "webhook"\nname = "good"\nurl = "https://localhost:{server.secure}/{SECRET}"\n'
            f'[[notify.channel]]\nkind = "ntfy"\nname = "bad"\nurl = "http://127.0.0.1:{free_port()}/{SECRET}"\n',
        )
        both = dalel(tmp_path, "notify", "test", "--config", config, SSL_CERT_FILE=str(shown.chain))
        one = dalel(
            tmp_path, "notify", "test", "good", "--config", config, "--language", "kk", SSL_CERT_FILE=str(shown.chain)
        )
        asked = server.asked()

    good, bad = both.stdout.splitlines()
    assert good.startswith("good (webhook, localhost): taken.")
    assert good.endswith("the server answered 200")
    assert bad.startswith("bad (ntfy, 127.0.0.1): NOT SENT.")
    assert (both.returncode, one.returncode, len(asked)) == (1, 0, 2)
    assert "сынақ хабарламасы" in asked[1]["body"]
    assert SECRET not in both.stdout + both.stderr


def test_a_dry_run_sends_nothing(tmp_path):
    """And says where it would go, without the topic."""
    done = dalel(
        tmp_path, "notify", "test", "--dry-run", DALEL_NOTIFY_NTFY=f"https://ntfy.example/{SECRET}", LANG="ru_RU.UTF-8"
    )

    assert done.returncode == 0
    assert "ntfy: to https://ntfy.example/***" in done.stdout
    assert "Это проверка" in done.stdout
    assert SECRET not in done.stdout


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        ((), {}, "no channel is set up"),
        (("desk",), {"DALEL_NOTIFY_NTFY": "https://ntfy.example/t"}, "there is no channel desk. There are: ntfy."),
        ((), {"DALEL_NOTIFY_EMAIL": f"smtps://u:{SECRET}@mail.example"}, "DALEL_NOTIFY_EMAIL: from must be an address"),
        (
            (),
            {"DALEL_NOTIFY_WEBHOOK": f"https://u:{SECRET}@h.example/"},
            "DALEL_NOTIFY_WEBHOOK: its url may hold no user",
        ),
    ],
)
def test_what_is_wrong_is_one_clear_error(tmp_path, words, environ, said):
    """Exit code 2, and nothing secret in it."""
    done = dalel(tmp_path, "notify", "test", *words, **environ)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert SECRET not in done.stderr


def test_the_log_and_the_terminal_can_be_tested_too(tmp_path):
    """Each is written where it would be."""
    config = written(tmp_path, '[[notify.channel]]\nkind = "log"\n[[notify.channel]]\nkind = "terminal"\n')
    done = dalel(tmp_path, "notify", "test", "--config", config)

    assert done.returncode == 0
    assert '"event":"test"' in done.stderr.replace(" ", "")
    assert "Dalel: a test message" in done.stdout


def test_config_shows_channels_without_their_secrets(tmp_path):
    """What could be kept as a file, but for what must not be read over a shoulder."""
    config = written(
        tmp_path,
        f'[notify]\nwebhook = "https://h.example/{SECRET}"\n'
        f'[[notify.channel]]\nkind = "email"\nurl = "smtps://mail.example"\nuser = "{SECRET}@a.example"\npassword = "{SECRET}"\n'
        'to = "me@b.example"\n[[notify.quiet]]\nfrom = "23:00"\nuntil = "24:00"\n',
    )
    done = dalel(tmp_path, "config", "show", "--origin", "--config", config)

    assert done.returncode == 0
    assert 'webhook = "***"' in done.stdout
    assert '[[notify.channel]]\nkind = "email"' in done.stdout
    assert "# password is not shown" in done.stdout
    assert 'until = "24:00"' in done.stdout
    assert f'{SECRET}"' not in done.stdout
    assert "smtps://mail.example" in done.stdout


def test_what_waits_is_shown_with_the_reason(tmp_path):
    """One line a message, whatever goes in it, oldest first; nothing secret in it."""
    environ = {"DALEL_NOTIFY_NTFY": f"https://ntfy.example/{SECRET}", "DALEL_DATA_DIR": str(tmp_path)}
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        told = outbox.Message(made_us=START, incident="x", channel="ntfy", payload=to_payload(happened("telegram")))
        numbers = outbox.put(archive, [told, told]).result()
        outbox.failed(archive, numbers, next_us=START, trouble="ntfy.example was not reached: eof_error").result()
    done = dalel(tmp_path, "notify", "waiting", LANG="kk_KZ.UTF-8", **environ)
    nothing = dalel(tmp_path, "notify", "waiting", DALEL_DATA_DIR=str(tmp_path))

    assert done.stdout == ("2026-11-22 16:00 UTC  ntfy: Бұғаттау: Telegram (ntfy.example was not reached: eof_error)\n")
    assert nothing.stdout == "No message waits.\n1 more is of channels that these settings do not have: ntfy.\n"


def test_help_has_the_topic_and_the_schema_is_printed(tmp_path):
    """For whoever sets it up."""
    assert "[[notify.quiet]]" in dalel(tmp_path, "help", "notify").stdout
    assert '"dalel.event/1"' in dalel(tmp_path, "schema", "event").stdout


def test_no_channel_costs_memory_before_it_is_used(tmp_path):
    """A daemon without e-mail, Apprise and metrics imports none of them."""
    import subprocess
    import sys

    code = "import sys, probe.daemon.telling.teller; print(*sorted(sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )

    assert not loaded & {
        "smtplib",
        "email.message",
        "apprise",
        "httpx",
        "probe.daemon.metrics",
        "probe.daemon.telling.web",
    }
    assert "apprise" not in modules_after(tmp_path, ("notify", "test", "--dry-run"))

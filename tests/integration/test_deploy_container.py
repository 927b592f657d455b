"""The container: its Dockerfile and compose.yaml say what they should, and its steps make a program that runs as it will.

There is no engine where tests run. So each step is done by hand: the files that are copied, the installation, and then the
program as an ordinary user without capabilities on a root file system that nobody can write.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UID = 10001


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def only(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


KNOWN = {
    "FROM",
    "WORKDIR",
    "COPY",
    "RUN",
    "LABEL",
    "ENV",
    "USER",
    "VOLUME",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ENTRYPOINT",
    "CMD",
}


def test_the_dockerfile_keeps_the_rules() -> None:
    """Two stages from one pinned base, hashes, a fixed user by number, words as lists, nothing fetched, no capability."""
    assert {word for word, _ in instructions()} <= KNOWN
    first, second = only("FROM")
    assert first == f"{second} AS build"
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", second)
    assert only("USER") == [f"{UID}:{UID}"]
    words = [word for word, _ in instructions()]
    assert words.index("USER") > max(index for index, word in enumerate(words) if word == "RUN")
    assert "--require-hashes -r requirements.lock" in " ".join(only("RUN"))
    assert not re.search(r"\b(curl|wget|apt|sudo|chmod 777|setcap)\b", " ".join(only("RUN")))
    for name in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(only(name)[0]), list)
    assert json.loads(only("HEALTHCHECK")[0].split("CMD", 1)[1]) == ["dalel", "status", "--health"]
    assert (json.loads(only("ENTRYPOINT")[0]), json.loads(only("CMD")[0])) == (["dalel"], ["run"])
    assert "DALEL_DATA_DIR=/data" in only("ENV")[0]
    assert only("VOLUME") == ["/data"]


def test_everything_that_is_copied_is_there_and_sent() -> None:
    """What the wheel is made of is copied; what is copied is not left out by .dockerignore; nothing else is sent."""
    copied = {part for rest in only("COPY") if not rest.startswith("--from") for part in rest.split()[:-1]}
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) <= copied


def test_every_requirement_has_a_build_for_both_processors() -> None:
    """linux/amd64 and linux/arm64 need no compiler: no compiler is in the image, so each package has several builds."""
    lock = (ROOT / "requirements.lock").read_text()
    builds = {block.split("==")[0].strip().lower(): block.count("--hash=") for block in re.split(r"\n(?=\S)", lock)}
    for name in ("cffi", "cryptography", "pydantic-core", "sqlalchemy"):
        assert builds[name] > 10, name


def test_compose_gives_it_nothing_that_it_does_not_need() -> None:
    """Read-only root, no capability, no new privileges, one volume, bounded memory and logs, and consent not given."""
    text = (ROOT / "compose.yaml").read_text()
    for line in (
        "read_only: true",
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        "- dalel-data:/data",
        "restart: unless-stopped",
        "network_mode: host",
        "stop_grace_period: 90s",
    ):
        assert re.search(rf"^\s+{re.escape(line)}$", text, re.MULTILINE), line
    assert re.search(r"^\s+# DALEL_ACCEPT_RISK", text, re.MULTILINE)
    assert not re.search(r"^\s+DALEL_ACCEPT_RISK", text, re.MULTILINE)
    for word in ("privileged", "cap_add", "ports:", "/var/run"):
        assert word not in text


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """What `/opt/dalel` is in the image, made of the copied files alone; its dependencies are those of this environment."""
    # Not pytest's directory, which only its owner may enter.
    place = Path(tempfile.mkdtemp(prefix="dalel-image-"))
    try:
        place.chmod(0o755)
        _build(place)
        yield place
    finally:
        shutil.rmtree(place)


def _build(place: Path) -> None:
    source = place / "src"
    source.mkdir()
    for rest in only("COPY"):
        if rest.startswith("--from"):
            continue
        for name in rest.split()[:-1]:
            origin = ROOT / name
            if origin.is_dir():
                shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(origin, source / name)
    packages = place / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    done = subprocess.run(
        [*install, "--disable-pip-version-check", "--target", packages, source],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(source)
    for name in ("python", "dependencies", "data"):
        (place / name).mkdir()


READ_ONLY = """
set -e
mount -t tmpfs -o mode=0700,uid=10001,gid=10001 none "$DATA"
# The interpreter and the dependencies may be where only their owner may go.
mount --bind "$PYTHON" "$IMAGE/python"
mount --bind "$PACKAGES" "$IMAGE/dependencies"
mount -o remount,bind,ro /
cd "$DATA"
exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- \
  env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="$IMAGE/python/lib" DALEL_DATA_DIR="$DATA" PYTHONDONTWRITEBYTECODE=1 \
  PYTHONPATH="$IMAGE/site-packages:$IMAGE/dependencies" D="$IMAGE/python/bin/python3 -m probe" sh -c "$SCRIPT"
"""


def inside(image: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run *script* (``$D`` is the program) as the image's user, without capabilities, on a read-only root."""
    packages = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    environment = {
        "PATH": os.environ["PATH"],
        "DATA": str(image / "data"),
        "IMAGE": str(image),
        "PYTHON": sys.base_prefix,
        "PACKAGES": str(packages),
        "SCRIPT": script,
    }
    command = ["unshare", "-m", "sh", "-c", READ_ONLY]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, env=environment)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user on a root file system made read-only")
def test_it_runs_as_it_will_in_the_container(image: Path) -> None:
    """Another user, no capability, nothing to write but /data: version, health, plan, and a database with mode 0600."""
    script = """
touch /etc/x 2>/dev/null && echo WRITABLE
grep CapEff /proc/self/status
$D --version
$D status --health; echo code $?
$D check --dry-run facebook | head -1
$D run --dry-run | head -1
$D db prune --older-than 1d 2>&1; echo code $?
"""
    done = inside(image, script)
    assert "WRITABLE" not in done.stdout
    assert re.search(r"CapEff:\s+0000000000000000", done.stdout)
    assert "dalel" in done.stdout, done.stderr
    assert "unhealthy: There are no results yet" in done.stdout
    assert "code 1" in done.stdout
    assert "Traceback" not in done.stderr + done.stdout

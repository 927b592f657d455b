"""Certificates and pages that every lab of this process serves: files that are written once and only read afterwards.

Some 270 sites have three files each; to write them anew for every lab took a third of the time that a lab takes to start.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
import weakref
from dataclasses import dataclass, replace
from pathlib import Path

from tests.lab.authority import Authority, Kind
from tests.lab.world import Site


@dataclass(frozen=True, slots=True)
class Files:
    """Where a server's chain and its key are, and the directory of its page, ``NAME.html``."""

    chain: Path
    key: Path
    pages: Path

    def copy(self, directory: Path, name: str) -> None:
        """All three in *directory*, as ``NAME.pem``, ``NAME.key`` and ``NAME.html``."""
        for source in (self.chain, self.key, self.pages / f"{name}.html"):
            path = directory / f"{name}{source.suffix}"
            if path != source:
                path.write_bytes(source.read_bytes())


@functools.cache
def _directory(issuer: Authority) -> Path:
    """One for each authority, for as long as the process lives."""
    path = Path(tempfile.mkdtemp(prefix="dalel-lab-shelf-"))
    path.chmod(0o755)  # nginx's workers may be somebody else
    weakref.finalize(issuer, shutil.rmtree, path, ignore_errors=True)
    return path


def of(issuer: Authority, directory: Path, site: Site) -> Files:
    """A site's files; what it has for itself alone is in *directory*."""
    files = certificate(issuer, site.name, (site.name,), site.certificate)
    if not site.body:
        _once(files.pages / f"{site.name}.html", page(site))
        return files
    (directory / f"{site.name}.html").write_bytes(site.body)
    return replace(files, pages=directory)


def certificate(issuer: Authority, label: str, names: tuple[str, ...], kind: Kind = "good") -> Files:
    """The files of the certificate that *issuer* has given out for *names*; the page may be missing."""
    directory = _directory(issuer)
    files = Files(directory / f"{label}.{kind}.pem", directory / f"{label}.{kind}.key", directory)
    issued = issuer.issue(*names, kind=kind)
    _once(files.key, issued.key)
    _once(files.chain, issued.chain)
    return files


def page(site: Site) -> bytes:
    """A home page of some 30 KB with a title, unless the site has one of its own."""
    body = "".join(f"<p>{site.name}: paragraph {number}. {'Words of a page. ' * 12}</p>\n" for number in range(120))
    home = f"<!doctype html><html><head><title>{site.name}</title></head><body>{body}</body></html>"
    return site.body or home.encode()


_written: set[Path] = set()


def _once(path: Path, data: bytes) -> None:
    """Write a file that is not there yet. Labs start side by side: nobody may read half of one."""
    if path not in _written:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        fresh = Path(file.name)
        fresh.chmod(0o644)
        fresh.replace(path)
        _written.add(path)

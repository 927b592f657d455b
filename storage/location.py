"""Where the archive is. Pure: the environment is passed in and nothing is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from storage.errors import StorageError

FILE_NAME = "dalel.db"
_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One archive: a SQLite file (``path``) or a PostgreSQL ``url``, and the directories beside it.

    ``identity`` says which database a spool file belongs to: the file's name, or the URL without its password.
    """

    url: str
    path: Path | None
    data_dir: Path
    identity: str

    @property
    def shown(self) -> str:
        """How it is named to people: the file, or the URL without its password."""
        return str(self.path) if self.path is not None else self.identity

    @property
    def spool_dir(self) -> Path:
        """Results that the database could not take."""
        return self.data_dir / "spool"

    @property
    def backup_dir(self) -> Path:
        return self.data_dir / "backups"

    @property
    def lock_path(self) -> Path | None:
        """SQLite only; PostgreSQL has locks of its own."""
        return self.path.with_name(self.path.name + ".lock") if self.path is not None else None


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """``DALEL_DATA_DIR``, else ``$XDG_STATE_HOME/dalel``, else ``~/.local/state/dalel``.

    A relative ``XDG_STATE_HOME`` is ignored, as the XDG base directory specification demands.
    """
    if named := environ.get("DALEL_DATA_DIR"):
        return Path(named)
    state_home = environ.get("XDG_STATE_HOME", "")
    if state_home.startswith("/"):
        return Path(state_home) / "dalel"
    if home := environ.get("HOME"):
        return Path(home) / ".local" / "state" / "dalel"
    raise StorageError("Neither HOME nor DALEL_DATA_DIR is set, so there is no place for results. Set DALEL_DATA_DIR.")


def resolve(database: str | None, environ: Mapping[str, str], *, data_dir: str | None = None) -> Location:
    """The archive that *database* names (a URL or a path).

    Else that of ``DALEL_DATABASE_URL``, else ``dalel.db`` in the data directory. Raises :class:`StorageError` for what
    is no such thing.
    """
    named = database or environ.get("DALEL_DATABASE_URL")
    if named:
        if named.partition("://")[0] not in _POSTGRESQL:
            return parse(named)
        return parse(named, data_dir=Path(data_dir) if data_dir else default_data_dir(environ))
    return _file((Path(data_dir) if data_dir else default_data_dir(environ)) / FILE_NAME)


def parse(database: str, *, data_dir: Path | None = None) -> Location:
    """The archive that a URL or a path names; *data_dir* is where spool and copies of a server's database go."""
    scheme, separator, _rest = database.partition("://")
    if not separator:
        return _file(Path(database))
    if scheme in _SQLITE:
        return _sqlite(database)
    if scheme in _POSTGRESQL:
        return _postgresql(database, data_dir or Path())
    raise StorageError(
        f"{scheme}:// is no database that Dalel can use. Give a file, sqlite:///FILE or postgresql://USER@HOST/NAME."
    )


def _file(path: Path) -> Location:
    absolute = path.absolute()
    return Location(
        url=f"sqlite:///{quote(str(absolute))}", path=absolute, data_dir=absolute.parent, identity=absolute.name
    )


def _sqlite(url: str) -> Location:
    rest = url.partition("://")[2]
    path = rest.partition("?")[0].removeprefix("/")
    if not path or path == ":memory:":
        raise StorageError("A database in memory keeps nothing. Use --no-save, or name a file: sqlite:///FILE.")
    return _file(Path(unquote(path)))


def _postgresql(url: str, data_dir: Path) -> Location:
    parts = urlsplit(url)
    if not parts.path.strip("/"):
        raise StorageError("The database URL names no database. Give postgresql://USER@HOST/NAME.")
    user, _, host = parts.netloc.rpartition("@")
    visible = f"{user.partition(':')[0]}@{host}" if user else host
    # Connection parameters may follow the question mark, a password among them.
    harmless = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key in ("host", "port", "user")])
    return Location(
        url=f"postgresql+psycopg://{url.partition('://')[2]}",
        path=None,
        data_dir=data_dir.absolute(),
        identity=f"postgresql://{visible}{parts.path}{'?' if harmless else ''}{harmless}",
    )

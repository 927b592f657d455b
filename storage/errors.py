"""What can go wrong with the archive, in sentences for the person who has to do something about it."""

from __future__ import annotations


class StorageError(Exception):
    """The archive cannot be used as asked. The text is a whole sentence and says what to do; the command exits with 2."""


class NewerSchemaError(StorageError):
    """The database was written by a newer Dalel."""

    def __init__(self, where: str, found: str, known: str) -> None:
        super().__init__(
            f"The database {where} has schema {found}, but this version of Dalel knows schemas only up to {known}. "
            "Update Dalel, or name another file with --database."
        )
        self.found = found
        self.known = known


class NoDatabaseError(StorageError):
    """There is nothing to read yet."""

    def __init__(self, where: str) -> None:
        self.what = f"There are no results yet: {where} does not exist."
        super().__init__(f"{self.what} Run `dalel check` first.")

"""The archive: what was measured is kept, and given back as it was.

Importing this, :mod:`storage.archive` or :mod:`storage.location` does not import SQLAlchemy; opening an archive does, and
never imports Alembic where the database is new or current.
"""

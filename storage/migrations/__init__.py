"""The schema's history. A new revision: its file here, and its number in ``storage/revisions.py``.

There is no way back but the copy that is made before every upgrade.
"""

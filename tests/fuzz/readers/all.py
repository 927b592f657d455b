"""All readers there are."""

from __future__ import annotations

from tests.fuzz.harness import Subject
from tests.fuzz.readers import apps, controls, datagrams, greetings, names, pages, quic

SUBJECTS: tuple[Subject, ...] = (
    *names.SUBJECTS,
    *greetings.SUBJECTS,
    *datagrams.SUBJECTS,
    *quic.SUBJECTS,
    *pages.SUBJECTS,
    *controls.SUBJECTS,
    *apps.SUBJECTS,
)

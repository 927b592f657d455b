"""Nothing is measured around the clock before somebody has read what that means, and agreed.

The text is in ``probe/daemon/words``; its version is here. Who agreed to an earlier version is asked again. An answer is kept
with the version, the language in which the text was shown, the time, and how it was given.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from probe.daemon.words import Words, load
from probe.settings.notify import LANGUAGES, Language
from storage import consents
from storage.archive import Archive
from storage.consents import Consent

VERSION = "2026-11-22"
"""Of the text. A change of what it says, in any language, is a new version; a slip of the pen is none."""
VARIABLE = "DALEL_ACCEPT_RISK"
_YES = ("1", "true", "yes", "on")
_SOUNDS_LIKE_YES = ("ия",)
"""How it is written where there is no Kazakh keyboard."""
_MOST_QUESTIONS = 3
_WIDEST = 90


@dataclass(slots=True, kw_only=True)
class Asker:
    """Whether measuring is agreed to, and by whom. ``opt_ins``: what is switched on beside the default (``news`` …).

    ``accept_risk`` is the flag of the command line; ``screen`` is where people are spoken to.
    """

    language: Language
    accept_risk: bool
    environ: Mapping[str, str]
    screen: TextIO
    width: int = 80
    opt_ins: Sequence[str] = ()
    _shown: bool = field(default=False, init=False)

    async def agreed(self, archive: Archive, now_us: int) -> bool:
        """Without asking anybody: by what is kept, by the flag, or by the environment. Else the text is shown, once.

        May be called again and again; whoever agrees meanwhile, from another terminal, is noticed.
        """
        import asyncio

        if await asyncio.to_thread(self.is_agreed, archive):
            return True
        if how := self._unattended():
            await asyncio.wrap_future(consents.give(archive, self._consent(how, now_us)))
            return True
        if not self._shown:
            self._shown = True
            self._show((*self.text(newer=False), self._words.say("consent.how"), self._words.say("consent.idle")))
        return False

    def ask(self, archive: Archive, now_us: int, answers: TextIO) -> bool:
        """Show the text on a terminal and read the answer from *answers*. An agreement is kept; a refusal is not."""
        if self.is_agreed(archive):
            return True
        how = self._unattended()
        if how is None:
            self._show(self.text(newer=consents.last(archive.reader.database) is not None))
            if not self._says_yes(answers):
                self._show((self._words.say("consent.refused"),))
                return False
            how = "terminal"
        consents.give(archive, self._consent(how, now_us)).result()
        self._show((self._words.say("consent.accepted"),))
        return True

    def is_agreed(self, archive: Archive) -> bool:
        """Whether somebody has agreed to this version of the text."""
        last = consents.last(archive.reader.database)
        return last is not None and last.version == VERSION

    def show(self) -> None:
        """The text, and how one agrees without a terminal."""
        self._show((*self.text(newer=False), self._words.say("consent.how")))

    def text(self, *, newer: bool) -> Iterator[str]:
        """The text, a paragraph each."""
        words = self._words
        if newer:
            yield words.say("consent.newer")
        yield words.say("consent.title")
        yield from words.say("consent.body").strip().split("\n\n")
        if self.opt_ins:
            yield words.say("consent.on", names=", ".join(self.opt_ins))

    # pieces

    @property
    def _words(self) -> Words:
        """Of its language; English where the screen cannot show the letters."""
        words = load(self.language)
        try:
            words.say("consent.body").encode(self.screen.encoding or "utf-8")
        except UnicodeEncodeError:
            return load("en")
        return words

    def _unattended(self) -> str | None:
        if self.accept_risk:
            return "flag"
        return "environment" if self.environ.get(VARIABLE, "").strip().lower() in _YES else None

    def _consent(self, how: str, now_us: int) -> Consent:
        return Consent(version=VERSION, language=self._words.language, at_us=now_us, how=how)

    def _says_yes(self, answers: TextIO) -> bool:
        """The whole word, in any of the languages. Anything else is asked again; an empty line or the end is a no."""
        yes = {load(language).say("consent.yes") for language in LANGUAGES} | set(_SOUNDS_LIKE_YES)
        for _ in range(_MOST_QUESTIONS):
            self.screen.write(f"{self._words.say('consent.ask')}: ")
            self.screen.flush()
            said = answers.readline().strip().lower().strip("\"'«».")
            if said in yes:
                return True
            if not said:
                return False
        return False

    def _show(self, paragraphs: Sequence[str] | Iterator[str]) -> None:
        width = max(40, min(self.width, _WIDEST))
        for paragraph in paragraphs:
            text = "\n".join(textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False))
            self.screen.write(f"{text}\n\n")
        self.screen.flush()

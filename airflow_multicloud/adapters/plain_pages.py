"""Entries of a listing's XML page, by one regular expression where they are all plain.

Parsers take several times as long, and are most of what a listing costs. So that nothing is read
otherwise than a parser reads it, an entry is plain only in the form that its service writes,
without references, comments or attributes; and the parser still reads the page around the entries,
with a mark in their place. A page of which anything is otherwise is left to the parser as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

#: Text as the XML has it. References are not in it, nor what no XML may have.
TEXT = r"[^<>&\x00-\x1f\ufffe\uffff]*+"
#: The text of the mark. An encoding that is not UTF-8 makes another text of it.
MARK = "\N{CHECK MARK}"

#: So many characters are read at a time: what is made of them takes several times their memory.
_PIECE = 256 << 10


@dataclass(frozen=True)
class EntryForm:
    """How a service writes the entries of a page.

    :param tag: the name of their element.
    :param fields: a regular expression of what is in it.
    :param mark: the same of the element that stands for all of them, with :data:`MARK` as a text.
    """

    tag: str
    fields: str
    mark: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Of an entry that is followed by another one, or is the last."""
        tag = self.tag
        return re.compile(f"<{tag}>{self.fields}</{tag}>(?=<{tag}>|\\Z)", re.ASCII)


class PlainPage:
    """A page that may have nothing but plain entries.

    :param page: what came.
    :param form: of its entries.
    :raises ValueError: when it has others for certain, or none.
    """

    def __init__(self, page: bytes, form: EntryForm) -> None:
        self._form = form
        self._text = text = page.decode()
        closing = f"</{form.tag}>"
        self._opening = f"<{form.tag}>"
        self._start, self._end = text.find(self._opening), text.rfind(closing) + len(closing)
        # Comments, CDATA, and a document type, which may give elements attributes, are not plain.
        if not 0 <= self._start < self._end or "<!" in text:
            raise ValueError("no plain entries")
        mark = f"{self._opening}{form.mark}{closing}"
        #: The page with one mark in their place, to be parsed: where it is found they would be.
        self.rest = f"{text[: self._start]}{mark}{text[self._end :]}".encode()

    def entries(self) -> Iterator[tuple[str, ...]]:
        """The groups of each entry.

        :raises ValueError: when one is not plain; then none of them counts.
        """
        at = self._start
        while at < self._end:
            to = self._text.rfind(self._opening, at + 1, at + _PIECE)
            if to < 0 or at + _PIECE >= self._end:
                to = self._end
            found = self._form.pattern.findall(self._text, at, to)
            # As every opening tag is that of an entry, they follow each other from first to last.
            if len(found) != self._text.count(self._opening, at, to):
                raise ValueError("an entry that is not plain")
            yield from found
            at = to

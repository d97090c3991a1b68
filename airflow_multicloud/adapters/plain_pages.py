"""Entries of a listing's XML page, by one regular expression where they are all plain.

Parsers take ten times as long, and most of a listing's time. So that nothing is read otherwise than
a parser reads it, an entry is plain only in the form that its service writes, without references,
comments or attributes; and the parser still reads the page around the entries, with a mark in
their place. A page of which anything is otherwise is left to the parser as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

#: Text as the XML has it. References are not in it, nor what no XML may have.
TEXT = r"[^<>&\x00-\x1f\ufffe\uffff]*+"
#: The text of the mark. An encoding that is not UTF-8 makes another text of it.
MARK = "\N{CHECK MARK}"


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


@dataclass(frozen=True, slots=True)
class PlainPage:
    """A page of which each entry is plain.

    :param entries: the groups of each.
    :param rest: the page with one mark in their place, to be parsed: it must be found where the
        entries would be.
    """

    entries: list[tuple[str, ...]]
    rest: bytes


def plain_page(page: bytes, form: EntryForm) -> PlainPage | None:
    """The entries of a page; ``None`` when they are not all plain, or there are none."""
    opening, closing = f"<{form.tag}>", f"</{form.tag}>"
    try:
        text = page.decode()
    except UnicodeDecodeError:
        return None
    start, end = text.find(opening), text.rfind(closing) + len(closing)
    # Comments, CDATA, and a document type, which may give elements attributes, are not plain.
    if not 0 <= start < end or "<!" in text:
        return None
    entries = form.pattern.findall(text, start, end)
    # As every opening tag is that of an entry, they follow each other from first to last.
    if len(entries) != text.count(opening):
        return None
    rest = f"{text[:start]}{opening}{form.mark}{closing}{text[end:]}"
    return PlainPage(entries, rest.encode())

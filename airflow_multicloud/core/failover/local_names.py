"""Names of objects as paths below a local directory, and back again.

Each segment of a name becomes one part of the path, as it is wherever the file system can hold it.
What it can't hold is replaced, by the method of rclone's local backend:

- A character that no file's name may have is replaced by a stand-in (NUL by ``␀``).
- A whole segment that means something else to the file system (``.``, ``..``, an empty one) gets
  the quote U+201B before it.
- In names that have a stand-in or a quote themselves, each of these gets the quote before it.

So no two names have one path, and :func:`name_of_path` tells the name of each path.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Protocol

#: What stands after it is meant as it is. Alone it is an empty segment.
QUOTE = "\u201b"

#: The longest name of a file where the file system does not tell, in bytes.
_LONGEST = 255


class Among(Protocol):
    """Names, of which there may be millions."""

    def first_from(self, least: str) -> str | None:
        """The first name that is this one or comes after it."""
        ...


@dataclass(frozen=True, slots=True)
class NameRules:
    """What a file's name can't be.

    :param never: characters that no name has.
    :param never_last: characters that no name ends with.
    :param devices: names that mean a device, in capitals, whatever follows after a full stop.
    """

    never: frozenset[str]
    never_last: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()

    def is_special(self, text: str) -> bool:
        """Whether a file of this name would be something else."""
        return text in ("", ".", "..") or text.partition(".")[0].rstrip().upper() in self.devices


POSIX = NameRules(frozenset("\0"))

#: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
WINDOWS = NameRules(
    frozenset('<>:"\\|?*') | frozenset(map(chr, range(32))),
    frozenset(". "),
    frozenset(
        ("CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)))
    ),
)

HERE = WINDOWS if os.name == "nt" else POSIX


def parts_of(name: str, rules: NameRules = HERE) -> tuple[str, ...]:
    """The parts of the path of an object of this name."""
    return tuple(_encoded(segment, rules) for segment in name.split("/"))


def name_of_path(path: str | PurePath, rules: NameRules = HERE, *, directory: bool = False) -> str:
    """The name of the object that a fetch put at a path.

    :param path: relative to the directory that was fetched to.
    :param directory: whether that is a directory: its object's name ends with a slash.
    """
    return "/".join(_decoded(part, rules) for part in PurePath(path).parts) + "/" * directory


def why_not_name(name: str, directory: Path, among: Among | None) -> str | None:
    """Why no file or directory of this name can be below a directory, if so.

    :param among: the names of all objects that go there.
    """
    parts = parts_of(name)
    if why := _why_not_parts(parts, directory):
        return why
    if (other := clash(name, among)) is not None:
        return f"{other!r} is there too, and a path can't be both a file's and a directory's"
    if not Path(os.path.realpath(directory.joinpath(*parts))).is_relative_to(
        os.path.realpath(directory)
    ):
        return "it leads outside (through a symbolic link)"
    return None


def clash(name: str, among: Among | None) -> str | None:
    """The name whose path is in the way of this one's, where one directory can't hold both.

    A file gives way to what lies below its name, and an empty directory to a file.

    :param among: all names that are to be there.
    """
    if among is None:
        return None
    if not name.endswith("/"):
        return _first_below(name, among) if name else None
    file = name[:-1]
    is_file = bool(file) and among.first_from(file) == file
    return file if is_file and _first_below(file, among) is None else None


def shortened(name: str) -> str:
    """The beginning of a name, with room for more in what a file system can hold."""
    return name.encode(errors="replace")[:100].decode(errors="ignore")


def _why_not_parts(parts: Sequence[str], directory: Path) -> str | None:
    longest = _longest(directory)
    for part in parts:
        try:
            part.encode()  # os.fsencode() takes lone surrogates for bytes: two names of one file.
            length = len(os.fsencode(part))
        except UnicodeEncodeError:
            return f"it can't be written in {sys.getfilesystemencoding()}"
        if length > longest:
            return f"a part of its path has {length} bytes, the longest name there {longest}"
    return None


@cache
def _stand_ins(rules: NameRules) -> Mapping[str, str]:
    """What each stand-in stands for."""
    return {_stand_in(char): char for char in rules.never | rules.never_last}


@cache
def _replacements(rules: NameRules) -> Mapping[int, str]:
    quoted = {ord(char): QUOTE + char for char in (QUOTE, *_stand_ins(rules))}
    return quoted | {ord(char): _stand_in(char) for char in rules.never}


def _stand_in(char: str) -> str:
    """The symbol of a control character or space, or a character's full-width form."""
    return chr((0x2400 if char <= " " else 0xFEE0) + ord(char))


def _encoded(segment: str, rules: NameRules) -> str:
    text = segment.translate(_replacements(rules))
    if segment[-1:] in rules.never_last:
        text = text[:-1] + _stand_in(segment[-1])
    return QUOTE + text if rules.is_special(text) else text


def _decoded(part: str, rules: NameRules) -> str:
    meant = _stand_ins(rules)
    chars = iter(part)
    return "".join(next(chars, "") if c == QUOTE else meant.get(c, c) for c in chars)


def _first_below(name: str, among: Among) -> str | None:
    """The first name below this one, the one that marks the directory left out."""
    start = f"{name}/"
    first = among.first_from(start)
    if first == start:
        first = among.first_from(f"{start}\0")
    return first if first is not None and first.startswith(start) else None


def _longest(directory: Path) -> int:
    """The longest name there, in bytes; by the nearest directory that is there already."""
    for place in (directory, *directory.parents):
        try:
            return os.pathconf(place, "PC_NAME_MAX")
        except FileNotFoundError:
            continue
        except (AttributeError, OSError, ValueError):
            break
    return _LONGEST

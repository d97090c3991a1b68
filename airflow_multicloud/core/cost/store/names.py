"""How a cost store's files are called: one grammar, and one way from a name to a path.

Names come out of the store itself (``CURRENT``, snapshots, listings), and whoever may write to
its bucket wrote them. So a name that this module did not make is refused before anything is read,
written or deleted by it, and a name carries the SHA-256 of the content that belongs under it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.text import printable

#: The pointer: the one file that ever changes, and whose content no name vouches for.
POINTER = "CURRENT"

_STAMP = "%Y%m%dT%H%M%SZ"
# The one group of each kind of name: when its run began.
_RUN = r"(\d{8}T\d{6}Z)-[0-9a-f]{8}"
_SHA256 = r"[0-9a-f]{64}"
# None begins with a dot: neither "." nor ".." is one, nor a hidden file.
_WORD = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}"
_MONTH = r"\d{4}-(?:0[1-9]|1[0-2])"
_PLACE = rf"{_WORD}/{_WORD}/{_MONTH}/{_RUN}"
# Names of before digests were kept have none; their files are read unchecked.
_END = rf"(?:-{_SHA256})?"
_NAME = re.compile(
    rf"""
      snapshots/\d{{8,12}}-{_RUN}(?:-[0-9a-f]{{8}})?{_END}\.json
    | restatements/{_RUN}(?:-[0-9a-f]{{8}})?{_END}\.parquet
    | rollup/{_PLACE}{_END}\.parquet
    | focus/{_PLACE}/\d{{4}}-\d\d-\d\d{_END}\.parquet
    | raw/{_PLACE}/\d{{5}}{_END}-{_WORD}
    """,
    re.VERBOSE | re.ASCII,
)
_DIGEST = re.compile(rf"-({_SHA256})[-.]", re.ASCII)
_WORD_LENGTH = 120
#: Of what is no name, as much as tells what it is; it may be the text of another file.
_SHOWN = 40


def is_name(text: str) -> bool:
    """Whether a text is the name of a file of a store."""
    return _NAME.fullmatch(text) is not None


def checked_name(text: object, where: str, *, folder: str = "") -> str:
    """The text, if it is a name.

    :param where: what had the name in it.
    :param folder: the only one that it may be of.
    :raises CostAnalysisError: kind ``integrity``.
    """
    if isinstance(text, str) and is_name(text) and text.startswith(folder):
        return text
    shown = printable(str(text)[:_SHOWN])
    raise CostAnalysisError(
        f"{where} names {shown!r}, which is no file of a cost store: it was damaged, or somebody "
        "else writes to the store",
        kind=ErrorKind.INTEGRITY,
    )


def path_of(root: Path, name: str) -> Path:
    """Where a file of this name lies below a directory: the only way from one to the other.

    :raises CostAnalysisError: kind ``integrity`` for what is no name, and for a directory on the
        way that is a link to elsewhere, or a file that is a link.
    """
    path = root / checked_name(name, str(root))
    try:
        elsewhere = path.parent.resolve() != root.resolve() / path.parent.relative_to(root)
    except (OSError, RuntimeError):  # links that go round in circles
        elsewhere = True
    if elsewhere:
        raise CostAnalysisError(
            f"{path.parent} is a link to elsewhere; a cost store has no links in it",
            kind=ErrorKind.INTEGRITY,
        )
    check_link(path)
    return path


def check_link(path: Path) -> None:
    """Refuse what somebody else put in place of a file or a directory of the store's own.

    :raises CostAnalysisError: kind ``integrity``.
    """
    if path.is_symlink():
        raise CostAnalysisError(
            f"{path} is a link; a cost store has no links in it, so somebody else made it. "
            "Remove it",
            kind=ErrorKind.INTEGRITY,
        )


def digest_in(name: str) -> str | None:
    """The SHA-256 that a name carries, in hexadecimal; ``None`` in names of before."""
    found = _DIGEST.search(name.rpartition("/")[2])
    return None if found is None else found[1]


def made_at(name: str) -> datetime | None:
    """When the run began that made a file of this name; ``None``: there is no such time.

    What others chose (an export's name) may look like a time too, and counts for nothing.
    """
    found = _NAME.fullmatch(name)
    if found is None or found.lastindex is None:
        return None
    try:
        return datetime.strptime(found[found.lastindex], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def sequence_of(snapshot: str) -> int:
    """The number of a snapshot by its name."""
    return int(snapshot.removeprefix("snapshots/").partition("-")[0])


def run_name(now: datetime) -> str:
    """What tells one run's files from every other's."""
    return f"{now.astimezone(UTC).strftime(_STAMP)}-{secrets.token_hex(4)}"


def word(text: str) -> str:
    """A text that others chose as a part of a name: recognisable, not reversible."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in text)
    kept = plain[-_WORD_LENGTH:].lstrip(".")
    return kept or "-"


def name_of(file: Path, stem: str, ending: str) -> str:
    """A local file's name in a store: the digest of its content between a stem and an ending."""
    return f"{stem}-{sha256_of(file)}{ending}"


def sha256_of(file: Path) -> str:
    """The SHA-256 of a local file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

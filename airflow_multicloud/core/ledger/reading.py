"""The one reader of ledgers: for planning, verification, fetches, freshness, drills and reports.

Whatever is malformed is kind ``integrity`` of this ledger, and never another exception.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from airflow_multicloud.core import records
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import commits, segments
from airflow_multicloud.core.ledger.commits import Commit, Mark
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import (
    COMMITS,
    commit_key,
    number_of,
    place_of,
    without_store,
)
from airflow_multicloud.core.ledger.segments import Keys
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: A page of a listing, in every store at least.
_PAGE = 1000


@dataclass(frozen=True)
class Head:
    """One commit of a ledger, and the state after it.

    :param end: any place in the bucket.
    :param signature: the second line of the commit's object, if it has one; not looked at yet.
    """

    end: Endpoint
    commit: Commit
    root: str
    signature: bytes | None = field(default=None, repr=False)

    @property
    def mark(self) -> Mark:
        """Its number and root."""
        return Mark(self.commit.number, self.root)

    @property
    def uri(self) -> str:
        """Where it lies."""
        return str(self.end.location.with_key(commit_key(self.commit.number)))

    def entries(
        self, prefix: str = "", *, least: str = "", most: str | None = None
    ) -> Iterator[Entry]:
        """What is known of each key below a prefix, by key.

        :param least: the first key to tell of.
        :param most: the last one; ``None``: all that follow.
        :raises StorageError: kind ``integrity`` when a segment is not what the commit names.
        """
        keys = Keys(prefix, least, most)
        return segments.merged(self.end, self.commit.segments, self.commit.recent, keys)

    def entry(self, key: str) -> Entry | None:
        """What is known of one key: at most one segment of each sorted run is read."""
        if (recent := self._recent.get(key)) is not None:
            return None if recent.removed else recent
        for run in reversed(self.commit.segments):
            for ref in run:
                if ref.first <= key <= ref.last:
                    for entry in segments.read(self.end, ref):
                        if entry.key == key:
                            return None if entry.removed else entry
        return None

    @cached_property
    def _recent(self) -> dict[str, Entry]:
        return {entry.key: entry for entry in self.commit.recent}


def newest(end: Endpoint) -> Head | None:
    """The newest commit of the bucket's ledger; ``None`` when it has no ledger.

    One listing of one page where the store lists in the order of keys, and one read.

    :raises StorageError: kind ``integrity`` when the newest commit is malformed, ``unsupported``
        when another release wrote it, ``not_found`` when there is no bucket.
    """
    number = next(numbers(end), None)
    return None if number is None else at(end, number)


def numbers(end: Endpoint) -> Iterator[int]:
    """The numbers of the ledger's commits, the newest first."""
    listed = (number_of(meta.key) for meta in end.objects(COMMITS))
    known = (number for number in listed if number is not None)
    page = list(islice(known, _PAGE))
    if page != sorted(page, reverse=True):  # The store has an order of its own.
        yield from sorted([*page, *known], reverse=True)
        return
    yield from page
    yield from known


def at(end: Endpoint, number: int) -> Head:
    """One commit, by its number.

    :raises StorageError: kind ``not_found`` when there is none; as :func:`newest` else.
    """
    key = commit_key(number)
    body = records.whole(end, key, most=commits.LARGEST_COMMIT)
    with records.intact(end, key):
        line, *more = body.split(b"\n")
        if not more or more[-1] or len(more) > 2:  # noqa: PLR2004 - the commit and its signature
            raise ValueError("it is cut off, or something follows it")
        version = commits.version_of(line)
        if version != commits.VERSION:
            raise records.other_version(end, key, version, commits.VERSION)
        commit = commits.read(line)
        if commit.number != number or commit.place != place_of(end):
            raise ValueError(
                f"it is commit {commit.number} of {commit.place}, and this is commit {number} of "
                f"{place_of(end)}{_hint(commit, end)}"
            )
    return Head(end, commit, commits.root_of(line), more[0] or None)


def _hint(commit: Commit, end: Endpoint) -> str:
    here = place_of(end)
    if commit.place == here or without_store(commit.place) != without_store(here):
        return ""
    return (
        "; if that is the same store by another address, give the connections of both the same "
        "extra store_name"
    )


def back_to(head: Head, number: int) -> Iterator[Head]:
    """The commits before one, from newer to older, as each names the one before it.

    :param number: the last to be read, if it is among them.
    :raises StorageError: kind ``integrity`` when one is missing, or not the one that is named.
    """
    while head.commit.number > number and (before := head.commit.previous) is not None:
        try:
            earlier = at(head.end, before.number)
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            raise _broken(head, before, "it is not there") from err
        if earlier.root != before.root:
            raise _broken(head, before, f"its root is {earlier.root}")
        yield earlier
        head = earlier


def has(head: Head, mark: Mark) -> bool:
    """Whether a commit is this one or among those before it.

    :raises StorageError: as :func:`back_to`.
    """
    if mark.number >= head.commit.number:
        return head.mark == mark
    return any(earlier.mark == mark for earlier in back_to(head, mark.number))


def _broken(head: Head, before: Mark, why: str) -> StorageError:
    return StorageError(
        f"{head.uri}: it follows on commit {before.number} of root {before.root}, and {why}: the "
        "ledger was changed after it had been written, or old commits were deleted by hand",
        kind=ErrorKind.INTEGRITY,
        cloud=head.end.cloud,
    )

"""What a commit says."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.ledger import soundness
from airflow_multicloud.core.ledger.entries import AwareTime, Entry, Size
from airflow_multicloud.core.ledger.refs import Count, Sha256, SortedRun

FORMAT = "airflow-multicloud ledger"
VERSION = 1

#: Bytes of a commit; whatever is larger is none.
LARGEST_COMMIT = 16 << 20
#: A commit holds so many of the newest entries itself; more go into a segment.
MOST_RECENT = 256

_Number = Annotated[int, msgspec.Meta(ge=1, le=10**12 - 2)]
_Text = Annotated[str, msgspec.Meta(max_length=8192)]
_Texts = Annotated[tuple[_Text, ...], msgspec.Meta(max_length=1000)]


class Step(StrEnum):
    """What a commit is for."""

    BEGIN = "begin"
    """A run is about to write."""
    PROGRESS = "progress"
    """What a run that goes on has finished."""
    END = "end"
    """A run has looked at everything it was to look at."""
    UPLOAD = "upload"
    """One object was put here."""


class Mark(msgspec.Struct, frozen=True):
    """One commit of a ledger, named so that it can't be another."""

    number: _Number
    root: Sha256


class Sibling(msgspec.Struct, frozen=True):
    """The newest commit of another replica's ledger, as a run saw it.

    :param place: that ledger's bucket, as a URI without a connection.
    """

    place: _Text
    number: _Number
    root: Sha256
    seen: AwareTime


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose commit it is.

    :param run_id: what the run is called; a retried one may have the name that it had before.
    :param token: one try of one run; nothing else has it.
    :param map_index: -1 for a task that is not mapped; ``None``: unknown, as is ``try_number``.
    """

    run_id: _Text
    token: _Text
    dag_id: _Text = ""
    task_id: _Text = ""
    airflow_run_id: _Text = ""
    map_index: int | None = None
    try_number: int | None = None

    def is_later_try_of(self, other: Identity) -> bool:
        """Whether both are tries of one task: the other one can't go on beside this one.

        What is not known for certain is taken for two tasks, which may go on at once.
        """
        ours, theirs = self._try, other._try
        if ours is None or theirs is None:
            return False
        return ours[:-1] == theirs[:-1] and ours[-1] > theirs[-1]

    @property
    def _try(self) -> tuple[str, str, str, int, int] | None:
        """The task, and which try of it; ``None`` where some of it is not known."""
        if not self.task_id or self.map_index is None or self.try_number is None:
            return None
        return self.dag_id, self.task_id, self.airflow_run_id, self.map_index, self.try_number


class Selection(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which objects below the prefix a run looked at; times in seconds."""

    include: _Texts = ()
    exclude: _Texts = ()
    min_size: Size | None = None
    max_size: Size | None = None
    max_age: float | None = None

    def __str__(self) -> str:
        """For readers; ``all objects`` when nothing was left out."""
        parts = [
            f"{name}={', '.join(value) if isinstance(value, tuple) else value}"
            for name in self.__struct_fields__
            if (value := getattr(self, name)) not in ((), None)
        ]
        return "; ".join(parts) or "all objects"


class Look(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the last run that looked at a selection found.

    :param prefix: in this bucket.
    :param source: the prefix that it was compared with, without a connection.
    :param as_of: every change made at the source before this was looked at: when the run began,
        less its ``min_age``.
    :param behind: objects that the replica does not have as they were then.
    :param since: the oldest of them was up to date until then; ``None`` with some that never were.
    :param newest: when the newest object at the source was last modified.
    :param strangers: objects that are proven as another source's, or were to be copied from it, and
        that this one does not have.
    :param displaced: objects that a run of another source has deleted or replaced here since.
    """

    prefix: _Text
    source: _Text
    selection: Selection
    as_of: AwareTime
    run_id: _Text
    started: AwareTime
    finished: AwareTime
    objects: Count
    proven: Count
    behind: Count = 0
    left_out: Count = 0
    strangers: Count = 0
    displaced: Count = 0
    bytes: Count = 0
    since: AwareTime | None = None
    newest: AwareTime | None = None

    @property
    def owed(self) -> int:
        """How many objects the replica should have."""
        return self.objects - self.left_out

    def origin_of(self, key: str) -> str:
        """The URI at its source of what lies under a key, or below a prefix, here."""
        return self.source + key[len(self.prefix) :]

    @property
    def passed_nothing_over(self) -> bool:
        """Whether all within its globs took part, however large, and though made just then."""
        of_any_size = self.selection.min_size is None and self.selection.max_size is None
        return of_any_size and self.as_of >= self.started

    @property
    def lacking(self) -> int:
        """How many the replica does not have as they were."""
        return self.behind + self.displaced

    @property
    def holds(self) -> datetime | None:
        """The replica holds every change of the selection before this; ``None``: unknown."""
        if self.displaced:
            return None
        if not self.behind:
            return self.as_of
        return None if self.since is None else min(self.since, self.as_of)


class Loss(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last commit of a run that deleted objects below a prefix, or took other sources'.

    :param taken: whether some that are no more counted as there were another source's.
    """

    prefix: _Text
    source: _Text | None
    number: _Number
    taken: bool = False


class OpenRun(msgspec.Struct, frozen=True):
    """A run that said it is about to write below a prefix, and has not said that it ended.

    :param seen: when it committed last.
    """

    identity: Identity
    prefix: _Text
    started: AwareTime
    seen: AwareTime


class Commit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One commit: what a run did, and the state after it.

    :param place: the bucket, without a connection.
    :param previous: the commit before this one.
    :param made_at: by the clock of who made it.
    :param prefix: what the run wrote below; one key for a single object.
    :param source: likewise, without a connection.
    :param changed: how many entries it changed.
    :param deleted: how many objects the run had deleted here.
    :param why: for readers.
    :param restarted: why nothing counts that was known before: it could not be read.
    :param looks: state: by prefix and selection.
    :param open_runs: state.
    :param siblings: state: the newest known of each.
    :param losses: state: by prefix and source, the newest number.
    :param mended: state: the newest commit with :attr:`why` or :attr:`restarted`, 0 if none has.
    :param segments: state: sorted runs, the oldest first; an entry in a later one replaces others
        of its key.
    :param recent: state: the newest entries, by key; they replace those in segments.
    """

    format: str
    version: int
    number: _Number
    place: _Text
    made_at: AwareTime
    identity: Identity
    step: Step
    previous: Mark | None = None
    prefix: _Text = ""
    source: _Text | None = None
    started: AwareTime | None = None
    changed: Count = 0
    deleted: Count = 0
    why: _Text | None = None
    restarted: _Text | None = None
    looks: Annotated[tuple[Look, ...], msgspec.Meta(max_length=10_000)] = ()
    open_runs: Annotated[tuple[OpenRun, ...], msgspec.Meta(max_length=10_000)] = ()
    siblings: Annotated[tuple[Sibling, ...], msgspec.Meta(max_length=1000)] = ()
    losses: Annotated[tuple[Loss, ...], msgspec.Meta(max_length=1000)] = ()
    mended: Count = 0
    segments: Annotated[tuple[SortedRun, ...], msgspec.Meta(max_length=64)] = ()
    recent: Annotated[tuple[Entry, ...], msgspec.Meta(max_length=4096)] = ()


#: How long a run may have been silent and still count as under way.
SILENT = timedelta(hours=6)

#: A commit as the first line of its object, without its end.
write = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Commit).decode


def root_of(line: bytes) -> str:
    """What names a commit, and with it all that it commits to: the SHA-256 of its line."""
    return sha256_of(line)


class _Versioned(msgspec.Struct):
    format: str = ""
    version: int | None = None


_read_version = msgspec.json.Decoder(_Versioned).decode


def version_of(line: bytes) -> int:
    """The version of the format, looked at before anything else is believed.

    :raises ValueError: for what is no commit of any version.
    """
    found = _read_version(line)
    if found.format != FORMAT:
        raise ValueError(f"it is no {FORMAT}")
    if found.version is None:
        raise ValueError("it has no 'version'")
    return found.version


def read(line: bytes) -> Commit:
    """A commit from its line.

    :raises ValueError: for anything that is none (msgspec's errors are).
    """
    commit = _decode(line)
    soundness.check(commit)
    return commit

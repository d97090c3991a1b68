"""Find and remove what killed runs have left: uploads, plans, half-written files.

A run tidies up after itself, and the next run of a replication after one that was killed. What
remains is what no run comes back to: a DAG that was deleted, an object that is no longer there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import groupby
from pathlib import Path

from airflow_multicloud.core import left_uploads, part_files, run_tokens, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import pruning
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.pruning import Retention
from airflow_multicloud.core.records import UNREADABLE
from airflow_multicloud.core.replication import run_files
from airflow_multicloud.core.run_tokens import RunState
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectMeta, PartUpload, PartUploads
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: How many left-overs a report names; every one is counted.
NAMED = 1000

_UNDER_WAY = "its run is under way"


class Left(StrEnum):
    """What can be left."""

    UPLOAD = "upload"
    """A large object's parts, invisible, and paid for like any object."""
    RECORD = "record"
    """What was noted of an upload that is over (S3): an empty object."""
    PLAN = "plan"
    """The plan and the results of a sharded replication that was not closed."""
    COMMIT = "commit"
    """An old commit of a ledger: a later one says all that it says."""
    SEGMENT = "segment"
    """A file of a ledger that no commit names."""
    FILE = "file"
    """A file that was being fetched."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that was left.

    :param uri: the key that an upload is for; the object, prefix or file itself otherwise.
    :param last_used: when it was begun or last written to, as far as the store tells.
    :param removed: whether it is gone now.
    :param reason: why it is still there, if it was to be removed.
    """

    kind: Left
    uri: str
    last_used: datetime | None
    removed: bool
    reason: str | None = None

    def __str__(self) -> str:
        """One line."""
        since = f" of {self.last_used:%Y-%m-%d %H:%M} UTC" if self.last_used else ""
        end = "removed" if self.removed else self.reason or "left"
        return f"{self.kind} {self.uri}{since}: {end}"


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What was found, and what became of it.

    :param found: how many, by kind.
    :param removed: how many of them are gone now.
    :param named: the first thousand.
    """

    dry_run: bool
    found: dict[Left, int]
    removed: dict[Left, int]
    named: tuple[Leftover, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is left that was to be removed."""
        return self.found == self.removed


@dataclass(slots=True)
class _Cleaner:
    before: datetime
    dry_run: bool
    found: Counter[Left] = field(default_factory=Counter)
    removed: Counter[Left] = field(default_factory=Counter)
    named: list[Leftover] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def is_late(self, used: datetime | None) -> bool:
        """Whether something was used since."""
        return used is not None and used > self.before

    def is_new(self, uri: str) -> bool:
        """Whether this was not found at another place: a bucket has one place for own files."""
        if uri in self.seen:
            return False
        self.seen.add(uri)
        return True

    def take(
        self,
        kind: Left,
        uri: str,
        last_used: datetime | None,
        remove: Callable[[], object],
        *,
        keep: str | None = None,
    ) -> bool:
        """Count one left-over, and remove it unless there is a reason to keep it.

        :return: whether it is gone now, or would be.
        """
        done, reason = False, keep
        if keep is None and not self.dry_run:
            try:
                remove()
            except CloudError as err:
                done = err.kind is ErrorKind.NOT_FOUND  # Somebody else tidied up as well.
                reason = None if done else f"{err.kind}: {err}"
            else:
                done = True
        self.found[kind] += 1
        self.removed[kind] += done
        if len(self.named) < NAMED:
            self.named.append(Leftover(kind, uri, last_used, done, reason))
        return reason is None

    def report(self) -> CleanupReport:
        return CleanupReport(
            self.dry_run,
            dict(self.found),
            {kind: n for kind, n in self.removed.items() if n},
            tuple(self.named),
        )


def cleanup(
    places: list[Endpoint | Path],
    *,
    older_than: timedelta,
    retention: Retention | None = None,
    dry_run: bool = False,
) -> CleanupReport:
    """Remove what runs have left below places that has not been used for a while.

    What can't be removed is in the report, with the reason; the rest is done.

    :param places: prefixes that are replicated, uploaded or fetched to, and directories.
    :param older_than: leave alone what was used since: a run may be under way.
    :param retention: delete all other commits of the ledgers; ``None``: all are kept.
    :param dry_run: only say what there is.
    :raises CloudError: when a place can't be looked at.
    """
    cleaner = _Cleaner(datetime.now(UTC) - older_than, dry_run)
    with telemetry.operation("cleanup"):
        for place in places:
            if isinstance(place, Path):
                _files(cleaner, place)
            else:
                _uploads(cleaner, place)
                _plans(cleaner, place)
                if cleaner.is_new(place_of(place)):
                    _ledger(cleaner, place, retention)
    return cleaner.report()


def _uploads(cleaner: _Cleaner, place: Endpoint) -> None:
    store = place.store
    if not isinstance(store, PartUploads):
        return
    try:
        uploads = list(left_uploads.uploads_to(place, store, own_files=True))
        records = left_uploads.left_records(place)
    except CloudError as err:
        if err.kind is not ErrorKind.UNSUPPORTED:  # Some stores that speak S3 can't list them.
            raise
        _log.warning("uploads that were left can't be found: %s", printable(str(err)))
        return
    for upload in uploads:
        uri = str(place.location.with_key(upload.ref.key))
        if not cleaner.is_late(upload.started) and cleaner.is_new(f"{uri} {upload.upload_id}"):
            last_used, keep = _why_kept(store, upload)
            if not cleaner.is_late(last_used):
                remove = partial(_discard, store, upload)
                cleaner.take(Left.UPLOAD, uri, last_used, remove, keep=keep)
    for record in records:
        uri = str(place.location.with_key(record.key))
        if cleaner.is_new(uri):
            cleaner.take(Left.RECORD, uri, None, partial(store.delete_object, record))


def _why_kept(store: PartUploads, upload: PartUpload) -> tuple[datetime | None, str | None]:
    """When an upload was last used, and why it is not discarded, if so."""
    if not upload.ours:
        return upload.started, "another program's, for all the store tells"
    last_used, unknown = left_uploads.last_use(store, upload)
    if run_tokens.state_of(upload.run) is RunState.UNDER_WAY:
        return last_used, _UNDER_WAY
    if (expiry := store.part_limits.expiry) is not None:
        return last_used, (
            "the store has no verb to discard it and does so by itself, "
            f"{expiry.days} days after the last part"
        )
    return last_used, unknown


def _discard(store: PartUploads, upload: PartUpload) -> None:
    store.abort_upload(upload)
    # A store that says nothing of it may have no verb for it either.
    listed = store.list_uploads(upload.ref.bucket, upload.ref.key)
    if any(other.upload_id == upload.upload_id for other in listed):
        raise StorageError(
            "the store has no verb to discard it and does so by itself, a week after the last part",
            kind=ErrorKind.UNSUPPORTED,
        )


def _plans(cleaner: _Cleaner, place: Endpoint) -> None:
    listed = sorted(run_files.left_by_runs(place), key=lambda found: found[0])
    for run_id, group in groupby(listed, key=lambda found: found[0]):
        metas = [meta for _, meta in group]
        last_used = max(meta.last_modified for meta in metas)
        if last_used <= cleaner.before and run_files.lies_below(place, run_id):
            uri = str(place.location.with_key(run_files.directory(run_id)))
            cleaner.take(Left.PLAN, uri, last_used, partial(run_files.tidy, place, run_id))


def _ledger(cleaner: _Cleaner, place: Endpoint, retention: Retention | None) -> None:
    """The ledger of a place's bucket: old commits, and segments that no commit names."""
    now = datetime.now(UTC)
    gone: set[str] = set()
    for meta in pruning.old_commits(place, retention, now) if retention else ():
        if not _take_object(cleaner, Left.COMMIT, place, meta):
            break  # Later ones stay as well: there are no gaps in a ledger.
        gone.add(meta.key)
    try:
        unnamed = pruning.unnamed_segments(place, but=gone, before=cleaner.before, now=now)
    except CloudError as err:
        if err.kind not in UNREADABLE:
            raise
        _log.warning("segments are left alone, as a commit may name them: %s", printable(str(err)))
        return
    for meta in unnamed:
        _take_object(cleaner, Left.SEGMENT, place, meta)


def _take_object(cleaner: _Cleaner, kind: Left, place: Endpoint, meta: ObjectMeta) -> bool:
    uri = str(place.location.with_key(meta.key))
    remove = partial(place.store.delete_object, place.ref(meta.key))
    return cleaner.take(kind, uri, meta.last_modified, remove)


def _files(cleaner: _Cleaner, directory: Path) -> None:
    for path in part_files.left_below(directory):
        last_used = part_files.last_used(path)
        if last_used <= cleaner.before:
            keep = _UNDER_WAY if part_files.is_under_way(path) else None
            cleaner.take(Left.FILE, str(path), last_used, partial(_unlink, path), keep=keep)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as err:
        raise StorageError(f"{path}: {err.strerror}", kind=ErrorKind.PERMISSION_DENIED) from err

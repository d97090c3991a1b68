"""Uploads that were neither completed nor aborted: whose they are, and which may be discarded.

Nothing tells for certain whether a run on another machine still lives. So an upload is discarded
only when its run is known to be over (:mod:`run_tokens`), or when no part of it has come for so
long that no run can be under way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint, has_capability
from airflow_multicloud.core.run_tokens import RunState
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import (
    ObjectRef,
    PartUpload,
    PartUploads,
    UploadResumption,
)
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: A run on another machine is over when it has sent no part for so long.
IDLE = timedelta(days=1)

#: After so long without a part another run may go on with such an upload. If that comes to nothing,
#: the upload is left as it is.
QUIET = timedelta(hours=1)

#: So long are the parts kept of what a later run may take up.
KEPT = timedelta(days=7)


def clear_left_uploads(
    place: Endpoint,
    *,
    wanted: Callable[[str], bool] = lambda key: False,  # noqa: ARG005 - nothing is taken up again
    own_files: bool = False,
    idle: timedelta = IDLE,
    kept: timedelta = KEPT,
) -> int:
    """Discard the uploads to a place that were begun by runs that are over.

    What can't be looked at or discarded is logged, and is left for a later run: this ends no run
    that has done its work. A store that can't discard uploads (Azure) is not asked.

    :param place: an object, or a prefix with all below it.
    :param wanted: whether a later run may take up an upload to this key.
    :param own_files: also those to this package's own files in the bucket.
    :param idle: how long no part has come of an upload whose run is on another machine.
    :param kept: likewise, of one that is wanted.
    :return: how many are gone.
    """
    store = place.store
    if not isinstance(store, PartUploads) or store.part_limits.expiry is not None:
        return 0
    now, gone = datetime.now(UTC), 0
    try:
        for upload in list(uploads_to(place, store, own_files=own_files)):
            state = run_tokens.state_of(upload.run)
            if not upload.ours or state is RunState.UNDER_WAY:
                continue
            keep = wanted(upload.ref.key)
            over = state is RunState.OVER and not keep
            if over or _is_idle(store, upload, now - (kept if keep else idle)):
                store.abort_upload(upload)
                gone += 1
        if place.location.is_prefix:
            for record in left_records(place):
                store.delete_object(record)
    except CloudError as err:
        if err.kind is not ErrorKind.UNSUPPORTED:  # Some stores that speak S3 can't list them.
            _log.warning("uploads that runs have left are still there: %s", printable(str(err)))
    if gone:
        _log.info("%s: %s uploads of runs that are over were discarded", place.location, gone)
    return gone


def uploads_to(
    place: Endpoint, store: PartUploads, *, own_files: bool = False
) -> Iterator[PartUpload]:
    """The uploads to an object, or to all below a prefix.

    :param own_files: also those to this package's own files in the bucket.
    """
    key = place.location.key
    for upload in store.list_uploads(place.bucket, key):
        if place.location.is_prefix or upload.ref.key == key:
            yield upload
    if own_files and not RESERVED_PREFIX.startswith(key):
        yield from store.list_uploads(place.bucket, RESERVED_PREFIX)


def left_records(place: Endpoint) -> tuple[ObjectRef, ...]:
    """What is noted in a bucket of uploads that are over."""
    if not has_capability(place.store, UploadResumption):
        return ()
    return tuple(place.store.left_records(place.bucket))


def last_use(store: PartUploads, upload: PartUpload) -> tuple[datetime | None, str | None]:
    """When an upload was begun or got its last part, and why that is unknown if it is.

    A large object at a limited rate is under way for longer than any time since it was begun.
    """
    try:
        times = [part.sent for part in store.list_parts(upload)]
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:  # Over by now: aborting it does nothing.
            return upload.started, None
        return upload.started, f"its parts can't be looked at: {err.kind}: {err}"
    known = [moment for moment in (upload.started, *times) if moment is not None]
    if not known or None in times:
        return upload.started, "the store doesn't tell when it was last used"
    return max(known), None


def may_take_up(store: PartUploads, upload: PartUpload) -> bool:
    """Whether no run is sending parts of an upload, for all that can be known."""
    state = run_tokens.state_of(upload.run)
    if state is RunState.UNKNOWN and upload.run is not None:
        return _is_idle(store, upload, datetime.now(UTC) - QUIET)
    return state is not RunState.UNDER_WAY


def may_discard(upload: PartUpload) -> bool:
    """Whether nobody else can be sending parts of an upload to a key that is being written.

    One that was begun without a token is of no run of this package.
    """
    return upload.run is None or run_tokens.state_of(upload.run) is RunState.OVER


def _is_idle(store: PartUploads, upload: PartUpload, before: datetime) -> bool:
    if upload.started is not None and upload.started > before:
        return False
    last_used, unknown = last_use(store, upload)
    return unknown is None and last_used is not None and last_used <= before

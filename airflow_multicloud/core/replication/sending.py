"""One destination's upload of a large object: begun or taken up, sent, completed, tidied."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare, digests_of, identifies
from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.left_uploads import may_discard, may_take_up
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.parts import PartRange
from airflow_multicloud.core.replication.settling import note_attributes
from airflow_multicloud.core.replication.small import Job
from airflow_multicloud.core.replication.writing import (
    Kept,
    failure,
    judge,
    keep_tags,
    refused,
    write_options,
)
from airflow_multicloud.core.streams import PERHAPS_OURS
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import (
    Digests,
    LeftUpload,
    ObjectAttributes,
    ObjectRef,
    Part,
    PartUpload,
    PartUploads,
    UploadResumption,
    WriteOptions,
)
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = logging.getLogger(__name__)

#: After this much was sent it is worth a look also when a service could not say what it did: it
#: may have done it, or another run of the same object has, and taken the parts with it.
_PERHAPS_DONE = PERHAPS_OURS | {ErrorKind.UNAVAILABLE, ErrorKind.BUSY, ErrorKind.TIMEOUT}


@dataclass(slots=True)
class Sending:
    """One destination's upload under way. Each thread writes its own part's entries only.

    :param superseded: uploads of the same object by runs that are over, of no use once this one is
        complete.
    :param shared: whether the upload was taken up, and the run that began it may go on with it.
    :param held: parts that the store has from an earlier try.
    :param stale: whether what is held turned out to be another object's.
    """

    job: Job
    index: int
    store: PartUploads
    upload: PartUpload
    kept: Kept
    superseded: Sequence[PartUpload] = ()
    held: Mapping[int, Part] = field(default_factory=dict)
    shared: bool = False
    sent: dict[int, Part] = field(default_factory=dict)
    error: CloudError | None = None
    stale: bool = False

    @property
    def live(self) -> bool:
        """Whether it still takes parts."""
        return self.error is None and not self.stale

    def put(self, part: PartRange, body: Buffer, digests: Digests) -> None:
        """Send a part, unless the store has it; an error ends the upload."""
        held = self.held.get(part.number)
        if held is not None:
            if held.size == part.end - part.start and _same(held, digests, body):
                self.sent[part.number] = held
                self.job.progress.kept(held.size)
                return
            self.stale = True  # Another object's upload, or another part size: never mix.
            return
        try:
            self.sent[part.number] = self.store.put_part(
                self.upload, part.number, body, digests=digests
            )
            self.job.progress.wrote(part.end - part.start)
        except CloudError as err:
            self.error = self.error or err

    def complete(
        self,
        item: Item,
        attributes: ObjectAttributes | None,
        tags: Mapping[str, str] | None,
        digests: Digests,
    ) -> Replica:
        """Make the object visible, and judge what is there then.

        :param attributes: of the source's object.
        :param tags: likewise, if they are kept.
        :param digests: of the whole, as it was read.
        """
        state, destination = item.replicas[self.index], self.job.destinations[self.index]
        key = self.job.replica_key(self.index, item)
        parts = [self.sent[number] for number in sorted(self.sent)]
        noted = note_attributes(item, attributes)
        try:
            written = self.store.complete_upload(
                self.upload,
                parts,
                self.kept.options,
                late_metadata=self.kept.late_metadata(digests),
                digests=digests,
            )
        except CloudError as err:
            state = refused(
                destination, key, state, err, digests, item.size, self.kept, noted,
                look_on=_PERHAPS_DONE,
            )  # fmt: skip
        else:
            state = judge(state, digests, written, self.kept, noted)
        return keep_tags(destination, key, state, tags, immutable=self.job.options.immutable)

    def tidy(self, state: Replica) -> Replica:
        """Abort uploads that no later try can use."""
        done = state.outcome is not None and state.outcome.written
        passing = state.kind is not None and state.kind.retryable and not self.stale
        if done:
            useless = [*self.superseded]
        elif self.shared or (passing and state.outcome is Outcome.FAILED):
            return state
        else:
            useless = [self.upload]
        try:
            for upload in useless:
                self.store.abort_upload(upload)
        except CloudError as err:
            left = f"an upload was left behind, as aborting it failed: {err.kind}"
            return replace(state, reason=f"{state.reason}; {left}" if state.reason else left)
        return state


def begin(
    job: Job, item: Item, index: int, attributes: ObjectAttributes, *, resume: bool
) -> Sending | Replica:
    """An upload to one destination, begun or taken up again; its end when that failed.

    :param attributes: of the source's object.
    :param resume: whether an upload that an earlier try left may be taken up.
    """
    destination, state = job.destinations[index], item.replicas[index]
    store = destination.store
    assert isinstance(store, PartUploads)  # noqa: S101 - all others were ended before
    ref = destination.ref(job.replica_key(index, item))
    kept = write_options(destination, state, attributes, sha256=None)
    try:
        left = _left_behind(store, ref, kept.options) if resume else []
        fits = (u.upload for u in left if u.fits and _may_hold(u.upload, item))
        fit = next((upload for upload in fits if may_take_up(store, upload)), None)
        if fit is None:
            upload = store.begin_upload(ref, kept.options, run=run_tokens.current())
            held: Mapping[int, Part] = {}
        else:
            upload = _take_up(store, fit)
            held = {part.number: part for part in store.list_parts(upload)}
    except CloudError as err:
        return failure(state, err, reading=False)
    superseded = [u.upload for u in left if u.upload is not fit and may_discard(u.upload)]
    shared = fit is not None and not may_discard(fit)
    return Sending(job, index, store, upload, kept, superseded, held, shared)


def _may_hold(upload: PartUpload, item: Item) -> bool:
    """Whether an upload can be one of the object as it is now."""
    return upload.started is None or upload.started >= item.modified


def _take_up(store: PartUploads, upload: PartUpload) -> PartUpload:
    """The upload as one of this run: whoever clears what that other run left leaves it alone."""
    if not isinstance(store, UploadResumption):
        return upload
    return store.take_up(upload, run=run_tokens.current())


def _left_behind(store: PartUploads, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:
    """Uploads of ours to this very key that were neither completed nor aborted, newest first.

    What a store can't tell to be ours, and begun with these options, is neither taken up nor
    touched.
    """
    if not isinstance(store, UploadResumption):
        return ()
    try:
        return store.left_uploads(ref, options)
    except CloudError as err:
        # Some stores that speak S3 take uploads in parts and can't list those under way.
        if err.kind is not ErrorKind.UNSUPPORTED:
            raise
        _log.warning(
            "%s; what an earlier try sent of this object can't be found and is sent again, and "
            "what this one leaves behind must be deleted by the store's own rules",
            printable(str(err)),
        )
        return ()


def _same(held: Part, digests: Digests, body: Buffer) -> bool:
    # Nothing more is computed where the store tells nothing more.
    ours = digests_of(body) if identifies(held.digests) else digests
    compared = compare(held.digests, ours)
    return compared is not None and compared.equal

"""Optional capabilities: large objects in parts, and uploads that were left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from airflow_multicloud.ports.object_store.options import WriteOptions
from airflow_multicloud.ports.object_store.values import Digests, ObjectMeta, ObjectRef

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12 on


#: The most characters of a run's token; they are letters, digits, ``-`` and ``_``.
RUN_LENGTH = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLimits:
    """A store's documented limits, in bytes.

    :param put_limit: the largest single ``put_object``.
    :param min_part: the smallest part but for the last.
    :param max_part: the largest part.
    :param max_parts: how many parts one object may have.
    :param max_object: the largest object.
    :param expiry: of a store that has no verb to discard an upload: how long after the last part it
        drops the parts by itself.
    """

    put_limit: int
    min_part: int
    max_part: int
    max_parts: int
    max_object: int
    expiry: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PartUpload:
    """An upload under way. ``upload_id`` is no secret: it is of use only with credentials.

    :param ours: whether this package began it; a store that lists everybody's uploads alike
        sets it only where it can tell.
    :param run: the token of the run that began it, if it was given one.
    """

    ref: ObjectRef
    upload_id: str
    started: datetime | None = None
    ours: bool = True
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part the store holds: ``number`` starts at 1; ``token`` is what completion needs.

    :param sent: when it was sent, as ``list_parts`` tells: what an upload's last use goes by.
    """

    number: int
    size: int
    token: str
    digests: Digests = Digests()
    sent: datetime | None = field(default=None, compare=False)


@runtime_checkable
class PartUploads(Protocol):
    """Optional capability: large objects in parts that survive the process that sent them."""

    @property
    def part_limits(self) -> PartLimits:
        """The store's limits."""
        ...

    def begin_upload(
        self, ref: ObjectRef, options: WriteOptions = ..., *, run: str | None = None
    ) -> PartUpload:
        """Start an upload; nothing is visible under the key until it is completed.

        :param run: a token that whoever finds the upload later is told: at most 28 letters,
            digits, ``-`` and ``_``.
        """
        ...

    def put_part(
        self, upload: PartUpload, number: int, body: Buffer, *, digests: Digests = ...
    ) -> Part:
        """Send one part, in any order, from any thread; sending a number again replaces it.

        The store verifies the part against one of ``digests`` (kind ``integrity`` if it
        differs). The returned digests are confirmed by the store. ``digests`` always has
        ``crc32c``; a hook that needs another one computes it.
        """
        ...

    def list_parts(self, upload: PartUpload) -> Sequence[Part]:
        """The parts the store holds, by number, each with at least a CRC32C or an MD5.

        Each has the time when it was sent, where the store tells it.
        """
        ...

    def complete_upload(
        self,
        upload: PartUpload,
        parts: Sequence[Part],
        options: WriteOptions = ...,
        *,
        late_metadata: Mapping[str, str] = ...,
        digests: Digests = ...,
    ) -> ObjectMeta:
        """Make the object visible, whole and at once, from exactly these parts.

        Parts of the upload that are not named are discarded. ``options`` repeats what
        ``begin_upload`` was given (stores differ in when they take it).

        :param late_metadata: user metadata that was not known at the beginning (a digest of
            the whole); a store that fixes metadata at the beginning keeps it as object tags.
        :param digests: of the whole object; verified where the store can (kind
            ``integrity``).
        """
        ...

    def abort_upload(self, upload: PartUpload) -> None:
        """Discard an upload and its parts; an unknown upload is already gone: no error."""
        ...

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        """Uploads begun and neither completed nor aborted, for keys under ``prefix``.

        A store that can't say is kind ``unsupported``: its uploads can't be resumed then.
        """
        ...


@dataclass(frozen=True, slots=True)
class LeftUpload:
    """An upload that this package began and that was neither completed nor aborted.

    :param fits: completing it makes just the object that was asked for.
    """

    upload: PartUpload
    fits: bool


@runtime_checkable
class UploadResumption(Protocol):
    """Optional capability: uploads that were left behind tell what they were begun with."""

    def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:
        """Uploads of ours to this very key, newest first.

        One fits when it was begun with the same encryption key, storage class and attributes,
        as far as the store takes them at the beginning. Other tools' uploads, which may have
        been begun with anything, are none of ours.
        """
        ...

    def take_up(self, upload: PartUpload, *, run: str) -> PartUpload:
        """Note that another run goes on with an upload, so that it is that run's from now on.

        A store that can't discard uploads has no use for it, and may leave it out.

        :param run: as of ``begin_upload``.
        """
        ...

    def left_records(self, bucket: str) -> Sequence[ObjectRef]:
        """Objects in which this package noted uploads that are over, to be deleted.

        None where uploads say themselves what there is to know of them.
        """
        ...

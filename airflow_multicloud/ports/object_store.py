"""Object storage: the port every cloud's store fits, and the optional capabilities it may have.

Keys are exact Unicode strings: nothing is normalised, stripped or re-encoded. Digests are
lower-case hexadecimal. Sizes and offsets are bytes. Every remote failure, also one inside a
lazy iterator or while a body is read, is a :class:`~airflow_multicloud.errors.StorageError`
(or :class:`~airflow_multicloud.errors.CredentialsError`) whose ``kind`` says the cause.

Hooks must allow calls from several threads at once on one instance, and must not touch
Airflow (connections, variables, XCom) after their constructor: Airflow's task API only
answers on the main thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12 on

_NO_MAPPING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object, and, when ``version`` is given, exactly that version of it.

    :param version: S3 version id, GCS generation or Azure version id.
    """

    bucket: str
    key: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """What is known of an object's content, each as lower-case hexadecimal or ``None``.

    As reported by a store, every digest here covers the whole object (never a "composite"
    checksum of part checksums).
    """

    crc32c: str | None = None
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAttributes:
    """What travels with an object besides its bytes.

    ``metadata`` is the user metadata; names are lower-case.
    """

    content_type: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    content_disposition: str | None = None
    cache_control: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: _NO_MAPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMeta:
    """What a store says of one object.

    :param etag: opaque, without quotes; changes whenever the content does. Empty where the
        store does not tell one: then nothing is known to be unchanged.
    :param version: S3 version id, GCS generation, Azure version id, where known.
    :param last_modified: aware, UTC; 1970 where the store does not say.
    :param digests: the digests that the *store* computed or verified, as it reports them.
    :param declared: digests that the store keeps but a writer may have set to anything. They
        prove nothing by themselves: only of an object whose ETag is that of a write whose
        digest the store did compute.
    :param attributes: ``None`` where the call (a listing) did not tell.
    """

    bucket: str
    key: str
    size: int
    etag: str
    last_modified: datetime
    version: str | None = None
    digests: Digests = Digests()
    attributes: ObjectAttributes | None = None
    storage_class: str | None = None
    declared: Digests = Digests()


@dataclass(frozen=True, slots=True)
class BucketMeta:
    """What a store says of a bucket; ``location`` is its region where the store tells."""

    name: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class IfAbsent:
    """Write only when no object has the key."""


@dataclass(frozen=True, slots=True)
class IfUnchanged:
    """Write or delete only when the object is still this one (by version or ETag)."""

    etag: str
    version: str | None = None


WriteCondition = IfAbsent | IfUnchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How an object is to be written.

    :param storage_class: the store's own name (S3 ``STANDARD_IA``, GCS ``NEARLINE``, Azure
        tier ``Cool``).
    :param encryption_key: S3: KMS key id or ARN; GCS: Cloud KMS key name; Azure: encryption
        scope.
    :param condition: needs the :class:`ConditionalWrites` capability; a write whose condition does
        not hold raises kind ``precondition_failed`` (``already_exists`` for
        :class:`IfAbsent`) and changes nothing.
    """

    attributes: ObjectAttributes = ObjectAttributes()
    storage_class: str | None = None
    encryption_key: str | None = None
    condition: WriteCondition | None = None


class ObjectBody(Protocol):
    """The bytes of one ranged or whole read, consumed once."""

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to; ``size`` is the whole object's."""
        ...

    def read(self) -> Buffer:
        """All bytes of the range.

        A stream that ends early raises kind ``integrity`` or ``unavailable``, as the store's
        client noticed it: a retryable kind in any case. Iterating does the same.
        """
        ...

    def __iter__(self) -> Iterator[Buffer]:
        """The bytes in chunks of the store's choosing (at most a few MiB each)."""
        ...


class ObjectStore(Protocol):
    """What every cloud's object store can do."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every object whose key starts with ``prefix``, page by page, lazily.

        Order is the store's. Costs one request per page, never one per object. Raises kind
        ``not_found`` when the bucket does not exist.
        """
        ...

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One object's metadata, with attributes and every digest the store reports."""
        ...

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """Read bytes ``start`` up to (not including) ``end``, as stored.

        A read of the whole object tells its attributes, as a stat does; a read of a range may
        leave them out.

        Never decompressed, whatever ``Content-Encoding`` says. A zero-byte object and an
        empty range read as no bytes; a ``start`` at or past the end of any other object is
        kind ``invalid_argument``.

        :param if_etag: fail with kind ``precondition_failed`` when the object is another by
            now; hooks also compare what the response says, for stores that ignore the
            condition.
        """
        ...

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = ...,
        *,
        digests: Digests = ...,
    ) -> ObjectMeta:
        """Write one object in one atomic request (at most ``put_limit`` bytes).

        :param digests: what the caller computed over ``body``; the hook hands the store the
            one it verifies, and a mismatch raises kind ``integrity``.
        :return: size, ETag, version, and the digests the store reported, if any.
            ``last_modified`` may be the client's clock.
        """
        ...

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Delete one object; kind ``not_found`` when there is none, or no such bucket.

        :param condition: delete only this very object (else kind ``precondition_failed``).
        """
        ...

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the bucket exists and may be read; kind ``not_found`` when it does not."""
        ...


class ConditionKind(StrEnum):
    """The write conditions a store may honour."""

    ABSENT = "absent"
    UNCHANGED = "unchanged"


@runtime_checkable
class ConditionalWrites(Protocol):
    """Optional capability: ``WriteOptions.condition`` and ``delete_object(condition=…)``."""

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """The conditions this store honours."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLimits:
    """A store's documented limits, in bytes.

    :param put_limit: the largest single ``put_object``.
    :param min_part: the smallest part but for the last.
    :param max_part: the largest part.
    :param max_parts: how many parts one object may have.
    :param max_object: the largest object.
    """

    put_limit: int
    min_part: int
    max_part: int
    max_parts: int
    max_object: int


@dataclass(frozen=True, slots=True)
class PartUpload:
    """An upload under way. ``upload_id`` is no secret: it is of use only with credentials.

    :param ours: whether this package began it; a store that lists everybody's uploads alike
        sets it only where it can tell.
    """

    ref: ObjectRef
    upload_id: str
    started: datetime | None = None
    ours: bool = True


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

    def begin_upload(self, ref: ObjectRef, options: WriteOptions = ...) -> PartUpload:
        """Start an upload; nothing is visible under the key until it is completed."""
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


@runtime_checkable
class ObjectVersions(Protocol):
    """Optional capability: earlier versions of objects are kept and can be listed."""

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every live version (no delete markers), with ``version`` set."""
        ...


@runtime_checkable
class ObjectTags(Protocol):
    """Optional capability: key–value tags on objects, apart from metadata."""

    def get_tags(self, ref: ObjectRef) -> Mapping[str, str]:
        """The object's tags."""
        ...

    def set_tags(self, ref: ObjectRef, tags: Mapping[str, str]) -> None:
        """Replace the object's tags."""
        ...


@runtime_checkable
class ServerSideCopy(Protocol):
    """Optional capability: copy within one cloud without the bytes passing through here."""

    def copy_within(
        self, source: ObjectRef, destination: ObjectRef, options: WriteOptions = ...
    ) -> ObjectMeta:
        """Copy ``source`` (its very version when given) to ``destination``, atomically.

        Attributes are the source's; ``options.attributes`` is not looked at.
        """
        ...


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A URL that grants access to whoever holds it: a secret, so its text never shows.

    :param expires_at: aware, UTC.
    """

    _url: str = field(repr=False)
    expires_at: datetime

    def reveal(self) -> str:
        """The URL itself; never log it."""
        return self._url

    def __str__(self) -> str:
        """A text that may be logged."""
        return "SignedUrl(***)"


@runtime_checkable
class SignedUrls(Protocol):
    """Optional capability: a URL for one object that works without credentials for a while."""

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A URL for ``GET`` or ``PUT`` on the object, valid for ``expires_in``.

        Another method, or a duration that is none or longer than the store allows, is kind
        ``invalid_argument``.
        """
        ...


@runtime_checkable
class BucketCreation(Protocol):
    """Optional capability: make a bucket when asked."""

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Create the bucket unless it exists (and is ours); whether it was created.

        Where the store's buckets have labels or tags that show in the bill, one that is created
        gets those of :func:`~airflow_multicloud.labels.current_work` but for the run, with
        values made legal; one that is there keeps what it has.
        """
        ...


@runtime_checkable
class BucketListing(Protocol):
    """Optional capability: name the buckets that there are."""

    def list_buckets(self) -> Iterator[str]:
        """The names of the account's (the project's) buckets that the connection may list."""
        ...


@runtime_checkable
class CheckedReads(Protocol):
    """Optional capability: reads with a checksum that the service computes over what it sends.

    For stores that keep a digest of the whole object only as a writer declared it.
    """

    def get_checked(self, ref: ObjectRef, *, if_etag: str | None = None) -> Iterator[Buffer]:
        """The whole object, chunk by chunk; kind ``integrity`` when one arrives altered.

        :param if_etag: as for :meth:`ObjectStore.get_object`.
        """
        ...


@runtime_checkable
class KeyRules(Protocol):
    """Optional capability: the store says before any byte moves which keys it refuses."""

    def why_not_key(self, key: str) -> str | None:
        """Why the store can't hold an object of this key, or ``None`` when it can."""
        ...


@runtime_checkable
class MetadataRules(Protocol):
    """Optional capability: the store says beforehand which user metadata names it refuses."""

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why the store can't hold user metadata of this name, or ``None`` when it can."""
        ...


@dataclass(frozen=True, slots=True)
class FittedAttributes:
    """Attributes as a store can hold them.

    :param not_kept: what it can't hold: ``content_language``, ``metadata:name`` …
    """

    attributes: ObjectAttributes
    not_kept: tuple[str, ...] = ()


@runtime_checkable
class AttributeRules(Protocol):
    """Optional capability: the store says beforehand what it can hold of attributes."""

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """The attributes as the store can hold them, and which of them it can't.

        What has a standard form in ASCII is given in it (``filename*`` of a Content-Disposition,
        RFC 6266). Metadata values are those that a later stat reads. Of metadata that is too
        much in total, the last entries are left out. What this gives, a write takes.
        """
        ...


@runtime_checkable
class TagRules(Protocol):
    """Optional capability: the store says beforehand which object tags it can hold."""

    def why_not_tag(self, name: str, value: str) -> str | None:
        """Why the store can't hold this tag, or ``None`` when it can."""
        ...

    @property
    def most_tags(self) -> int:
        """How many tags an object can have."""
        ...

"""Optional capabilities of stores, apart from parts and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from airflow_multicloud.ports.object_store.options import ConditionKind, WriteOptions
from airflow_multicloud.ports.object_store.values import ObjectMeta, ObjectRef

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12 on


@runtime_checkable
class ConditionalWrites(Protocol):
    """Optional capability: ``WriteOptions.condition`` and ``delete_object(condition=…)``."""

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """The conditions this store honours."""
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
class StoreName(Protocol):
    """Optional capability: the store says which of its cloud's stores it is.

    For clouds of which two stores can have buckets of one name: in two accounts, at two endpoints.
    Where it is missing, the names of buckets count as unique in the whole cloud.
    """

    @property
    def store_name(self) -> str:
        """What names a bucket for good, together with the bucket's name: a host, say.

        It is in ledgers, in what Airflow remembers of them, and in spans. So it is the same in
        every run and by every connection, and no secret: at most 255 printable ASCII characters
        without spaces, ``/``, ``@``, ``?`` and ``#``. It is empty where a bucket needs no more
        than its name, as at AWS itself. Asking for it makes no request.
        """
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

"""Optional capability: small objects that need nothing special, at the least cost for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from airflow_multicloud.ports.object_store.options import WriteCondition
from airflow_multicloud.ports.object_store.values import Digests, ObjectAttributes

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12 on


class PlainAsked(NamedTuple):
    """One small object to be read: the one of this very size, ETag and version."""

    key: str
    size: int
    etag: str
    version: str | None


class PlainRead(NamedTuple):
    """One small object, whole.

    :param attributes: all that the object has. Equal ones may be the same value again.
    """

    body: Buffer
    attributes: ObjectAttributes


class PlainWrite(NamedTuple):
    """One small object to be written, in one atomic request.

    :param attributes: as ``AttributeRules.fit_attributes`` returned them.
    :param metadata: more of it, of ASCII letters, digits and underscores only.
    """

    key: str
    body: Buffer
    attributes: ObjectAttributes
    metadata: Mapping[str, str]
    condition: WriteCondition | None


class PlainWritten(NamedTuple):
    """What a store answered to a write.

    :param etag: it and the version identify the object, as the store's listing shows it.
    :param digests: that the service computed, where the answer tells some; with some settings an
        MD5 only looks like one.
    """

    etag: str
    version: str | None
    digests: Digests = Digests()


class PlainBucket(Protocol):
    """One bucket, for objects that need nothing special.

    Both verbs do some objects one after the other, and answer in their order. They raise nothing of
    the store's: whatever is special (a key, an attribute, a bucket's setting) or fails is answered
    by ``None``, and whoever asked does it again by the verbs of
    :class:`~airflow_multicloud.ports.object_store.ObjectStore`, which know every case and tell what
    is wrong. A write that was answered by ``None`` may have been carried out.
    """

    def read_all(self, asked: Sequence[PlainAsked]) -> Sequence[PlainRead | None]:
        """The objects; ``None`` for one that is another by now."""
        ...

    def write_all(self, writes: Sequence[PlainWrite]) -> Sequence[PlainWritten | None]:
        """Write objects, each whole or not at all."""
        ...


@runtime_checkable
class PlainObjects(Protocol):
    """Optional capability: buckets for objects that need nothing special."""

    def plain_bucket(self, bucket: str) -> PlainBucket | None:
        """The bucket; ``None`` where all of its objects take the ordinary verbs.

        :raises CloudError: when the store can't be reached or used at all.
        """
        ...

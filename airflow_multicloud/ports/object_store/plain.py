"""Optional capability: small objects that need nothing special, at the least cost for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from airflow_multicloud.ports.object_store.options import WriteCondition
from airflow_multicloud.ports.object_store.values import Digests, ObjectAttributes

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12 on


@dataclass(frozen=True, slots=True)
class PlainRead:
    """One small object, whole.

    :param attributes: all that the object has. Equal ones may be the same value again.
    """

    body: Buffer
    attributes: ObjectAttributes


@dataclass(frozen=True, slots=True)
class PlainWritten:
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

    Both verbs raise nothing of the store's: whatever is special (a key, an attribute, a bucket's
    setting) or fails is answered by ``None``, and whoever asked does it again by the verbs of
    :class:`~airflow_multicloud.ports.object_store.ObjectStore`, which know every case and tell what
    is wrong. A write that was answered by ``None`` may have been carried out.
    """

    def read(self, key: str, *, size: int, etag: str, version: str | None) -> PlainRead | None:
        """The object of this very size, ETag and version; ``None`` when it is another one."""
        ...

    def write(
        self,
        key: str,
        body: Buffer,
        attributes: ObjectAttributes,
        *,
        metadata: Mapping[str, str],
        condition: WriteCondition | None,
    ) -> PlainWritten | None:
        """Write one object in one atomic request.

        :param attributes: as ``AttributeRules.fit_attributes`` returned them.
        :param metadata: more of it, of ASCII letters, digits and underscores only.
        """
        ...


@runtime_checkable
class PlainObjects(Protocol):
    """Optional capability: buckets for objects that need nothing special."""

    def plain_bucket(self, bucket: str) -> PlainBucket | None:
        """The bucket; ``None`` where all of its objects take the ordinary verbs.

        :raises CloudError: when the store can't be reached or used at all.
        """
        ...

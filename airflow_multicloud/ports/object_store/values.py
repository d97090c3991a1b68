"""What a store says of objects and buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

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

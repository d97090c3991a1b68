"""What replicating, uploading, verifying and fetching need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_multicloud.core.preflight.needs import Need, ObjectPlace
from airflow_multicloud.errors import ErrorKind, StorageError

#: What a ledger takes: whoever reads it lists the bucket's own keys, and reads some.
LEDGER = ("list_objects", "get_object")
_SENDING = ("put_object", "stat_object", "upload_parts", "list_uploads", "abort_upload")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """A replication, in the words of ``ReplicateOperator``.

    :param versioned: whether buckets may keep versions. Where that is certainly not so, fewer
        permissions are needed.
    """

    source: object
    destinations: object
    preserve_tags: bool = False
    delete_extraneous: bool = False
    create_buckets: bool = False
    versioned: bool = True

    #: Parameters of the operator that change nothing in what is called.
    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "include",
            "exclude",
            "min_size",
            "max_size",
            "min_age",
            "max_age",
            "immutable",
            "on_error",
            "min_success_ratio",
            "compare_attributes",
            "max_delete",
            "max_replace",
            "part_size",
            "large_object",
            "concurrency",
            "memory_limit",
            "bandwidth_limit",
            "signing_conn_id",
            "dry_run",
            "preview_cost",
            "prices",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of the source and of each destination."""
        yield from reading(
            ObjectPlace.of(self.source, "replicate: source", "source"),
            tags=self.preserve_tags,
            versioned=self.versioned,
        )
        for number, uri in enumerate(uris(self.destinations, "destinations")):
            place = ObjectPlace.of(uri, "replicate: destination", f"destinations[{number}]")
            yield from replica(
                place,
                tags=self.preserve_tags,
                delete=self.delete_extraneous,
                create=self.create_buckets,
                versioned=self.versioned,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload, in the words of ``UploadArtifactOperator``.

    :param versioned: see :class:`Replicate`.
    """

    destination: object
    replicate_to: object = ()
    versioned: bool = True

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset({"file", "immutable", "signing_conn_id"})

    def needs(self) -> Iterator[Need]:
        """Of the destination, and of what it is replicated to."""
        for uri in uris(self.destination, "destination"):
            place = ObjectPlace.of(uri, "upload: destination", "destination")
            yield from place.needs((*_SENDING, "get_object"))
            yield from place.needs((*LEDGER, "put_object"), own=True)
            if self.versioned:
                yield from place.needs(("upload_parts:version",))
            if self.replicate_to:  # The object is the source of a replication then.
                yield from reading_one(place, tags=False, versioned=self.versioned)
        replicas = uris(self.replicate_to, "replicate_to") if self.replicate_to else ()
        for number, uri in enumerate(replicas):
            place = ObjectPlace.of(uri, "upload: replica", f"replicate_to[{number}]")
            yield from replica(
                place, tags=False, delete=False, create=False, versioned=self.versioned
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """A verification, in the words of ``VerifyReplicaOperator``."""

    replica: object
    siblings: object = ()

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "depth",
            "run_id",
            "expected_root",
            "at_least_commit",
            "public_keys",
            "use_remembered",
            "fail",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of the replica; of the others only the ledgers."""
        place = ObjectPlace.of(self.replica, "verify: replica", "replica")
        yield from place.needs(("list_objects", "stat_object", "get_object"))
        yield from place.needs(LEDGER, own=True)
        for number, uri in enumerate(uris(self.siblings, "siblings") if self.siblings else ()):
            sibling = ObjectPlace.of(uri, "verify: sibling", f"siblings[{number}]")
            yield from sibling.needs(LEDGER, own=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A fetch, in the words of ``FailoverFetchOperator``; to a local path, or to a URI."""

    candidates: object
    target: object
    versioned: bool = True

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "fail_over_on",
            "attempt_timeout",
            "deadline",
            "max_staleness",
            "expected_sha256",
            "require_digest",
            "hedge_after",
            "live_primary",
            "expected_roots",
            "at_least_commits",
            "public_keys",
            "use_remembered",
            "list_unknown",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of each candidate, and of a target that is in a cloud."""
        for number, uri in enumerate(uris(self.candidates, "candidates")):
            place = ObjectPlace.of(uri, "fetch: candidate", f"candidates[{number}]")
            yield from place.needs(("list_objects", "stat_object", "get_object"))
            yield from place.needs(LEDGER, own=True)
            if self.versioned:
                yield from place.needs(("get_object:version",))
        if "://" in str(self.target):
            place = ObjectPlace.of(self.target, "fetch: target", "target")
            yield from place.needs(("stat_bucket", "list_objects", *_SENDING))
            if self.versioned:
                yield from place.needs(("upload_parts:version",))


def reading(place: ObjectPlace, *, tags: bool, versioned: bool) -> Iterator[Need]:
    """Of the source of a replication."""
    if not place.location.is_prefix:
        yield from reading_one(place, tags=tags, versioned=versioned)
        return
    yield from place.needs(("stat_bucket", "stat_object", "get_object", "list_objects"))
    if tags:
        yield from place.needs(("get_tags",))


def reading_one(place: ObjectPlace, *, tags: bool, versioned: bool) -> Iterator[Need]:
    """Of an object that is the source; of any below a prefix that may be."""
    yield from place.needs(("stat_bucket", "stat_object", "get_object"))
    # An object that is named, and not listed, tells which version it is, and is read as that.
    if versioned:
        yield from place.needs(("stat_object:version", "get_object:version"))
    if tags:
        yield from place.needs(("get_tags", *(("get_tags:version",) if versioned else ())))


def replica(
    place: ObjectPlace, *, tags: bool, delete: bool, create: bool, versioned: bool
) -> Iterator[Need]:
    """Of a destination of a replication."""
    yield from place.needs(("stat_bucket", "list_objects", *_SENDING, "get_object"))
    yield from place.needs((*LEDGER, "put_object"), own=True)
    yield from place.needs(("late_metadata",))
    if versioned:
        yield from place.needs(("upload_parts:version", "late_metadata:version"))
    if tags:
        yield from place.needs(("set_tags",))
    if delete:
        yield from place.needs(("delete_object",))
    if create:
        yield from place.needs(("ensure_bucket",))


def uris(given: object, parameter: str) -> Sequence[str]:
    """The URIs of a parameter: texts, or destinations with more than a URI.

    :raises StorageError: kind ``invalid_argument`` for anything else.
    """
    listed: Any = [given] if isinstance(given, str) or hasattr(given, "uri") else given
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list | tuple) or not listed:
        raise StorageError(
            f"{parameter}: {given!r} given, expected at least one URI",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return [_uri(one) for one in listed]


def _uri(given: Any) -> str:
    found = given.get("uri") if isinstance(given, dict) else getattr(given, "uri", given)
    return str(found)

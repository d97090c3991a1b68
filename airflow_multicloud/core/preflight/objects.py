"""What replicating, uploading, verifying and fetching need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.core.preflight.needs import Need, ObjectPlace

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
            "digest",
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
        for place in ObjectPlace.each(self.destinations, "replicate: destination", "destinations"):
            yield from replica(
                place,
                tags=self.preserve_tags,
                delete=self.delete_extraneous,
                create=self.create_buckets,
                versioned=self.versioned,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardedReplication(Replicate):
    """A replication over mapped tasks, in the words of ``sharded_replication``.

    Its tasks tell each other what they do by files in the bucket of the first destination.
    """

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = Replicate.WITHOUT_EFFECT - {
        "dry_run",
        "preview_cost",
        "prices",
    } | {"shards"}

    def needs(self) -> Iterator[Need]:
        """Those of a replication; and the files of the run go at its end."""
        yield from Replicate.needs(self)
        what = "sharded_replication: files of the run"
        home, *_ = ObjectPlace.each(self.destinations, what, "destinations")
        yield from home.needs((*LEDGER, "put_object", "delete_object"), own=True)


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
        primary = ObjectPlace.of(self.destination, "upload: destination", "destination")
        yield from sending(primary, versioned=self.versioned)
        if not self.replicate_to:
            return
        # The object is the source of a replication then.
        yield from reading_one(primary, tags=False, versioned=self.versioned)
        for place in ObjectPlace.each(self.replicate_to, "upload: replica", "replicate_to"):
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
        if not self.siblings:
            return
        for sibling in ObjectPlace.each(self.siblings, "verify: sibling", "siblings"):
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
        for place in ObjectPlace.each(self.candidates, "fetch: candidate", "candidates"):
            yield from place.needs(("list_objects", "stat_object", "get_object"))
            yield from place.needs(LEDGER, own=True)
            if self.versioned:
                yield from place.needs(("get_object:version",))
        if "://" in str(self.target):
            place = ObjectPlace.of(self.target, "fetch: target", "target")
            yield from place.needs(("stat_bucket", "list_objects", *_SENDING))
            if self.versioned:
                yield from place.needs(("upload_parts:version",))


def sending(place: ObjectPlace, *, versioned: bool) -> Iterator[Need]:
    """Of a place that a file is uploaded to."""
    yield from place.needs((*_SENDING, "get_object"))
    yield from place.needs((*LEDGER, "put_object"), own=True)
    if versioned:
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

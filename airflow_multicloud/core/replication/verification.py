"""Prove a replica against its manifest, and name exactly what is damaged or missing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from airflow_multicloud.adapters.digests import StreamDigest, shared
from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import history, manifest, planning, stock
from airflow_multicloud.core.replication.catalog import Catalog, Listed
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.manifest import Latest
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import printable

#: How many findings a report names; every finding is counted.
NAMED_FINDINGS = 100


class Depth(StrEnum):
    """How to prove content."""

    CHECKSUMS = "checksums"
    """By the digests the store reports; an object it reports none of is ``unverifiable``."""
    AUTO = "auto"
    """By the digests the store reports; objects it reports none of are read, but for those
    whose ETag is still the one that was proven when they were written."""
    READ = "read"
    """By reading every byte."""


class Finding(StrEnum):
    """What verification can find of one object."""

    VERIFIED = "verified"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNVERIFIABLE = "unverifiable"
    NOT_REPLICATED = "not_replicated"
    """The manifest itself says that the copy failed."""
    RESERVED = "reserved"
    """It was left out: its key is among this package's own files here. Nothing is amiss."""


@dataclass(frozen=True, slots=True)
class Found:
    """One object that is not proven."""

    name: str
    finding: Finding
    reason: str

    def __str__(self) -> str:
        """One line."""
        return printable(f"{self.name!r} is {self.finding}: {self.reason}")


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """Whether a replica is what its manifest says.

    :param findings: objects by finding; they add up to ``objects``.
    :param extraneous: objects at the replica that the manifest does not know.
    :param root: the Merkle root computed again from the manifest's lines; it was equal to the
        recorded one, or verification fails as a whole.
    """

    replica: str
    manifest_uri: str
    run_id: str
    root: str
    as_of: datetime
    objects: int
    bytes_read: int
    findings: Mapping[Finding, int]
    extraneous: int
    found: tuple[Found, ...]
    seconds: float

    DOCUMENT: ClassVar = Document(
        (
            "replica",
            "manifest_uri",
            "run_id",
            "root",
            "as_of",
            "objects",
            "bytes_read",
            "findings",
            "extraneous",
            ("found", "found_lines"),
            "proven",
            "seconds",
        )
    )

    @property
    def proven(self) -> bool:
        """Whether every object of the manifest but those left out is there and identical."""
        return self.unproven == 0

    @property
    def unproven(self) -> int:
        """How many objects that should be there are not known to be identical."""
        settled = (Finding.VERIFIED, Finding.RESERVED)
        return self.objects - sum(self.findings.get(finding, 0) for finding in settled)

    @property
    def found_lines(self) -> tuple[str, ...]:
        """What was found, a line each."""
        return tuple(str(one) for one in self.found)


def verify(
    replica: Endpoint,
    *,
    depth: Depth = Depth.AUTO,
    run_id: str | None = None,
    concurrency: int = 16,
) -> VerificationReport:
    """Compare a replica with what its manifest says of it.

    Costs one listing and one read of the manifest, plus a read of each object whose digest
    the listing does not show, as ``depth`` says.

    :param run_id: verify against this run's manifest instead of the latest.
    :raises StorageError: kind ``not_found`` when there is no manifest; ``integrity`` when the
        manifest itself does not match its Merkle root.
    """
    started = time.monotonic()
    with (
        telemetry.operation(
            "verify_replica",
            cloud__provider=replica.cloud,
            multicloud__replica=manifest.place(str(replica.location)),
        ) as span,
        Catalog() as catalog,
        cancellation.pool(concurrency, "multicloud-verify") as pool,
    ):
        latest = _latest(replica, run_id)
        catalog.add_listing(0, stock.listing(replica))
        check = _Check(replica, depth, latest)
        check.run(catalog, pool, concurrency)
        report = check.report(catalog, time.monotonic() - started)
        span.set_attribute("multicloud.objects", report.objects)
        span.set_attribute("multicloud.proven", report.proven)
    return report


def _latest(replica: Endpoint, run_id: str | None) -> Latest:
    known = history.pointers(replica)
    if not known:
        raise history.no_manifest(replica)
    if len(known) > 1:
        sources = ", ".join(sorted(m.source for m in known))
        raise StorageError(
            f"replica: {replica.location} is a replica of several sources ({sources}); they "
            "overwrite each other's objects",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=replica.cloud,
        )
    return known[0] if run_id is None else history.run_of(replica, known[0], run_id)


class _Check:
    def __init__(self, replica: Endpoint, depth: Depth, latest: Latest) -> None:
        self._replica = replica
        self._depth = depth
        self._latest = latest
        self._findings: Counter[Finding] = Counter()
        self._found: list[Found] = []
        self._objects = 0
        self._bytes_read = 0
        self._present = 0
        self._tree = MerkleTree()

    def run(self, catalog: Catalog, pool: ThreadPoolExecutor, concurrency: int) -> None:
        there = planning.Follow((o.name, o) for o in catalog.listing(0))
        running: dict[Future[tuple[Found | None, int]], Item] = {}
        for item, index in manifest.objects_of(self._replica, self._latest.key):
            cancellation.check()
            self._objects += 1
            self._tree.add(item)
            listed: Listed | None = there.at(item.name)
            self._present += listed is not None
            known = self._by_listing(item, item.replicas[index], listed)
            if isinstance(known, Found):
                self._count(known)
            elif known:
                self._findings[Finding.VERIFIED] += 1
            else:
                running[telemetry.submit_in_context(pool, self._look_closer, item)] = item
            while len(running) >= 2 * concurrency:
                self._collect(running)
        while running:
            self._collect(running)
        if self._tree.root() != self._latest.root:
            raise StorageError(
                f"{self._replica.location.with_key(self._latest.key)}: the manifest's lines do "
                "not give its Merkle root; it was changed after it had been written",
                kind=ErrorKind.INTEGRITY,
                cloud=self._replica.cloud,
            )

    def _by_listing(self, item: Item, state: Replica, listed: Listed | None) -> Found | bool:
        """What the listing tells: a finding, proven, or (``False``) that it must be read."""
        if state.outcome is None or not state.outcome.sound:
            left_out = state.outcome is Outcome.RESERVED
            finding = Finding.RESERVED if left_out else Finding.NOT_REPLICATED
            return Found(item.name, finding, f"{state.outcome}: {state.reason}")
        if listed is None:
            return Found(item.name, Finding.MISSING, "there is no object of this key")
        if listed.size != item.size:
            return Found(item.name, Finding.DAMAGED, f"{listed.size} bytes instead of {item.size}")
        if self._depth is Depth.READ:
            return False
        compared = shared(item.digests, listed.digests)
        if compared is not None:
            return compared[1]
        # The store changes the ETag with every write, so with the same ETag this is the very
        # object whose digest was confirmed when it was written.
        return listed.etag == state.etag and state.confirmed is not None

    def _look_closer(self, item: Item) -> tuple[Found | None, int]:
        """Settle what the listing did not; returns the bytes read as well."""
        replica = self._replica
        ref = replica.ref(replica.key_of(item.name))
        digest = StreamDigest(md5=not (item.digests.sha256 or item.digests.crc32c))
        try:
            if self._depth is not Depth.READ:
                compared = shared(item.digests, replica.store.stat_object(ref).digests)
                if compared is not None:
                    return _judge(item, compared, "the store's"), 0
                if self._depth is Depth.CHECKSUMS:
                    return _unverifiable(item, "the store reports no digest to compare"), 0
            for chunk in replica.store.get_object(ref):
                cancellation.check()
                digest.update(chunk)
        except CloudError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return Found(item.name, Finding.MISSING, "it was deleted meanwhile"), 0
            return _unverifiable(item, f"{err.kind}: {err}"), digest.size
        compared = shared(item.digests, digest.digests())
        if compared is None:
            return _unverifiable(item, "the manifest has no digest of it"), digest.size
        return _judge(item, compared, "the content's"), digest.size

    def _collect(self, running: dict[Future[tuple[Found | None, int]], Item]) -> None:
        cancellation.check()
        for future in wait(running, cancellation.LOOK, return_when=FIRST_COMPLETED).done:
            del running[future]
            found, size = future.result()
            self._bytes_read += size
            if found is None:
                self._findings[Finding.VERIFIED] += 1
            else:
                self._count(found)

    def _count(self, found: Found) -> None:
        self._findings[found.finding] += 1
        if found.finding is not Finding.RESERVED and len(self._found) < NAMED_FINDINGS:
            self._found.append(found)

    def report(self, catalog: Catalog, seconds: float) -> VerificationReport:
        return VerificationReport(
            replica=str(self._replica.location),
            manifest_uri=str(self._replica.location.with_key(self._latest.key)),
            run_id=self._latest.run_id,
            root=self._latest.root,
            as_of=self._latest.started,
            objects=self._objects,
            bytes_read=self._bytes_read,
            findings=dict(self._findings),
            extraneous=catalog.count_listed(0) - self._present,
            found=tuple(sorted(self._found, key=lambda f: f.name)),
            seconds=seconds,
        )


def _judge(item: Item, compared: tuple[str, bool], whose: str) -> Found | None:
    name, equal = compared
    if equal:
        return None
    return Found(item.name, Finding.DAMAGED, f"{whose} {name} differs from the manifest's")


def _unverifiable(item: Item, reason: str) -> Found:
    return Found(item.name, Finding.UNVERIFIABLE, reason)

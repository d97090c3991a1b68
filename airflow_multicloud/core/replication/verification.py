"""Prove a replica against its ledger, and name exactly what is damaged or missing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import trust
from airflow_multicloud.core.ledger.commits import OpenRun
from airflow_multicloud.core.ledger.memory import Remembered, recall, recall_none
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.trust import Corroboration, Verifier
from airflow_multicloud.core.replication import agreeing, history, under_way
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.checking import Check
from airflow_multicloud.core.replication.freshness import freshness_at, is_known
from airflow_multicloud.core.replication.judging import Depth, Finding, Found
from airflow_multicloud.core.replication.under_way import SYSTEM, Clock
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.text import printable

__all__ = ["Depth", "Finding", "Found", "VerificationReport", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport(Documented):
    """Whether a replica is what its ledger says.

    :param run_id: the run that looked at the source last, by that state of the ledger.
    :param commit: that commit's number.
    :param ledger_root: that commit's root, which commits to all that the ledger says.
    :param newer_commit: a later one, by which what was replaced meanwhile was judged.
    :param content: the Merkle root over what the ledger proves of the replica: equal content has
        an equal root, on any cloud.
    :param as_of: the replica held every change made at the source before this; ``None``: unknown.
    :param oldest: the part that ``as_of`` is due to.
    :param age_unknown: why ``as_of`` is not known.
    :param findings: objects that the source had by finding; they add up to ``objects``.
    :param extraneous: objects at the replica that the source has not, or that no run has seen.
    :param gone: those among them that the source had once.
    :param open_runs: runs that write to the replica now, or were killed.
    :param unfinished: why it has not all objects yet: its first replication has not ended.
    :param signed: whether the ledger's newest commit has a signature, whoever made it.
    :param signed_by: those of the keys that were given which have made it, by their ids.
    :param contradictions: what other ledgers say otherwise.
    :param not_compared: what of other ledgers could not be compared, and why.
    """

    replica: str
    run_id: str
    commit: int
    ledger_root: str
    commit_uri: str
    content: str
    as_of: datetime | None
    objects: int
    bytes_read: int
    findings: Mapping[Finding, int]
    extraneous: int
    found: tuple[Found, ...]
    seconds: float
    gone: int
    newer_commit: int | None = None
    oldest: str | None = None
    age_unknown: str | None = None
    open_runs: tuple[str, ...] = ()
    unfinished: str | None = None
    signed: bool = False
    signed_by: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()

    DOCUMENT: ClassVar = Document(
        (
            "replica",
            "run_id",
            "commit",
            "ledger_root",
            "commit_uri",
            "newer_commit",
            "content",
            "as_of",
            "oldest",
            "age_unknown",
            "objects",
            "bytes_read",
            "findings",
            "extraneous",
            "gone",
            ("found", "found_lines"),
            "open_runs",
            "unfinished",
            "signed",
            "signed_by",
            "contradictions",
            "not_compared",
            "proven",
            "seconds",
        )
    )

    @property
    def proven(self) -> bool:
        """Whether every object but those left out is there and identical, and nobody objects."""
        return self.unproven == 0 and not self.contradictions and self.unfinished is None

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
    expected_root: str | None = None,
    at_least_commit: int | None = None,
    siblings: Iterable[Endpoint] = (),
    public_keys: Verifier | None = None,
    remembered: Remembered | None = None,
    concurrency: int = 16,
    clock: Clock = SYSTEM,
) -> VerificationReport:
    """Compare a replica with what its ledger says of it.

    Costs one listing and one read of the ledger, plus a read of each object that is not the one of
    the proven write any more and whose digest the store does not tell, as ``depth`` says. What a
    run replaces meanwhile is judged by what that run has recorded; it is waited for.

    :param run_id: verify against the state at this run's last commit instead of the newest.
    :param expected_root: the newest commit must have it, or, with ``at_least_commit``, that one.
    :param at_least_commit: the newest commit must have this number or a greater one.
    :param siblings: other replicas: what their ledgers have seen of this one must be so, and the
        reverse; and of the same object at the source all must prove the same content.
    :param public_keys: the newest commit must be signed with one of them.
    :param remembered: a commit that was seen: the newest one, or one before it.
    :raises StorageError: kind ``not_found`` when there is no ledger, or it knows nothing of the
        replica; ``integrity`` when the ledger is damaged, or not the expected or a signed one.
    """
    started = time.monotonic()
    with (
        telemetry.operation(
            "verify_replica",
            cloud__provider=replica.cloud,
            multicloud__replica=replica.place,
        ) as span,
        Catalog() as catalog,
        cancellation.pool(concurrency, "multicloud-verify") as pool,
    ):
        newest = _trusted(replica, expected_root, at_least_commit, remembered)
        forgotten = recall(newest, remembered)
        signed_by = trust.check_signature(newest, public_keys)
        head = newest if run_id is None else history.run_of(replica, newest, run_id)
        if not is_known(replica, head):
            raise history.nothing_recorded(replica, newest)
        said = agreeing.compare(replica, head, trust.ask(newest, siblings))
        if forgotten is not None:
            said = replace(said, unknown=(forgotten, *said.unknown))
        check = Check(replica, depth, head, catalog, pool, concurrency)
        check.run(public_keys, clock if run_id is None else None)
        latest = newest if run_id is not None else check.newest
        runs = under_way.open_runs(latest.commit, replica.location.key, clock.now())
        report = replace(
            _report(check, runs, said, time.monotonic() - started),
            unfinished=under_way.unfinished(check.newest.commit, replica.location.key),
            signed=latest.signature is not None,
            signed_by=signed_by,
        )
        span.set_attribute("multicloud.objects", report.objects)
        span.set_attribute("multicloud.proven", report.proven)
    return report


def _trusted(
    replica: Endpoint,
    expected_root: str | None,
    at_least_commit: int | None,
    remembered: Remembered | None,
) -> Head:
    """The newest commit, if it is what a caller remembers."""
    trust.check_expectation(expected_root, at_least_commit)
    newest = history.find_newest(replica)
    if newest is None:
        trust.check_none_expected(replica, expected_root, at_least_commit)
        recall_none(replica, remembered)
        raise history.nothing_recorded(replica, None)
    trust.check_expected(newest, expected_root, at_least_commit)
    return newest


def _report(
    check: Check,
    runs: Iterable[OpenRun],
    said: Corroboration,
    seconds: float,
) -> VerificationReport:
    replica, head = check.replica, check.head
    age = freshness_at(replica, head)
    count: Counter[Finding] = check.findings
    return VerificationReport(
        replica=str(replica.location),
        run_id=_last_run(head, replica.location.key),
        commit=head.commit.number,
        ledger_root=head.root,
        commit_uri=head.uri,
        newer_commit=None if check.newest is head else check.newest.commit.number,
        content=check.content,
        as_of=age.as_of,
        oldest=age.oldest,
        age_unknown=age.unknown,
        objects=sum(count.values()),
        bytes_read=check.bytes_read,
        findings=dict(count),
        extraneous=check.extraneous,
        gone=check.gone,
        found=tuple(sorted(check.named, key=lambda found: found.name)),
        open_runs=tuple(under_way.run_text(run) for run in runs),
        contradictions=tuple(str(one) for one in said.contradictions),
        not_compared=said.unknown,
        seconds=seconds,
    )


def _last_run(head: Head, prefix: str) -> str:
    """The run that has looked at the source last: not always the one that ended last."""
    looks = [look for look in head.commit.looks if history.overlaps(look.prefix, prefix)]
    last = max(looks, key=lambda look: look.started, default=None)
    return printable(last.run_id if last else head.commit.identity.run_id)

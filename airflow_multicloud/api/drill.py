"""Hold disaster-recovery drills."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from airflow_multicloud.api.evidence import earlier_records, keep_evidence, past_drills
from airflow_multicloud.api.object_store.fetches import open_candidates
from airflow_multicloud.api.object_store.reachability import reachable_replicas
from airflow_multicloud.api.object_store.replicas import check_run_id, replicate, verify_replica
from airflow_multicloud.core.drill.canary import Canary, write_canary
from airflow_multicloud.core.drill.chain import StoredRecord
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.failover import measure
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.drill.findings import COPIES, Facts, why_not_in_two_clouds
from airflow_multicloud.core.drill.leftovers import what_is_left
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.drill.parts import LEFT, part_of
from airflow_multicloud.core.drill.unmeasured import unmeasured
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.verification import VerificationReport
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.identities import identities_of
from airflow_multicloud.opening.signing import open_signer
from airflow_multicloud.registry import session

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrillResult:
    """A drill that was held.

    :param records: where the evidence is; a second record, judged by the places that could be
        written, comes before the first.
    :param unwritten: places that could not take it, and why.
    """

    evidence: Evidence
    records: tuple[StoredRecord, ...]
    unwritten: Mapping[str, CloudError]

    @property
    def written(self) -> tuple[str, ...]:
        """The URIs of the evidence: of each record, and of its page."""
        return tuple(uri for record in self.records for uri in (record.uri, record.page))

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return self.evidence.findings


@session()
@operation("run_drill")
def run_drill(
    primary: str,
    replicas: Sequence[str],
    *,
    objectives: Objectives,
    fault: Fault | str = Fault.UNAVAILABLE,
    policy: FailoverPolicy = FailoverPolicy(attempt_timeout=timedelta(minutes=5)),
    places: Sequence[str] | None = None,
    restore_to: Path | None = None,
    drill_id: str | None = None,
    run: Mapping[str, str] = {},
    signing_conn_id: str | None = None,
) -> DrillResult:
    """Hold the drill of the example DAG in this process, and write its evidence.

    Replicate, verify, write a canary and replicate it; make the primary fail on this side of the
    wire, recover everything from the replicas, and judge. Nothing at any cloud is switched off.
    A drill that can't go on leaves evidence as well, of the verdict ``ABORTED``.

    :param primary: URI of the prefix that is replicated; the canary is written below it.
    :param replicas: URIs of prefixes, in the order of preference. One that is out of reach is
        left out of the replication, and is a finding.
    :param objectives: what is to be met. The time of a phase may not be longer than the RTO.
    :param fault: how the primary misbehaves.
    :param policy: as that of the fetches which the drill stands for.
    :param places: URIs in buckets that keep the evidence; those of the first two replicas in
        reach when left out. In fewer than two clouds, a drill without another failure ends as
        ``FAILED_EVIDENCE``; a warning says so before it begins.
    :param restore_to: keep what was recovered in this directory, which must be empty.
    :param drill_id: names the drill: letters, digits, ``.``, ``_`` and ``-``.
    :param run: who held it and how, for the evidence.
    :param signing_conn_id: the connection whose key signs the evidence; it is not signed without.
    :raises CloudError: when the drill can't be held: no replica is in reach, say.
    """
    check_run_id(drill_id, parameter="drill_id")
    if fault not in tuple(Fault):
        raise StorageError(
            f"fault: {fault!r} given, expected one of {', '.join(Fault)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    objectives.check()
    if places is not None:
        places = texts(places, "places", what="URIs", if_empty="leave it out for the default")
    open_signer(signing_conn_id)  # A key that can't be used is said before anything is done.
    kept = _empty(restore_to)
    name = drill_id or f"drill-{uuid4().hex[:12]}"
    wanted = texts(replicas, "replicas", what="URIs")
    with operation("run_drill", multicloud__fault=str(fault)):
        candidates = open_candidates([primary, *wanted])
        reachable = reachable_replicas(wanted).uris
        keep = tuple(places or reachable[:COPIES])
        if (alone := why_not_in_two_clouds(keep)) is not None:
            _log.warning("places: %s: the drill can't pass", alone)
        held = _Held(name, objectives, run, keep, signing_conn_id, again=drill_id is not None)
        try:
            held.replications.append(replicate(primary, reachable, run_id=f"{name}-before"))
            held.verifications.extend(verify_replica(uri) for uri in reachable)
            canary = write_canary(open_endpoint(primary, parameter="primary"), name)
            held.canary = canary
            held.replications.append(replicate(primary, reachable, run_id=f"{name}-canary"))
            with tempfile.TemporaryDirectory(prefix="multicloud-drill-") as scratch:
                measured = measure(
                    candidates, kept or Path(scratch), canary, fault=Fault(fault), policy=policy
                )
        except CloudError as err:
            # What is wrong with what was given is no drill.
            if err.kind is not ErrorKind.INVALID_ARGUMENT:
                held.abort(err, fault)
            raise
        left = what_is_left(None if kept else Path(scratch), candidates)
        identities = identities_of(candidates, measured)
        facts = {**to_document(measured), "identities": identities, LEFT: to_document(left)}
        return held.end(facts)


@dataclass(slots=True)
class _Held:
    """A drill under way, and what is known of it by now."""

    drill_id: str
    objectives: Objectives
    run: Mapping[str, str]
    places: tuple[str, ...]
    signing_conn_id: str | None
    again: bool
    replications: list[ReplicationReport] = field(default_factory=list)
    verifications: list[VerificationReport] = field(default_factory=list)
    canary: Canary | None = None

    def end(self, measurement: Mapping[str, Any]) -> DrillResult:
        """Judge it, and write the evidence."""
        facts = Facts(
            measurement=measurement,
            verification=[to_document(report) for report in self.verifications],
            parts=part_of(measurement),
            places=self.places,
        )
        before = earlier_records(self.drill_id, self.run, self.places) if self.again else ()
        evidence = Evidence.of(
            self.drill_id,
            self.objectives,
            facts=facts,
            run=self.run,
            replication=[to_document(report) for report in self.replications],
            canary=to_document(self.canary) if self.canary else {},
            earlier=before,
            past=past_drills(self.places),
        )
        kept = keep_evidence(evidence, self.places, signing_conn_id=self.signing_conn_id)
        return DrillResult(kept.evidence, kept.records, kept.unwritten)

    def abort(self, err: CloudError, fault: str) -> None:
        """Leave evidence of a drill that can't go on, where that can be written."""
        why = f"The drill could not go on: {err.kind}: {err}"
        for uri in self.end(unmeasured(why, fault=fault)).written:
            _log.warning("evidence of the drill that was aborted: %s", uri)


def _empty(directory: Path | None) -> Path | None:
    if directory is None:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise StorageError(
            f"restore_to: {directory} is not empty; what was there would count as recovered",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return directory

"""Hold disaster-recovery drills, and read the records of those that were."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from airflow_multicloud.api.object_store.fetches import open_candidates
from airflow_multicloud.api.object_store.reachability import reachable_replicas
from airflow_multicloud.api.object_store.replicas import check_run_id, replicate, verify_replica
from airflow_multicloud.core.drill import evidence as record
from airflow_multicloud.core.drill.canary import write_canary
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.failover import measure
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.drill.verdict import Objectives
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.identities import identities_of
from airflow_multicloud.registry import session

#: In how many replicas' buckets evidence is kept: two clouds, so that it survives one.
_COPIES = 2


@dataclass(frozen=True, slots=True)
class DrillResult:
    """A drill that was held.

    :param written: the URIs of the evidence.
    :param unwritten: places that could not take it, and why.
    """

    evidence: Evidence
    written: tuple[str, ...]
    unwritten: Mapping[str, CloudError]

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return self.evidence.findings


@session()
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
) -> DrillResult:
    """Hold the drill of the example DAG in this process, and write its evidence.

    Replicate, verify, write a canary and replicate it; make the primary fail on this side of the
    wire, recover everything from the replicas, and judge. Nothing at any cloud is switched off.

    :param primary: URI of the prefix that is replicated; the canary is written below it.
    :param replicas: URIs of prefixes, in the order of preference. One that is out of reach is
        left out of the replication, and is a finding.
    :param objectives: what is to be met.
    :param fault: how the primary misbehaves.
    :param policy: as that of the fetches which the drill stands for.
    :param places: URIs in buckets that keep the evidence; those of the first two replicas in
        reach when left out.
    :param restore_to: keep what was recovered in this directory, which must be empty.
    :param drill_id: names the drill: letters, digits, ``.``, ``_`` and ``-``.
    :param run: who held it and how, for the evidence.
    :raises CloudError: when the drill can't be held: no replica is in reach, say.
    """
    check_run_id(drill_id, parameter="drill_id")
    if fault not in tuple(Fault):
        raise StorageError(
            f"fault: {fault!r} given, expected one of {', '.join(Fault)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if places is not None:
        places = texts(places, "places", what="URIs", if_empty="leave it out for the default")
    kept = _empty(restore_to)
    name = drill_id or f"drill-{uuid4().hex[:12]}"
    wanted = texts(replicas, "replicas", what="URIs")
    with operation("run_drill", multicloud__fault=str(fault)):
        candidates = open_candidates([primary, *wanted])
        reachable = reachable_replicas(wanted).uris
        replications = [replicate(primary, reachable, run_id=f"{name}-before")]
        verifications = [verify_replica(uri) for uri in reachable]
        canary = write_canary(open_endpoint(primary, parameter="primary"), name)
        replications.append(replicate(primary, reachable, run_id=f"{name}-canary"))
        with tempfile.TemporaryDirectory(prefix="multicloud-drill-") as scratch:
            measured = measure(
                candidates,
                kept or Path(scratch),
                canary,
                fault=Fault(fault),
                policy=policy,
            )
        measurement = {**to_document(measured), "identities": identities_of(candidates, measured)}
        evidence = Evidence.of(
            name,
            objectives,
            run=run,
            measurement=measurement,
            replication=[to_document(report) for report in replications],
            verification=[to_document(report) for report in verifications],
            canary=to_document(canary),
        )
        written, unwritten = store_evidence(evidence, places or reachable[:_COPIES])
        return DrillResult(evidence, tuple(written), unwritten)


@session()
def store_evidence(
    evidence: Evidence, places: Sequence[str]
) -> tuple[list[str], dict[str, CloudError]]:
    """Write evidence to every place that takes it: one that is out of reach costs no other.

    :param places: URIs in buckets that keep it.
    :return: the URIs of what was written, and what was not and why, by place.
    """
    written: list[str] = []
    failed: dict[str, CloudError] = {}
    with operation("store_evidence", multicloud__drill=evidence.drill_id):
        for number, uri in enumerate(texts(places, "places", what="URIs")):
            try:
                written += record.store(evidence, open_endpoint(uri, parameter=f"places[{number}]"))
            except CloudError as err:
                failed[uri] = err
    return written, failed


@session()
def read_evidence(uri: str) -> Evidence:
    """What a drill's ``judge`` task wrote, from its JSON form.

    :param uri: of a ``.json`` file below ``.airflow-multicloud/evidence/`` of a bucket.
    :raises StorageError: kind ``unsupported`` for a version that this one does not know,
        ``invalid_argument`` for what is no such record; both name the place.
    """
    end = open_endpoint(uri, parameter="uri")
    with operation("read_evidence", cloud__provider=end.cloud):
        return record.read(end)


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

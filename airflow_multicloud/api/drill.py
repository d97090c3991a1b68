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
from airflow_multicloud.core.apart import check_others
from airflow_multicloud.core.drill import chain
from airflow_multicloud.core.drill.canary import write_canary
from airflow_multicloud.core.drill.chain import StoredRecord
from airflow_multicloud.core.drill.chain_reports import EvidenceReport, Expected
from airflow_multicloud.core.drill.checking import check_chain
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.failover import measure
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.drill.records import NewestRecord
from airflow_multicloud.core.drill.verdict import Objectives
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.identities import identities_of
from airflow_multicloud.opening.public_keys import open_public_keys
from airflow_multicloud.opening.signing import open_signer
from airflow_multicloud.registry import session

#: In how many replicas' buckets evidence is kept: two clouds, so that it survives one.
_COPIES = 2


@dataclass(frozen=True, slots=True)
class DrillResult:
    """A drill that was held.

    :param records: where the evidence is.
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
    :param signing_conn_id: the connection whose key signs the evidence; it is not signed without.
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
    open_signer(signing_conn_id)  # A key that can't be used is said before anything is done.
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
        records, unwritten = store_evidence(
            evidence, places or reachable[:_COPIES], signing_conn_id=signing_conn_id
        )
        return DrillResult(evidence, tuple(records), unwritten)


@session()
@operation("store_evidence")
def store_evidence(
    evidence: Evidence, places: Sequence[str], *, signing_conn_id: str | None = None
) -> tuple[list[StoredRecord], dict[str, CloudError]]:
    """Write evidence to every place that takes it: one that is out of reach costs no other.

    In each bucket it is added to the chain of evidence that is there, and names how far the chains
    in the others are.

    :param places: URIs in buckets that keep it.
    :param signing_conn_id: the connection whose key signs it; it is not signed without.
    :return: what was written, and what was not and why, by place.
    :raises CredentialsError: when the connection has no key; nothing was written then.
    """
    signer = open_signer(signing_conn_id)
    written: list[StoredRecord] = []
    failed: dict[str, CloudError] = {}
    with operation("store_evidence", multicloud__drill=evidence.drill_id):
        ends: list[tuple[str, Endpoint]] = []
        known: dict[str, NewestRecord] = {}
        for number, uri in enumerate(texts(places, "places", what="URIs")):
            try:
                end = open_endpoint(uri, parameter=f"places[{number}]")
                if (before := chain.newest(end)) is not None:
                    known[place_of(end)] = before
                ends.append((uri, end))
            except CloudError as err:
                failed[uri] = err
        for uri, end in ends:
            others = [one for bucket, one in known.items() if bucket != place_of(end)]
            try:
                record = chain.store(evidence, end, signer, others)
            except CloudError as err:
                failed[uri] = err
                continue
            known[place_of(end)] = NewestRecord(
                end.cloud, end.bucket_and_store, record.number, record.sha256
            )
            written.append(record)
    return written, failed


@session()
@operation("read_evidence")
def read_evidence(uri: str) -> Evidence:
    """What a drill's ``judge`` task wrote, from its JSON form.

    :param uri: of a ``.json`` file below ``.airflow-multicloud/evidence/`` of a bucket.
    :raises StorageError: kind ``unsupported`` for a version that this one does not know,
        ``invalid_argument`` for what is no such record; both name the place.
    """
    end = open_endpoint(uri, parameter="uri")
    with operation("read_evidence", cloud__provider=end.cloud):
        return chain.read(end)


@session()
@operation("verify_evidence")
def verify_evidence(
    place: str,
    *,
    public_keys: bytes | Path | None = None,
    signed_from: int = 1,
    at_least: int | None = None,
    expected_sha256: str | None = None,
    witnesses: Sequence[str] = (),
) -> EvidenceReport:
    """Check the chain of evidence in a bucket: each record, in order, and its page.

    By itself a chain shows damage and mistakes, and that a record in the middle was changed. Who
    may write in the bucket can still replace it as a whole, or take the newest records away: the
    parameters are against that.

    :param place: a URI in the bucket.
    :param public_keys: one or more Ed25519 keys in PEM, or the file that has them: each record
        must be signed by one of them.
    :param signed_from: the number of the first record that must be signed.
    :param at_least: the number of a record that was written; all up to it must be there.
    :param expected_sha256: of a record that was written, as the drill reported it.
    :param witnesses: URIs in other buckets that the same drills wrote to: what the records there
        say of this chain must hold.
    :return: what was found. A chain that is not sound is no error.
    :raises StorageError: kind ``not_found`` when there is no evidence and none is expected,
        ``invalid_argument`` for what is no such key, number or digest.
    """
    keys = open_public_keys(public_keys)
    expected = Expected(keys, signed_from, at_least, expected_sha256)
    end = open_endpoint(place, parameter="place")
    others = [
        open_endpoint(uri, parameter=f"witnesses[{number}]")
        for number, uri in enumerate(texts(witnesses, "witnesses", what="URIs"))
    ]
    check_others(end, others, parameter="witnesses")
    with operation("verify_evidence", cloud__provider=end.cloud):
        return check_chain(end, expected, others)


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

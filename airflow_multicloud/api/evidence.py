"""Keep the records of drills, read them, and check that they are all there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from airflow_multicloud.core.apart import check_others
from airflow_multicloud.core.drill import chain
from airflow_multicloud.core.drill.chain import StoredRecord
from airflow_multicloud.core.drill.chain_reports import EvidenceReport, Expected
from airflow_multicloud.core.drill.checking import check_chain
from airflow_multicloud.core.drill.earlier import earlier
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.findings import Unwritten
from airflow_multicloud.core.drill.history import Earlier, Past
from airflow_multicloud.core.drill.records import NewestRecord
from airflow_multicloud.core.drill.trend import Trend, trend
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.public_keys import open_public_keys
from airflow_multicloud.opening.signing import open_signer
from airflow_multicloud.registry import session


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


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """Evidence as it stands once it was written.

    :param evidence: judged again where a place could not take it.
    :param records: what was written, the newest first.
    :param unwritten: places that could not take it, and why.
    """

    evidence: Evidence
    records: tuple[StoredRecord, ...]
    unwritten: Mapping[str, CloudError]


@session()
def keep_evidence(
    evidence: Evidence, places: Sequence[str], *, signing_conn_id: str | None = None
) -> KeptEvidence:
    """Write evidence, and judge it by where it is then.

    A record can't know whether the other places will take it. If another verdict follows from that,
    the places that answer get a second record with it, which names the first; both stay.

    :param places: as of :func:`store_evidence`; so is ``signing_conn_id``.
    :raises CredentialsError: as :func:`store_evidence`.
    """
    records, failed = store_evidence(evidence, places, signing_conn_id=signing_conn_id)
    if not failed:
        return KeptEvidence(evidence, tuple(records), failed)
    unwritten = [Unwritten(uri, f"{err.kind}: {err}") for uri, err in failed.items()]
    final = evidence.judged_again(unwritten)
    if final.verdict is evidence.verdict or not records:
        return KeptEvidence(final, tuple(records), failed)
    first = [
        Earlier(one.uri, one.sha256, str(evidence.verdict), evidence.written_at)
        for one in dict.fromkeys(records)
    ]
    final = replace(final, earlier=(*first, *evidence.earlier), written_at=datetime.now(UTC))
    answering = [uri for uri in places if uri not in failed]
    again, more = store_evidence(final, answering, signing_conn_id=signing_conn_id)
    return KeptEvidence(final, (*again, *records), {**failed, **more})


@session()
def earlier_records(
    drill_id: str, run: Mapping[str, str], places: Sequence[str]
) -> tuple[Earlier, ...]:
    """The records of a drill that are there already; of places that answer.

    :param run: who holds it: the facts that its record gets.
    :param places: URIs in buckets that keep evidence.
    """
    found: list[Earlier] = []
    for number, uri in enumerate(places):
        try:
            found += earlier(open_endpoint(uri, parameter=f"places[{number}]"), drill_id, run)
        except CloudError:  # Whoever writes there says what is the matter.
            continue
    return tuple(found)


@session()
def past_drills(places: Sequence[str], *, last: int = 12) -> tuple[Past, ...]:
    """The newest drills of the first chain that can be read, the oldest first; none if none can."""
    for number, uri in enumerate(places):
        try:
            return trend(open_endpoint(uri, parameter=f"places[{number}]"), last=last).drills
        except CloudError:  # Whoever writes there says what is the matter.
            continue
    return ()


@session()
@operation("evidence_trend")
def evidence_trend(place: str, *, last: int = 20) -> Trend:
    """The newest drills in a bucket: verdict, RTO and RPO over time, and what was to be met.

    Neither chain nor signatures are checked: :func:`verify_evidence` does that.

    :param place: a URI in the bucket.
    :param last: how many drills.
    :raises StorageError: kind ``invalid_argument`` for less than one drill; ``not_found`` when
        there is no evidence.
    """
    if last < 1:
        raise StorageError(
            f"last: {last} given, expected a number from 1", kind=ErrorKind.INVALID_ARGUMENT
        )
    end = open_endpoint(place, parameter="place")
    with operation("evidence_trend", cloud__provider=end.cloud):
        found = trend(end, last=last)
    if not found.drills and not found.unreadable:
        raise StorageError(
            f"{found.place}: no evidence is here; a drill writes it to the buckets that it is told",
            kind=ErrorKind.NOT_FOUND,
            cloud=end.cloud,
        )
    return found


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

"""The drill's core against the in-memory cloud: every fault, and every way to fail."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.drill import verdict
from airflow_multicloud.core.drill.canary import CANARY_NAME, Canary, write_canary
from airflow_multicloud.core.drill.chain import read, store
from airflow_multicloud.core.drill.controls import ControlOutcome
from airflow_multicloud.core.drill.evidence import Evidence, installed_versions
from airflow_multicloud.core.drill.failover import Measurement, measure
from airflow_multicloud.core.drill.faults import Fault, with_fault
from airflow_multicloud.core.drill.findings import Facts
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.drill.verdict import Verdict
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ContentDigest, ReplicationOptions
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
)
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.stores import Crc32cOnly
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

TREE = {"a": b"alpha", "b/c": bytes(range(256)), "empty": b""}
HOUR = Objectives(timedelta(hours=1), timedelta(hours=1))
#: Every fault's own kind is a reason to fail over here.
ANY = FailoverPolicy(
    fail_over_on=OUTAGES | {ErrorKind.PERMISSION_DENIED}, attempt_timeout=timedelta(seconds=1)
)


class Indifferent(object_store.Hook):
    """A store that vouches for nothing: no digests, no metadata."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return map(_nothing_known, super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return _nothing_known(super().stat_object(ref))

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        return _Body(super().get_object(ref, start=start, end=end, if_etag=if_etag))


@dataclass(frozen=True)
class _Body:
    inner: ObjectBody

    @property
    def meta(self) -> ObjectMeta:
        return _nothing_known(self.inner.meta)

    def read(self) -> Buffer:
        return self.inner.read()

    def __iter__(self) -> Iterator[Buffer]:
        return iter(self.inner)


def _nothing_known(meta: ObjectMeta) -> ObjectMeta:
    return replace(meta, digests=Digests(), attributes=None)


@dataclass
class World:
    primary: Endpoint
    replicas: tuple[Endpoint, ...]
    canary: Canary

    @classmethod
    def new(cls) -> World:
        primary, replicas = endpoint("data/"), (endpoint("copy/"), endpoint("copy/"))
        for name, content in TREE.items():
            primary.store.put_object(primary.ref(f"data/{name}"), content)
        replicate(Replication(primary, replicas))
        canary = write_canary(primary, "drill-1")
        replicate(Replication(primary, replicas))
        return cls(primary, replicas, canary)

    def measure(self, scratch: Path, fault: Fault, policy: FailoverPolicy = ANY) -> Measurement:
        ends = (self.primary, *self.replicas)
        candidates = [
            Candidate(str(e.location), e, primary=number == 0) for number, e in enumerate(ends)
        ]
        return measure(candidates, scratch, self.canary, fault=fault, policy=policy)

    def judge(self, measured: Measurement, objectives: Objectives = HOUR) -> Verdict:
        reports = [to_document(verify(replica)) for replica in self.replicas]
        return judge(to_document(measured), reports, objectives)

    def damage(self, name: str, *, replica: int | None = None, kept: bool = False) -> None:
        """Other bytes of the same length, at one replica or at all."""
        for number, there in enumerate(self.replicas):
            if replica in (None, number):
                ref = there.ref(f"copy/{name}")
                content = bytes(there.store.get_object(ref).read())
                before = there.store.stat_object(ref).version
                there.store.put_object(ref, content[:-1] + bytes([content[-1] ^ 1]))
                if not kept:
                    there.store.delete_object(replace(ref, version=before))


def outcomes(measured: Measurement) -> list[str]:
    """By replica; the three kinds of control."""
    told = [str(control.outcome) for control in measured.controls]
    return [",".join(dict.fromkeys(told[at : at + 3])) for at in range(0, len(told), 3)]


def judge(
    measured: Mapping[str, Any], reports: Sequence[Mapping[str, Any]], objectives: Objectives
) -> Verdict:
    return verdict.judge(Facts(measurement=measured, verification=reports), objectives)[0]


def findings(measured: Mapping[str, Any], reports: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return Facts(measurement=measured, verification=reports).findings()


@pytest.fixture
def world() -> World:
    return World.new()


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_survived_and_nothing_comes_from_the_primary(
    world: World, tmp_path: Path, fault: Fault
) -> None:
    measured = world.measure(tmp_path, fault)
    recovered = measured.recovered
    assert recovered is not None, measured.problem
    assert sum(recovered.served.values()) == len(TREE) + 1
    assert str(world.primary.location) not in recovered.served
    assert recovered.failed_attempts > 0
    assert measured.canary_found
    assert outcomes(measured) == ["rejected", "rejected"]
    assert measured.failback
    assert measured.reason is None
    assert measured.rto is not None
    assert timedelta(0) < measured.rto < timedelta(seconds=20)
    phases = measured.phases
    assert phases.detect is not None
    assert phases.failover is not None
    assert phases.first_verified is not None
    assert timedelta(0) < phases.detect < phases.failover < phases.first_verified < measured.rto
    assert phases.all_verified == measured.rto
    assert (phases.detect >= timedelta(seconds=1)) is (fault is Fault.STALLED)
    assert recovered.ages == {"up to 1 min": len(TREE) + 1}
    assert measured.rpo is not None
    assert timedelta(0) <= measured.rpo < timedelta(seconds=20)
    assert world.judge(measured) is Verdict.PASSED
    for name, content in TREE.items():
        assert (tmp_path / name).read_bytes() == content
    # Nothing beside what was recovered, such as the control's corrupt copy.
    files = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {*TREE, CANARY_NAME}


def test_a_revoked_permission_is_no_outage_by_default(world: World, tmp_path: Path) -> None:
    measured = world.measure(tmp_path, Fault.PERMISSION_DENIED, FailoverPolicy())
    assert measured.recovered is None
    assert measured.problem is not None
    assert measured.problem.startswith("permission_denied: ")
    assert world.judge(measured) is Verdict.FAILED_INTEGRITY
    assert list(tmp_path.iterdir()) == []
    # What was not recovered took no time to recover, and the setting that decided it is named.
    assert (measured.rto, measured.rpo) == (None, None)
    # The fault was noticed, and nothing came of it.
    phases = measured.phases
    assert phases.detect is not None
    assert (phases.failover, phases.first_verified, phases.all_verified) == (None, None, None)
    facts = to_document(measured)
    assert (facts["rto_seconds"], facts["rpo_seconds"]) == (None, None)
    assert facts["reason"] == (
        f"{world.primary.location} failed with permission_denied, which is not among fail_over_on "
        "(busy, not_found, throttled, timeout, unavailable), so no other candidate was asked. If "
        "the fetches that this drill stands for are to survive it, add permission_denied to "
        "fail_over_on, there and here."
    )


def test_damage_in_every_replica_is_never_recovered(world: World, tmp_path: Path) -> None:
    world.damage("b/c")
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert measured.recovered is None
    assert measured.problem is not None
    assert measured.problem.startswith("integrity: ")
    assert measured.rto is None
    assert measured.reason is not None
    assert measured.reason.startswith("No candidate served what was asked for (")
    assert not (tmp_path / "b/c").exists()
    assert outcomes(measured) == ["rejected", "rejected"]
    assert world.judge(measured) is Verdict.FAILED_INTEGRITY


def test_damage_in_one_replica_is_survived_but_not_passed(world: World, tmp_path: Path) -> None:
    world.damage("b/c", replica=0)
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert measured.recovered is not None
    assert measured.recovered.served == {
        str(world.replicas[0].location): len(TREE),
        str(world.replicas[1].location): 1,
    }
    assert (tmp_path / "b/c").read_bytes() == TREE["b/c"]
    assert world.judge(measured) is Verdict.INVALID


def test_damage_where_versions_are_kept_is_survived_but_not_passed(
    world: World, tmp_path: Path
) -> None:
    world.damage("b/c", kept=True)
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert measured.recovered is not None
    assert measured.recovered.served == {str(world.replicas[0].location): len(TREE) + 1}
    assert "b/c was changed since it was proven" in measured.recovered.findings[0]
    assert (tmp_path / "b/c").read_bytes() == TREE["b/c"]
    assert world.judge(measured) is Verdict.INVALID


def test_a_lost_canary_fails_integrity(world: World, tmp_path: Path) -> None:
    newer = write_canary(world.primary, "drill-2")  # and never replicated
    world.canary = newer
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert not measured.canary_found
    assert measured.failback
    assert world.judge(measured) is Verdict.FAILED_INTEGRITY


def test_objectives_are_judged_only_after_soundness(world: World, tmp_path: Path) -> None:
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    never = timedelta(microseconds=1)
    assert world.judge(measured, Objectives(never, never)) is Verdict.FAILED_RTO
    assert world.judge(measured, Objectives(timedelta(hours=1), never)) is Verdict.FAILED_RPO
    world.damage("a", replica=1)
    assert world.judge(measured, Objectives(never, never)) is Verdict.INVALID


def test_a_drill_that_accepts_a_corrupt_copy_is_invalid(tmp_path: Path) -> None:
    """Replicas without ledgers in a store that vouches for nothing: no check can fire."""
    primary, replica = endpoint("data/"), endpoint("copy/", Indifferent)
    canary = write_canary(primary, "drill-1")
    body = primary.store.get_object(primary.ref(f"data/{CANARY_NAME}")).read()
    replica.store.put_object(replica.ref(f"copy/{CANARY_NAME}"), body)
    world = World(primary, (replica,), canary)
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert measured.recovered is not None
    assert measured.recovered.verified_by == {"nothing": 1}
    assert measured.canary_found  # Everything looks well, and still:
    corrupt, stale, rolled_back = measured.controls
    for control in (corrupt, stale):
        assert control.outcome is ControlOutcome.ACCEPTED
        assert f"a {control.kind} copy of {control.replica}{CANARY_NAME} was accepted" in (
            control.detail
        )
    assert rolled_back.outcome is ControlOutcome.UNTESTED
    assert rolled_back.detail == "it has no ledger that could be rolled back"
    proven = [{"replica": str(replica.location), "proven": True}]
    assert judge(to_document(measured), proven, HOUR) is Verdict.INVALID
    # The same replica, with a policy that wants proof, serves nothing: no control is needed.
    strict = world.measure(
        tmp_path / "strict", Fault.UNAVAILABLE, replace(ANY, require_digest=True)
    )
    assert outcomes(strict) == ["untested"]
    assert judge(to_document(strict), proven, HOUR) is Verdict.FAILED_INTEGRITY


def test_the_control_is_offered_to_every_replica(world: World, tmp_path: Path) -> None:
    indifferent = endpoint("copy/", Indifferent)
    body = world.primary.store.get_object(world.primary.ref(f"data/{CANARY_NAME}")).read()
    indifferent.store.put_object(indifferent.ref(f"copy/{CANARY_NAME}"), body)
    world.replicas = (*world.replicas, indifferent)
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    there = [str(r.location) for r in world.replicas]
    assert [(c.replica, str(c.kind)) for c in measured.controls] == [
        (uri, kind) for uri in there for kind in ("corrupt", "stale", "rolled_back")
    ]
    assert outcomes(measured) == ["rejected", "rejected", "accepted,untested"]
    reports = [to_document(verify(replica)) for replica in world.replicas[:-1]]
    assert judge(to_document(measured), reports, HOUR) is Verdict.INVALID
    assert f"{indifferent.location}{CANARY_NAME} was accepted" in "".join(
        findings(to_document(measured), reports)
    )


def test_without_a_verified_replica_nothing_is_proven(world: World, tmp_path: Path) -> None:
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert world.judge(measured) is Verdict.PASSED
    assert judge(to_document(measured), [], HOUR) is Verdict.INVALID


def test_a_replica_out_of_reach_is_a_finding_and_never_passes(world: World, tmp_path: Path) -> None:
    """The others are judged; what is not known of one is no reason to know nothing."""
    reports = [to_document(verify(world.replicas[1]))]
    there = str(world.replicas[0].location)
    world.replicas = (with_fault(world.replicas[0], Fault.UNAVAILABLE), world.replicas[1])
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert measured.recovered is not None
    assert measured.recovered.served == {str(world.replicas[1].location): len(TREE) + 1}
    assert outcomes(measured) == ["untested", "rejected"]
    facts = to_document(measured)
    assert judge(facts, reports, HOUR) is Verdict.INVALID
    untested, unverified = findings(facts, reports)
    assert untested.startswith(
        f"{there}: its negative control (corrupt, stale, rolled back) could not be run: its "
    )
    assert "unavailable" in untested
    assert unverified == f"{there}: it was not verified"
    # It was there before the fault: what else is wrong goes before.
    sound = [{**reports[0], "replica": there}, *reports]
    assert judge(facts, sound, HOUR) is Verdict.FAILED_REPLICA
    never = timedelta(microseconds=1)
    assert judge(facts, sound, Objectives(never, HOUR.rpo)) is Verdict.FAILED_RTO
    assert judge(facts, [{**reports[0], "proven": False}], HOUR) is Verdict.INVALID


def test_a_replica_that_was_not_verified_never_passes(world: World, tmp_path: Path) -> None:
    facts = to_document(world.measure(tmp_path, Fault.UNAVAILABLE))
    reports = [to_document(verify(replica)) for replica in world.replicas]
    assert judge(facts, reports, HOUR) is Verdict.PASSED
    assert judge(facts, reports[:1], HOUR) is Verdict.INVALID


def test_no_replica_in_reach_is_a_failure_and_no_invalid_drill(
    world: World, tmp_path: Path
) -> None:
    world.replicas = tuple(with_fault(r, Fault.UNAVAILABLE) for r in world.replicas)
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert outcomes(measured) == ["untested", "untested"]
    assert judge(to_document(measured), [], HOUR) is Verdict.FAILED_INTEGRITY


def test_nothing_waits_for_a_stalled_primary_any_more(world: World, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    world.measure(tmp_path, Fault.STALLED)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), thread.name


def test_a_primary_that_does_not_serve_again_fails(world: World, tmp_path: Path) -> None:
    primary = world.primary
    primary.store.delete_object(primary.ref(f"data/{CANARY_NAME}"))
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert not measured.failback
    assert world.judge(measured) is Verdict.FAILED_FAILBACK
    nothing = timedelta(0)
    assert world.judge(measured, Objectives(nothing, nothing)) is Verdict.FAILED_RTO


def test_no_replica_is_refused(world: World, tmp_path: Path) -> None:
    world.replicas = ()
    with pytest.raises(StorageError, match=r"^candidates: .*at least one replica") as raised:
        world.measure(tmp_path, Fault.UNAVAILABLE)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_deadline_that_passed_is_the_reason(world: World, tmp_path: Path) -> None:
    policy = FailoverPolicy(deadline=timedelta(seconds=0.5))
    measured = world.measure(tmp_path, Fault.STALLED, policy)
    assert measured.recovered is None
    assert measured.reason == (
        "The deadline for the whole recovery (0:00:00.500000) passed before it was done."
    )


class FiveMinutesBehind(datetime):
    """The clock of the worker that recovers."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) - timedelta(minutes=5)


@pytest.mark.parametrize("ahead", ["canary", "replica"])
def test_a_clock_ahead_is_a_finding_and_no_recovery_point(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: str
) -> None:
    written = timedelta(minutes=5) if ahead == "canary" else timedelta(hours=-1)
    world.canary = replace(world.canary, written_at=datetime.now(UTC) + written)
    if ahead == "replica":
        monkeypatch.setattr("airflow_multicloud.core.drill.failover.datetime", FiveMinutesBehind)
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert measured.recovered is not None
    assert measured.rpo is None
    assert measured.clock_ahead is not None
    assert timedelta(minutes=4) < measured.clock_ahead <= timedelta(minutes=5)
    assert world.judge(measured) is Verdict.FAILED_RPO
    (finding,) = findings(to_document(measured), [to_document(verify(r)) for r in world.replicas])
    assert finding.startswith("clocks disagree: what came before the fault is dated ")
    assert "the RPO can't be measured" in finding


def test_an_unknown_age_is_a_finding_and_no_recovery_point(world: World, tmp_path: Path) -> None:
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert measured.recovered is not None
    assert measured.rpo is not None
    unknown = replace(measured.recovered, as_of=None, oldest="sales/x.csv")
    measured = replace(measured, recovered=unknown, as_of=None)
    assert measured.rpo is None
    assert world.judge(measured) is Verdict.FAILED_RPO
    (finding,) = findings(to_document(measured), [to_document(verify(r)) for r in world.replicas])
    assert "it is not known when this was up to date last: sales/x.csv" in finding


def a_record(world: World, **changes: Any) -> Evidence:
    measurement: dict[str, Any] = {
        "fault": "unavailable",
        "fault_at": "2026-11-23T09:00:00+00:00",
        "recovered": None,
        "problem": "unavailable: nothing answered",
        "reason": "No candidate served.",
        "took_seconds": 0.003,
        "rto_seconds": None,
        "rpo_seconds": None,
        "clock_ahead_seconds": None,
        "policy": {
            "fail_over_on": ["unavailable"],
            "attempt_timeout_seconds": 300.0,
            "deadline_seconds": 3600.0,
            "require_digest": False,
        },
        "canary_found": False,
        "controls": [],
        "failback": False,
        "identities": [],
        **changes,
    }
    return Evidence(
        drill_id="drill-1",
        verdict=judge(measurement, [], HOUR),
        objectives=HOUR,
        run={"triggered by": "Ada"},
        versions=installed_versions(),
        measurement=measurement,
        replication=[],
        verification=[],
        canary=to_document(world.canary),
        written_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    )


def record_in(world: World, evidence: Evidence) -> Endpoint:
    there = world.replicas[0]
    key = store(evidence, there).uri.partition("lab/")[2]
    return replace(there, location=there.location.with_key(key))


def test_a_record_is_read_as_it_was_written(world: World) -> None:
    evidence = a_record(world)
    assert read(record_in(world, evidence)) == evidence


#: What records lack, by their version.
ADDED = {
    1: ("reason", "before", "parts", "places", "steps", "earlier", "past", "unwritten"),
    2: ("unwritten",),
}


@pytest.mark.parametrize("version", ADDED)
def test_a_record_of_an_earlier_version_is_read_and_shown(world: World, version: int) -> None:
    evidence = a_record(
        world, controls=[{"replica": "mem://r/", "outcome": "rejected", "detail": ""}]
    )
    place = record_in(world, evidence)
    body = json.loads(bytes(place.store.get_object(place.location.ref).read()))
    for added in ADDED[version]:
        del body[added]
    for added in ("detect_seconds", "failover_seconds", "first_verified_seconds"):
        assert body["objectives"].pop(added) is None
    body["format_version"] = version
    place.store.put_object(place.location.ref, json.dumps(body).encode())
    found = read(place)
    assert found == evidence
    assert "the corrupt copy was rejected" in found.html().decode()


def test_a_record_has_the_objective_of_each_phase_beside_what_was_measured(world: World) -> None:
    phases = {"detect_seconds": 0.5, "failover_seconds": 2.0, "first_verified_seconds": None}
    evidence = a_record(world, phases={**phases, "all_verified_seconds": None})
    second = timedelta(seconds=1)
    evidence = replace(evidence, objectives=replace(HOUR, detect=second, failover=second))
    found = read(record_in(world, evidence))
    assert found == evidence
    assert found.findings[-1] == ("failover: a copy began to serve after 2 s; the objective is 1 s")
    page = found.html().decode()
    assert "<tr><th>Detect</th><td>1 s</td><td>500 ms</td><td>yes</td></tr>" in page
    assert "<tr><th>Failover</th><td>1 s</td><td>2 s</td><td>no</td></tr>" in page
    assert "<tr><th>First verified</th>" not in page
    assert page.count('class="over"') == 1


def test_a_record_says_why_there_is_no_rto_and_explains_itself(world: World) -> None:
    page = a_record(world).html().decode()
    assert "No candidate served." in page
    assert "none: not everything was recovered (given up after 3 ms)" in page
    for said in ("1 h", "2026-11-23 09:00:00 UTC", "Ada", "A test that can", "airflow-multicloud"):
        assert said in page


def test_a_record_names_the_digests_that_were_compared(tmp_path: Path) -> None:
    primary, replica = endpoint("data/", Crc32cOnly), endpoint("copy/", Crc32cOnly)
    for name, content in TREE.items():
        primary.store.put_object(primary.ref(f"data/{name}"), content)
    canary = write_canary(primary, "drill-1")
    by_blake3 = ReplicationOptions(part_size=128, digest=ContentDigest.BLAKE3)
    replicate(Replication(primary, (replica,), by_blake3))
    world = World(primary, (replica,), canary)
    measured = world.measure(tmp_path, Fault.UNAVAILABLE)
    assert (world.judge(measured), outcomes(measured)) == (Verdict.PASSED, ["rejected"])
    document = to_document(measured)
    assert document["recovered"]["digests"] == {"blake3": 1, "sha256": 3}
    page = a_record(world, recovered=document["recovered"]).html().decode()
    assert "<th>Digest compared</th>" in page
    assert "blake3: 1 object<br>" in page


CHANGES_OF_A_RECORD = [
    ({"format_version": 4}, ErrorKind.UNSUPPORTED, "is drill evidence of version 4; this is"),
    ({"format_version": "1"}, ErrorKind.UNSUPPORTED, "is drill evidence of version '1'"),
    (
        {"format": "bill", "format_version": 1},
        ErrorKind.INVALID_ARGUMENT,
        "no drill evidence .* format is 'bill'",
    ),
    ({"verdict": "GREAT"}, ErrorKind.INVALID_ARGUMENT, "missing or wrong .*GREAT"),
    ({"objectives": 1}, ErrorKind.INVALID_ARGUMENT, "missing or wrong"),
]


@pytest.mark.parametrize("body", [{"format": "airflow-multicloud drill evidence"}, [], "x", None])
def test_a_record_without_a_version_is_none(world: World, body: object) -> None:
    place = record_in(world, a_record(world))
    place.store.put_object(place.location.ref, json.dumps(body).encode())
    with pytest.raises(StorageError, match=r"no drill evidence .* no format and version") as raised:
        read(place)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(("change", "kind", "message"), CHANGES_OF_A_RECORD)
def test_a_record_that_is_not_understood_is_refused_by_place(
    world: World, change: dict[str, Any], kind: ErrorKind, message: str
) -> None:
    place = record_in(world, a_record(world))
    doc = {**json.loads(bytes(place.store.get_object(place.location.ref).read())), **change}
    place.store.put_object(place.location.ref, json.dumps(doc).encode())
    with pytest.raises(StorageError, match=message) as raised:
        read(place)
    assert raised.value.kind is kind
    assert not raised.value.kind.retryable
    assert str(place.location) in str(raised.value)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
def test_what_is_no_record_is_refused_by_place(world: World, body: bytes) -> None:
    place = record_in(world, a_record(world))
    place.store.put_object(place.location.ref, body)
    with pytest.raises(StorageError, match="is no drill evidence") as raised:
        read(place)
    assert str(place.location) in str(raised.value)


def test_evidence_escapes_what_clouds_say_and_never_replaces_a_record(world: World) -> None:
    hostile = "<script>alert(1)</script>"
    control = {"replica": hostile, "outcome": "untested", "detail": hostile}
    identity = dict.fromkeys(("uri", "conn_id", "cloud", "account_id", "principal"), hostile)
    evidence = a_record(
        world,
        problem=hostile,
        reason=hostile,
        controls=[control],
        identities=[{**identity, "problem": hostile}],
    )
    evidence = replace(evidence, run={hostile: hostile})
    there = world.replicas[0]
    stored = store(evidence, there)
    key = stored.page.partition("lab/")[2]
    page = bytes(there.store.get_object(there.ref(key)).read()).decode()
    assert hostile not in page
    assert "&lt;script&gt;" in page
    assert "FAILED_INTEGRITY" in page
    document = bytes(there.store.get_object(there.ref(key.replace(".html", ".json"))).read())
    assert json.loads(document)["measurement"]["problem"] == hostile
    assert store(evidence, there) == stored  # a write whose answer got lost meets its own record
    other = store(replace(evidence, verdict=Verdict.PASSED), there)
    assert (stored.number, other.number) == (1, 2)
    kept = there.store.get_object(there.ref(key.replace(".html", ".json"))).read()
    assert bytes(kept) == document

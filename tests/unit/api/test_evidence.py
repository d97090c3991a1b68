"""Drills that leave signed evidence, and the check of it, by URIs and connections."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud import api
from airflow_multicloud.core.drill.records import key_of
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.operators.drill import DrillOperator, DrillReportOperator
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store
from tests.integration.airflow_runs import Bare
from tests.unit.drill.second_cloud import second_cloud
from tests.unit.drill.test_chain import ANCHOR, drill
from tests.unit.signing.keys import pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PRIMARY, REPLICA = "mem://proof_one@data/a/", "mem://proof_two@data/a/"
OTHER_BUCKET = "mem://proof_three@data/"
#: In another cloud.
APART = "mist://data/"
OBJECTIVES = api.Objectives(timedelta(hours=1), timedelta(hours=1))
OURS, OTHER = pair(1), pair(2)
SECRET = OURS.private().decode().splitlines()[1]


@pytest.fixture(autouse=True)
def clouds(
    memory_account: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for conn_id in ("proof_one", "proof_two", "proof_three"):
        memory_account(conn_id, "data")
    connection = {"conn_type": "generic", "password": OURS.private().decode()}
    monkeypatch.setenv("AIRFLOW_CONN_SIGNING_KEY", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW_CONN_NO_KEY", "generic://")
    (tmp_path / "f").write_bytes(b"x")
    api.upload_artifact(tmp_path / "f", PRIMARY)
    with second_cloud("data"):
        yield


def written() -> list[str]:
    return [meta.key for meta in object_store.Hook("proof_two").list_objects("data")]


def test_a_drill_is_signed_and_checked_with_a_file(tmp_path: Path) -> None:
    public = tmp_path / "signing.pub"
    public.write_bytes(OTHER.public + OURS.public)
    held = [
        api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, signing_conn_id="signing_key")
        for _ in range(2)
    ]
    (newest,) = held[-1].records
    assert newest.number == 2
    assert held[-1].written == (newest.uri, newest.page)
    report = api.verify_evidence(
        REPLICA, public_keys=public, at_least=2, expected_sha256=newest.sha256
    )
    assert (report.sound, report.records, report.signed) == (True, 2, 2), report.found
    assert api.verify_evidence(newest.uri, public_keys=OURS.public).sound
    assert not api.verify_evidence(REPLICA, public_keys=OTHER.public).sound
    assert api.read_evidence(newest.uri) == held[-1].evidence
    for key in written():
        ref = ObjectRef("data", key)
        assert SECRET not in bytes(object_store.Hook("proof_two").get_object(ref).read()).decode()


@pytest.mark.parametrize("conn_id", ["no_key", "no_such_connection"])
def test_a_key_that_can_not_be_used_ends_a_drill_before_it_begins(conn_id: str) -> None:
    with pytest.raises(CredentialsError, match=conn_id):
        api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, signing_conn_id=conn_id)
    assert written() == []
    with pytest.raises(CredentialsError, match=conn_id):
        api.store_evidence(drill(1), [REPLICA], signing_conn_id=conn_id)
    assert written() == []


def test_two_places_in_one_bucket_have_one_record() -> None:
    records, failed = api.store_evidence(
        drill(1), [REPLICA, "mem://proof_two@data/b/", OTHER_BUCKET, "mem://proof_two@none/"]
    )
    assert [record.number for record in records] == [1, 1, 1]
    assert list(failed) == ["mem://proof_two@none/"]
    assert records[0].uri == records[1].uri
    assert api.verify_evidence(REPLICA).records == 1


def test_buckets_of_the_same_drills_are_witnesses_of_each_other() -> None:
    for number in (1, 2):
        api.store_evidence(drill(number), [REPLICA, OTHER_BUCKET], signing_conn_id="signing_key")
    for place, witness in ((REPLICA, OTHER_BUCKET), (OTHER_BUCKET, REPLICA)):
        report = api.verify_evidence(place, public_keys=OURS.public, witnesses=[witness])
        assert report.sound, report.found
    # Record 2 of the second bucket knows record 2 of the first, which knows record 1 of the second.
    object_store.Hook("proof_two").delete_object(ObjectRef("data", key_of(2)))
    found = api.verify_evidence(REPLICA, witnesses=[OTHER_BUCKET]).found
    assert found == ("record 2 of mem://proof_three@data/ knows a record 2, which is not here",)
    assert api.verify_evidence(REPLICA).sound


def test_a_chain_that_is_gone_is_missed_by_a_witness() -> None:
    for number in (1, 2):
        api.store_evidence(drill(number), [REPLICA, OTHER_BUCKET])
    for number in (1, 2):
        object_store.Hook("proof_three").delete_object(ObjectRef("data", key_of(number)))
    report = api.verify_evidence(OTHER_BUCKET, witnesses=[REPLICA])
    assert report.findings == {api.Flaw.NOT_THE_NEWEST: 1}
    with pytest.raises(StorageError, match="no evidence is here"):
        api.verify_evidence(OTHER_BUCKET)


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"public_keys": b"x"}, ErrorKind.INVALID_ARGUMENT, "public key: it has no public key"),
        ({"at_least": 0}, ErrorKind.INVALID_ARGUMENT, "at_least: 0 given"),
        ({"expected_sha256": "x"}, ErrorKind.INVALID_ARGUMENT, "expected_sha256: 'x' given"),
        ({}, ErrorKind.NOT_FOUND, "no evidence is here"),
    ],
)
def test_what_can_not_be_checked_is_an_error(
    given: dict[str, Any], kind: ErrorKind, said: str
) -> None:
    with pytest.raises(StorageError, match=said) as raised:
        api.verify_evidence(REPLICA, **given)
    assert raised.value.kind is kind


def test_a_file_of_keys_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"public_keys: .*none.pub can't be read") as raised:
        api.verify_evidence(REPLICA, public_keys=tmp_path / "none.pub")
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    (tmp_path / "large").write_bytes(OURS.public * 10_000)
    with pytest.raises(StorageError, match="more than 65536 bytes"):
        api.verify_evidence(REPLICA, public_keys=tmp_path / "large")


def judging(**given: Any) -> DrillReportOperator:
    evidence = drill(1)
    return DrillReportOperator(
        task_id="judge",
        **{
            "measurement": evidence.measurement,
            "canary": evidence.canary,
            "verification": [],
            "replication": [],
            "places": [REPLICA, OTHER_BUCKET],
            "rto_seconds": 60,
            "rpo_seconds": 60,
            **given,
        },
    )


def test_the_operator_signs_anchors_and_reports_what_a_later_check_needs() -> None:
    anchors = [{"uri": ANCHOR.uri, "commit": ANCHOR.commit, "root": ANCHOR.root}]
    judge = judging(signing_conn_id="signing_key", anchors=anchors)
    context = Bare()
    with pytest.raises(AirflowFailException, match="the drill's verdict is FAILED_INTEGRITY"):
        judge.execute(context)  # type: ignore[arg-type]
    report = context.pushed["report"]
    assert [record["number"] for record in report["records"]] == [1, 1]
    assert report["evidence"] == [
        uri for record in report["records"] for uri in (record["uri"], record["page"])
    ]
    for record in report["records"]:
        assert api.verify_evidence(
            record["uri"], public_keys=OURS.public, expected_sha256=record["sha256"]
        ).sound
        assert api.read_evidence(record["uri"]).anchors == (ANCHOR,)
        page = object_store.Hook("proof_two").get_object(ObjectRef("data", key_of(1, "html")))
        assert ANCHOR.root in bytes(page.read()).decode()
    assert SECRET not in json.dumps(report)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signing_conn_id": "no_key"}, "signing_conn_id: connection 'no_key'"),
        ({"anchors": [{"uri": "gs://lake/"}]}, r"anchors\[0\] can't be read"),
        ({"anchors": "x"}, "anchors"),
        ({"detect_seconds": "{{ True }}"}, "detect_seconds: True given, expected a number"),
    ],
)
def test_what_the_operator_can_not_use_fails_at_once(given: dict[str, Any], said: str) -> None:
    judge = judging(**given)
    if "detect_seconds" in given:  # As its template renders to native objects.
        judge.detect_seconds = True
    with pytest.raises(AirflowFailException, match=said):
        judge.execute(Bare())  # type: ignore[arg-type]
    assert written() == []


def test_a_drill_that_can_not_go_on_leaves_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise StorageError("the worker is out of disk", kind=ErrorKind.UNAVAILABLE)

    monkeypatch.setattr("airflow_multicloud.api.drill.measure", gone)
    with pytest.raises(StorageError, match="out of disk"):
        api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, fault="stalled")
    found = api.read_evidence(f"{OTHER_BUCKET.replace('three', 'two')}{key_of(1)}")
    assert found.verdict is api.Verdict.ABORTED
    assert found.reason == "The drill could not go on: unavailable: the worker is out of disk"
    assert (found.measurement["fault"], found.measurement["rto_seconds"]) == ("stalled", None)
    assert [report["proven"] for report in found.verification] == [True]
    assert (len(found.replication), found.canary["drill_id"]) == (2, found.drill_id)
    page = found.html().decode()
    assert "none: nothing was measured" in page
    assert "the drill did not come that far" in page


def test_a_drill_that_is_held_again_names_what_was_said_of_it_before() -> None:
    never = api.Objectives(timedelta(milliseconds=1), timedelta(hours=1))
    first = api.run_drill(PRIMARY, [REPLICA], objectives=never, drill_id="quarter-4")
    api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, drill_id="other")
    second = api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, drill_id="quarter-4")
    verdicts = (first.evidence.verdict, second.evidence.verdict)
    assert verdicts == ("FAILED_RTO", "FAILED_EVIDENCE")
    (named,) = second.evidence.earlier
    (record,) = first.records
    assert (named.uri, named.sha256, named.verdict) == (record.uri, record.sha256, "FAILED_RTO")
    read = api.read_evidence(second.records[0].uri)
    assert read == second.evidence
    assert "This drill was judged before: FAILED_RTO at" in read.html().decode()
    assert api.verify_evidence(REPLICA).records == 3


def test_a_task_that_judges_again_names_what_it_said_before() -> None:
    for tried, numbers in ((1, []), (2, [1]), (3, [2, 1])):
        context = Bare()
        context["ti"].try_number = tried
        with pytest.raises(AirflowFailException):
            judging().execute(context)  # type: ignore[arg-type]
        here = [
            one["uri"] for one in context.pushed["report"]["earlier"] if "proof_two" in one["uri"]
        ]
        assert here == [f"mem://proof_two@data/{key_of(number)}" for number in numbers]


def test_without_a_measurement_a_drill_is_aborted() -> None:
    context = Bare()
    with pytest.raises(AirflowFailException, match="the drill's verdict is ABORTED"):
        judging(measurement=None, canary=None, verification=[None]).execute(context)  # type: ignore[arg-type]
    report = context.pushed["report"]
    assert report["reason"] == "The drill ended before anything was measured."
    assert len(report["evidence"]) == 4


def test_drills_over_time() -> None:
    never = api.Objectives(timedelta(milliseconds=1), timedelta(hours=1))
    held = [
        api.run_drill(PRIMARY, [REPLICA], objectives=objectives)
        for objectives in (never, OBJECTIVES, OBJECTIVES)
    ]
    found = api.evidence_trend(REPLICA)
    assert [(one.number, one.verdict) for one in found.drills] == [
        (1, "FAILED_RTO"),
        (2, "FAILED_EVIDENCE"),
        (3, "FAILED_EVIDENCE"),
    ]
    assert found.drills[0].rto_objective == never.rto
    assert all(one.rto and one.rto > timedelta(0) for one in found.drills)
    # Each has those before it, and draws them with its own.
    last = held[-1].evidence
    assert [past.number for past in last.past] == [1, 2]
    page = last.html().decode()
    assert page.count("<svg") == 2
    assert page.count("<rect") == 6
    assert "this drill: FAILED_EVIDENCE" in page
    assert "<svg" not in held[0].evidence.html().decode()
    ref = ObjectRef("data", key_of(2))
    object_store.Hook("proof_two").put_object(ref, b"{")
    damaged = api.evidence_trend(REPLICA, last=2)
    assert ([one.number for one in damaged.drills], damaged.unreadable) == ([3], (2,))


def test_a_trend_of_nothing_is_an_error() -> None:
    with pytest.raises(StorageError, match="no evidence is here"):
        api.evidence_trend(OTHER_BUCKET)
    with pytest.raises(StorageError, match="last: 0 given"):
        api.evidence_trend(REPLICA, last=0)


def test_one_task_holds_a_whole_drill() -> None:
    def task(**given: Any) -> DrillOperator:
        known = {"primary": PRIMARY, "replicas": [REPLICA], "rto_seconds": 60, "rpo_seconds": 60}
        return DrillOperator(task_id="drill", **{**known, "places": [REPLICA, APART], **given})

    context = Bare()
    facts = task().execute(context)  # type: ignore[arg-type]
    assert (facts["verdict"], facts["reason"]) == ("PASSED", None)
    assert context.pushed["report"] == facts
    (told,) = context.pushed["ledgers"]
    assert told["place"].endswith("/data/") or told["place"].endswith("data@proof_two/")
    read = api.read_evidence(facts["evidence"][0])
    assert (read.run["DAG"], read.drill_id) == ("bare", facts["drill_id"])
    with pytest.raises(AirflowFailException, match="the drill's verdict is FAILED_INTEGRITY"):
        task(fault="permission_denied").execute(Bare())  # type: ignore[arg-type]
    with pytest.raises(AirflowFailException, match="fault: 'fire' given"):
        task(fault="fire").execute(Bare())  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="fail_over_on"):
        task(fail_over_on=["outage"])
    failover = {"failover_seconds": "0.000001", "detect_seconds": "", "first_verified_seconds": 60}
    with pytest.raises(AirflowFailException, match=r"FAILED_RTO.*Failover: a copy began to serve"):
        task(**failover).execute(Bare())  # type: ignore[arg-type]
    for name in ("rto_seconds", "rpo_seconds", "detect_seconds", "first_verified_seconds"):
        for wrong in (0, "-1", "soon", "nan", 1e300):
            with pytest.raises(StorageError, match=f"^{name}: .* given, expected"):
                task(**{name: wrong})
    with pytest.raises(StorageError, match=r"^detect_seconds: .* longer than the RTO of 1 min"):
        task(detect_seconds=61)
    rendered = task(detect_seconds="{{ params.detect }}")
    rendered.detect_seconds = "61"
    before = written()
    with pytest.raises(AirflowFailException, match=r"detect_seconds: .* longer than the RTO"):
        rendered.execute(Bare())  # type: ignore[arg-type]
    assert written() == before


def test_a_drill_is_told_before_it_begins_that_its_evidence_is_in_one_cloud(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES)
    assert held.evidence.verdict is api.Verdict.FAILED_EVIDENCE
    assert held.evidence.reason == (
        f"The evidence is kept in one cloud only ({REPLICA}), and is lost with it; name places in "
        "two."
    )
    (warning,) = [one.getMessage() for one in caplog.records if "one cloud only" in one.message]
    assert warning.startswith("places: the evidence is kept")
    assert [record.number for record in held.records] == [1]
    caplog.clear()
    two = api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, places=[REPLICA, APART])
    assert two.evidence.verdict is api.Verdict.PASSED
    assert "one cloud only" not in caplog.text


def test_a_place_that_can_not_be_written_makes_a_second_record() -> None:
    missing = "mist://none/"
    held = api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, places=[missing, REPLICA])
    second, first = held.records
    assert (first.number, second.number, list(held.unwritten)) == (1, 2, [missing])
    assert api.read_evidence(first.uri).verdict is api.Verdict.PASSED
    final = api.read_evidence(second.uri)
    assert final == held.evidence
    assert final.verdict is api.Verdict.FAILED_EVIDENCE
    assert f"it could not be written to {missing}: not_found: " in str(final.reason)
    (earlier,) = final.earlier
    assert (earlier.uri, earlier.sha256, earlier.verdict) == (first.uri, first.sha256, "PASSED")
    assert api.verify_evidence(REPLICA, at_least=2, expected_sha256=second.sha256).sound
    # Another failure stays what it is, and its record too.
    never = api.Objectives(timedelta(milliseconds=1), timedelta(hours=1))
    late = api.run_drill(PRIMARY, [REPLICA], objectives=never, places=[missing, REPLICA])
    assert (late.evidence.verdict, len(late.records)) == (api.Verdict.FAILED_RTO, 1)
    assert any("could not be written to" in finding for finding in late.findings)
    nowhere = api.run_drill(PRIMARY, [REPLICA], objectives=OBJECTIVES, places=[missing])
    assert (nowhere.evidence.verdict, nowhere.records) == (api.Verdict.FAILED_EVIDENCE, ())
    assert str(nowhere.evidence.reason).startswith("The evidence is kept nowhere: ")


def test_what_is_wrong_with_objectives_ends_a_drill_before_it_begins() -> None:
    wrong = api.Objectives(timedelta(1), timedelta(1), detect=timedelta(2))
    with pytest.raises(StorageError, match=r"^detect: .* longer than the RTO"):
        api.run_drill(PRIMARY, [REPLICA], objectives=wrong)
    assert written() == []

"""The shipped disaster recovery DAG, run whole against the local clouds."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from airflow_multicloud import api
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.errors import CloudError, StorageError
from airflow_multicloud.operators.drill import DrillReportOperator, drill_deadline
from airflow_multicloud.ports.metrics import Gauge
from tests.unit.drill.disabled import DISABLED

from ..integration.airflow_runs import Bare, Run, allow, make_known, run_dag  # noqa: TID252  # tests are no package
from ..integration.lab import TREE, Lab, at, fill, get, ledger, own_keys, tree_of  # noqa: TID252  # tests are no package

if TYPE_CHECKING:
    from .conftest import Figures

DAGS = Path(__file__).parents[2] / "dags"
#: What is skipped without its params.
OPTIONAL = {
    *("canary_secret", "sync_secrets", "canary_copies"),
    *(f"deployment.{name}" for name in ("choose", "deploy", "remove")),
    *(f"database.{name}" for name in ("snapshot", "restore", "verify", "remove")),
}

pytestmark = pytest.mark.usefixtures("airflow_db")


def load() -> DAG:
    spec = importlib.util.spec_from_file_location("dr", DAGS / "disaster_recovery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: DAG = module.dag
    for task in dag.tasks:
        task.retry_delay = task.retry_delay * 0
    # No other process orders a restore or a launch, which a listing could lack at first.
    for remove in ("database.remove", "deployment.remove"):
        dag.get_task(remove).confirm_after = timedelta(0)
        dag.get_task(remove).poll_interval = 0.05
    return dag


def drill(lab: Lab, *others: str, **conf: Any) -> Run:
    """Run it, with the lab's places (and others) listed in the Variable."""
    with pytest.MonkeyPatch.context() as patch:
        places = {"primary": lab.s3, "replicas": [*lab.replicas, *others]}
        allow(patch, "disaster_recovery", **places, metrics_to=["memory_metrics"])
        # The stand-ins of the stores can't say what is allowed.
        chosen = {"primary": lab.s3, "replicas": lab.replicas, "metrics_to": []}
        chosen["on_unknown"] = "warn"
        return run_dag(load(), {**chosen, **conf})


def unreachable(lab: Lab, closed: socket.socket, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of a replica whose server does not listen."""
    closed.bind(("127.0.0.1", 0))
    connection = json.loads(os.environ["AIRFLOW_CONN_GCP_LOCAL"])
    connection["extra"]["gcs.endpoint"] = f"http://127.0.0.1:{closed.getsockname()[1]}"
    connection["extra"]["num_retries"] = 0
    monkeypatch.setenv("AIRFLOW_CONN_GCP_DOWN", json.dumps(connection))
    return f"gs://gcp_down@{lab.bucket}/copy/"


class _References(HTMLParser):
    """Everything in a page that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loads = {"href", "src", "srcset", "action", "data", "poster", "background"}
        self.found += [f"{tag}.{name}={value}" for name, value in attrs if name in loads]
        if tag in {"script", "link", "iframe", "img", "object", "embed"}:
            self.found.append(tag)


def evidence_of(facts: dict[str, Any], verdict: str) -> list[dict[str, Any]]:
    """The JSON documents; the pages beside them are checked on the way."""
    documents = []
    for uri in facts["evidence"]:
        content = get(uri).decode()
        if uri.endswith(".json"):
            documents.append(json.loads(content))
        else:
            references = _References()
            references.feed(content)
            assert references.found == []
            assert "url(" not in content
            assert "@import" not in content
            passed = " passed" if verdict == "PASSED" else ""
            assert f'<span class="verdict{passed}">{verdict}</span>' in content
    return documents


def map_of(figures: Figures, name: str) -> list[tuple[dict[str, object], float]]:
    return [(dict(key), value) for key, value in figures.of(f"multicloud.drill.{name}").items()]


def check_figures(figures: Figures, lab: Lab, judged: dict[str, Any]) -> None:
    """What the first drill between these places exports."""
    assert figures.one("multicloud.drill.success") == 1
    assert figures.one("multicloud.drill.rto") == judged["rto_seconds"]
    assert figures.one("multicloud.drill.rpo") == judged["rpo_seconds"]
    phases = {one["multicloud.phase"]: value for one, value in map_of(figures, "phase")}
    assert phases == {
        name.removesuffix("_seconds"): seconds for name, seconds in judged["phases"].items()
    }
    ages = {one["multicloud.age"]: value for one, value in map_of(figures, "objects")}
    assert ages == {"up to 1 min": len(TREE) + 1} == judged["ages"]
    canary_size = len(get(f"{lab.s3}_drill/canary.json"))
    sent = sum(map(len, TREE.values())) + canary_size
    of_replica = [(("multicloud.replica", uri),) for uri in lab.replicas]
    assert figures.of("multicloud.replication.bytes") == dict.fromkeys(of_replica, sent)
    lags = figures.of("multicloud.replication.lag")
    assert set(lags) == set(of_replica)
    assert all(0 < lag < 600 for lag in lags.values()), lags
    objects = figures.of("multicloud.replication.objects")
    assert objects == {
        (("multicloud.outcome", outcome), *uri): count
        for uri in of_replica
        for outcome, count in (("copied", len(TREE) + 1), ("unchanged", len(TREE)))
    }


def check_pages(run: Any, lab: Lab, figures: Figures) -> None:
    """The pages in Airflow's UI show what came of it."""
    replicas = {row.uri: row for row in run.shown("replicas").replicas}
    for uri in lab.replicas:
        assert (replicas[uri].is_proven, replicas[uri].is_late) == (True, False)
        assert replicas[uri].drill is not None
    assert run.shown("drills").drills[0].facts.verdict == "PASSED"
    assert run.shown("metrics").newest[0].counts.accepted == len(figures.points)


def check_objectives(evidence: dict[str, Any], judged: dict[str, Any]) -> None:
    """What that drill was given, in the evidence and as the task tells it."""
    phases = {"detect_seconds": 600.0, "first_verified_seconds": 600.5}
    hour = {"rto_seconds": 3600.0, "rpo_seconds": 3600.0}
    assert evidence["objectives"] == {**hour, "failover_seconds": None, **phases}
    assert judged["phase_objectives"] == phases


def test_a_drill_that_passes(lab: Lab, figures: Figures) -> None:
    fill(lab.s3)
    run = drill(lab, metrics_to=[figures.conn_id], detect_seconds=600, first_verified_seconds=600.5)
    assert run.state == "success"
    assert {task for (task, _), state in run.states.items() if state == "skipped"} == OPTIONAL
    assert {state for (task, _), state in run.states.items() if task not in OPTIONAL} == {"success"}
    check_pages(run, lab, figures)
    assert {one for one in run.states if one[0] not in OPTIONAL} == {
        ("check_params", -1),
        ("preflight", -1),
        ("replicate", -1),
        ("reachable_replicas", -1),
        ("verify", 0),
        ("verify", 1),
        ("canary", -1),
        ("replicate_canary", -1),
        ("recover", -1),
        ("judge", -1),
        ("export", -1),
    }
    judged = run.xcom("judge")
    assert judged["verdict"] == "PASSED"
    check_figures(figures, lab, judged)

    controls = run.xcom("recover")["controls"]
    assert [(one["replica"], one["kind"], one["outcome"]) for one in controls] == [
        (uri, kind, "rejected")
        for uri in lab.replicas
        for kind in ("corrupt", "stale", "rolled_back")
    ]
    rolled_back = [one["detail"] for one in controls if one["kind"] == "rolled_back"]
    assert all("its ledger is not the one that is remembered" in said for said in rolled_back)
    recovered = run.xcom("recover")["recovered"]
    assert recovered["objects"] == len(TREE) + 1
    assert recovered["served"] == {lab.gcs: len(TREE) + 1}
    assert recovered["verified_by"] == {"ledger": len(TREE) + 1}

    # The evidence lies in two clouds, four objects, and says the same in both.
    assert [uri.partition("://")[0] for uri in judged["evidence"]] == ["gs", "gs", "abfs", "abfs"]
    first, second = evidence_of(judged, "PASSED")
    chained = [first.pop("chain"), second.pop("chain")]
    assert [(entry["cloud"], entry["number"]) for entry in chained] == [("gcp", 1), ("azure", 1)]
    assert (first["verdict"], first) == ("PASSED", second)
    check_objectives(first, judged)
    # What a later check needs to know is where the bucket's writers can't change it.
    for record in judged["records"]:
        report = api.verify_evidence(
            record["uri"], at_least=record["number"], expected_sha256=record["sha256"]
        )
        assert report.sound, report.found
    assert first["measurement"] == run.xcom("recover")
    assert first["canary"] == run.xcom("canary")
    assert (first["run"]["DAG"], first["run"]["run"]) == ("disaster_recovery", run.run_id)
    assert {"airflow-multicloud", "python", "apache-airflow-core"} < set(first["versions"])
    identities = first["measurement"]["identities"]
    assert [who["uri"] for who in identities] == [lab.s3, *lab.replicas]
    assert all(who["account_id"] and who["principal"] for who in identities), identities
    read = api.read_evidence(judged["evidence"][0])
    assert (read.verdict, read.measurement) == ("PASSED", run.xcom("recover"))
    assert [v["replica"] for v in first["verification"]] == lab.replicas
    assert all(v["proven"] for v in first["verification"])

    # The canary alone travelled the second time.
    before, after = first["replication"]
    assert [d["outcomes"] for d in before["destinations"]] == [{"copied": len(TREE)}] * 2
    assert [d["outcomes"] for d in after["destinations"]] == [
        {"copied": 1, "unchanged": len(TREE)}
    ] * 2

    # Assets carry the roots and counts, and the ledgers say the same.
    events = run.asset_events()
    assert [e["multicloud"]["root"] for e in events["dr_replicas"]] == [
        before["root"],
        after["root"],
    ]
    assert [e["multicloud"]["objects"] for e in events["dr_replicas"]] == [
        len(TREE),
        len(TREE) + 1,
    ]
    for facts in (before, after):
        for destination in facts["destinations"]:
            head = reading.at(at(destination["uri"]), destination["commit"])
            assert (head.root, head.uri) == (destination["ledger_root"], destination["commit_uri"])
            assert destination["content"] == facts["root"]
            assert reading.has(ledger(destination["uri"]), head.mark)
    told = [
        {one["place"]: one["commit"] for one in e["multicloud_ledgers"]}
        for e in events["dr_replicas"]
    ]
    assert all(told[0][place] < told[1][place] for place in told[0])
    assert events["dr_evidence"] == [{"multicloud": judged}]


@pytest.mark.parametrize(
    ("objective", "verdict"),
    [
        ("rto_seconds", "FAILED_RTO"),
        ("failover_seconds", "FAILED_RTO"),
        ("rpo_seconds", "FAILED_RPO"),
    ],
)
def test_an_objective_that_is_missed_fails_the_run_but_leaves_evidence_and_figures(
    lab: Lab, figures: Figures, objective: str, verdict: str
) -> None:
    fill(lab.s3)
    run = drill(lab, **{objective: 0.001, "metrics_to": [figures.conn_id]})
    assert (run.state, run.state_of("export")) == ("failed", "success")
    assert run.state_of("judge") == "failed"
    assert run.tries["judge", -1] == 1  # a retry would judge the same
    report = run.xcom("judge", key="report")
    assert report["verdict"] == verdict
    assert figures.one("multicloud.drill.success") == 0
    name = objective.removesuffix("_seconds")
    if name == "failover":
        phases = {one["multicloud.phase"]: value for one, value in map_of(figures, "phase")}
        assert phases[name] == report["phases"][objective]
        assert report["reason"].startswith("Failover: a copy began to serve after ")
        assert report["findings"] == [f"f{report['reason'].removesuffix('.')[1:]}"]
    else:
        assert figures.one(f"multicloud.drill.{name}") == report[objective]
    documents = evidence_of(report, verdict)
    assert [d["verdict"] for d in documents] == [verdict] * 2
    assert "dr_evidence" not in run.asset_events()


def test_a_phase_that_may_take_longer_than_the_recovery_ends_the_run_before_anything(
    lab: Lab,
) -> None:
    fill(lab.s3)
    run = drill(lab, rto_seconds=60, detect_seconds=61)
    assert (run.state, run.state_of("reachable_replicas")) == ("failed", "failed")
    assert run.tries["reachable_replicas", -1] == 1
    assert (run.state_of("replicate"), run.state_of("judge")) == ("upstream_failed", "failed")
    for replica in lab.replicas:
        assert own_keys(replica) == []


def test_a_corrupt_primary_is_survived(lab: Lab) -> None:
    fill(lab.s3)
    run = drill(lab, fault="corrupt")
    assert run.xcom("judge")["verdict"] == "PASSED"
    recovered = run.xcom("recover")["recovered"]
    assert lab.s3 not in recovered["served"]
    assert recovered["failed_attempts"] > 0


def test_a_verifier_that_is_disabled_makes_it_invalid(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lab.s3)
    kinds: set[str] = set()
    for disable, accepted in DISABLED.values():
        disable(monkeypatch)
        kinds |= accepted
    run = drill(lab)
    report = run.xcom("judge", key="report")
    assert (run.state, report["verdict"]) == ("failed", "INVALID")
    controls = run.xcom("recover")["controls"]
    assert {one["kind"] for one in controls if one["outcome"] == "accepted"} == kinds
    assert [d["verdict"] for d in evidence_of(report, "INVALID")] == ["INVALID"] * 2


@pytest.mark.parametrize("survived", [True, False])
def test_a_revoked_permission_is_survived_where_fetches_survive_it(
    lab: Lab, survived: bool
) -> None:
    fill(lab.s3)
    more = {"fail_over_on": ["unavailable", "permission_denied"]} if survived else {}
    run = drill(lab, fault="permission_denied", **more)
    verdict = run.xcom("judge", key="report")["verdict"]
    assert verdict == ("PASSED" if survived else "FAILED_INTEGRITY")
    if not survived:
        report = run.xcom("judge", key="report")
        assert report["rto_seconds"] is None
        assert "permission_denied, which is not among fail_over_on" in report["reason"]


@pytest.mark.parametrize("param", ["primary", "replicas", "metrics_to"])
def test_a_place_that_is_not_listed_ends_the_run_before_it_begins(
    lab: Lab, figures: Figures, param: str
) -> None:
    fill(lab.s3)
    other = f"{lab.gcs}elsewhere/"
    given = {"primary": other, "replicas": [lab.gcs, other], "metrics_to": ["memory_metrics", "no"]}
    run = drill(lab, **{"metrics_to": [figures.conn_id], param: given[param]})
    assert figures.points == []
    assert run.state_of("check_params") == "failed"
    assert run.tries["check_params", -1] == 1
    rest = {state for (task, _), state in run.states.items() if task != "check_params"}
    assert rest == {"upstream_failed"}
    for replica in lab.replicas:
        assert own_keys(replica) == []


def test_a_replica_out_of_reach_leaves_a_verdict_and_evidence(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill(lab.s3)
    with socket.socket() as closed:
        down = unreachable(lab, closed, monkeypatch)
        run = drill(lab, down, replicas=[down, lab.azure])
    assert run.state == "failed"
    assert run.unsuccessful == {"judge[-1]": "failed"}
    assert run.state_of("export") == "skipped"  # It is sent nowhere.
    report = run.xcom("judge", key="report")
    assert report["verdict"] == "INVALID"
    untested, unverified, unlisted, alone = report["findings"]
    assert unlisted.startswith(f"cleanup: {down} can't be listed: unavailable")
    assert untested.startswith(f"{down}: its negative control")
    assert unverified == f"{down}: it was not verified"
    assert alone.startswith("the evidence is kept in one cloud only (abfs://")
    # Its first task has warned of that.
    assert "places: the evidence is kept in one cloud only (abfs://" in caplog.text
    assert report["reason"] == f"Before the fault: {unverified}."
    assert run.xcom("recover")["recovered"]["served"] == {lab.azure: len(TREE) + 1}
    (document,) = evidence_of(report, "INVALID")
    assert document["findings"] == report["findings"]


@pytest.mark.parametrize("verdict", ["PASSED", "INVALID"])
def test_a_place_out_of_reach_costs_no_other_its_evidence(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, verdict: str
) -> None:
    recovered = {
        "objects": 1,
        "size": 1,
        "as_of": "2026-11-23T08:59:30Z",
        "served": {lab.azure: 1},
        "verified_by": {"ledger": 1},
    }
    proof = {"replica": lab.azure, "objects": 1, "findings": {"verified": 1}, "found": []}
    with socket.socket() as closed:
        judge = DrillReportOperator(
            task_id="judge",
            measurement={
                "fault": "unavailable",
                "fault_at": "2026-11-23T09:00:00+00:00",
                "recovered": {**recovered, "failed_attempts": 0, "attempts": []},
                "reason": None,
                "took_seconds": 1.0,
                "rto_seconds": 1.0,
                "rpo_seconds": 1.0,
                "clock_ahead_seconds": None,
                "policy": {
                    "fail_over_on": ["unavailable"],
                    "attempt_timeout_seconds": 300.0,
                    "deadline_seconds": 3600.0,
                    "require_digest": False,
                },
                "identities": [],
                "canary_found": True,
                "controls": [
                    {"kind": kind, "replica": lab.azure, "outcome": "rejected", "detail": "no"}
                    for kind in ("corrupt", "stale", "rolled_back")
                ],
                "failback": True,
            },
            canary={"written_at": "2026-11-23T08:59:00+00:00", "sha256": "0" * 64},
            verification=[{**proof, "proven": True, "content": "0", "as_of": "2026-11-23T08:59:30"}]
            if verdict == "PASSED"
            else [],
            replication=[],
            places=[unreachable(lab, closed, monkeypatch), lab.azure],
            rto_seconds=60,
            rpo_seconds=60,
        )
        context = Bare()
        with pytest.raises((StorageError, AirflowFailException)) as caught:
            judge.execute(context)  # type: ignore[arg-type]
    # Where nothing else is wrong a retry is worth it, which may write the evidence there as well.
    assert isinstance(caught.value, StorageError) is (verdict == "PASSED")
    report = context.pushed["report"]
    if verdict == "INVALID":
        assert report["verdict"] == verdict
        assert len(evidence_of(report, verdict)) == 1
        return
    assert report["verdict"] == "FAILED_EVIDENCE"
    assert str(caught.value).startswith("FAILED_EVIDENCE, with no evidence at gs://gcp_down@")
    # It passed as far as the first record can know; the second one says where it is not.
    second, first = (record["uri"] for record in report["records"])
    assert api.read_evidence(first).verdict == "PASSED"
    final = api.read_evidence(second)
    assert (final.verdict, final.reason) == ("FAILED_EVIDENCE", report["reason"])
    assert [one.uri for one in final.earlier] == [first]
    assert api.verify_evidence(lab.azure, at_least=2).sound


def test_no_replica_in_reach_stops_the_drill(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(lab.s3)
    with socket.socket() as closed:
        down = unreachable(lab, closed, monkeypatch)
        run = drill(lab, down, replicas=[down])
    assert run.state_of("reachable_replicas") == "failed"
    assert run.tries["reachable_replicas", -1] == 3  # it may come back
    assert run.state_of("replicate") == "upstream_failed"
    # Nothing answers that could keep evidence.
    assert run.state_of("judge") == "failed"
    report = run.xcom("judge", key="report")
    assert (report["verdict"], report["evidence"]) == ("INVALID", [])
    assert report["reason"] == "The drill was not begun: no replica is in reach."


def test_an_unknown_kind_to_fail_over_on_is_refused(lab: Lab) -> None:
    fill(lab.s3)
    run = drill(lab, fail_over_on=["outage"])
    assert run.state_of("recover") == "failed"
    assert run.tries["recover", -1] == 1
    # What was stopped has evidence as well.
    report = run.xcom("judge", key="report")
    assert (run.state_of("judge"), report["verdict"]) == ("failed", "ABORTED")
    assert report["reason"] == "The drill ended before anything was measured (recover: failed)."
    first, _ = evidence_of(report, "ABORTED")
    assert (first["steps"]["recover"], first["steps"]["replicate_canary"]) == ("failed", "success")
    assert first["canary"] == run.xcom("canary")
    assert [one["proven"] for one in first["verification"]] == [True, True]


def test_an_empty_primary_stops_the_drill_before_anything_but_evidence_is_written(
    lab: Lab, figures: Figures
) -> None:
    run = drill(lab, metrics_to=[figures.conn_id])
    assert (run.state, run.state_of("export")) == ("failed", "success")
    # What was not measured is no 0.
    assert [(p.name, p.data) for p in figures.points] == [("multicloud.drill.success", Gauge(0))]
    assert run.state_of("replicate") == "failed"
    assert run.tries["replicate", -1] == 1
    report = run.xcom("judge", key="report")
    assert (report["verdict"], report["rto_seconds"]) == ("ABORTED", None)
    for replica in lab.replicas:
        assert tree_of(replica) == {}
        assert {key.split("/")[1] for key in own_keys(replica)} == {"evidence"}


SETTING = "AIRFLOW__MULTICLOUD__DRILL_DEADLINE_SECONDS"


@pytest.mark.parametrize(("given", "after"), [(None, None), ("0", None), ("3600", 3600)])
def test_a_run_has_a_deadline_where_one_is_configured(
    monkeypatch: pytest.MonkeyPatch, given: str | None, after: int | None
) -> None:
    if given is not None:
        monkeypatch.setenv(SETTING, given)
    deadline = load().deadline
    if after is None:
        assert not deadline
    else:
        (alert,) = deadline if isinstance(deadline, list) else [deadline]
        assert alert is not None
        assert alert.interval == timedelta(seconds=after)


@pytest.mark.parametrize("given", ["soon", "-1", "1.5", "9" * 8, "9" * 5000])
def test_a_deadline_that_is_none_is_an_import_error(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(SETTING, given)
    with pytest.raises(CloudError, match=r"^\[multicloud\] drill_deadline_seconds: '") as raised:
        load()
    assert SETTING in str(raised.value)


def test_a_drill_changes_nothing_but_the_canary(lab: Lab, tmp_path: Path) -> None:
    fill(lab.s3)
    drill(lab)
    for uri in (lab.s3, *lab.replicas):
        tree = tree_of(uri)
        canary = json.loads(tree.pop("_drill/canary.json"))
        assert list(canary) == ["format_version", "drill_id", "written_at"]
        assert tree == TREE
        if uri != lab.s3:
            assert ledger(uri).commit.open_runs == ()
    fetched = api.failover_fetch([lab.s3, *lab.replicas], tmp_path)
    assert isinstance(fetched, api.TreeProvenance)
    assert not fetched.failed_over


def test_a_dag_with_a_deadline_is_known_to_airflow_with_it() -> None:
    from airflow.models.deadline_alert import DeadlineAlert
    from airflow.utils.session import create_session
    from sqlalchemy import select

    make_known(DAG("late_drill", schedule=None, deadline=drill_deadline(timedelta(minutes=7))))
    with create_session() as session:
        alerts = session.scalars(select(DeadlineAlert)).all()
        assert any("drill.deadline.tell_late" in str(one.callback_def) for one in alerts)

"""The page of a release's summary: what is on it, and that nothing of others acts on it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_multicloud.core.rollout.approval import plan_document
from airflow_multicloud.core.rollout.outcomes import (
    DeployedInstance,
    MultiCloudDeploymentResult,
    Outcome,
    TargetResult,
)
from airflow_multicloud.core.rollout.summary import (
    Approval,
    ApprovalState,
    ReleaseSummary,
    ReleaseVerdict,
)
from airflow_multicloud.core.rollout.summary_pages import write_page
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef
from tests.unit.rollout.test_costs import plan_of
from tests.unit.rollout.worlds import new_place

AT = datetime(2026, 11, 30, 9, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\u202e"


def through_json(document: Any) -> Any:
    return json.loads(json.dumps(document, default=str))


def a_result(outcome: Outcome = Outcome.SUCCEEDED, error: str | None = None) -> dict[str, Any]:
    instance = DeployedInstance(
        id="i-1",
        name="mc-shop-one-0",
        region="mem-1",
        zone="mem-1a",
        size="small",
        address="10.0.0.1",
        public_address=None,
        console_url=None,
    )
    result = MultiCloudDeploymentResult(
        deployment_id="shop",
        revision="abababababab",
        plan_hash="cd" * 32,
        succeeded=outcome.is_success,
        targets=(
            TargetResult(
                name="one",
                cloud="memory",
                conn_id="memory_one",
                outcome=outcome,
                instances=(instance,) if outcome.is_success else (),
                error_kind=ErrorKind.PERMISSION_DENIED if error else None,
                error=error,
                seconds=12.5,
            ),
        ),
        began_at=AT,
        ended_at=AT + timedelta(seconds=75),
    )
    return through_json(to_document(result))  # type: ignore[no-any-return]


def parts() -> dict[str, Any]:
    """What the tasks of a release that went well have told."""
    export = {"conn_id": "memory_metrics", "cloud": "memory", "error": None}
    counts = {"points_in": 8, "accepted": 7, "rejected": 1, "unknown": 0, "dropped": 0}
    replica = {"uri": "mem://memory_two@lab/builds/", "outcomes": {"copied": 1, "unchanged": 0}}
    return {
        "plan": through_json(plan_document(plan_of(one=("0.0208 USD",), two=(None,)))),
        "upload": {
            "uri": "mem://memory_one@lab/builds/shop.tar.gz",
            "size": 123_456,
            "sha256": "ab" * 32,
            "unchanged": False,
            "replication": {"destinations": [replica]},
        },
        "result": a_result(),
        "watched": {"targets": {"one": [{"slot": 0}]}, "drift": []},
        "exported": {"destinations": [{**export, **counts}]},
        "is_watched": True,
        "approval": Approval(ApprovalState.APPROVED, "ada@example.org", AT),
        "run": {"DAG": "release", "run": "manual__1"},
    }


def page_of(**changed: Any) -> str:
    return ReleaseSummary.of("shop", **{**parts(), **changed}).html().decode()


def test_all_of_a_release_is_on_its_page() -> None:
    page = re.sub(r"<[^>]+>", " ", page_of())
    for told in (
        "SUCCEEDED",
        "mem://memory_one@lab/builds/shop.tar.gz",
        "ab" * 32,
        "mem://memory_two@lab/builds/: copied",
        parts()["plan"]["hash"],
        "approved by ada@example.org, 2026-11-30 09:00:00 UTC",
        "0.0208 USD",
        "15.18 USD",
        "no list price of small in mem-1",
        "mc-shop-one-0: small, mem-1a, 10.0.0.1",
        "1 well",
        "12.5 s",
        "1 min 15 s",
        "memory_metrics",
        "manual__1",
    ):
        assert told in page, told


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    page = page_of()
    assert not re.search(
        r"<(script|link|img|iframe|object|form)\b|\bon\w+=|https?://|@import", page
    )


@pytest.mark.parametrize(
    "where", ["uri", "replica", "error", "by", "run", "task", "drift", "metric"]
)
def test_what_others_wrote_is_text(where: str) -> None:
    given = parts()
    given["failed_tasks"] = (EVIL,) if where == "task" else ("health",)
    match where:
        case "uri":
            given["upload"]["uri"] = EVIL
        case "replica":
            given["upload"]["replication"]["destinations"][0]["uri"] = EVIL
        case "error":
            given["result"] = a_result(Outcome.FAILED, EVIL)
        case "by":
            given["approval"] = replace(given["approval"], by=EVIL)
        case "run":
            given["run"] = {EVIL: EVIL}
        case "drift":
            drift = {"kind": "missing", "target": "one", "slot": 0, "instance_id": None}
            given["watched"]["drift"] = [{**drift, "what": EVIL}]
        case "metric":
            given["exported"]["destinations"][0]["error"] = EVIL
    page = page_of(**given)
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("missing", ["plan", "upload", "result", "watched", "exported"])
def test_a_part_that_is_missing_costs_no_other(missing: str) -> None:
    page = page_of(**{missing: None})
    others = {
        "plan": "15.18 USD",
        "upload": "shop.tar.gz",
        "result": "12.5 s",
        "watched": "1 well",
        "exported": "memory_metrics",
    }
    # Health is told of each target that something came of.
    gone = {missing, "watched"} if missing == "result" else {missing}
    assert {name for name, told in others.items() if told not in page} == gone


def test_a_run_that_did_nothing_has_a_page() -> None:
    summary = ReleaseSummary.of("shop", failed_tasks=("preflight",))
    assert summary.verdict is ReleaseVerdict.NOT_ROLLED_OUT
    page = summary.html().decode()
    for told in (
        "Nothing was planned",
        "Nothing was uploaded",
        "Nothing was rolled out",
        "preflight",
    ):
        assert told in page


def test_verdicts() -> None:
    def verdict(**changed: Any) -> ReleaseVerdict:
        return ReleaseSummary.of("shop", **{**parts(), **changed}).verdict

    assert verdict() is ReleaseVerdict.SUCCEEDED
    assert verdict(watched=None) is ReleaseVerdict.UNWELL
    assert verdict(watched=None, is_watched=False) is ReleaseVerdict.SUCCEEDED
    assert verdict(result=a_result(Outcome.ROLLED_BACK, "no")) is ReleaseVerdict.FAILED
    assert verdict(result=None) is ReleaseVerdict.NOT_ROLLED_OUT


def test_a_plan_that_was_changed_is_no_part() -> None:
    plan = {**parts()["plan"], "revision": "another"}
    with pytest.raises(CloudError, match="plan: its hash is") as caught:
        page_of(plan=plan)
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_a_page_is_kept_once() -> None:
    place = new_place("builds/")
    written = write_page(b"<p>one", place, "run-1")
    assert written.uri.endswith("@lab/builds/summaries/run-1.html")
    # An answer that got lost: the same bytes are met.
    assert write_page(b"<p>one", place, "run-1") == written
    with pytest.raises(StorageError, match=r"summaries/run-1\.html is there already") as caught:
        write_page(b"<p>two", place, "run-1")
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS
    found = place.store.get_object(ObjectRef("lab", "builds/summaries/run-1.html"))
    assert bytes(found.read()) == b"<p>one"
    assert found.meta.attributes is not None
    assert found.meta.attributes.content_type == "text/html; charset=utf-8"


def test_without_conditional_writes_it_looks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    place = new_place("builds/")
    monkeypatch.setattr(type(place), "condition", lambda _self, _prior: None)
    written = write_page(b"<p>one", place, "run-1")
    assert write_page(b"<p>one", place, "run-1") == written
    with pytest.raises(StorageError, match="nothing was replaced"):
        write_page(b"<p>longer than the first", place, "run-1")


@pytest.mark.parametrize(
    ("prefix", "said"), [("builds", "is no prefix"), (".airflow-multicloud/x/", "is kept for")]
)
def test_a_place_that_cannot_keep_it(prefix: str, said: str) -> None:
    with pytest.raises(StorageError, match=said) as caught:
        write_page(b"<p>", new_place(prefix), "run-1")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

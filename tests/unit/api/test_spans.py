"""Every call that asks a cloud or reads a store has a span of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace

from airflow_multicloud import api
from airflow_multicloud.errors import StorageError
from airflow_multicloud.sensors.object_store.replica_fresh import check_fresh

if TYPE_CHECKING:
    from collections.abc import Callable

PRIMARY, REPLICA = "mem://span_one@data/a/", "mem://span_two@data/a/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clouds(memory_account):
    for conn_id in ("span_one", "span_two"):
        memory_account(conn_id, "data")


@pytest.fixture
def opened(spans) -> Callable[[], list[str]]:
    """The spans that were opened since it was last called, the innermost first."""

    def since() -> list[str]:
        names = [span.name.removeprefix("multicloud.") for span in spans.get_finished_spans()]
        spans.clear()
        return names

    return since


def test_of_object_stores(opened, tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"x")
    assert api.make_bucket("mem://span_one@other")
    assert opened() == ["make_bucket"]
    api.plan_upload(file, PRIMARY)
    assert opened() == ["plan_upload"]
    api.upload_artifact(file, PRIMARY)
    assert opened() == ["upload"]
    api.replicate(PRIMARY, [REPLICA])
    opened()
    api.list_runs(REPLICA)
    assert opened() == ["list_runs"]
    api.replica_status(REPLICA)
    assert opened()[-1] == "replica_status"
    assert check_fresh(replica=REPLICA, max_lag_seconds=3600)
    assert opened() == ["replica_freshness"]


def test_a_listing_has_one_until_its_first_answer(opened, tmp_path):
    store = api.UnifiedCloudStorage(PRIMARY, [REPLICA])
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"x")
        api.upload_artifact(tmp_path / name, PRIMARY)
    opened()
    listing = store.list()
    next(listing)
    assert opened() == ["list_objects"]
    assert not trace.get_current_span().get_span_context().is_valid
    assert len([*listing]) == 1


def test_of_a_drill(opened, tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    api.upload_artifact(tmp_path / "f", PRIMARY)
    drilled = api.run_drill(
        PRIMARY, [REPLICA], objectives=api.Objectives(HOUR, HOUR), drill_id="spans"
    )
    found = opened()
    assert found[-1] == "run_drill"
    assert {"replicate", "verify_replica", "drill", "store_evidence"} <= {*found}
    (uri,) = (uri for uri in drilled.written if uri.endswith(".json"))
    assert api.read_evidence(uri).drill_id == "spans"
    assert opened() == ["read_evidence"]
    assert api.verify_evidence(uri).sound
    assert opened() == ["verify_evidence"]
    with pytest.raises(StorageError):
        api.read_evidence("mem://span_one@data/none.json")
    assert opened() == ["read_evidence"]


def test_of_cost_files(opened, tmp_path):
    from airflow_multicloud.core.cost.recommendations import RankedRecommendations

    analyzer = api.CloudCostAnalyzer(tmp_path / "store")
    assert analyzer.stored_exports() == ()
    assert opened()[-1] == "cost.stored_exports"
    ranked: RankedRecommendations = analyzer.recommend([])
    opened()
    uri = api.write_recommendations(ranked, str(tmp_path))
    assert opened() == ["cost.write_recommendations"]
    assert api.read_recommendations(uri) == []
    assert opened() == ["cost.read_recommendations"]

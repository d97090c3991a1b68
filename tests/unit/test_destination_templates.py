"""What is a template inside of a destination is rendered each time, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_multicloud import api
from airflow_multicloud.api.object_store.destinations import open_destination
from airflow_multicloud.core.replication.options import include_globs
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.operators.cost import EstimateTransferCostOperator
from airflow_multicloud.operators.object_store import (
    ReplicateOperator,
    UploadArtifactOperator,
    sharded_replication,
)

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

GIVEN = api.Destination("gs://c@b/{{ ds }}/", "{{ storage_class }}", "projects/{{ ds }}")


def rendered(operator: BaseOperator, day: str) -> list[Any]:
    copy = operator.prepare_for_execution()
    copy.render_template_fields({"ds": day, "storage_class": "NEARLINE"})  # type: ignore[typeddict-item,typeddict-unknown-key]
    if isinstance(copy, UploadArtifactOperator):
        return [copy.destination, *copy.replicate_to]
    return list(copy.destinations)  # type: ignore[attr-defined]


def expected(day: str) -> api.Destination:
    return api.Destination(f"gs://c@b/{day}/", "NEARLINE", f"projects/{day}")


@pytest.mark.parametrize("native", [False, True])
def test_each_run_gets_its_own(native: bool) -> None:
    with DAG("d", schedule=None, render_template_as_native_obj=native):
        operators = [
            ReplicateOperator(task_id="r", source="s3://c@b/", destinations=[GIVEN]),
            EstimateTransferCostOperator(task_id="e", source="s3://c@b/", destinations=[GIVEN]),
            UploadArtifactOperator(task_id="u", file="f", destination=GIVEN, replicate_to=[GIVEN]),
        ]
        group = sharded_replication("g", shards=2, source="s3://c@b/", destinations=[GIVEN])
        operators += [group.children["g.plan"], group.children["g.close"]]  # type: ignore[list-item]
    for operator in operators:
        for day in ("2026-11-01", "2026-11-02"):
            for found in rendered(operator, day):
                assert found == expected(day)
    assert GIVEN.uri == "gs://c@b/{{ ds }}/"


def test_so_do_mapped_tasks() -> None:
    with DAG("d", schedule=None):
        mapped = ReplicateOperator.partial(task_id="r", destinations=[GIVEN]).expand(
            source=["s3://c@b/1/", "s3://c@b/2/"]
        )
    for day in ("2026-11-01", "2026-11-02"):
        one = mapped.unmap({"source": "s3://c@b/1/"})
        assert rendered(one, day) == [expected(day)]


@pytest.mark.parametrize("left", ["s3://c@b/{{ ds }}/", "s3://c@b/{% if x %}a{% endif %}/"])
def test_what_is_left_is_refused(left: str) -> None:
    with pytest.raises(CloudError, match=r"^source: it has a template .* not rendered") as raised:
        open_endpoint(left, parameter="source")
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


def test_so_is_what_is_left_elsewhere() -> None:
    with pytest.raises(CloudError, match=r"^d: storage_class: it has a template"):
        open_destination(api.Destination("s3://c@b/", "{{ x }}"), parameter="d")
    with pytest.raises(CloudError, match=r"^target: it has a template"):
        api.failover_fetch(["s3://c@b/k"], "/restore/{{ ds }}/k")
    with pytest.raises(CloudError, match=r"^file: it has a template"):
        api.upload_artifact("/builds/{{ ds }}", "s3://c@b/k")
    with pytest.raises(CloudError, match=r"^places\[0\]: it has a template"):
        api.cleanup(["/restore/{{ ds }}/"])


@pytest.mark.parametrize("found", [(), [], "[]", "()"])
def test_a_template_of_no_globs_does_not_take_everything(found: Any) -> None:
    with DAG("d", schedule=None, render_template_as_native_obj=not isinstance(found, str)):
        operator = ReplicateOperator(
            task_id="r", source="s3://c@b/", destinations=[GIVEN.uri], include="{{ found }}"
        )
        default = ReplicateOperator(task_id="all", source="s3://c@b/", destinations=[GIVEN.uri])
    copy = operator.prepare_for_execution()
    copy.render_template_fields({"found": found, "ds": "1"})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(CloudError, match=r"^include: an empty list given, .* or skip the task"):
        copy.replication()
    assert include_globs(default.include, given=default.include_given) == ()

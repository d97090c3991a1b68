"""Bodies that an SDK would not send, of each kind, against models of both styles."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from azure.mgmt.advisor import models as advisor
from azure.mgmt.compute import models as compute
from azure.mgmt.costmanagement import models as cost

from airflow_multicloud.testing.local_clouds.azure.arm.strict import violations

QUERY: dict[str, Any] = {
    "type": "ActualCost",
    "timeframe": "Custom",
    "timePeriod": {"from": "2026-09-01T00:00:00Z", "to": "2026-09-30T23:59:59Z"},
    "dataset": {
        "granularity": "Daily",
        "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
        "grouping": [{"type": "Dimension", "name": "ServiceName"}],
    },
}
MACHINE: dict[str, Any] = {"location": "westeurope", "properties": {"hardwareProfile": {}}}


def with_(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one field changed."""
    first, _, rest = path.partition(".")
    return {**body, first: with_(body[first], rest, value) if rest else value}


def test_what_the_sdk_sends_passes() -> None:
    assert violations(cost.QueryDefinition, QUERY, "query") == []
    assert violations(compute.VirtualMachine, MACHINE, "create") == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("surprise", 1, "member 'surprise' on object of type 'QueryDefinition'"),
        ("dataset.surprise", 1, "Path 'dataset.surprise'"),
        ("type", 3, "Expected one of Usage, ActualCost"),
        ("type", "MadeUpCost", "found str 'MadeUpCost'"),
        ("timePeriod.from", "yesterday", "Expected ISO 8601 timestamp"),
        ("timePeriod.from", "2026-09-01T00:00:00", "Expected ISO 8601 timestamp"),
        ("timePeriod", {"from": "2026-09-01T00:00:00Z"}, "Required property 'to'"),
        ("dataset", [], "Expected a JSON object (QueryDataset), found list"),
        ("dataset", None, "Expected a value, found NoneType"),
        ("dataset.grouping", {}, "Expected a JSON array"),
        ("dataset.grouping", [{"type": "Dimension"}], "Path 'dataset.grouping[0]'"),
        (
            "dataset.aggregation",
            {"a": {"name": 1, "function": "Sum"}},
            "'dataset.aggregation.a.name'",
        ),
        (
            "dataset.filter",
            {"and": [{"dimensions": {"name": "x"}}]},
            "'dataset.filter.and[0].dimen",
        ),
    ],
)
def test_a_query_that_is_wrong(path: str, value: object, said: str) -> None:
    found = violations(cost.QueryDefinition, with_(QUERY, path, value), "query")
    assert found
    assert said in " ".join(found)


@pytest.mark.parametrize("missing", ["type", "timeframe", "dataset"])
def test_a_query_that_lacks_something(missing: str) -> None:
    body = {name: value for name, value in QUERY.items() if name != missing}
    found = violations(cost.QueryDefinition, body, "query")
    assert found == [f"Required property '{missing}' not found in JSON. Path ''."]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("properties.vmId", "x", "'vmId' of 'VirtualMachineProperties' is read-only"),
        ("id", "/subscriptions/x", "'id' of 'VirtualMachine' is read-only"),
        ("properties.hardwareProfile", "text", "Expected a JSON object (HardwareProfile)"),
        (
            "properties.storageProfile",
            {"dataDisks": [{"lun": "0", "createOption": "Empty"}]},
            "Expected integer, found str '0'",
        ),
        ("tags", {"a": 1}, "Expected string, found int '1'. Path 'tags.a'"),
    ],
)
def test_a_machine_that_is_wrong(path: str, value: object, said: str) -> None:
    found = violations(compute.VirtualMachine, with_(MACHINE, path, value), "create")
    assert said in " ".join(found)


def test_what_may_not_be_sent_may_be_answered() -> None:
    body = with_(MACHINE, "properties.vmId", "x")
    assert violations(compute.VirtualMachine, body, "read") == []


@pytest.mark.parametrize(
    ("body", "operation", "said"),
    [
        ({"id": "x"}, "create", "'id' of 'ResourceRecommendationBase' is read-only"),
        ({"properties": {"category": 1}}, "read", "Expected string, found int"),
        ({"properties": {"surprise": 1}}, "read", "member 'surprise'"),
        ({"properties": {"lastUpdated": "2026"}}, "read", "Expected ISO 8601 timestamp"),
        ({"properties": {"extendedProperties": {"a": 1}}}, "read", "extendedProperties.a"),
        ({"properties": {"shortDescription": {"problem": True}}}, "read", "Expected string"),
        ([], "read", "Expected a JSON object"),
    ],
)
def test_the_older_style(body: object, operation: str, said: str) -> None:
    found = violations(advisor.ResourceRecommendationBase, body, operation)
    assert said in " ".join(found)


def test_required_in_the_older_style() -> None:
    class Named:
        _attribute_map: ClassVar = {"label": {"key": "properties.label", "type": "str"}}
        _validation: ClassVar = {"label": {"required": True}}

    Named.__module__ = advisor.ResourceRecommendationBase.__module__
    assert "'properties'" in violations(Named, {}, "create")[0]
    assert "'label'" in violations(Named, {"properties": {}}, "create")[0]
    assert violations(Named, {"properties": {"label": "x"}}, "create") == []

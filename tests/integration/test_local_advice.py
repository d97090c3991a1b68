"""Who advises on savings, as servers: each says what it was seeded with, and checks requests."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.demo import advice
from airflow_multicloud.testing.local_clouds.aws.cost import cost_hub
from airflow_multicloud.testing.local_clouds.azure.arm import resource_manager
from airflow_multicloud.testing.local_clouds.gcp.cost import recommender
from airflow_multicloud.testing.local_clouds.kit.process import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def advisers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, LocalServer]]:
    directory = tmp_path_factory.mktemp("advice")
    specs = (
        cost_hub(directory),
        recommender(directory),
        resource_manager(directory),
    )
    started = {
        spec.name: LocalServer(spec, log_path=directory / f"{spec.name}.log") for spec in specs
    }
    with pytest.MonkeyPatch.context() as patch:
        for server in started.values():
            server.start()
            for conn_id, connection in server.spec.connections.items():
                patch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        yield started
    for server in started.values():
        server.stop()


def test_recommendations_of_three_clouds(advisers: dict[str, LocalServer], tmp_path: Path) -> None:
    analyzer = api.CloudCostAnalyzer(tmp_path)
    assert analyzer.recommend(advice.CONNECTIONS).ranked == ()
    advice.seed()
    found = analyzer.recommend(advice.CONNECTIONS)
    assert dict(found.unavailable) == {}
    assert [
        (r.cloud, r.recommendation.action, str(r.monthly_savings), r.sources) for r in found.ranked
    ] == [
        ("aws", "migrate", "151.2", ("cost_optimization_hub",)),
        ("gcp", "rightsize", "142.100000000", ("google_recommender",)),
        ("azure", "delete", "61.44", ("azure_advisor",)),
    ]


@pytest.mark.parametrize(
    ("target", "body", "refused"),
    [
        ("CostOptimizationHubService.ListRecommendations", {"maxResults": "1"}, "maxResults"),
        ("CostOptimizationHubService.GetPreferences", {}, "UnknownOperationException"),
    ],
)
def test_the_hub_refuses_what_is_no_request(
    advisers: dict[str, LocalServer], target: str, body: dict[str, str], refused: str
) -> None:
    request = urllib.request.Request(
        advisers["cost-hub"].endpoint,
        data=json.dumps(body).encode(),
        headers={"x-amz-target": target},
    )
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    with raised.value as answer:
        assert refused in answer.read().decode()


def test_the_hub_in_pages(advisers: dict[str, LocalServer]) -> None:
    """The token of one page leads to the next."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    client = AwsBaseHook("cost_hub_local", client_type="cost-optimization-hub").get_conn()
    before = len(client.list_recommendations()["items"])
    advice.seed()
    advice.seed()
    pages = client.get_paginator("list_recommendations").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["items"]) for page in pages] == [1] * (before + 2)

"""An export of its own for each test, and a Cost Explorer that answers what it is told."""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.proxy import FaultProxy
from tests.integration.conftest import s3_at

from .exported import Export

if TYPE_CHECKING:
    from airflow_multicloud.clouds.aws.cost import CostExplorerHook
    from airflow_multicloud.testing.local_clouds import LocalClouds


@pytest.fixture
def hook(local_clouds: LocalClouds) -> CostExplorerHook:
    """The cost hook of the local AWS."""
    from airflow_multicloud.clouds.aws.cost import CostExplorerHook

    return CostExplorerHook("aws_local")


@pytest.fixture
def export(local_clouds: LocalClouds) -> Export:
    """An export that has delivered nothing, in a bucket of its own."""
    from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook

    store = S3ObjectStoreHook("aws_local")
    bucket = f"bills-{uuid.uuid4().hex[:16]}"
    store.ensure_bucket(bucket)
    return Export(store, bucket)


@pytest.fixture
def proxy(local_clouds: LocalClouds) -> Iterator[FaultProxy]:
    """Between the hook of ``proxied`` and the local AWS."""
    with FaultProxy(local_clouds.aws.spec.port) as running:
        yield running


@pytest.fixture
def proxied(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> CostExplorerHook:
    """A hook that asks through ``proxy``, as patient as the package makes it."""
    from airflow_multicloud.clouds.aws.cost import CostExplorerHook

    connection = json.loads(s3_at(proxy.port))
    connection["extra"].pop("config_kwargs")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_PROXIED", json.dumps(connection))
    return CostExplorerHook("aws_proxied")


_LONG_AGO = (date(1990, 1, 1) + timedelta(days=day) for day in count())


class CostExplorer:
    """moto's Cost Explorer: every request that it has not seen before gets the next answer."""

    def __init__(self, hook: CostExplorerHook) -> None:
        client = hook._service("ce")
        self._url = f"{client.meta.endpoint_url}/moto-api/static/ce/cost-and-usage-results"
        # What a test before did not ask for would come first.
        for day in _LONG_AGO:
            period = {"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()}
            left = client.get_cost_and_usage(
                TimePeriod=period, Granularity="DAILY", Metrics=["BlendedCost"]
            )
            if not left["ResultsByTime"]:
                break

    def answer(self, *pages: dict[str, Any]) -> None:
        """Give these pages, in this order, each with the token of the next."""
        results: Sequence[dict[str, Any]] = [
            {**page, "NextPageToken": f"page-{number}-{uuid.uuid4().hex}"}
            for number, page in enumerate(pages[:-1], start=2)
        ]
        body = json.dumps({"results": [*results, pages[-1]]}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, body, headers)
        with urllib.request.urlopen(request) as done:
            assert done.status == 201


@pytest.fixture
def explorer(hook: CostExplorerHook) -> CostExplorer:
    """What Cost Explorer answers next."""
    return CostExplorer(hook)

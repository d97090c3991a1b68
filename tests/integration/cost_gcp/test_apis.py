"""Recommendations and list prices against servers that check Google's discovery documents."""

from __future__ import annotations

import json
import socket
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import requests

from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import PriceQuery
from airflow_multicloud.testing.local_clouds.gcp.cost.advice import Recommender
from airflow_multicloud.testing.local_clouds.gcp.cost.prices import CloudBilling
from airflow_multicloud.testing.local_clouds.gcp.rest.server import GoogleRestServer
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.cost import GCPCostHook

COMPUTE, STORAGE = "services/6F81-5844-456A", "services/95FF-2EF5-5EA1"
MACHINES = "google.compute.instance.MachineTypeRecommender"
ADDRESSES = "google.compute.address.IdleResourceRecommender"


def hook_at(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> GCPCostHook:
    from airflow_multicloud.clouds.gcp.cost import GCPCostHook

    extra = {"is_anonymous": True, "project": "p", "num_retries": 0}
    extra |= dict.fromkeys(("recommender.endpoint", "cloudbilling.endpoint"), endpoint)
    connection = {"conn_type": "google_cloud_platform", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_GCP_APIS", json.dumps(connection))
    return GCPCostHook("gcp_apis")


def advice(units: str = "-12", nanos: int = -340_000_000, **more: Any) -> dict[str, Any]:
    cost = {"currencyCode": "USD", "units": units, "nanos": nanos}
    return {
        "description": "Save cost by changing machine type.",
        "recommenderSubtype": "CHANGE_MACHINE_TYPE",
        "lastRefreshTime": "2026-10-01T00:00:00Z",
        "priority": "P2",
        "stateInfo": {"state": "ACTIVE"},
        "primaryImpact": {
            "category": "COST",
            "costProjection": {"cost": cost, "duration": "2628000s"},
        },
        "content": {
            "operationGroups": [
                {
                    "operations": [
                        {
                            "action": "replace",
                            "resourceType": "compute.googleapis.com/Instance",
                            "resource": "//compute.googleapis.com/projects/p/zones/z/instances/i",
                            "path": "/machineType",
                            "value": "n2-standard-2",
                        }
                    ]
                }
            ]
        },
        **more,
    }


def test_recommendations(monkeypatch: pytest.MonkeyPatch) -> None:
    recommender = Recommender(page_size=2)
    for _ in range(3):
        recommender.add("p", "us-central1-a", MACHINES, advice())
    dismissed = advice(stateInfo={"state": "DISMISSED"})
    recommender.add("p", "us-central1-a", MACHINES, dismissed)
    recommender.add("p", "us-central1", ADDRESSES, advice(primaryImpact={"category": "SECURITY"}))
    recommender.add("p", "global", ADDRESSES, advice(units="3", nanos=0))
    with GoogleRestServer(*recommender.services) as server:
        found = hook_at(monkeypatch, server.endpoint).list_recommendations()
        asked = server.requests
    assert not found.unavailable
    assert [r.monthly_savings for r in found.found] == [None, *[Decimal("12.34")] * 3]
    last = found.found[-1]
    assert (last.action, last.region_id, last.billing_currency) == (
        "rightsize",
        "us-central1",
        "USD",
    )
    assert last.resource_id.endswith("instances/i")
    assert last.details["to"] == "n2-standard-2"
    # Zonal recommenders are not asked about regions, nor the other way round.
    assert not any("us-central1/recommenders/google.compute.instance.M" in r for r in asked)


def test_one_place_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    recommender = Recommender()
    recommender.add("p", "us-central1-a", MACHINES, advice())
    recommender.add_location("p", "us-central1-b")
    refusal = Refusal(HTTPStatus.FORBIDDEN, "Permission 'x' denied", reason="IAM_PERMISSION_DENIED")
    parent = f"projects/p/locations/us-central1-b/recommenders/{MACHINES}"
    recommender.refuse(parent, refusal)
    with GoogleRestServer(*recommender.services) as server:
        found = hook_at(monkeypatch, server.endpoint).list_recommendations()
    assert len(found.found) == 1
    (name, why), *rest = found.unavailable.items()
    assert not rest
    assert MACHINES in name
    assert "in 1 of 2 locations" in why
    assert "Permission 'x' denied" in why


def test_api_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    recommender = Recommender()
    refusal = Refusal(HTTPStatus.FORBIDDEN, "API is disabled", reason="SERVICE_DISABLED")
    recommender.refuse("projects/p/locations", refusal)
    with GoogleRestServer(*recommender.services) as server:
        found = hook_at(monkeypatch, server.endpoint).list_recommendations()
    assert not found.found
    assert "API is disabled" in found.unavailable["google_recommender"]


def sku(description: str, unit: str, *tiers: tuple[int, int], **more: Any) -> dict[str, Any]:
    rates = [
        {
            "startUsageAmount": start,
            "unitPrice": {"currencyCode": "USD", "units": "0", "nanos": nanos},
        }
        for start, nanos in tiers
    ]
    return {
        "description": description,
        "category": {"usageType": "OnDemand", "resourceFamily": "Compute"},
        "serviceRegions": ["us-east1"],
        "pricingInfo": [{"pricingExpression": {"usageUnit": unit, "tieredRates": rates}}],
        **more,
    }


def catalogue() -> CloudBilling:
    found = CloudBilling(page_size=2)
    spot = {"category": {"usageType": "Preemptible"}}
    for one in (
        sku("N2 Instance Core running in Americas", "h", (0, 31_611_000), **spot),
        sku("N2 Instance Core running in Americas", "h", (0, 31_611_000)),
        sku("N2 Custom Instance Core running in Americas", "h", (0, 33_174_000)),
        sku("N2 Instance Ram running in Americas", "GiBy.h", (0, 4_237_000)),
        sku("E2 Instance Core running in Americas", "h", (0, 21_811_590)),
        sku("E2 Instance Core running in Somewhere", "h", (0, 1)),
        sku("E2 Instance Ram running in Americas", "GiBy.h", (0, 2_923_530)),
        sku("C3 Instance Core running in Americas", "h", (0, 0)),
        sku("C3 Instance Ram running in Americas", "GiBy.h", (0, 1)),
    ):
        found.add(COMPUTE, one)
    found.add(STORAGE, sku("Standard Storage US Regional", "GiBy.mo", (0, 0), (5, 20_000_000)))
    found.add(STORAGE, sku("Standard Storage US Dual-region", "GiBy.mo", (0, 26_000_000)))
    return found


@pytest.mark.parametrize(
    ("name", "price"),
    [
        pytest.param("n2-standard-4", "0.194236", id="sum_of_parts"),
        pytest.param("e2-standard-4", None, id="two_can_be_meant"),
        pytest.param("c3-standard-4", None, id="zero_price"),
        pytest.param("n2-standard-3", None, id="no_such_size"),
        pytest.param("m9-ultra-4", None, id="unknown_family"),
    ],
)
def test_machine_prices(monkeypatch: pytest.MonkeyPatch, name: str, price: str | None) -> None:
    with GoogleRestServer(*catalogue().services) as server:
        query = PriceQuery(meter="compute", sku=name, region_id="us-east1")
        found = hook_at(monkeypatch, server.endpoint).list_prices([query])
    assert [p.list_unit_price for p in found] == ([Decimal(price)] if price else [])


def test_storage_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    with GoogleRestServer(*catalogue().services) as server:
        hook = hook_at(monkeypatch, server.endpoint)
        query = PriceQuery(meter="storage", sku="STANDARD", region_id="us-east1")
        found = hook.list_prices([query])
        elsewhere = hook.list_prices([PriceQuery(meter="storage", sku="STANDARD", region_id="x")])
    assert [(p.tier_start, p.list_unit_price) for p in found] == [
        (Decimal(0), Decimal(0)),
        (Decimal(5), Decimal("0.02")),
    ]
    assert not elsewhere


def test_unknown_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = hook_at(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(CostAnalysisError, match="meter: 'gpu' given") as caught:
        hook.list_prices([PriceQuery(meter="gpu", sku="x", region_id="y")])
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        hook = hook_at(monkeypatch, f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(CostAnalysisError) as caught:
            hook.list_prices([PriceQuery(meter="storage", sku="STANDARD", region_id="y")])
    assert caught.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("/v1/services/a/skus?foo=1", 'Unknown name "foo"', id="unknown"),
        pytest.param("/v1/services/a/skus?pageSize=x", "TYPE_INT32", id="type"),
        pytest.param("/v1/services/a/skus?alt=xml", "Invalid value at 'alt'", id="enum"),
        pytest.param("/v1/services/a/b/skus", "was not found", id="path"),
    ],
)
def test_server_is_strict(target: str, said: str) -> None:
    with GoogleRestServer(*CloudBilling().services) as server:
        error = requests.get(server.endpoint + target, timeout=10).json()["error"]
    assert said in error["message"]


def test_server_checks_what_is_seeded() -> None:
    billing = CloudBilling()
    billing.add(COMPUTE, {"description": 1, "price": 2})
    with GoogleRestServer(*billing.services) as server:
        answer = requests.get(f"{server.endpoint}/v1/{COMPUTE}/skus", timeout=10)
    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "price" in answer.text

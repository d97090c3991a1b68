"""The price list, as botocore's model has its envelope and AWS's documents its products."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from airflow_multicloud.clouds.aws.cost import prices as _cost_prices
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import PriceQuery

from .stubs import Services

REGION = "eu-central-1"
SHARED_LINUX = {
    "instanceType": "m5.large",
    "regionCode": REGION,
    "tenancy": "Shared",
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}
COMPUTE = PriceQuery(meter="compute", sku="m5.large", region_id=REGION)


def product(
    attributes: dict[str, str], *tiers: tuple[str, str], unit: str = "Hrs", currency: str = "USD"
) -> str:
    """A product with a price for each tier: (from, price)."""
    dimensions = {
        f"rate-{number}": {
            "unit": unit,
            "beginRange": start,
            "endRange": "Inf",
            "pricePerUnit": {currency: price},
        }
        for number, (start, price) in enumerate(tiers)
    }
    return json.dumps(
        {
            "product": {
                "productFamily": attributes.get("productFamily", "Compute Instance"),
                "attributes": {k: v for k, v in attributes.items() if k != "productFamily"},
            },
            "publicationDate": "2026-09-01T10:00:00Z",
            "terms": {"OnDemand": {"term": {"priceDimensions": dimensions}}, "Reserved": {}},
        }
    )


def filters(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in values.items()]


def listed(
    services: Services, asked: PriceQuery, *products: str, **request: Any
) -> list[tuple[Decimal, Decimal]]:
    """From which number of units on which price holds, given these products on two pages."""
    first = {"PriceList": list(products[:1]), "NextToken": "more"}
    services.answer("pricing", "get_products", first, **request)
    rest = {"PriceList": list(products[1:])}
    services.answer("pricing", "get_products", rest, NextToken="more", **request)
    found = _cost_prices.list_prices(services("pricing"), [asked])
    return [(price.tier_start, price.list_unit_price) for price in found]


def ec2(services: Services, *products: str) -> list[tuple[Decimal, Decimal]]:
    asked = {"ServiceCode": "AmazonEC2", "Filters": filters(SHARED_LINUX)}
    return listed(services, COMPUTE, *products, **asked)


def test_compute() -> None:
    answer = {"PriceList": [product(SHARED_LINUX, ("0", "0.1150000000"))]}
    with Services() as services:
        services.answer(
            "pricing",
            "get_products",
            answer,
            ServiceCode="AmazonEC2",
            Filters=filters(SHARED_LINUX),
        )
        (found,) = _cost_prices.list_prices(services("pricing"), [COMPUTE])
    assert (found.meter, found.sku, found.region_id) == ("compute", "m5.large", REGION)
    assert (found.unit, found.list_unit_price, found.currency) == ("hour", Decimal("0.115"), "USD")
    assert "AmazonEC2, published 2026-09-01" in found.source
    assert datetime.now(UTC).date() - found.as_of <= timedelta(days=1)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"tenancy": "Dedicated"}, id="dedicated"),
        pytest.param({"capacitystatus": "UnusedCapacityReservation"}, id="reservation"),
        pytest.param({"operatingSystem": "Windows"}, id="windows"),
        pytest.param({"preInstalledSw": "SQL Std"}, id="sql"),
        pytest.param({"regionCode": "eu-west-1"}, id="region"),
    ],
)
def test_what_was_not_asked_for_is_refused(others: dict[str, str]) -> None:
    """Whatever the list lets through."""
    wrong = product({**SHARED_LINUX, **others}, ("0", "0.05"))
    right = product(SHARED_LINUX, ("0", "0.115"))
    with Services() as services:
        assert ec2(services, wrong, right) == [(Decimal(0), Decimal("0.115"))]
    with Services() as services:
        assert ec2(services, wrong) == []


def test_zero_is_no_price() -> None:
    with Services() as services:
        zero, right = (product(SHARED_LINUX, ("0", price)) for price in ("0.0000000000", "0.115"))
        assert ec2(services, zero, right) == [(Decimal(0), Decimal("0.115"))]
    with Services() as services:
        assert ec2(services, zero) == []


@pytest.mark.parametrize(
    "broken",
    [
        "<html>",
        "[]",
        "{}",
        '{"product": {"attributes": 3}}',
        product(SHARED_LINUX, ("0", "cheap")),
        product(SHARED_LINUX, ("0", "NaN")),
        product(SHARED_LINUX, ("first", "0.1")),
    ],
)
def test_a_broken_product_costs_itself(broken: str) -> None:
    with Services() as services:
        right = product(SHARED_LINUX, ("0", "0.115"))
        assert ec2(services, broken, right) == [(Decimal(0), Decimal("0.115"))]


def test_two_prices_are_none(caplog: pytest.LogCaptureFixture) -> None:
    with Services() as services, caplog.at_level(logging.WARNING):
        one, other = (product(SHARED_LINUX, ("0", price)) for price in ("0.1", "0.2"))
        assert ec2(services, one, other) == []
    assert "compute m5.large in eu-central-1 has two prices on the list, 0.1 and 0.2" in caplog.text


def test_the_same_price_twice_is_one() -> None:
    with Services() as services:
        one = product(SHARED_LINUX, ("0", "0.1"))
        assert ec2(services, one, one) == [(Decimal(0), Decimal("0.1"))]


def test_storage_tiers() -> None:
    """In order; of the products with this volume type only the one for the bytes."""
    about = {"regionCode": REGION, "volumeType": "Standard", "productFamily": "Storage"}
    usage = {**about, "usagetype": "EUC1-TimedStorage-ByteHrs"}
    staging = {**about, "usagetype": "EUC1-TimedStorage-GDA-Staging"}
    with Services() as services:
        found = listed(
            services,
            PriceQuery(meter="storage", sku="STANDARD", region_id=REGION),
            product(staging, ("0", "0.021"), unit="GB-Mo"),
            product(usage, ("512000", "0.0225"), ("0", "0.0245"), unit="GB-Mo"),
            ServiceCode="AmazonS3",
            Filters=filters(about),
        )
    assert found == [(Decimal(0), Decimal("0.0245")), (Decimal(512000), Decimal("0.0225"))]


@pytest.mark.parametrize(
    ("meter", "group", "price", "ours"),
    [
        ("writes", "S3-API-Tier1", "0.0000054", "0.0054"),
        ("reads", "S3-API-Tier2", "0.00000043", "0.00043"),
    ],
)
def test_requests_by_the_thousand(meter: str, group: str, price: str, ours: str) -> None:
    about = {"regionCode": REGION, "group": group}
    with Services() as services:
        found = listed(
            services,
            PriceQuery(meter=meter, sku="STANDARD", region_id=REGION),
            product(about, ("0", price), unit="Requests"),
            ServiceCode="AmazonS3",
            Filters=filters(about),
        )
    assert found == [(Decimal(0), Decimal(ours))]


def test_egress_without_what_is_free() -> None:
    about = {"fromRegionCode": REGION, "transferType": "AWS Outbound", "toLocation": "External"}
    tiers = (("0", "0.0000000000"), ("100", "0.09"), ("10240", "0.085"))
    with Services() as services:
        found = listed(
            services,
            PriceQuery(meter="egress", sku="internet", region_id=REGION),
            product(about, *tiers, unit="GB"),
            ServiceCode="AWSDataTransfer",
            Filters=filters(about),
        )
    assert found == [(Decimal(100), Decimal("0.09")), (Decimal(10240), Decimal("0.085"))]


def test_currency_of_the_partition() -> None:
    answer = {"PriceList": [product(SHARED_LINUX, ("0", "0.7"), currency="CNY")]}
    with Services() as services:
        services.answer(
            "pricing",
            "get_products",
            answer,
            ServiceCode="AmazonEC2",
            Filters=filters(SHARED_LINUX),
        )
        (found,) = _cost_prices.list_prices(services("pricing"), [COMPUTE])
    assert (found.list_unit_price, found.currency) == (Decimal("0.7"), "CNY")


@pytest.mark.parametrize(
    ("meter", "sku"),
    [("storage", "EXPRESS"), ("writes", "DEEP_ARCHIVE"), ("egress", "inter-region")],
)
def test_what_has_no_exact_name_is_not_asked_for(meter: str, sku: str) -> None:
    query = PriceQuery(meter=meter, sku=sku, region_id=REGION)
    with Services() as services:
        assert _cost_prices.list_prices(services("pricing"), [query]) == []


def test_no_meter() -> None:
    query = PriceQuery(meter="gpu", sku="x", region_id=REGION)
    with (
        Services() as services,
        pytest.raises(CostAnalysisError, match="meter: 'gpu' given, expected one of compute") as e,
    ):
        _cost_prices.list_prices(services("pricing"), [COMPUTE, query])
    assert e.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredNextTokenException", ErrorKind.SOURCE_CHANGED),
        ("InvalidNextTokenException", ErrorKind.SOURCE_CHANGED),
        ("InvalidParameterException", ErrorKind.INVALID_ARGUMENT),
        ("NotFoundException", ErrorKind.NOT_FOUND),
        ("AccessDeniedException", ErrorKind.PERMISSION_DENIED),
        ("ThrottlingException", ErrorKind.THROTTLED),
        ("InternalErrorException", ErrorKind.UNAVAILABLE),
    ],
)
def test_errors(code: str, kind: ErrorKind) -> None:
    with Services() as services:
        services.refuse("pricing", "get_products", code)
        with pytest.raises(CostAnalysisError, match=r"list price of m5\.large in eu-c") as caught:
            _cost_prices.list_prices(services("pricing"), [COMPUTE])
    assert caught.value.kind is kind

"""Each way to save once, in one currency, and no saving counted twice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.recommendations import rank_recommendations
from airflow_multicloud.ports.cost import Effort, Recommendation, Recommendations

TODAY = date(2026, 10, 30)


def advice(
    source: str,
    resource: str,
    action: str,
    savings: str | None,
    *,
    currency: str | None = "USD",
    effort: Effort = Effort.LOW,
    kind: str = "vm",
) -> Recommendation:
    return Recommendation(
        recommendation_id=f"{source}-{resource}-{action}-{savings}",
        source=source,
        sub_account_id="account-1",
        resource_id=resource,
        resource_type=kind,
        region_id=None,
        action=action,
        summary="",
        monthly_savings=None if savings is None else Decimal(savings),
        billing_currency=currency,
        effort=effort,
    )


def test_the_same_advice_from_two_sources_is_one() -> None:
    found = Recommendations(
        found=(
            advice("compute_optimizer", "arn:i-1", "rightsize", "30"),
            advice("cost_optimization_hub", "arn:i-1", "rightsize", "20"),
        )
    )
    ranked = rank_recommendations({"aws": found}, currency="USD", today=TODAY)
    (only,) = ranked.ranked
    assert only.sources == ("cost_optimization_hub", "compute_optimizer")
    assert only.monthly_savings == ranked.resource_savings == 20
    other = rank_recommendations(
        {"aws": found}, currency="USD", today=TODAY, preferred_sources=["compute_optimizer"]
    )
    assert other.resource_savings == 30


def test_alternatives_are_all_shown_and_the_best_is_counted() -> None:
    found = Recommendations(
        found=(
            advice("x", "arn:i-1", "rightsize", "30"),
            advice("x", "arn:i-1", "stop", "50"),
            advice("x", "arn:i-2", "stop", "5"),
            advice("x", "arn:I-2", "stop", "1"),
            advice("x", "arn:i-3", "delete", None, currency=None),
        )
    )
    ranked = rank_recommendations({"aws": found}, currency="USD", today=TODAY)
    assert ranked.resource_savings == 56
    assert [(r.monthly_savings, r.counted) for r in ranked.ranked] == [
        (50, True),
        (30, False),
        (5, True),
        (1, True),
        (None, False),
    ]


def test_azure_ids_are_the_same_in_any_case() -> None:
    found = Recommendations(
        found=(
            advice("azure_advisor", "/subscriptions/S/vm/A", "stop", "10"),
            advice("azure_advisor", "/subscriptions/s/VM/a", "rightsize", "8"),
        )
    )
    ranked = rank_recommendations({"azure": found}, currency="USD", today=TODAY)
    assert ranked.resource_savings == 10


def test_commitments_are_alternatives_and_summed_apart() -> None:
    found = Recommendations(
        found=(
            advice("cost_explorer", "", "purchase_commitment", "100", kind="savings plan"),
            advice("cost_explorer", "", "purchase_commitment", "140", kind="savings plan"),
            advice("cost_explorer", "", "purchase_commitment", "7", kind="rds reservation"),
            advice("x", "arn:i-1", "stop", "50"),
        )
    )
    ranked = rank_recommendations({"aws": found}, currency="USD", today=TODAY)
    assert (ranked.commitment_savings, ranked.resource_savings) == (147, 50)


def test_savings_are_converted_and_ranked_across_clouds() -> None:
    ranked = rank_recommendations(
        {
            "aws": Recommendations(found=(advice("x", "a", "stop", "105"),), price=Decimal("0.01")),
            "gcp": Recommendations(
                found=(advice("y", "b", "stop", "100", currency="EUR", effort=Effort.HIGH),),
                unavailable={"google_recommender": "no permission"},
            ),
        },
        currency="USD",
        today=TODAY,
    )
    rate = ExchangeRates().rate("EUR", "USD", TODAY).rate
    assert [(r.cloud, r.monthly_savings) for r in ranked.ranked] == [
        ("gcp", 100 * rate),
        ("aws", 105),
    ]
    assert str(ranked.fx) == "EUR at ECB rates of 2026-10-30"
    assert ranked.unavailable == {"gcp/google_recommender": "no permission"}
    assert ranked.price == Decimal("0.01")


def test_equal_savings_put_the_least_effort_first() -> None:
    found = Recommendations(
        found=tuple(advice("x", f"r{e}", "stop", "10", effort=e) for e in reversed(Effort))
    )
    ranked = rank_recommendations({"aws": found}, currency="USD", today=TODAY)
    assert [r.recommendation.effort for r in ranked.ranked] == list(Effort)


@pytest.mark.parametrize("currency", ["VND", None, "usd"])
def test_savings_that_cannot_be_converted_are_apart(currency: str | None) -> None:
    odd = advice("x", "a", "stop", "900", currency=currency)
    found = Recommendations(found=(odd, advice("y", "b", "stop", "100")))
    ranked = rank_recommendations({"aws": found}, currency="USD", today=TODAY)
    assert [r.monthly_savings for r in ranked.ranked] == [100, None]
    assert ranked.resource_savings == 100
    (apart,) = ranked.unconverted
    assert (apart.recommendation, apart.counted) == (odd, False)
    assert apart.unconverted is not None
    assert ("VND" if currency == "VND" else "BillingCurrency") in apart.unconverted
    alone = rank_recommendations(
        {"aws": Recommendations(found=(odd,))}, currency="USD", today=TODAY
    )
    assert (len(alone.ranked), alone.resource_savings) == (1, 0)


def test_no_advice_is_no_saving() -> None:
    ranked = rank_recommendations({"aws": Recommendations(found=())}, currency="USD", today=TODAY)
    assert (ranked.ranked, ranked.resource_savings, ranked.fx) == ((), 0, None)

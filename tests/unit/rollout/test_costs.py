"""What a plan is expected to cost, and the limit that it must keep to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.api import MultiCloudPlan
from airflow_multicloud.core.rollout.costs import CostLimit, preview_of
from airflow_multicloud.core.rollout.plans import HourlyPrice
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from tests.unit.rollout.givens import target
from tests.unit.rollout.worlds import Broken, planned

if TYPE_CHECKING:
    from airflow_multicloud.core.rollout.plans import DeploymentPlan

Prices = tuple[str | None, ...]


def price(text: str | None) -> HourlyPrice | None:
    """``0.02 USD``."""
    if text is None:
        return None
    number, _, currency = text.partition(" ")
    return HourlyPrice(amount=Decimal(number), currency=currency, source="a list of 2026")


def plan_of(**prices: Prices) -> DeploymentPlan:
    """A plan whose targets have a candidate of each of these prices; the second has two slots."""
    zones = ("mem-1a", "mem-1b", "mem-1c")
    plan = planned(
        *(
            target(name, zones=list(zones[: len(found)]), count=1 + number)
            for number, (name, found) in enumerate(prices.items())
        )
    )
    return replace(
        plan,
        targets=tuple(
            replace(
                one,
                candidates=tuple(
                    replace(candidate, hourly_price=price(text))
                    for candidate, text in zip(one.candidates, prices[one.name], strict=True)
                ),
            )
            for one in plan.targets
        ),
    )


def refusal(plan: DeploymentPlan, limit: str) -> str:
    with pytest.raises(DeploymentError) as caught:
        MultiCloudPlan(plan).check_cost(limit)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    return str(caught.value)


def test_all_instances_of_each_target_and_in_total() -> None:
    preview = preview_of(plan_of(one=("0.0208 USD",), two=("0.01 USD",)))
    one, two = preview.targets
    assert (one.hourly, one.monthly) == (Decimal("0.0208"), Decimal("15.184"))
    assert (two.hourly, two.monthly) == (Decimal("0.02"), Decimal("14.6"))
    assert (two.size, two.place, two.count) == ("small", "mem-1a", 2)
    (total,) = preview.totals
    assert (total.hourly, total.monthly) == (Decimal("0.0408"), Decimal("29.784"))
    assert preview.unknown == ()
    assert str(preview) == "0.0408 USD an hour, 29.78 USD a month"


def test_the_dearest_place_that_may_be_used_counts() -> None:
    plan = plan_of(one=("0.01 USD", "0.05 USD"), two=("0.01 USD",))
    (total,) = preview_of(plan).totals
    assert (total.monthly, total.monthly_at_most) == (Decimal("21.9"), Decimal("51.1"))
    assert "21.90 USD a month (at most 51.10, in the dearest places)" in str(preview_of(plan))
    MultiCloudPlan(plan).check_cost("51.1 USD")
    said = refusal(plan, "51.09 USD")
    assert said.startswith("limit: 51.09 USD given, and the plan may cost 51.10 USD a month")
    assert "(one 36.50, two 14.60); raise the limit, or" in said


def test_currencies_are_never_added_up() -> None:
    preview = preview_of(plan_of(one=("0.01 USD",), two=("0.02 EUR",)))
    assert [(t.currency, t.monthly) for t in preview.totals] == [
        ("EUR", Decimal("29.2")),
        ("USD", Decimal("7.3")),
    ]
    said = refusal(plan_of(one=("0.01 USD",)), "100 EUR")
    assert "the plan's prices are in USD; give the limit in it" in said
    mixed = plan_of(one=("0.01 USD", "0.02 EUR"))
    assert preview_of(mixed).targets[0].monthly_at_most is None
    assert "one: its places are priced in EUR and USD" in refusal(mixed, "100 USD")


@pytest.mark.parametrize("prices", [("0.01 USD", None), (None, "0.01 USD"), (None,)])
def test_what_is_not_known_is_said_and_refused_where_there_is_a_limit(prices: Prices) -> None:
    plan = plan_of(one=prices, two=("0.01 USD",))
    preview = preview_of(plan)
    assert preview.unknown == ("one",)
    assert str(preview).endswith("; not known for one")
    said = refusal(plan, "999999 USD")
    assert "what the plan costs is not known (one: no list price of small in mem-1)" in said
    MultiCloudPlan(plan).check_cost("unlimited")


def test_a_target_that_cannot_be_planned_costs_nothing() -> None:
    hook = Broken({None: (ErrorKind.UNAVAILABLE, "it is down")})
    plan = planned(target("one"), hooks={"one": hook})
    (one,) = preview_of(plan).targets
    assert (one.hourly, one.nothing_made) == (None, True)
    assert preview_of(plan).unknown == ("one",)
    MultiCloudPlan(plan).check_cost("0 USD")


@pytest.mark.parametrize(
    ("given", "limit"),
    [("250 USD", "250 USD"), ("0.50 EUR", "0.5 EUR"), ("1000000 USD", "1000000 USD")],
)
def test_limits(given: str, limit: str) -> None:
    assert str(CostLimit.of(given, "max_monthly_cost")) == limit


@pytest.mark.parametrize(
    "given",
    ["", "None", "250", "USD 250", "-1 USD", "1e3 USD", "250 usd", "250 USD\n", "٣ USD", 250],
)
def test_what_is_no_limit_is_refused_by_its_name(given: object) -> None:
    expected = "max_monthly_cost: .* given, expected an amount and its currency, like '250 USD'"
    with pytest.raises(CloudError, match=expected) as caught:
        CostLimit.of(given, "max_monthly_cost")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

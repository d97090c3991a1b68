"""AWS's advice: whom it asks, when, what of it counts, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from airflow_multicloud.clouds.aws.cost import advice as _cost_advice
from airflow_multicloud.clouds.aws.cost import explorer_advice as _cost_explorer_advice
from airflow_multicloud.errors import CostAnalysisError, CredentialsError, ErrorKind
from airflow_multicloud.ports.cost import Effort, Recommendation

from .stubs import Services

HUB, OPTIMIZER = "cost-optimization-hub", "compute-optimizer"
ACCOUNT = "111122223333"
INSTANCE = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-0abc"
VOLUME = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:volume/vol-0def"
FUNCTION = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:resize"
REFRESHED = datetime(2026, 9, 20, 8, tzinfo=timezone(timedelta(hours=2)))

RIGHTSIZING = {
    "Service": "AmazonEC2",
    "Configuration": {
        "RecommendationTarget": "SAME_INSTANCE_FAMILY",
        "BenefitsConsidered": True,
    },
    "PageSize": 100,
}
DETAIL = "0a1b2c3d-0000-4000-8000-000000000001"
PLANS = {
    "SavingsPlansType": "COMPUTE_SP",
    "TermInYears": "ONE_YEAR",
    "PaymentOption": "NO_UPFRONT",
    "LookbackPeriodInDays": "THIRTY_DAYS",
    "PageSize": 100,
}


def hub_item(**fields: Any) -> dict[str, Any]:
    return {
        "recommendationId": "rec-1",
        "accountId": ACCOUNT,
        "region": "eu-central-1",
        "resourceId": "i-0abc",
        "resourceArn": INSTANCE,
        "currentResourceType": "Ec2Instance",
        "estimatedMonthlySavings": 12.34,
        "currencyCode": "USD",
        "implementationEffort": "Low",
        "restartNeeded": True,
        "actionType": "Rightsize",
        "rollbackPossible": True,
        "currentResourceSummary": "m5.xlarge",
        "recommendedResourceSummary": "m5.large",
        "lastRefreshTimestamp": REFRESHED,
        **fields,
    }


def saving(value: float, name: str = "savingsOpportunity") -> dict[str, Any]:
    return {name: {"estimatedMonthlySavings": {"value": value, "currency": "USD"}}}


def without_hub(services: Services, code: str = "AccessDeniedException") -> None:
    services.refuse(HUB, "list_recommendations", code, "not enrolled")


def optimizer(services: Services, **answers: dict[str, Any]) -> None:
    """What Compute Optimizer says; nothing of what is not named."""
    for name, operation, empty in (
        ("idle", "get_idle_recommendations", "idleRecommendations"),
        ("instances", "get_ec2_instance_recommendations", "instanceRecommendations"),
        ("volumes", "get_ebs_volume_recommendations", "volumeRecommendations"),
        ("functions", "get_lambda_function_recommendations", "lambdaFunctionRecommendations"),
    ):
        services.answer(OPTIMIZER, operation, answers.get(name, {empty: []}))


def explorer(
    services: Services, *instances: dict[str, Any], plans: tuple[dict[str, Any], ...] = ()
) -> None:
    """What Cost Explorer says, on a page each."""
    services.answer(
        "ce",
        "get_rightsizing_recommendation",
        {"RightsizingRecommendations": list(instances)},
        **RIGHTSIZING,
    )
    answer = {"SavingsPlansPurchaseRecommendationDetails": list(plans)}
    services.answer(
        "ce",
        "get_savings_plans_purchase_recommendation",
        {"SavingsPlansPurchaseRecommendation": answer},
        **PLANS,
    )


def shown(found: tuple[Recommendation, ...]) -> list[tuple[str, str, str, Decimal | None]]:
    return [(r.source, r.action, r.resource_id, r.monthly_savings) for r in found]


def test_hub_alone() -> None:
    """Two pages; nobody else is asked, nothing is paid."""
    with Services() as services:
        services.answer(HUB, "list_recommendations", {"items": [hub_item()], "nextToken": "more"})
        plan = hub_item(
            recommendationId="rec-2",
            actionType="PurchaseSavingsPlans",
            currentResourceType="ComputeSavingsPlans",
            resourceId="not a resource",
            resourceArn="not a resource",
            implementationEffort="VeryLow",
        )
        services.answer(HUB, "list_recommendations", {"items": [plan]}, nextToken="more")
        answer = _cost_advice.recommendations(services)
    assert (answer.unavailable, answer.price) == ({}, Decimal(0))
    assert answer.found[0] == Recommendation(
        recommendation_id="rec-1",
        source="cost_optimization_hub",
        sub_account_id=ACCOUNT,
        resource_id=INSTANCE,
        resource_type="Ec2Instance",
        region_id="eu-central-1",
        action="rightsize",
        summary="Rightsize i-0abc",
        monthly_savings=Decimal("12.34"),
        billing_currency="USD",
        effort=Effort.LOW,
        last_refreshed=REFRESHED.astimezone(UTC),
        details={
            "from": "m5.xlarge",
            "to": "m5.large",
            "restart_needed": "True",
            "rollback_possible": "True",
        },
    )
    assert answer.found[0].last_refreshed is not None
    assert answer.found[0].last_refreshed.utcoffset() == timedelta(0)
    assert (answer.found[1].action, answer.found[1].resource_id) == ("purchase_commitment", "")


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("Rightsize", "rightsize"),
        ("Stop", "stop"),
        ("Upgrade", "upgrade"),
        ("Delete", "delete"),
        ("ScaleIn", "rightsize"),
        ("MigrateToGraviton", "migrate"),
        ("PurchaseReservedInstances", "purchase_commitment"),
        ("InventedTomorrow", "other"),
    ],
)
@pytest.mark.parametrize(
    ("effort", "ours"),
    [
        ("VeryLow", Effort.LOW),
        ("Medium", Effort.MEDIUM),
        ("VeryHigh", Effort.HIGH),
        ("?", "unknown"),
    ],
)
def test_words_of_the_hub(kind: str, action: str, effort: str, ours: str) -> None:
    with Services() as services:
        item = hub_item(actionType=kind, implementationEffort=effort)
        services.answer(HUB, "list_recommendations", {"items": [item]})
        (found,) = _cost_advice.recommendations(services).found
    assert (found.action, found.effort) == (action, ours)


def test_hub_with_nothing_to_save() -> None:
    """An answer, when an account is enrolled."""
    with Services() as services:
        services.answer(HUB, "list_recommendations", {"items": []})
        enrolled = {"items": [{"accountId": ACCOUNT, "status": "Active"}]}
        services.answer(HUB, "list_enrollment_statuses", enrolled)
        answer = _cost_advice.recommendations(services)
    assert (answer.found, answer.unavailable, answer.price) == ((), {}, Decimal(0))


def test_hub_without_enrolment() -> None:
    """An empty answer is none."""
    with Services() as services:
        services.answer(HUB, "list_recommendations", {"items": []})
        enrolled = {"items": [{"accountId": ACCOUNT, "status": "Inactive"}]}
        services.answer(HUB, "list_enrollment_statuses", enrolled)
        optimizer(services)
        explorer(services)
        answer = _cost_advice.recommendations(services)
    assert answer.unavailable == {
        "cost_optimization_hub": "the account is not enrolled in Cost Optimization Hub"
    }
    assert answer.price == Decimal("0.02")


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"]
)
def test_everyone_instead_of_the_hub(code: str) -> None:
    instance = {
        "instanceArn": INSTANCE,
        "accountId": ACCOUNT,
        "currentInstanceType": "m5.2xlarge",
        "finding": "Overprovisioned",
        "recommendationOptions": [
            {"instanceType": "c7g.2xlarge", "rank": 1, **saving(0.0), "migrationEffort": "High"},
            {
                "instanceType": "m5.xlarge",
                "rank": 2,
                **saving(140.0),
                **saving(98.5, "savingsOpportunityAfterDiscounts"),
                "migrationEffort": "VeryLow",
            },
            {"instanceType": "m5.large", "rank": 3, **saving(210.0)},
        ],
        "lastRefreshTimestamp": REFRESHED,
    }
    faster = {
        "instanceArn": f"{INSTANCE}-under",
        "finding": "Underprovisioned",
        "recommendationOptions": [{"instanceType": "m5.4xlarge", "rank": 1}],
    }
    volume = {
        "volumeArn": VOLUME,
        "accountId": ACCOUNT,
        "currentConfiguration": {"volumeType": "gp2", "volumeSize": 500},
        "volumeRecommendationOptions": [
            {"configuration": {"volumeType": "gp3", "volumeSize": 500}, "rank": 1, **saving(10.0)}
        ],
    }
    function = {
        "functionArn": FUNCTION,
        "accountId": ACCOUNT,
        "currentMemorySize": 1024,
        "memorySizeRecommendationOptions": [{"rank": 1, "memorySize": 512, **saving(0.07)}],
    }
    idle = {
        "resourceArn": f"{VOLUME}9",
        "resourceType": "EBSVolume",
        "accountId": ACCOUNT,
        "finding": "Unattached",
        "findingDescription": "not attached for 32 days",
        **saving(8.0),
    }
    with Services() as services:
        without_hub(services, code)
        optimizer(
            services,
            idle={"idleRecommendations": [idle]},
            instances={"instanceRecommendations": [instance, faster]},
            volumes={"volumeRecommendations": [volume]},
            functions={"lambdaFunctionRecommendations": [function]},
        )
        explorer(services)
        answer = _cost_advice.recommendations(services)
    assert shown(answer.found) == [
        ("compute_optimizer", "delete", f"{VOLUME}9", Decimal("8.0")),
        ("compute_optimizer", "rightsize", INSTANCE, Decimal("98.5")),
        ("compute_optimizer", "rightsize", VOLUME, Decimal("10.0")),
        ("compute_optimizer", "rightsize", FUNCTION, Decimal("0.07")),
    ]
    assert answer.found[1].details == {"from": "m5.2xlarge", "to": "m5.xlarge"}
    assert answer.found[1].effort is Effort.LOW
    assert answer.found[1].region_id == "eu-central-1"
    assert answer.found[2].details == {"from": "gp2 500 GiB", "to": "gp3 500 GiB"}
    assert answer.found[3].summary == "rightsize resize"
    assert list(answer.unavailable) == ["cost_optimization_hub"]
    assert "not enrolled" in answer.unavailable["cost_optimization_hub"]


def test_pages_and_accounts_of_the_optimizer() -> None:
    """Every page; an account that could not be looked at is named."""
    item = {"volumeArn": VOLUME, "volumeRecommendationOptions": [{"rank": 1, **saving(1.5)}]}
    with Services() as services:
        without_hub(services)
        services.answer(OPTIMIZER, "get_idle_recommendations", {"idleRecommendations": []})
        services.answer(
            OPTIMIZER, "get_ec2_instance_recommendations", {"instanceRecommendations": []}
        )
        for number, token in enumerate(("", "a", "b")):
            page: dict[str, Any] = {
                "volumeRecommendations": [{**item, "volumeArn": f"{VOLUME}{number}"}]
            }
            if number < 2:
                page["nextToken"] = "ab"[number]
            else:
                page["errors"] = [
                    {"identifier": ACCOUNT, "code": "InternalError", "message": "later"}
                ]
            asked = {"nextToken": token} if token else {}
            services.answer(OPTIMIZER, "get_ebs_volume_recommendations", page, **asked)
        services.answer(
            OPTIMIZER,
            "get_lambda_function_recommendations",
            {"lambdaFunctionRecommendations": []},
        )
        explorer(services)
        answer = _cost_advice.recommendations(services)
    assert [found.resource_id for found in answer.found] == [f"{VOLUME}{n}" for n in range(3)]
    why = f"volumes of {ACCOUNT}: InternalError: later"
    assert answer.unavailable["compute_optimizer"] == why


def test_idle_instance_is_told_once() -> None:
    """Two operations of Compute Optimizer say it."""
    idle = {
        "resourceArn": INSTANCE,
        "resourceType": "EC2Instance",
        "finding": "Idle",
        **saving(9.0),
    }
    instance = {
        "instanceArn": INSTANCE,
        "idle": "True",
        "recommendationOptions": [{"rank": 1, **saving(9.0)}],
    }
    with Services() as services:
        without_hub(services)
        optimizer(
            services,
            idle={"idleRecommendations": [idle]},
            instances={"instanceRecommendations": [instance]},
        )
        explorer(services)
        answer = _cost_advice.recommendations(services)
    assert shown(answer.found) == [("compute_optimizer", "stop", INSTANCE, Decimal("9.0"))]


def test_optimizer_without_opt_in_is_asked_once() -> None:
    with Services() as services:
        without_hub(services)
        code = "OptInRequiredException"
        services.refuse(OPTIMIZER, "get_idle_recommendations", code, "opt in first")
        explorer(services)
        answer = _cost_advice.recommendations(services)
    assert answer.unavailable["compute_optimizer"].count("opt in first") == 1


def test_one_permission_of_the_optimizer_missing() -> None:
    """The other operations are asked all the same."""
    volume = {"volumeArn": VOLUME, "volumeRecommendationOptions": [{"rank": 1, **saving(1.0)}]}
    with Services() as services:
        without_hub(services)
        services.refuse(OPTIMIZER, "get_idle_recommendations", "AccessDeniedException")
        services.answer(
            OPTIMIZER, "get_ec2_instance_recommendations", {"instanceRecommendations": []}
        )
        services.answer(
            OPTIMIZER, "get_ebs_volume_recommendations", {"volumeRecommendations": [volume]}
        )
        services.answer(
            OPTIMIZER,
            "get_lambda_function_recommendations",
            {"lambdaFunctionRecommendations": []},
        )
        explorer(services)
        answer = _cost_advice.recommendations(services)
    assert [found.resource_id for found in answer.found] == [VOLUME]
    assert "idle resources" in answer.unavailable["compute_optimizer"]


def instance_of(instance: str, region: str, kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    described = {"EC2ResourceDetails": {"InstanceType": "m5.2xlarge", "Region": region}}
    name = "TerminateRecommendationDetail" if kind == "TERMINATE" else "ModifyRecommendationDetail"
    return {
        "AccountId": ACCOUNT,
        "CurrentInstance": {"ResourceId": instance, "ResourceDetails": described},
        "RightsizingType": kind,
        name: detail,
    }


def target(name: str, savings: str, *, default: bool) -> dict[str, Any]:
    return {
        "EstimatedMonthlySavings": savings,
        "CurrencyCode": "USD",
        "DefaultTargetInstance": default,
        "ResourceDetails": {"EC2ResourceDetails": {"InstanceType": name}},
    }


def test_explorer() -> None:
    """Instances that Compute Optimizer speaks of already are not told again."""
    known = {
        "instanceArn": INSTANCE,
        "recommendationOptions": [{"instanceType": "m5.large", "rank": 1, **saving(5.0)}],
    }
    resized = {
        "TargetInstances": [
            target("m5.large", "80.5", default=False),
            target("m5.xlarge", "40.25", default=True),
        ]
    }
    ended = {"EstimatedMonthlySavings": "61", "CurrencyCode": "USD"}
    plan = {
        "AccountId": ACCOUNT,
        "CurrencyCode": "USD",
        "HourlyCommitmentToPurchase": "0.42",
        "EstimatedMonthlySavingsAmount": "33.1",
        "RecommendationDetailId": DETAIL,
    }
    with Services() as services:
        without_hub(services)
        optimizer(services, instances={"instanceRecommendations": [known]})
        explorer(
            services,
            instance_of("i-0abc", "eu-central-1", "MODIFY", resized),
            instance_of("i-1", "us-west-2", "MODIFY", resized),
            instance_of("i-2", "US East (N. Virginia)", "TERMINATE", ended),
            plans=(plan,),
        )
        answer = _cost_advice.recommendations(services)
    there = f"arn:aws:ec2:us-west-2:{ACCOUNT}:instance/i-1"
    assert shown(answer.found) == [
        ("compute_optimizer", "rightsize", INSTANCE, Decimal("5.0")),
        ("cost_explorer", "rightsize", there, Decimal("40.25")),
        ("cost_explorer", "delete", "i-2", Decimal(61)),
        ("cost_explorer", "purchase_commitment", "", Decimal("33.1")),
    ]
    assert answer.found[1].details == {"from": "m5.2xlarge", "to": "m5.xlarge"}
    assert [found.region_id for found in answer.found[1:]] == ["us-west-2", None, None]
    assert answer.found[3].recommendation_id == DETAIL
    assert answer.price == Decimal("0.02")


def test_explorer_has_more_pages_than_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read counts; that there is more is said."""
    monkeypatch.setattr(_cost_explorer_advice, "_MAX_REQUESTS", 2)
    ended = {"EstimatedMonthlySavings": "1", "CurrencyCode": "USD"}
    with Services() as services:
        without_hub(services)
        optimizer(services)
        for number in range(2):
            found = [instance_of(f"i-{number}", "us-east-1", "TERMINATE", ended)]
            token = {"NextPageToken": f"t{number}"} if number else {}
            services.answer(
                "ce",
                "get_rightsizing_recommendation",
                {"RightsizingRecommendations": found, "NextPageToken": f"t{number + 1}"},
                **RIGHTSIZING,
                **token,
            )
        services.refuse("ce", "get_savings_plans_purchase_recommendation", "AccessDenied", "no SP")
        answer = _cost_advice.recommendations(services)
    assert len(answer.found) == 2
    assert "2 requests (USD 0.02) did not suffice" in answer.unavailable["cost_explorer"]
    assert "no SP" in answer.unavailable["cost_explorer"]
    assert answer.price == Decimal("0.02")


def test_nobody_can_be_asked() -> None:
    """Nothing found, and every source says why."""
    with Services() as services:
        without_hub(services)
        services.refuse(OPTIMIZER, "get_idle_recommendations", "OptInRequiredException", "opt in")
        services.refuse("ce", "get_rightsizing_recommendation", "AccessDeniedException", "no CE")
        services.refuse(
            "ce", "get_savings_plans_purchase_recommendation", "AccessDeniedException", "no CE"
        )
        answer = _cost_advice.recommendations(services)
    assert answer.found == ()
    assert set(answer.unavailable) == {
        "cost_optimization_hub",
        "compute_optimizer",
        "cost_explorer",
    }
    assert answer.price == 0


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", ErrorKind.THROTTLED),
        ("InternalServerException", ErrorKind.UNAVAILABLE),
    ],
)
def test_a_passing_fault_is_not_unavailability(code: str, kind: ErrorKind) -> None:
    with Services() as services:
        without_hub(services, code)
        with pytest.raises(CostAnalysisError) as caught:
            _cost_advice.recommendations(services)
    assert caught.value.kind is kind
    assert caught.value.retryable


def test_refused_credentials() -> None:
    with Services() as services:
        without_hub(services, "UnrecognizedClientException")
        with pytest.raises(CredentialsError):
            _cost_advice.recommendations(services)

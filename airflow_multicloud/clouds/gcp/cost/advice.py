"""What Google's recommenders say about one project, in the common schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING

from google.cloud.recommender_v1 import Impact, RecommenderClient
from google.cloud.recommender_v1 import Recommendation as GoogleRecommendation

from airflow_multicloud.adapters.pools import map_in_context
from airflow_multicloud.clouds.gcp.cost.client import CostBase
from airflow_multicloud.clouds.gcp.cost.errors import translated
from airflow_multicloud.clouds.gcp.cost.recommenders import (
    ACTIONS,
    RECOMMENDERS,
    Recommender,
    region_of,
    scope_of,
)
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import Effort, Recommendation, Recommendations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.clouds.gcp.rest import RestApi

_ENDPOINT = "https://recommender.googleapis.com"
_SOURCE = "google_recommender"
_ACTIVE = "stateInfo.state = ACTIVE"
_NANOS = Decimal(1_000_000_000)
_MONTH_S = Decimal(730 * 3600)
#: Requests under way at once; a project has hundreds of pairs of recommender and location.
_PARALLEL = 8


#: What makes the source unavailable rather than the call fail: not switched on, or not allowed.
_NOT_OFFERED = (ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND, ErrorKind.UNSUPPORTED)


class GCPAdvice(CostBase):
    """What Google's recommenders advise."""

    def list_recommendations(self) -> Recommendations:
        """What Google's recommenders advise for the connection's project, by its locations."""
        project = self.project_id
        try:
            locations = _list_locations(self._rest("recommender", _ENDPOINT), project)
        except CostAnalysisError as err:
            if err.kind not in _NOT_OFFERED:
                raise
            return Recommendations(found=(), unavailable={_SOURCE: str(err)})
        client = self._opened("recommender's client", self._open_client)
        return _list_recommendations(client, project, locations)

    def _open_client(self) -> RecommenderClient:
        return RecommenderClient(
            credentials=self._session.credentials,
            transport="rest",
            client_options=self._options_at(self._session.endpoint_of("recommender")),
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    recommender: Recommender
    location: str
    found: tuple[Recommendation, ...] = ()
    refusal: str | None = None


def _list_locations(api: RestApi, project: str) -> list[str]:
    """Where a project has recommendations.

    Only the API's v1beta1 lists them, and Google's client for it does not; without the list
    every region and zone would have to be asked.

    :raises CostAnalysisError: when it may not be asked.
    """
    doing = f"listing locations with recommendations of project {project}"
    with translated(doing):
        found = api.items(f"/v1beta1/projects/{project}/locations", "locations", {})
        return sorted(location["locationId"] for location in found)


def _list_recommendations(
    client: RecommenderClient, project: str, locations: Sequence[str]
) -> Recommendations:
    """Every active recommendation; a pair that can't be asked is named, the others are asked."""
    pairs = [
        (recommender, location)
        for recommender in RECOMMENDERS
        for location in locations
        if scope_of(location) in recommender.scopes
    ]

    def ask(pair: tuple[Recommender, str]) -> _Answer:
        return _ask(client, project, *pair)

    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="recommender") as pool:
        answers = map_in_context(pool, ask, pairs)
    return Recommendations(
        found=tuple(found for answer in answers for found in answer.found),
        unavailable=_unavailable(answers),
    )


def _ask(
    client: RecommenderClient, project: str, recommender: Recommender, location: str
) -> _Answer:
    parent = client.recommender_path(project, location, recommender.id)
    request = {"parent": parent, "filter": _ACTIVE}
    try:
        with translated(f"asking {recommender.id} in {location}"):
            found = tuple(
                _recommendation(advice, recommender, project, location)
                for advice in client.list_recommendations(request=request)
                if advice.primary_impact.category == Impact.Category.COST
            )
    except CostAnalysisError as err:
        return _Answer(recommender, location, refusal=str(err))
    return _Answer(recommender, location, found)


def _unavailable(answers: Sequence[_Answer]) -> Mapping[str, str]:
    """One entry a recommender: in how many of its locations, and the first one's reason."""
    asked: dict[str, int] = defaultdict(int)
    refused: dict[str, list[_Answer]] = defaultdict(list)
    for answer in answers:
        asked[answer.recommender.id] += 1
        if answer.refusal:
            refused[answer.recommender.id].append(answer)
    return {
        f"{_SOURCE} {name}": f"in {len(answers)} of {asked[name]} locations; {answers[0].refusal}"
        for name, answers in refused.items()
    }


def _recommendation(
    advice: GoogleRecommendation, recommender: Recommender, project: str, location: str
) -> Recommendation:
    savings, currency = _savings(advice.primary_impact)
    operations = [op for group in advice.content.operation_groups for op in group.operations]
    resource = next((op.resource for op in operations if op.resource), "")
    subtype = advice.recommender_subtype
    said = next((a for begin, a in ACTIONS.items() if subtype.startswith(begin)), None)
    written = GoogleRecommendation.pb(advice)
    refreshed = written.last_refresh_time.ToDatetime(UTC)
    return Recommendation(
        recommendation_id=advice.name,
        source=_SOURCE,
        sub_account_id=project,
        resource_id=next(iter(advice.target_resources), resource),
        resource_type=next((op.resource_type for op in operations if op.resource_type), ""),
        region_id=region_of(location),
        action=said or recommender.action,
        summary=advice.description,
        monthly_savings=savings,
        billing_currency=currency,
        effort=Effort.UNKNOWN,
        last_refreshed=refreshed if written.HasField("last_refresh_time") else None,
        details=_details(advice, recommender, location),
    )


def _savings(impact: Impact) -> tuple[Decimal | None, str | None]:
    """What is saved in a month of 730 hours: Google's costs are negative where money is saved."""
    projection = Impact.pb(impact).cost_projection
    # The customer's own currency, where Google knows it.
    local = projection.cost_in_local_currency
    money = local if local.currency_code else projection.cost
    duration = projection.duration
    seconds = Decimal(duration.seconds) + Decimal(duration.nanos) / _NANOS
    if not money.currency_code or not seconds:
        return None, money.currency_code or None
    saved = -(Decimal(money.units) + Decimal(money.nanos) / _NANOS)
    if saved <= 0:
        return None, money.currency_code
    return (saved * _MONTH_S / seconds).quantize(Decimal("1e-9")), money.currency_code


def _details(
    advice: GoogleRecommendation, recommender: Recommender, location: str
) -> Mapping[str, str]:
    found = {
        "recommender": recommender.id,
        "subtype": advice.recommender_subtype,
        "location": location,
        "priority": advice.priority.name,
        # Of the recommendations of one group only one can be followed.
        "alternatives": advice.xor_group_id,
    }
    for group in GoogleRecommendation.pb(advice).content.operation_groups:
        for operation in group.operations:
            if operation.action.lower() == "replace" and operation.path == "/machineType":
                found["to"] = operation.value.string_value
    return {name: value for name, value in found.items() if value}

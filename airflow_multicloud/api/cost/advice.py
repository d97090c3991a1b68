"""What the clouds' own cost services say: advice, and a quick look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from airflow_multicloud import registry
from airflow_multicloud.api.cost.scope import CostScope, cost_texts
from airflow_multicloud.core.cost.recommendations import (
    RankedRecommendations,
    rank_recommendations,
)
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.ports.cost import (
    Cost,
    CostQueries,
    CostQuery,
    CostQueryResult,
    CostRecommendations,
)


class Advice(CostScope):
    """How to spend less."""

    @operation("cost.recommend_all")
    def recommend(
        self, conn_ids: Sequence[str], *, today: date | None = None
    ) -> RankedRecommendations:
        """Every cloud's advice on spending less, deduplicated and ranked.

        :param conn_ids: a connection per account, subscription or project.
        """
        found = {}
        for conn_id in cost_texts(conn_ids, "conn_ids", "connection ids"):
            cloud = registry.cloud_of(conn_id).name
            with operation("cost.recommend", cloud__provider=cloud):
                hook = registry.resolve(Cost, conn_id)
                if not isinstance(hook, CostRecommendations):
                    raise _lacking(cloud, conn_id, "recommendations")
                name = cloud if cloud not in found else f"{cloud}:{conn_id}"
                found[name] = hook.list_recommendations()
        return rank_recommendations(
            found,
            currency=self.currency,
            today=today or datetime.now(UTC).date(),
            rates=self._rates,
        )


@operation("cost.query")
def query_costs(conn_id: str, query: CostQuery) -> CostQueryResult:
    """A quick look at a cloud's own cost API, without an export; says what asking cost.

    :raises ProviderNotAvailableError: kind ``unsupported`` when the cloud has no such API.
    """
    cloud = registry.cloud_of(conn_id).name
    hook = registry.resolve(Cost, conn_id)
    if not isinstance(hook, CostQueries):
        raise _lacking(cloud, conn_id, "cost API")
    with operation("cost.query", cloud__provider=cloud) as span:
        result = hook.query_costs(query)
        span.set_attribute("multicloud.requests", result.requests)
        span.set_attribute("multicloud.price_usd", str(result.price))
        return result


def _lacking(cloud: str, conn_id: str, what: str) -> ProviderNotAvailableError:
    return ProviderNotAvailableError(
        f"connection {conn_id!r}: {cloud} has no {what}; read its export instead",
        kind=ErrorKind.UNSUPPORTED,
        cloud=cloud,
    )

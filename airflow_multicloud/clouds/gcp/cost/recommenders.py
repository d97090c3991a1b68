"""Google's recommenders that save money, and where each gives recommendations.

Ids: https://cloud.google.com/recommender/docs/recommenders (value category "Cost", those of
projects). Recommendations about a resource are in its location:
https://cloud.google.com/recommender/docs/key-concepts
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What kind of location."""

    ZONE = "zone"
    REGION = "region"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Recommender:
    """One recommender.

    :param action: in this package's words, where the subtype does not say (see ``ACTIONS``).
    """

    id: str
    action: str
    scopes: frozenset[Scope]


def _recommender(id_: str, action: str, *scopes: Scope) -> Recommender:
    return Recommender(f"google.{id_}", action, frozenset(scopes))


RECOMMENDERS = (
    _recommender("bigquery.capacityCommitments.Recommender", "purchase_commitment", Scope.REGION),
    _recommender("bigquery.table.PartitionClusterRecommender", "other", Scope.REGION),
    _recommender("cloudsql.instance.IdleRecommender", "stop", Scope.REGION),
    _recommender("cloudsql.instance.OverprovisionedRecommender", "rightsize", Scope.REGION),
    _recommender("compute.address.IdleResourceRecommender", "delete", Scope.REGION, Scope.GLOBAL),
    _recommender(
        "compute.commitment.UsageCommitmentRecommender", "purchase_commitment", Scope.REGION
    ),
    _recommender("compute.disk.IdleResourceRecommender", "delete", Scope.ZONE, Scope.REGION),
    _recommender("compute.image.IdleResourceRecommender", "delete", Scope.GLOBAL),
    _recommender("compute.instance.IdleResourceRecommender", "stop", Scope.ZONE),
    _recommender("compute.instance.MachineTypeRecommender", "rightsize", Scope.ZONE),
    _recommender(
        "compute.instanceGroupManager.MachineTypeRecommender", "rightsize", Scope.ZONE, Scope.REGION
    ),
    _recommender("container.DiagnosisRecommender", "other", Scope.ZONE, Scope.REGION),
    _recommender("run.service.CostRecommender", "other", Scope.REGION),
    _recommender("storage.bucket.SoftDeleteRecommender", "other", Scope.REGION),
)

#: What a recommendation's subtype says about the action, by how it begins.
ACTIONS = {
    "STOP": "stop",
    "DELETE": "delete",
    "SNAPSHOT_AND_DELETE": "delete",
    "CHANGE_MACHINE_TYPE": "rightsize",
}

_ZONE = re.compile(r"[a-z]+-[a-z]+\d+-[a-z]")


def scope_of(location: str) -> Scope:
    """Zones end with a letter; multi-regions (``us``) count as regions."""
    if location == Scope.GLOBAL:
        return Scope.GLOBAL
    return Scope.ZONE if _ZONE.fullmatch(location) else Scope.REGION


def region_of(location: str) -> str | None:
    """The region of a location; ``None`` for ``global``."""
    scope = scope_of(location)
    if scope is Scope.GLOBAL:
        return None
    return location.rpartition("-")[0] if scope is Scope.ZONE else location

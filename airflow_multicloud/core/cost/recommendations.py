"""The clouds' advice as one list: each way to save once, in one currency, best first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from airflow_multicloud.core.cost.figures import FxNote
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.money import exact_product, exact_sum
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.ports.cost import Effort, Recommendation, Recommendations

#: Whose word counts when several advise the same, first the best informed: Cost Optimization
#: Hub knows the account's discounts, Compute Optimizer and Cost Explorer know list prices.
PREFERRED_SOURCES = (
    "cost_optimization_hub",
    "compute_optimizer",
    "cost_explorer",
    "azure_advisor",
    "google_recommender",
)

_EFFORT = {Effort.LOW: 0, Effort.MEDIUM: 1, Effort.HIGH: 2, Effort.UNKNOWN: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRecommendation:
    """One way to save.

    :param monthly_savings: in the list's currency, unrounded; ``None``: the source names none.
    :param sources: all that advise it; the first's word is shown.
    :param counted: whether it is in the sums; not when another way to save on the same
        resource saves more.
    :param unconverted: why the source's own figure (``recommendation.monthly_savings``) is not in
        the list's currency; ``monthly_savings`` is ``None`` then.
    """

    cloud: str
    recommendation: Recommendation
    monthly_savings: Decimal | None
    sources: tuple[str, ...]
    counted: bool
    unconverted: str | None = None

    @property
    def commitment(self) -> bool:
        """Whether it is about no single resource: a reservation, a savings plan."""
        return not self.recommendation.resource_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRecommendations:
    """All of them, largest savings first.

    :param resource_savings: a month, of the best way for each resource.
    :param commitment_savings: a month, of the best commitment of each kind and account. Not
        added to the other: the commitments are sized for today's use, which the other advice
        would shrink.
    :param unavailable: ``cloud/source`` → why it could not be asked.
    :param price: what asking cost, in USD.
    """

    currency: str
    ranked: tuple[RankedRecommendation, ...]
    resource_savings: Decimal
    commitment_savings: Decimal
    unavailable: Mapping[str, str]
    price: Decimal
    fx: FxNote | None

    @property
    def unconverted(self) -> tuple[RankedRecommendation, ...]:
        """Those whose savings are in no sum, as no rate converts them."""
        return tuple(item for item in self.ranked if item.unconverted)


@operation("cost.rank_recommendations")
def rank_recommendations(
    found: Mapping[str, Recommendations],
    *,
    currency: str,
    today: date,
    rates: ExchangeRates | None = None,
    preferred_sources: Sequence[str] = PREFERRED_SOURCES,
) -> RankedRecommendations:
    """Merge the clouds' advice.

    The same action on the same resource from several sources is one recommendation; different
    actions on one resource are alternatives, of which only the largest saving is counted.

    :param found: cloud → what its sources said.
    :param today: savings are converted at this day's rate.
    """
    named = {
        (today, item.billing_currency)
        for advice in found.values()
        for item in advice.found
        if item.monthly_savings is not None
    }
    # One's own currency has a rate, so a list of nothing else but odd ones is a list too.
    used = (rates or ExchangeRates()).towards(currency, {*named, (today, currency)})
    merged: dict[tuple[str, ...], list[tuple[Recommendation, Decimal | None]]] = {}
    for cloud, advice in found.items():
        for item in advice.found:
            rate = used.rates.get((today, item.billing_currency or ""))
            savings = item.monthly_savings
            if savings is not None:
                savings = None if rate is None else exact_product(savings, rate.rate)
            merged.setdefault((cloud, *_subject(item), item.action), []).append((item, savings))
    candidates = [_preferred(key[0], same, preferred_sources) for key, same in merged.items()]
    candidates.sort(key=_rank)
    ranked: list[RankedRecommendation] = []
    subjects: set[tuple[str, ...]] = set()
    for candidate in candidates:
        subject = (candidate.cloud, *_subject(candidate.recommendation))
        first = subject not in subjects and bool(candidate.monthly_savings)
        if first:
            subjects.add(subject)
        ranked.append(
            RankedRecommendation(
                cloud=candidate.cloud,
                recommendation=candidate.recommendation,
                monthly_savings=candidate.monthly_savings,
                sources=candidate.sources,
                counted=first,
                unconverted=used.lacking.get((today, candidate.recommendation.billing_currency))
                if candidate.recommendation.monthly_savings
                else None,
            )
        )
    return RankedRecommendations(
        currency=currency,
        ranked=tuple(ranked),
        resource_savings=_sum(r for r in ranked if not r.commitment),
        commitment_savings=_sum(r for r in ranked if r.commitment),
        unavailable={
            f"{cloud}/{source}": why
            for cloud, advice in found.items()
            for source, why in advice.unavailable.items()
        },
        price=exact_sum([advice.price for advice in found.values()]),
        fx=used.of(named).note(),
    )


def _subject(item: Recommendation) -> tuple[str, ...]:
    """What is saved on."""
    if item.resource_id:
        # Azure's resource ids are not case-sensitive; the other clouds' are.
        azure = item.resource_id.casefold().startswith("/subscriptions/")
        return ("resource", item.resource_id.casefold() if azure else item.resource_id)
    return ("commitment", item.sub_account_id, item.resource_type, item.region_id or "")


def _preferred(
    cloud: str,
    same: Sequence[tuple[Recommendation, Decimal | None]],
    preferred: Sequence[str],
) -> RankedRecommendation:
    """The best informed source's word; of one source's several, the largest saving."""

    def order(entry: tuple[Recommendation, Decimal | None]) -> tuple[int, str, Decimal, str]:
        item, savings = entry
        place = preferred.index(item.source) if item.source in preferred else len(preferred)
        return place, item.source, -(savings or Decimal(0)), item.recommendation_id

    ordered = sorted(same, key=order)
    item, savings = ordered[0]
    return RankedRecommendation(
        cloud=cloud,
        recommendation=item,
        monthly_savings=savings,
        sources=tuple(dict.fromkeys(entry.source for entry, _ in ordered)),
        counted=False,
    )


def _rank(ranked: RankedRecommendation) -> tuple[Decimal, int, str, str]:
    item = ranked.recommendation
    savings = ranked.monthly_savings or Decimal(0)
    return -savings, _EFFORT[item.effort], ranked.cloud, item.recommendation_id


def _sum(ranked: Iterable[RankedRecommendation]) -> Decimal:
    return exact_sum([r.monthly_savings or Decimal(0) for r in ranked if r.counted])

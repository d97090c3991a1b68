"""What a plan is expected to cost, and the limit that it must keep to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from airflow_multicloud.core.cost.money import cents, exact_product, exact_sum
from airflow_multicloud.core.cost.prices.workload import MONTH_HOURS
from airflow_multicloud.core.rollout.inputs import refused
from airflow_multicloud.core.rollout.names import place_of
from airflow_multicloud.core.rollout.plans import Candidate, DeploymentPlan, TargetPlan
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import DeploymentError, ErrorKind

#: What is given where a plan may cost anything.
UNLIMITED = "unlimited"
_LIMIT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ([A-Z]{3})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCost:
    """What all instances of one target are expected to cost, by list prices.

    It is of the machines alone: disks, addresses and traffic cost more. A month has 730 hours.

    :param size: of the candidate that is tried first; none where the target can't be planned.
    :param place: its zone or region.
    :param hourly: of that candidate, where its price is known.
    :param hourly_at_most: of the dearest candidate, where the prices of all are known.
    :param sources: of the prices.
    :param unknown: why a price is not known, if one is not.
    :param nothing_made: the target can't be planned, so that nothing is launched for it.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=(
            *("name", "cloud", "count", "size", "place", "currency", "hourly", "monthly"),
            *("hourly_at_most", "monthly_at_most", "sources", "unknown", "nothing_made"),
        )
    )

    name: str
    cloud: str
    count: int
    size: str | None = None
    place: str | None = None
    currency: str | None = None
    hourly: Decimal | None = None
    hourly_at_most: Decimal | None = None
    sources: tuple[str, ...] = ()
    unknown: str | None = None
    nothing_made: bool = False

    @property
    def monthly(self) -> Decimal | None:
        """As ``hourly``, for a month."""
        return _monthly(self.hourly)

    @property
    def monthly_at_most(self) -> Decimal | None:
        """As ``hourly_at_most``, for a month."""
        return _monthly(self.hourly_at_most)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalCost:
    """What all targets priced in one currency are expected to cost together.

    :param hourly: of those whose price is known.
    :param hourly_at_most: with the dearest candidate of each.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=("currency", "hourly", "monthly", "hourly_at_most", "monthly_at_most")
    )

    currency: str
    hourly: Decimal
    hourly_at_most: Decimal

    @property
    def monthly(self) -> Decimal:
        """As ``hourly``, for a month."""
        return exact_product(self.hourly, MONTH_HOURS)

    @property
    def monthly_at_most(self) -> Decimal:
        """As ``hourly_at_most``, for a month."""
        return exact_product(self.hourly_at_most, MONTH_HOURS)

    def __str__(self) -> str:
        text = f"{per_hour(self.hourly)} {self.currency} an hour, "
        text += f"{amount(self.monthly)} {self.currency} a month"
        if self.hourly_at_most > self.hourly:
            text += f" (at most {amount(self.monthly_at_most)}, in the dearest places)"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPreview:
    """What a plan is expected to cost: nothing is asked, all is from the plan's own prices."""

    DOCUMENT: ClassVar[Document] = Document(shows=("targets", "totals", "unknown"))

    targets: tuple[TargetCost, ...]

    @property
    def totals(self) -> tuple[TotalCost, ...]:
        """One for each currency; currencies are never added up."""
        currencies = sorted({one.currency for one in self.targets if one.currency is not None})
        return tuple(
            TotalCost(
                currency=currency,
                hourly=self._sum(currency, lambda one: one.hourly),
                hourly_at_most=self._sum(currency, lambda one: one.hourly_at_most or one.hourly),
            )
            for currency in currencies
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """The targets of which some price is not known."""
        return tuple(one.name for one in self.targets if one.unknown is not None)

    def __str__(self) -> str:
        said = [" and ".join(map(str, self.totals))] if self.totals else []
        if self.unknown:
            said.append(f"not known for {', '.join(self.unknown)}")
        return "; ".join(said)

    def lines(self) -> Iterator[str]:
        """A line for each target, and the total."""
        for one in self.targets:
            yield f"  {one.name}: {_line(one)}"
        yield f"expected cost (list prices of the machines alone): {self}"

    def _sum(self, currency: str, of: Callable[[TargetCost], Decimal | None]) -> Decimal:
        found = [of(one) for one in self.targets if one.currency == currency]
        return exact_sum([one for one in found if one is not None])


@dataclass(frozen=True, slots=True)
class CostLimit:
    """What a plan may cost in a month of 730 hours."""

    amount: Decimal
    currency: str

    @classmethod
    def of(cls, given: object, parameter: str) -> Self | None:
        """The limit that a text says: ``250 USD``; none for ``unlimited``.

        :raises DeploymentError: ``invalid_argument``, naming the parameter.
        """
        if isinstance(given, cls) or given == UNLIMITED:
            return given if isinstance(given, cls) else None
        if not isinstance(given, str) or (found := _LIMIT.fullmatch(given)) is None:
            raise refused(
                parameter, given, f"an amount and its currency, like '250 USD', or '{UNLIMITED}'"
            )
        return cls(Decimal(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}"

    def check(self, preview: CostPreview, parameter: str) -> None:
        """Refuse a plan that may cost more, in the dearest places that it may use.

        A target that can't be planned costs nothing: nothing is launched for it.

        :param parameter: that the limit was given for, for the error.
        :raises DeploymentError: ``precondition_failed`` for a plan that may cost more, of which
            something is not known, or whose prices are in another currency.
        """
        if why := self._why_not(preview):
            raise DeploymentError(
                f"{parameter}: {self} given, {why}", kind=ErrorKind.PRECONDITION_FAILED
            )

    def _why_not(self, preview: CostPreview) -> str | None:
        launched = [one for one in preview.targets if not one.nothing_made]
        if dark := [one for one in launched if one.unknown is not None]:
            said = "; ".join(f"{one.name}: {one.unknown}" for one in dark)
            return (
                f"and what the plan costs is not known ({said}); choose sizes and regions that "
                "have a list price, or give no limit"
            )
        for total in preview.totals:
            if total.currency != self.currency:
                return f"and the plan's prices are in {total.currency}; give the limit in it"
            if total.monthly_at_most > self.amount:
                each = ", ".join(
                    f"{one.name} {amount(one.monthly_at_most or Decimal(0))}" for one in launched
                )
                return (
                    f"and the plan may cost {amount(total.monthly_at_most)} {total.currency} a "
                    f"month ({each}); raise the limit, or choose smaller sizes, cheaper places or "
                    "fewer instances"
                )
        return None


def preview_of(plan: DeploymentPlan) -> CostPreview:
    """What a plan is expected to cost."""
    return CostPreview(targets=tuple(map(_of_target, plan.targets)))


def amount(of: Decimal) -> str:
    """For a reader, in cents: ``1,234.50``."""
    return f"{cents(of):,.2f}"


def per_hour(of: Decimal) -> str:
    """For a reader, in all digits: an hour costs fractions of a cent."""
    return f"{of.normalize():f}"


def _of_target(target: TargetPlan) -> TargetCost:
    if not target.candidates:
        return TargetCost(
            name=target.name,
            cloud=target.cloud,
            count=target.count,
            unknown="it can't be planned for now, and nothing is made there",
            nothing_made=True,
        )
    first, prices = target.candidates[0], [one.hourly_price for one in target.candidates]
    known = [price for price in prices if price is not None]
    currencies = sorted({price.currency for price in known})
    tried, mixed = first.hourly_price, len(currencies) > 1
    count = Decimal(target.count)
    return TargetCost(
        name=target.name,
        cloud=target.cloud,
        count=target.count,
        size=first.spec.size.name,
        place=place_of(first.spec.region, first.spec.zone),
        currency=None if tried is None else tried.currency,
        hourly=None if tried is None else exact_product(tried.amount, count),
        hourly_at_most=None
        if mixed or len(known) < len(prices)
        else exact_product(max(price.amount for price in known), count),
        sources=tuple(dict.fromkeys(price.source for price in known)),
        unknown=f"its places are priced in {' and '.join(currencies)}"
        if mixed
        else _without_price(target.candidates),
    )


def _without_price(candidates: Sequence[Candidate]) -> str | None:
    found = dict.fromkeys(
        f"{one.spec.size.name} in {one.spec.region}"
        for one in candidates
        if one.hourly_price is None
    )
    return f"no list price of {', '.join(found)}" if found else None


def _line(one: TargetCost) -> str:
    said = []
    if one.hourly is not None:
        said.append(f"{per_hour(one.hourly)} {one.currency} an hour")
        said.append(f"{amount(one.monthly or Decimal(0))} {one.currency} a month")
    most = one.monthly_at_most
    if most is not None and one.hourly_at_most != one.hourly:
        said.append(f"at most {amount(most)} {one.currency}, in the dearest of its places")
    if one.unknown is not None:
        said.append(f"not known: {one.unknown}")
    return ", ".join(said)


def _monthly(hourly: Decimal | None) -> Decimal | None:
    return None if hourly is None else exact_product(hourly, MONTH_HOURS)

"""Cost: the port to a cloud's bill, and the optional capabilities of its cost APIs.

The bill itself is what a cloud *exports* in FOCUS form (files in a bucket, or a BigQuery
table); every cloud has that. The APIs that some clouds offer besides are a quick look: they
are capped, may cost money per call and are optional capabilities here.

Money is :class:`~decimal.Decimal` with its currency; days are calendar days in UTC, as FOCUS
asks; ``end`` is always exclusive. Every remote failure is a
:class:`~airflow_multicloud.errors.CostAnalysisError` (or
:class:`~airflow_multicloud.errors.CredentialsError`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

_NO_MAPPING: Mapping[str, str] = MappingProxyType({})


class CorrectionStyle(StrEnum):
    """How a cloud restates a billing period it exported before (FOCUS "Correction Handling").

    ``REPLACE``: the new version is the whole period (FOCUS "Replacement"). ``APPEND``: the new
    version adds rows, a reversal and a new charge for each row restated (FOCUS "Ledger").
    ``ADJUST``: the new version adds rows that carry only the difference (FOCUS "Delta").
    """

    REPLACE = "replace"
    APPEND = "append"
    ADJUST = "adjust"


class FileFormat(StrEnum):
    """How an export's files are written; CSV may be gzipped (``.gz``)."""

    PARQUET = "parquet"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPeriod:
    """One billing period as an export holds it now.

    :param export: the export's location, as it was asked for (no connection in it).
    :param billing_period: the first day of the billing month.
    :param version: opaque; differs whenever the period's rows may. For styles that append it
        is also the watermark to continue from (see :meth:`Cost.fetch_billing_period`).
    :param exported_at: when the cloud wrote this version; aware, UTC.
    :param rows: the number of rows that the export itself states, where it does.
    :param size: bytes of all files, where known before fetching.
    :param days: the first and the last charge day that the version has, where it is not the
        whole period: only those days are to be replaced.
    """

    export: str
    billing_period: date
    version: str
    style: CorrectionStyle
    exported_at: datetime
    rows: int | None = None
    size: int | None = None
    days: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPeriod:
    """The files of an exported period on local disk, complete.

    :param period: what was fetched: version and row count are those of these very files.
    :param files: in the export's own columns, in a stable order; none when the export says
        that there are none, so that the period has no rows.
    """

    period: ExportedPeriod
    format: FileFormat
    files: tuple[Path, ...]


class Cost(Protocol):
    """What every cloud's bill can be asked."""

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The complete billing periods of an export, oldest first.

        A period that is being written (its files are there, the manifest that the cloud writes
        last is not) is left out; an export that has none yet gives an empty sequence.
        Where only some days of a period were exported anew since, these versions follow that of
        the whole period, in the order in which they were written.

        :param export: where it is: ``bucket/prefix/export-name`` (AWS),
            ``container/directory/export-name`` (Azure), ``project/dataset/table`` (Google).
        :raises CostAnalysisError: kind ``not_found`` when the bucket, container or table is
            not there; kind ``integrity`` when a manifest can't be read.
        """
        ...

    def fetch_billing_period(
        self, period: ExportedPeriod, directory: Path, *, after: str | None = None
    ) -> FetchedPeriod:
        """Bring one period's files into an empty local directory.

        :param after: for styles that append: only rows newer than this version. Ignored by
            ``REPLACE``.
        :raises CostAnalysisError: kind ``source_changed`` when the period was rewritten while
            it was read; kind ``integrity`` when a file that the manifest names is missing,
            shorter than stated, or its row count differs.
        """
        ...


class CostMetric(StrEnum):
    """Which figure a quick look returns; the names are FOCUS's."""

    BILLED_COST = "billed_cost"
    EFFECTIVE_COST = "effective_cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuery:
    """A quick look at an API's own figures.

    :param start: first day. :param end: the day after the last.
    :param group_by: FOCUS names, at most two: ``ServiceName``, ``RegionId``, ``SubAccountId``.
    :param max_requests: stop with kind ``quota`` rather than send more than this.
    """

    start: date
    end: date
    metric: CostMetric = CostMetric.BILLED_COST
    group_by: tuple[str, ...] = ("ServiceName",)
    max_requests: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQueryRow:
    """One day of one group.

    :param estimated: whether the cloud says that the figure may still change.
    """

    charge_date: date
    group: Mapping[str, str]
    cost: Decimal
    billing_currency: str
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQueryResult:
    """All rows, and what asking for them cost.

    :param requests: HTTP requests that the cloud counts. :param price: their price, in USD.
    """

    rows: tuple[CostQueryRow, ...]
    requests: int
    price: Decimal


@runtime_checkable
class CostQueries(Protocol):
    """Capability: figures from an API, without an export."""

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """Daily costs by group, every page of them.

        :raises CostAnalysisError: kind ``quota`` when ``max_requests`` does not suffice;
            kind ``throttled`` when the cloud keeps refusing for its rate limit.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiForecast:
    """What the cloud itself expects for ``[start, end)``, with its 80 % interval."""

    start: date
    end: date
    mean: Decimal
    lower: Decimal
    upper: Decimal
    billing_currency: str
    requests: int
    price: Decimal


@runtime_checkable
class CostForecasts(Protocol):
    """Capability: the cloud's own forecast."""

    def forecast_cost(self, start: date, end: date, metric: CostMetric) -> ApiForecast:
        """The cloud's forecast.

        :raises CostAnalysisError: kind ``invalid_argument`` when it has too little history.
        """
        ...


class Effort(StrEnum):
    """How hard a recommendation is to follow."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One way to spend less, in one schema for every cloud.

    :param recommendation_id: the source's own id.
    :param resource_id: FOCUS ResourceId: ARN, full resource name, Azure resource id (empty
        for a commitment, which is about no single resource).
    :param action: ``rightsize, stop, delete, upgrade, migrate, purchase_commitment, other``.
    :param monthly_savings: estimated savings per month of 730 hours, positive; ``None`` where
        the source names none.
    :param source: ``cost_optimization_hub, compute_optimizer, cost_explorer, azure_advisor,
        google_recommender`` …
    :param details: the source's own words that a reader needs (from → to), short.
    """

    recommendation_id: str
    source: str
    sub_account_id: str
    resource_id: str
    resource_type: str
    region_id: str | None
    action: str
    summary: str
    monthly_savings: Decimal | None
    billing_currency: str | None
    effort: Effort = Effort.UNKNOWN
    last_refreshed: datetime | None = None
    details: Mapping[str, str] = field(default_factory=lambda: _NO_MAPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendations:
    """What the sources said, and which could not be asked.

    :param unavailable: source → why (not enrolled, no permission): "could not check" is not
        "nothing to save".
    :param price: what asking cost, in USD.
    """

    found: tuple[Recommendation, ...]
    unavailable: Mapping[str, str] = field(default_factory=lambda: _NO_MAPPING)
    price: Decimal = Decimal(0)


@runtime_checkable
class CostRecommendations(Protocol):
    """Capability: the cloud's own advice on spending less."""

    def list_recommendations(self) -> Recommendations:
        """Every cost recommendation of the connection's account, project or subscription.

        A source that is not enrolled or not permitted is named in ``unavailable``.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuery:
    """Which list price is wanted.

    :param meter: ``compute`` (an instance type by the hour), ``storage`` (GB-month), ``writes``
        and ``reads`` (per 1,000 requests), ``egress`` (GB; sku ``internet``).
    :param sku: the cloud's own name: instance type, storage class.
    :param region_id: the cloud's own region.
    """

    meter: str
    sku: str
    region_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    """One public price, with where and when it was read.

    :param unit: ``hour, GB-month, GB, 1000-requests``.
    :param tier_start: the price holds from this many units a month on (0: from the first).
    """

    meter: str
    sku: str
    region_id: str
    unit: str
    list_unit_price: Decimal
    currency: str
    source: str
    as_of: date
    tier_start: Decimal = Decimal(0)


@runtime_checkable
class PriceLists(Protocol):
    """Capability: the cloud's public price list."""

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """On-demand, shared-tenancy Linux list prices; a query without an answer has no row."""
        ...

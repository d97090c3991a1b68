"""What a generated bill is to contain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from airflow_multicloud.months import month_length
from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.testing.bills.catalogue import CATALOGUES, TAX_NAMES

#: The tasks that tagged rows are charged to, when nothing else is asked for.
TASKS = (
    ("nightly_cost", "ingest"),
    ("nightly_cost", "report"),
    ("replicate_lake", "copy"),
    ("train_model", "fit"),
)

#: A draw's key is ``day * _DAY + number``, and must stay below 2**31 (see ``_draws``).
MAX_ROWS_PER_DAY = 60_000_000
MAX_ROWS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One service costs ``factor`` times as much on one day.

    :param day: the day of the month, from 1.
    """

    service: str
    day: int
    factor: Decimal = Decimal(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOptions:
    """What a bill is to contain. The same options give the same rows, on every machine.

    :param cloud: ``aws``, ``gcp`` or ``azure``.
    :param billing_period: first day of the month.
    :param days: how many days of it are covered, from the first; the whole month by default.
        A bill with more days and as many rows a day has the earlier days' usage unchanged.
    :param rows: how many rows in all, of every kind.
    :param currency: ISO 4217; unit prices are the US dollars' times ``exchange_rate``.
    :param exchange_rate: at most two decimal places.
    :param accounts: how many sub accounts (accounts, projects, subscriptions).
    :param resources: how many different resources a service has.
    :param credit_rate: what part of each day's usage is credited, in a row per sub account;
        0 for no credits.
    :param tax_rate: the tax on all other charges, a row per sub account; 0 for none.
    :param commitments: a commitment bought on the first day (EffectiveCost 0), usage that it
        covers (BilledCost 0) and a row a day for the part not used. What is bought equals what
        is used and not used, to the last decimal.
    :param monthly_purchases: a support plan and a marketplace subscription on the first day.
    :param weekend_factor: usage that people cause falls to this at weekends (1: no season).
    :param tagged: the part of usage rows that carry ``airflow-dag`` and ``airflow-task``.
    :param tasks: the (DAG id, task id) pairs of those tags.
    :param invoiced: every row has its InvoiceId: the bill is final, not estimated.
    """

    cloud: str
    billing_period: date
    days: int | None = None
    rows: int = 10_000
    seed: int = 1
    currency: str = "USD"
    exchange_rate: Decimal = Decimal(1)
    accounts: int = 3
    resources: int = 200
    credit_rate: Decimal = Decimal("0.02")
    tax_rate: Decimal = Decimal("0.19")
    commitments: bool = True
    monthly_purchases: bool = True
    weekend_factor: Decimal = Decimal("0.6")
    tagged: Decimal = Decimal("0.3")
    tasks: tuple[tuple[str, str], ...] = TASKS
    anomalies: tuple[Anomaly, ...] = ()
    invoiced: bool = False

    def __post_init__(self) -> None:
        """Refuse what no bill can have.

        :raises ValueError: naming the option, the value and what is allowed.
        """
        _check(self.cloud in CATALOGUES, "cloud", self.cloud, f"one of {', '.join(CATALOGUES)}")
        _check(
            self.billing_period.day == 1, "billing_period", self.billing_period, "a month's first"
        )
        _check(1 <= self.covered <= self.month_days, "days", self.days, f"1 to {self.month_days}")
        least = self.fixed_rows + self.covered
        _check(least <= self.rows <= MAX_ROWS, "rows", self.rows, f"{least} to {MAX_ROWS}")
        per_day = self.usage_rows // self.covered
        _check(per_day < MAX_ROWS_PER_DAY, "rows", self.rows, f"< {MAX_ROWS_PER_DAY} a day")
        for name in ("exchange_rate", "weekend_factor", "credit_rate", "tax_rate", "tagged"):
            value: Decimal = getattr(self, name)
            _check(value >= 0 and value == round(value, 2), name, value, "0 or more, in hundredths")
        _check(self.exchange_rate > 0, "exchange_rate", self.exchange_rate, "more than 0")
        _check(self.tagged <= 1, "tagged", self.tagged, "0 to 1")
        _check(bool(self.tasks), "tasks", self.tasks, "at least one pair")
        _check(
            1 <= self.accounts <= MAX_ACCOUNTS, "accounts", self.accounts, f"1 to {MAX_ACCOUNTS}"
        )
        _check(self.resources >= 1, "resources", self.resources, "1 or more")
        for anomaly in self.anomalies:
            check_target(self, anomaly.service, anomaly.day, anomaly.factor)

    @property
    def month_days(self) -> int:
        """How many days the billing period has."""
        return month_length(self.billing_period)

    @property
    def covered(self) -> int:
        """How many days have charges."""
        return self.month_days if self.days is None else self.days

    @property
    def fixed_rows(self) -> int:
        """How many rows are no usage."""
        credits_ = self.covered * self.accounts if self.credit_rate else 0
        taxes = self.accounts if self.tax_rate else 0
        commitments = 1 + self.covered if self.commitments else 0
        return credits_ + taxes + commitments + (2 if self.monthly_purchases else 0)

    @property
    def usage_rows(self) -> int:
        """How many rows are usage, covered by a commitment or not."""
        return self.rows - self.fixed_rows

    @property
    def services(self) -> frozenset[str]:
        """The names of the services with usage."""
        return frozenset(sku.service for sku in CATALOGUES[self.cloud].skus)

    @property
    def tax_name(self) -> str:
        """What the tax is called there."""
        return TAX_NAMES.get(self.currency, "Tax")


MAX_ACCOUNTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """A correction of one service on one day: its usage rows cost ``factor`` times as much.

    :param day: the day of the month, from 1.
    :param factor: in hundredths; 0 takes the charge back.
    """

    style: CorrectionStyle
    service: str
    day: int
    factor: Decimal = Decimal("1.25")


def check_target(options: BillOptions, service: str, day: int, factor: Decimal) -> None:
    """Refuse an anomaly or a restatement of what the bill does not have.

    :raises ValueError: naming the service, day or factor.
    """
    known = options.services
    _check(service in known, "service", service, f"one of {', '.join(sorted(known))}")
    _check(1 <= day <= options.covered, "day", day, f"1 to {options.covered}")
    _check(factor >= 0 and factor == round(factor, 2), "factor", factor, "0 or more, in hundredths")


def _check(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise ValueError(f"{name}: {value!r} given, allowed is {allowed}")

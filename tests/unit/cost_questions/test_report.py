"""The report's page: what it says of a month, and that its sums add up."""

from __future__ import annotations

import csv
import io
import json
import random
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from airflow_multicloud.core.cost.budget import Budget, BudgetState, StalePolicy, assess_budget
from airflow_multicloud.core.cost.forecast import forecast_costs
from airflow_multicloud.core.cost.money import CostPeriod, rounded_lines
from airflow_multicloud.core.cost.prices import Meter
from airflow_multicloud.core.cost.prices.workload import (
    Quote,
    QuoteLine,
    Workload,
    WorkloadComparison,
)
from airflow_multicloud.core.cost.report import CostDocument, gather, to_csv, to_html, to_json
from airflow_multicloud.core.cost.report.beside_last import period_before
from airflow_multicloud.core.cost.report.charts import charts
from airflow_multicloud.core.cost.report.tables import budget_amounts
from airflow_multicloud.core.cost.store.overlaps import Overlap
from airflow_multicloud.core.cost.store.same_charges import Reason
from tests.unit.cost_questions.bill import Charge, bill, days

if TYPE_CHECKING:
    from collections.abc import Iterable

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
SO_FAR = date(2026, 11, 21)
#: Twenty days of November at 10, all of October at 8, and September for the forecast.
MONTHS = [
    *(Charge("aws", day, "8") for day in days(date(2026, 9, 1), 61)),
    *(Charge("aws", day, "10") for day in days(NOVEMBER, 20)),
]


class _Tables(HTMLParser):
    """The texts of a page's tables: id → rows of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] | None = None
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._rows = self.tables.setdefault(dict(attrs).get("id") or "", [])
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in {"td", "th"} and self._rows is not None:
            self._rows[-1].append("")
            self._in_cell = True
        elif tag == "br" and self._in_cell and self._rows is not None:
            self._rows[-1][-1] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell and self._rows is not None:
            self._rows[-1][-1] += data


def tables(document: CostDocument) -> dict[str, list[list[str]]]:
    parser = _Tables()
    parser.feed(to_html(document))
    return parser.tables


def made(
    charges: Iterable[Charge],
    start: date = NOVEMBER,
    end: date = SO_FAR,
    *,
    names: dict[str, str] | None = None,
    billed_in: dict[date, date] | None = None,
    **more: Any,
) -> CostDocument:
    """A report of charges; those of a day in ``billed_in`` are on another month's bill."""
    connection = bill(charges)
    for day, month in (billed_in or {}).items():
        connection.execute("UPDATE costs SET BillingPeriod = ? WHERE ChargeDate = ?", [month, day])
    connection.execute(
        "CREATE TABLE restatements (Cloud VARCHAR, ServiceName VARCHAR, SeenAt TIMESTAMPTZ)"
    )
    for account, name in (names or {}).items():
        connection.execute(
            "UPDATE costs SET SubAccountName = ? WHERE SubAccountId = ?", [name, account]
        )
    asked = {"made_at": datetime(2026, 11, 21, tzinfo=UTC), "currency": "USD", **more}
    return gather(lambda *_: nullcontext(connection), start, end, **asked)


def money(text: str) -> Decimal:
    return Decimal(text.replace(",", "")) if text != "–" else Decimal(0)


def adds_up(rows: list[list[str]], column: int) -> None:
    """The last row of a column is the sum of those between it and the head."""
    *lines, total = [money(row[column]) for row in rows[1:]]
    assert sum(lines) == total, rows[0][column]


@pytest.mark.parametrize("seed", range(12))
def test_every_row_and_column_adds_up(seed: int) -> None:
    source = random.Random(seed)
    categories = ("Usage", "Tax", "Credit", "Purchase", "Adjustment")
    charges = [
        Charge(
            source.choice(("aws", "azure", "gcp")),
            source.choice(days(NOVEMBER, 20)),
            *(f"{source.uniform(-2, 9):.4f}" for _ in range(4)),
            service=f"service {source.randrange(6)}",
            category=source.choice(categories),
        )
        for _ in range(120)
    ]
    document = made(charges)
    found = tables(document)
    clouds = found["clouds"]
    head = clouds[0]
    for column in range(1, len(head) - 1):
        adds_up(clouds, column)
    basis = head.index("effective")
    first, after = head.index("contracted") + 1, len(head) - 1
    for row in clouds[1:]:
        assert sum(money(cell) for cell in row[first:after]) == money(row[basis]), row
    by_cloud = {row[0]: row for row in clouds[1:]}
    for column in range(2, 6):
        adds_up(found["services"], column)
        for cloud, row in by_cloud.items():
            lines = [money(r[column]) for r in found["services"][1:] if r[0] == cloud]
            assert sum(lines) == money(row[column - 1])
    adds_up(found["months"], 1)
    assert [row[1] for row in found["months"][1:]] == [row[basis] for row in clouds[1:]]
    *charged, total = found["others"][1:]
    assert sum(money(row[3]) for row in charged) == money(total[3])
    not_used = [i for i in range(first, after) if head[i] != "Usage"]
    assert money(total[3]) == sum(money(clouds[-1][i]) for i in not_used)
    # As what Airflow, the spreadsheet and the JSON are told.
    assert document.rounded_total == money(clouds[-1][basis])
    table = csv.DictReader(io.StringIO(to_csv(document)))
    assert sum(Decimal(row["EffectiveCost"]) for row in table) == document.rounded_total
    told = json.loads(to_json(document))["beside_last"]
    assert told[-1]["so_far"] == str(document.rounded_total)


@pytest.mark.parametrize("total", ["1.00", "1.01"])
def test_lines_add_up_to_what_is_shown_already(total: str) -> None:
    lines = rounded_lines([Decimal("0.335")] * 3, total=Decimal(total))
    assert sum(lines) == Decimal(total)
    assert set(lines) <= {Decimal("0.33"), Decimal("0.34")}


def test_a_month_so_far_is_beside_the_same_days_of_the_last() -> None:
    document = made(MONTHS)
    head, aws, total = tables(document)["months"]
    assert head[:5] == [
        "cloud",
        "November, so far",
        "October, same days",
        "change",
        "October, all",
    ]
    assert aws[:5] == ["aws", "200.00", "160.00", "+40.00 (+25.0 %)", "248.00"]
    assert total[:5] == ["all clouds", *aws[1:5]]
    assert head[5] == "November, expected"
    assert document.forecast is not None
    expected = f"{document.forecast.expected:.2f}"
    assert aws[5].startswith(f"{expected} ")
    page = to_html(document)
    assert "Against the same days of October<b>+40.00 (+25.0 %)</b>160.00 USD then" in page
    assert f"Expected for all of November<b>{expected} USD</b>" in page


def test_a_whole_month_is_beside_the_whole_month_before() -> None:
    charges = [
        *(Charge("aws", day, "1") for day in days(OCTOBER, 31)),
        *(Charge("aws", day, "2") for day in days(NOVEMBER, 30)),
    ]
    document = made(charges, end=DECEMBER)
    assert tables(document)["months"][1] == ["aws", "60.00", "31.00", "+29.00 (+93.5 %)", "31.00"]
    assert document.forecast is None  # There is nothing left to expect.


def test_other_days_are_beside_as_many_before() -> None:
    document = made(MONTHS, date(2026, 10, 27), date(2026, 11, 6))
    rows = tables(document)["months"]
    assert rows[1] == ["aws", "90.00", "80.00", "+10.00 (+12.5 %)", "80.00"]
    assert "Beside the days before" in to_html(document)
    assert document.forecast is None


def test_a_cloud_without_a_month_before_makes_no_growth() -> None:
    new = [Charge("gcp", day, "5") for day in days(NOVEMBER, 20)]
    document = made([*MONTHS, *new])
    _, aws, gcp, total = tables(document)["months"]
    assert (aws[3], gcp[2:5]) == ("+40.00 (+25.0 %)", ["–", "–", "–"])
    assert total[1:5] == ["300.00", "–", "–", "–"]
    assert "not every cloud has a bill of then" in to_html(document)


def test_a_cloud_without_a_charge_yet_is_in_what_is_expected() -> None:
    """The page then says the sum that a budget is held against."""
    quiet = [Charge("gcp", day, "5") for day in days(date(2026, 9, 1), 61)]
    document = made([*MONTHS, *quiet])
    _, _, gcp, total = tables(document)["months"]
    assert gcp[:5] == ["gcp", "0.00", "–", "–", "155.00"]
    assert gcp[5].startswith("150.00")
    assert document.forecast is not None
    assert total[5].startswith(f"{document.forecast.expected:.2f} ")
    assert "gcp" in charts(document)["daily"]


def test_a_purchase_does_not_flatten_the_daily_chart() -> None:
    bought = Charge("aws", NOVEMBER, "123456.78", category="Purchase", service="Savings Plan")
    plain, document = made(MONTHS), made([*MONTHS, bought])
    assert "123,456" not in charts(document)["daily"]
    # The same bars, whatever was bought.
    heights = [
        part.split('"')[0] for part in charts(document)["daily"].split('height="') if "." in part
    ]
    assert heights == [
        part.split('"')[0] for part in charts(plain)["daily"].split('height="') if "." in part
    ]
    assert tables(document)["others"][1:] == [
        ["01 Nov 2026", "aws", "Purchase", "123,456.78"],
        ["", "", "all", "123,456.78"],
    ]


def test_the_daily_chart_shows_what_is_expected() -> None:
    daily = charts(made(MONTHS))["daily"]
    assert "30 Nov" in daily
    assert daily.count("opacity: .4") >= 10
    whole = charts(made(MONTHS, OCTOBER, NOVEMBER))["daily"]
    assert "opacity: .4" not in whole


def test_anomalies_are_ranked_by_money_and_named() -> None:
    ids = {
        "/subscriptions/00000000-0000-0000-0000-00000000000a": "Data platform",
        "/subscriptions/00000000-0000-0000-0000-00000000000b": "",
    }
    charges = [
        Charge("azure", day, "10", account=account)
        for account in ids
        for day in days(date(2026, 9, 1), 75)
    ]
    small, large = ids
    charges += [
        Charge("azure", date(2026, 11, 10), "100", account=small),
        Charge("azure", date(2026, 11, 11), "500", account=large),
    ]
    document = made(charges, names=ids)
    rows = tables(document)["anomalies"][1:]
    assert [row[1] for row in rows] == ["…00000000000b", "Data platform"]
    assert [row[5] for row in rows] == ["+500.00", "+100.00"]


def advice(saves: str | None, **more: Any) -> dict[str, Any]:
    return {
        "cloud": "aws",
        "summary": "do it",
        "monthly_savings": saves,
        "currency": "USD",
        "effort": "low",
        "sources": ["advisor"],
        "resource_id": "i-1",
        "counted": True,
        **more,
    }


def test_savings_are_summed_up_for_what_counts() -> None:
    found = [
        advice("1000.50"),
        advice("20.25"),
        advice("900.00", counted=False),
        advice("70.00", resource_id=""),
        advice(None),
        advice(None, unconverted="500.00 TWD"),
    ]
    document = made(MONTHS, recommendations=found)
    rows = tables(document)["recommendations"]
    assert [row[2] for row in rows if row[1].startswith("all that counts")] == [
        "1,020.75 USD",
        "70.00 USD",
    ]
    assert [row[2] for row in rows[5:7]] == ["not stated", "500.00 TWD no rate"]
    assert "on resources<b>1,020.75 USD</b>" in to_html(document)


@pytest.mark.parametrize(
    ("amount", "hours", "state", "said"),
    [
        ("1000", 1, BudgetState.WITHIN, "Within: 200.00 so far, {} projected of 1,000.00 USD"),
        ("250", 1, BudgetState.OVER, "Over: 200.00 so far, {} projected of 250.00 USD"),
        ("1000", 99, BudgetState.UNKNOWN, "Can&#39;t be judged: 200.00 so far"),
        ("250", 99, BudgetState.OVER, "Over: 200.00 so far"),
    ],
)
def test_a_budget_is_over_only_where_it_is_exceeded(
    amount: str, hours: int, state: BudgetState, said: str
) -> None:
    forecast = forecast_costs(bill(MONTHS), NOVEMBER, DECEMBER, currency="USD")
    exported = forecast.clouds[0].actual.coverage.exported_at
    assert exported is not None
    verdict = assess_budget(
        Budget(name="data", amount=Decimal(amount), currency="USD"),
        forecast,
        now=exported + timedelta(hours=hours),
        stale_policy=StalePolicy.FAIL_CLOSED,
    )
    assert verdict.state is state
    page = to_html(made(MONTHS, budget=verdict))
    projected = f"{verdict.projected:.2f}"
    assert said.format(projected) in page
    assert (f"over by {-verdict.headroom:.2f}" in page) is (state is BudgetState.OVER)


@pytest.mark.parametrize("seed", range(4, 8))
def test_a_budget_and_its_month_show_one_amount(seed: int) -> None:
    """Sums of converted costs have more digits than Python's 28."""
    generator = random.Random(seed)
    charges = [
        Charge(cloud, day, f"{1000 + generator.random() * 100:.10f}")
        for cloud in ("aws", "gcp", "azure")
        for day in days(date(2024, 1, 1), 80)
    ]
    start, end = date(2024, 3, 1), date(2024, 4, 1)
    verdict = assess_budget(
        Budget(name="data", amount=Decimal(10**6), currency="GBP"),
        forecast_costs(bill(charges), start, end, currency="GBP"),
        now=datetime(2024, 3, 21, tzinfo=UTC),
    )
    document = made(charges, start, end, currency="GBP", budget=verdict)
    total = document.beside_last[-1]
    assert budget_amounts(document) == (total.so_far, total.expected)


def test_what_no_rate_converts_is_shown_apart() -> None:
    odd = Charge("gcp", date(2026, 11, 3), "77", currency="TWD")
    document = made([*MONTHS, odd])
    assert "In no sum, for want of an exchange rate: gcp 77.00 TWD, 03 Nov 2026" in to_html(
        document
    )
    told = json.loads(to_json(document))
    (apart,) = told["unconverted"]
    assert (apart["cloud"], apart["currency"], Decimal(apart["EffectiveCost"])) == (
        "gcp",
        "TWD",
        Decimal(77),
    )
    assert (apart["first_day"], apart["last_day"]) == ("2026-11-03", "2026-11-03")
    assert "TWD" in apart["reason"]
    assert told["total_without"] == ["77.00 TWD"]
    assert {c["cloud"]: c["without"] for c in told["clouds"]} == {"aws": [], "gcp": ["77.00 TWD"]}
    # Also a cloud that has nothing else.
    rows = {row["cloud"]: row for row in csv.DictReader(io.StringIO(to_csv(document)))}
    assert rows["gcp"]["unconverted"].startswith("77.00 TWD: ")
    assert Decimal(rows["gcp"]["EffectiveCost"]) == 0
    assert rows["aws"]["unconverted"] == ""


BILL = CostPeriod.BILLING_PERIOD
#: A refund of June on November's bill, and the last day of October on it too.
REFUND = Charge("aws", date(2026, 6, 25), "-50")
ELSEWHERE = {REFUND.day: NOVEMBER, date(2026, 10, 31): NOVEMBER}


def test_a_page_by_billing_period_is_of_the_bill() -> None:
    charges = [*MONTHS, REFUND]
    by_day = made(charges, end=DECEMBER, billed_in=ELSEWHERE)
    document = made(charges, end=DECEMBER, billed_in=ELSEWHERE, by=BILL)
    page = to_html(document)
    assert "Effective cost by billing period in USD" in page
    assert "Effective cost by charge day in USD" in to_html(by_day)
    assert document.rounded_total == Decimal("158.00")  # 20 days at 10, one at 8, less 50
    found = tables(document)
    assert found["clouds"][-1][2] == found["services"][-1][3] == found["months"][-1][1] == "158.00"
    # What is on the bill and of no day in the chart is named.
    assert found["others"][1:] == [
        ["25 Jun 2026", "aws", "Usage, of another month", "-50.00"],
        ["31 Oct 2026", "aws", "Usage, of another month", "8.00"],
        ["", "", "all", "-42.00"],
    ]
    daily = charts(document)["daily"]
    assert "25 Jun" not in daily
    assert "31 Oct" not in daily
    # October's bill lacks its last day; twenty days of it are beside twenty of November's.
    assert found["months"][1][2] == "160.00"
    assert found["months"][1][4] == "240.00"
    assert document.forecast is not None
    assert by_day.forecast is not None
    (bill_expected,), (days_expected,) = document.forecast.clouds, by_day.forecast.clouds
    assert bill_expected.expected - days_expected.expected == Decimal(-42)
    assert document.forecast.lower - by_day.forecast.lower == Decimal(-42)
    assert document.forecast.upper - by_day.forecast.upper == Decimal(-42)
    assert bill_expected.expected - bill_expected.usage_left == Decimal(158)
    assert json.loads(to_json(document))["by"] == "billing_period"
    assert "others" not in tables(by_day)


def test_the_page_is_broken_down_as_asked() -> None:
    charges = [Charge("aws", NOVEMBER, str(n), region=f"r{n}") for n in (1, 2, 4)]
    document = made(charges, group_by=("Cloud", "RegionId", "ServiceName"), limit=2)
    found = tables(document)["services"]
    assert found[0][:3] == ["cloud", "RegionId", "service"]
    assert [row[:3] for row in found[1:]] == [
        ["aws", "r4", "Compute"],
        ["aws", "r2", "Compute"],
        ["aws", "(other)", "(other)"],
        ["all clouds", "", ""],
    ]
    adds_up(found, 4)
    assert "<h2>By RegionId, ServiceName</h2>" in to_html(document)
    assert "aws r4 Compute" in charts(document)["services"]
    rows = list(csv.DictReader(io.StringIO(to_csv(document))))
    assert [row["RegionId"] for row in rows] == ["r4", "r2", "(other)"]


def test_clouds_alone_are_not_listed_twice() -> None:
    document = made(MONTHS, group_by=("Cloud",))
    assert "services" not in tables(document)
    assert "services" not in charts(document)


def test_what_is_expected_is_a_least_where_a_cloud_has_no_forecast() -> None:
    new = [Charge("gcp", day, "5") for day in days(date(2026, 11, 12), 9)]
    document = made([*MONTHS, *new])
    assert document.forecast is not None
    (aws,) = document.forecast.clouds
    least = f"{aws.expected + 45:.2f}"  # what gcp was charged so far
    *_, gcp, total = tables(document)["months"]
    assert (gcp[5], total[5]) == ("–", f"at least {least}")
    page = to_html(document)
    assert f"Expected for all of November<b>at least {least} USD</b>not known of every" in page
    told = json.loads(to_json(document))["beside_last"][-1]
    assert (told["expected"], told["expected_at_least"]) == (None, least)
    known = json.loads(to_json(made(MONTHS)))["beside_last"][-1]
    assert known["expected_at_least"] is None


def test_what_is_expected_of_a_bill_has_the_clouds_without_a_forecast_too() -> None:
    """As on their bills: also one that has nothing but a refund of June on it."""
    new = [
        *(Charge("gcp", day, "5") for day in days(date(2026, 11, 12), 9)),
        Charge("azure", date(2026, 6, 24), "-3"),
    ]
    asked: dict[str, Any] = {"end": DECEMBER, "billed_in": {date(2026, 6, 24): NOVEMBER}}
    by_day, document = made([*MONTHS, *new], **asked), made([*MONTHS, *new], **asked, by=BILL)
    assert by_day.forecast is not None
    assert document.forecast is not None
    (aws,) = document.forecast.clouds
    assert {n: f.amount for n, f in document.forecast.only_billed.items()} == {
        "azure": -3,
        "gcp": 45,
    }
    assert document.beside_last[-1].at_least == document.forecast.expected == aws.expected + 42
    for end in ("lower", "upper"):
        assert getattr(document.forecast, end) - getattr(by_day.forecast, end) == -3
    told = json.loads(to_json(document))["forecast"]["only_billed"]
    assert {name: Decimal(amount) for name, amount in told.items()} == {"azure": -3, "gcp": 45}


def test_programs_are_told_what_the_page_shows() -> None:
    forecast = forecast_costs(bill(MONTHS), NOVEMBER, DECEMBER, currency="USD")
    verdict = assess_budget(
        Budget(name="data", amount=Decimal(250), currency="USD"),
        forecast,
        now=datetime(2026, 11, 21, 12, tzinfo=UTC),
        stale_policy=StalePolicy.WARN,
    )
    told = json.loads(to_json(replace(made(MONTHS, budget=verdict), workload=quoted())))
    assert (told["format_version"], told["by"]) == (1, "charge_day")
    coming = told["forecast"]
    assert coming["confidence"] == 0.8
    for name in ("expected", "lower", "upper"):
        assert Decimal(coming[name]) == getattr(forecast, name)
    assert coming["clouds"][0]["days_left"] == 10
    assert told["budget"]["state"] == "over"
    assert Decimal(told["budget"]["projected"]) == verdict.projected
    assert told["budget"]["reasons"] == list(verdict.reasons)
    assert told["workload"]["cheapest"] == "aws"
    (quote,) = told["workload"]["quotes"]
    assert (quote["total"], quote["lines"][0]["meter"]) == ("0.02", "storage")


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (date(2026, 1, 1), date(2026, 4, 1), (date(2025, 10, 1), date(2026, 1, 1))),
        (date(2025, 12, 1), date(2026, 2, 1), (date(2025, 10, 1), date(2025, 12, 1))),
        (date(2026, 1, 1), date(2027, 1, 1), (date(2025, 1, 1), date(2026, 1, 1))),
        (date(2026, 3, 1), date(2026, 4, 1), (date(2026, 2, 1), date(2026, 3, 1))),
        (date(2026, 3, 1), date(2026, 3, 9), (date(2026, 2, 1), date(2026, 3, 1))),
        (date(2026, 3, 5), date(2026, 3, 9), (date(2026, 3, 1), date(2026, 3, 5))),
    ],
)
def test_whole_months_are_beside_as_many(start: date, end: date, before: tuple[date, date]) -> None:
    assert period_before(start, end) == before


def test_a_whole_quarter_is_beside_the_whole_quarter_before() -> None:
    charges = [
        *(Charge("aws", day, "1") for day in days(date(2025, 10, 1), 92)),
        *(Charge("aws", day, "1") for day in days(date(2026, 1, 1), 90)),
    ]
    document = made(charges, date(2026, 1, 1), date(2026, 4, 1))
    assert tables(document)["months"][1][1:5] == ["90.00", "92.00", "-2.00 (-2.2 %)", "92.00"]


def test_what_two_exports_have_is_said_to_be_left_out() -> None:
    document = made(MONTHS)
    left_out = Overlap(
        cloud="aws", billing_period=NOVEMBER, export="billing/old", counted="billing/new",
        reason=Reason.LATER,
        accounts=1, first_day=NOVEMBER, last_day=date(2026, 11, 20), charges=20,
        billing_currency="USD", billed_cost=Decimal(200),
    )  # fmt: skip
    twice = replace(document, comparison=replace(document.comparison, left_out=(left_out,)))
    said = "Not counted, as it is in two exports: aws 2026-11: 20 charges of billing/old"
    assert said in to_html(twice)
    assert json.loads(to_json(twice))["left_out"][0]["export"] == "billing/old"
    (row,) = csv.DictReader(io.StringIO(to_csv(twice)))
    assert row["left_out"] == str(left_out)
    assert said not in to_html(document)


def quoted(as_of: date = NOVEMBER) -> WorkloadComparison:
    line = QuoteLine(
        meter=Meter.STORAGE, sku="standard", region_id="eu-central-1", quantity=Decimal(1),
        unit="GB-month", unit_price=Decimal("0.02"), unit_currency="USD", amount=Decimal("0.02"),
        source="list", as_of=as_of,
    )  # fmt: skip
    quote = Quote(
        cloud="aws", region_id="eu-central-1", lines=(line,), total=Decimal("0.02"),
        currency="USD", missing=(),
    )  # fmt: skip
    return WorkloadComparison(workload=Workload(storage_gb=Decimal(1)), quotes=(quote,), refused=())


@pytest.mark.parametrize(("as_of", "old"), [(date(2026, 11, 1), False), (date(2026, 8, 1), True)])
def test_a_quote_of_old_prices_says_so(as_of: date, old: bool) -> None:
    page = to_html(replace(made(MONTHS), workload=quoted(as_of)))
    assert (f"Prices of {as_of}</b>, to be refreshed" in page) is old


def test_a_month_before_that_no_rate_converts_is_not_there() -> None:
    odd = [Charge("aws", day, "8", currency="TWD") for day in days(OCTOBER, 31)]
    document = made([*odd, *(Charge("aws", day, "10") for day in days(NOVEMBER, 20))])
    assert tables(document)["months"][1][1:5] == ["200.00", "–", "–", "–"]


def test_nothing_of_a_bill_becomes_markup() -> None:
    hostile = "</text></svg><script>alert(1)</script>"
    spike = Charge("aws", date(2026, 11, 10), "900", service=hostile)
    before = [Charge("aws", d, "8", service=hostile) for d in days(date(2026, 9, 1), 75)]
    page = to_html(made([*MONTHS, *before, spike], names={"account-1": hostile}))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 2


def test_a_store_without_bills_makes_a_page() -> None:
    document = made([])
    assert document.rounded_total is None
    assert document.beside_last == ()
    assert "<h1>Cloud costs, 2026-11-01 to 2026-11-20</h1>" in to_html(document)


#: Neither XML can hold them nor a page show them as they are.
ODD = "a\x1bb\x00c\ufffed\u202ee\nf\x9bg"


def test_names_of_others_are_printable_on_the_page() -> None:
    document = made(
        [Charge("aws", day, "5", service=f"{ODD}</td><b>") for day in days(NOVEMBER, 20)]
    )
    page = to_html(document)
    assert not set("\x1b\x00\ufffe\u202e\x9b") & set(page)
    assert r"a\x1bb\x00c\ufffed\u202ee\nf\x9bg" in page
    assert "<b>" not in page.split("a\\x1bb", 1)[1][:60]
    for svg in charts(document).values():
        ET.fromstring(svg)

"""Comparing clouds: exact sums, apart what must stay apart, and nothing said that isn't known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.cost.compare import compare_costs
from airflow_multicloud.core.cost.compare.comparison import CostReport
from airflow_multicloud.core.cost.dimensions import DIMENSIONS
from airflow_multicloud.core.cost.figures import add_figures
from airflow_multicloud.core.cost.focus import ChargeCategory
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.money import CostBasis, rounded_lines
from airflow_multicloud.core.cost.smallest_bill import get_smallest_bill
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from tests.unit.cost_questions.bill import Charge, Month, after, bill, days

OCT, NOV = date(2026, 10, 1), date(2026, 11, 1)
FRIDAY = date(2026, 10, 2)

MIXED = [
    Charge("aws", FRIDAY, "10.0000000001", "8", "12", "9", service="EC2"),
    Charge("aws", FRIDAY, "3", service="S3", region=None),
    Charge("aws", OCT, "100", "0", service="EC2", category="Purchase"),
    Charge("aws", OCT, "2.5", service="EC2", category="Tax"),
    Charge("aws", OCT, "-4", service="EC2", category="Credit"),
    Charge("gcp", FRIDAY, "7", currency="EUR", service="BigQuery", tags={"team": "data"}),
    Charge("gcp", date(2026, 10, 3), "1", currency="EUR", service="BigQuery", tags={"team": ""}),
]


def test_bases_and_categories_stay_apart() -> None:
    comparison = compare_costs(bill(MIXED), OCT, NOV, currency="USD")
    aws = comparison.reports[0]
    assert aws.totals.billed == Decimal("111.5000000001")
    assert (aws.totals.effective, aws.totals.list) == (Decimal("9.5"), Decimal("113.5"))
    assert aws.totals.contracted == Decimal("110.5")
    assert aws.compared.amount == 11  # neither tax nor credit
    assert aws.category(ChargeCategory.TAX).amount == Decimal("2.5")
    assert aws.category(ChargeCategory.CREDIT).amount == -4
    assert aws.category(ChargeCategory.PURCHASE).amount == 0
    assert aws.by_category["Purchase"].billed == 100
    assert aws.category(ChargeCategory.ADJUSTMENT).amount == 0


def test_each_charge_is_converted_at_its_own_days_rate() -> None:
    rates = ExchangeRates()
    later = MIXED[-1].on(date(2026, 10, 12))
    gcp = compare_costs(bill([*MIXED, later]), OCT, NOV, currency="USD").reports[1]
    friday, monday = (rates.rate("EUR", "USD", d).rate for d in (FRIDAY, later.day))
    assert friday != monday
    assert gcp.total.amount == 7 * friday + friday + monday
    assert gcp.fx is not None
    assert (gcp.fx.oldest, gcp.fx.newest) == (FRIDAY, date(2026, 10, 12))


def test_only_what_was_converted_has_a_note() -> None:
    comparison = compare_costs(bill(MIXED), OCT, NOV, currency="USD")
    assert comparison.reports[0].fx is None
    assert comparison.total is not None
    assert comparison.total.fx is not None
    assert comparison.total.fx.currencies == ("EUR",)


def test_a_currency_without_a_rate_is_apart_and_never_mixed() -> None:
    charges = [
        *MIXED,
        Charge("azure", FRIDAY, "1", currency="VND"),
        Charge("azure", date(2026, 10, 5), "2.5", currency="VND"),
        Charge("azure", FRIDAY, "7"),
        Charge("azure", FRIDAY, "3", currency="usd"),
        Charge("gcp", FRIDAY, "0", currency="TWD"),  # nothing in any currency is nothing
    ]
    for group_by in (["ServiceName"], ["RegionId"]):
        found = compare_costs(bill(charges), OCT, NOV, currency="USD", group_by=group_by)
        plain = compare_costs(bill(MIXED), OCT, NOV, currency="USD", group_by=group_by)
        assert [r.totals for r in found.reports if r.cloud != "azure"] == [
            r.totals for r in plain.reports
        ]
        (azure,) = (r for r in found.reports if r.cloud == "azure")
        assert azure.totals.billed == 7
        assert sum(line.costs.billed for line in azure.lines) == 7
        vnd, small = found.unconverted
        assert (vnd.cloud, vnd.currency, vnd.costs.billed) == ("azure", "VND", Decimal("3.5"))
        assert (vnd.first, vnd.last) == (FRIDAY, date(2026, 10, 5))
        assert (small.currency, small.costs.billed) == ("usd", 3)
        assert "no ECB rate of VND on 2026-10-02" in found.unconverted[0].reason
        assert "without 3.50 VND, 3.00 usd: no rate" in str(azure.total)
        assert found.total is not None
        assert found.total.without == ("3.50 VND", "3.00 usd")


def test_a_cloud_without_any_rate_does_not_stop_the_others() -> None:
    charges = [*MIXED, Charge("azure", FRIDAY, "900", currency="VND")]
    found = compare_costs(bill(charges), OCT, NOV, currency="USD")
    assert [r.cloud for r in found.reports] == ["aws", "azure", "gcp"]
    verdict = get_smallest_bill(found.reports)
    assert "azure" not in [r.cloud for r in verdict.ranking]
    assert verdict.unranked["azure"] == "no rate converts 900.00 VND of it"


def test_where_nothing_can_be_converted_there_is_no_answer() -> None:
    charges = [Charge("azure", FRIDAY, "900", currency="VND")]
    with pytest.raises(CostAnalysisError, match="no ECB rate of VND on 2026-10-02") as caught:
        compare_costs(bill(charges), OCT, NOV, currency="USD")
    assert caught.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize(
    ("dimension", "groups"),
    [
        ("RegionId", {"region-1", "(none)"}),
        ("SubAccountId", {"account-1"}),
        ("ServiceName", {"EC2", "S3", "BigQuery"}),
        ("tag:team", {"data", "(none)"}),
        ("ChargeDate", {"2026-10-01", "2026-10-02", "2026-10-03"}),
    ],
)
def test_breakdowns_have_every_charge(dimension: str, groups: set[str]) -> None:
    comparison = compare_costs(bill(MIXED), OCT, NOV, currency="EUR", group_by=[dimension])
    assert {line.group[0] for r in comparison.reports for line in r.lines} == groups
    assert sum(line.charges for r in comparison.reports for line in r.lines) == len(MIXED)


amounts = st.decimals(-1000, 1000, places=10, allow_nan=False, allow_infinity=False)
charges = st.builds(
    Charge,
    cloud=st.sampled_from(["aws", "gcp", "azure"]),
    day=st.dates(date(2026, 9, 20), date(2026, 10, 30)),
    billed=amounts,
    effective=amounts,
    list=amounts,
    contracted=amounts,
    currency=st.sampled_from(["USD", "EUR", "JPY"]),
    service=st.sampled_from(["A", "B", "", None]),
    account=st.sampled_from(["1", "2", None]),
    region=st.sampled_from(["r", None]),
    category=st.sampled_from(list(ChargeCategory)),
    tags=st.none() | st.dictionaries(st.sampled_from(["team", "x"]), st.sampled_from(["a", ""])),
)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(charges, min_size=1, max_size=25),
    group_by=st.lists(
        st.sampled_from(["Cloud", "ServiceName", "RegionId", "SubAccountId", "tag:team"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    limit=st.none() | st.integers(1, 3),
)
def test_every_breakdown_adds_up_to_the_bill(
    rows: list[Charge], group_by: list[str], limit: int | None
) -> None:
    comparison = compare_costs(
        bill(rows), date(2026, 9, 1), NOV, currency="USD", group_by=group_by, limit=limit
    )
    rates = ExchangeRates()
    with localcontext(prec=60):
        for report in comparison.reports:
            for basis in CostBasis:
                expected = sum(
                    Decimal(getattr(row, basis)) * rates.rate(row.currency, "USD", row.day).rate
                    for row in rows
                    if row.cloud == report.cloud
                )
                assert report.totals.on(basis) == expected
                assert sum(line.costs.on(basis) for line in report.lines) == expected
            if limit:
                assert len(report.lines) <= limit + 1
    assert {r.cloud for r in comparison.reports} == {row.cloud for row in rows}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.decimals(-1000, 1000, places=6), max_size=20), st.integers(0, 4))
def test_rounded_lines_add_up_and_are_off_by_less_than_a_unit(
    lines: list[Decimal], places: int
) -> None:
    unit = Decimal(1).scaleb(-places)
    rounded = rounded_lines(lines, places)
    assert sum(rounded, Decimal(0)) == sum(lines, Decimal(0)).quantize(unit)
    assert all(abs(a - b) < unit for a, b in zip(lines, rounded, strict=True))


def test_the_limit_sums_up_the_smallest() -> None:
    rows = [Charge("aws", FRIDAY, n, service=f"s{n}") for n in range(1, 6)]
    lines = compare_costs(bill(rows), OCT, NOV, currency="USD", limit=2).reports[0].lines
    assert [(line.group, line.costs.effective) for line in lines] == [
        (("aws", "(other)"), 6),
        (("aws", "s5"), 5),
        (("aws", "s4"), 4),
    ]


def test_a_rollup_that_disagrees_with_the_charges_is_found() -> None:
    connection = bill(MIXED)
    connection.execute("CREATE TABLE kept AS FROM rollup; DROP VIEW rollup")
    connection.execute(
        "ALTER TABLE kept RENAME TO rollup; DELETE FROM costs WHERE RegionId IS NULL"
    )
    compare_costs(connection, OCT, NOV, currency="USD")
    with pytest.raises(CostAnalysisError, match="adds up to") as caught:
        compare_costs(connection, OCT, NOV, currency="USD", group_by=["RegionId"])
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_a_cloud_without_data_is_missing_not_free() -> None:
    comparison = compare_costs(
        bill(MIXED, [Month("azure", date(2026, 9, 1), after(OCT))]),
        OCT,
        NOV,
        currency="USD",
        clouds=["aws", "azure", "ibm"],
    )
    assert [r.cloud for r in comparison.reports] == ["aws"]
    assert comparison.missing == {
        "azure": "no charge from 2026-10-01 to before 2026-11-01",
        "ibm": "no export was ever ingested",
    }
    assert get_smallest_bill(comparison.reports).clouds == ("aws",)


def test_an_empty_period_has_no_report_and_no_cheapest() -> None:
    comparison = compare_costs(bill(MIXED), NOV, date(2026, 12, 1), currency="USD")
    assert (comparison.reports, comparison.total) == ((), None)
    assert set(comparison.missing) == {"aws", "gcp"}
    with pytest.raises(CostAnalysisError, match="no cloud has data"):
        get_smallest_bill(comparison.reports)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"currency": "usd"}, "currency is 'usd'"),
        ({"basis": "amortized"}, "basis is 'amortized'; allowed: billed, effective"),
        ({"group_by": ["Service"]}, "did you mean 'ServiceName'"),
        ({"group_by": ["tag:"]}, "a tag's key must follow"),
        ({"group_by": 5}, "expected a list of dimensions"),
        ({"group_by": ["Cloud", "Cloud"]}, "more than once"),
        ({"group_by": []}, "expected at least one"),
        ({"limit": 0}, "^limit: 0 given, expected 1 or more"),
        ({"end": OCT}, "end is exclusive"),
        ({"clouds": []}, "expected a sequence of names"),
        ({"clouds": "aws"}, "clouds is 'aws'"),
    ],
)
def test_bad_parameters_are_named(changes: dict[str, object], message: str) -> None:
    asked: dict[str, object] = {"start": OCT, "end": NOV, "currency": "USD", **changes}
    with pytest.raises(CostAnalysisError, match=message) as caught:
        compare_costs(bill(MIXED), **asked)  # type: ignore[arg-type]
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_every_dimension_can_be_grouped_by() -> None:
    connection = bill(MIXED)
    for name in DIMENSIONS:
        assert compare_costs(connection, OCT, NOV, currency="USD", group_by=[name]).reports


def test_a_tags_key_is_a_value_never_sql() -> None:
    comparison = compare_costs(
        bill(MIXED), OCT, NOV, currency="USD", group_by=["tag:x'] FROM costs; DROP TABLE costs; --"]
    )
    assert {line.group for r in comparison.reports for line in r.lines} == {("(none)",)}


def test_coverage_counts_days_that_were_over_when_exported() -> None:
    rows = [Charge("aws", day, "1") for day in days(OCT, 10)]
    at = datetime(2026, 10, 10, 23, 59, tzinfo=UTC)
    report = compare_costs(bill(rows, [Month("aws", OCT, at)]), OCT, NOV, currency="USD").reports[0]
    assert (report.coverage.days_covered, report.coverage.days_asked) == (9, 31)
    assert report.coverage.exported_at == at
    assert report.total.estimated
    assert "estimated, 9 of 31 days, as of 2026-10-10 23:59Z" in str(report.total)


def test_the_oldest_of_several_exports_decides() -> None:
    rows = [Charge("aws", d, "1", export=e) for d in days(OCT, 10) for e in ("a", "b")]
    months = [
        Month("aws", OCT, after(date(2026, 10, 10)), export="a"),
        Month("aws", OCT, after(date(2026, 10, 6)), export="b", final=True),
    ]
    coverage = compare_costs(bill(rows, months), OCT, NOV, currency="USD").reports[0].coverage
    assert (coverage.days_covered, coverage.final) == (6, False)


def test_final_needs_every_month_asked_for() -> None:
    rows = [Charge("aws", day, "1") for day in days(date(2026, 9, 1), 61)]
    closed = [Month("aws", m, after(NOV), final=True) for m in (date(2026, 9, 1), OCT)]
    both = compare_costs(bill(rows, closed), date(2026, 9, 1), NOV, currency="USD").reports[0]
    assert both.coverage.final
    assert not both.total.estimated
    one = compare_costs(bill(rows, closed), date(2026, 8, 1), NOV, currency="USD").reports[0]
    assert not one.coverage.final


def _reports(*amounts_by_cloud: tuple[str, str, int]) -> tuple[CostReport, ...]:
    rows = [Charge(c, d, amount) for c, amount, n in amounts_by_cloud for d in days(OCT, n)]
    return compare_costs(bill(rows), OCT, NOV, currency="USD").reports


def test_a_final_month_is_divided_by_all_of_its_days() -> None:
    rows = [Charge("aws", d, "20") for d in days(OCT, 31)]
    rows += [Charge("azure", d, "100") for d in days(OCT, 30)[4::5][:5]]
    at = datetime(2026, 11, 8, tzinfo=UTC)
    months = [Month(c, OCT, at, final=True) for c in ("aws", "azure")]
    verdict = get_smallest_bill(compare_costs(bill(rows, months), OCT, NOV, currency="USD").reports)
    assert [(r.cloud, r.per_day) for r in verdict.ranking] == [
        ("azure", (Decimal(500) / 31).quantize(Decimal("0.01"))),
        ("aws", 20),
    ]
    assert not verdict.estimated


@pytest.mark.parametrize("basis", list(CostBasis))
def test_charges_of_days_not_counted_are_not_divided(basis: CostBasis) -> None:
    """Four days of usage; hours of a plan for the whole month; a part of the export's own day."""
    rows = [Charge("aws", d, "20") for d in days(OCT, 4)]
    rows += [Charge("aws", d, "10", currency="EUR") for d in days(OCT, 31)]
    rows += [
        Charge("aws", date(2026, 10, 5), "7"),
        Charge("aws", date(2026, 10, 20), "5", category="Tax"),
    ]
    month = Month("aws", OCT, datetime(2026, 10, 5, 6, tzinfo=UTC))
    rates = ExchangeRates(max_stale_days=5)
    found = compare_costs(bill(rows, [month]), OCT, NOV, currency="USD", basis=basis, rates=rates)
    (ranked,) = get_smallest_bill(found.reports).ranking
    euros = sum(10 * rates.rate("EUR", "USD", d).rate for d in days(OCT, 4))
    assert ranked.figure.amount == 80 + euros
    assert ranked.per_day == ((80 + euros) / 4).quantize(Decimal("0.01"))


def test_days_without_usage_count_once_they_can_be_believed() -> None:
    """Usage on the 1st and 2nd; the export is of the 9th: days up to the 6th were over for long."""
    rows = [Charge("aws", d, "10") for d in days(OCT, 2)]
    month = Month("aws", OCT, datetime(2026, 10, 9, 1, tzinfo=UTC))
    (report,) = compare_costs(bill(rows, [month]), OCT, NOV, currency="USD").reports
    assert (report.coverage.days_covered, report.coverage.days_counted) == (2, 6)


def test_the_smallest_bill_spent_least_per_day() -> None:
    verdict = get_smallest_bill(_reports(("aws", "10", 30), ("gcp", "20", 10)))
    assert (verdict.clouds, verdict.estimated) == (("aws",), True)
    assert [(r.cloud, r.per_day) for r in verdict.ranking] == [("aws", 10), ("gcp", 20)]
    assert str(verdict) == "aws at 10.00 USD a day (estimated)"


def test_ties_name_both() -> None:
    verdict = get_smallest_bill(_reports(("gcp", "10.001", 5), ("aws", "10", 5)))
    assert verdict.clouds == ("aws", "gcp")


def test_nothing_spent_is_not_cheap() -> None:
    verdict = get_smallest_bill(_reports(("gcp", "0", 5), ("aws", "10", 5)))
    assert verdict.clouds == ("aws",)
    assert verdict.unranked == {"gcp": "its effective cost is 0.00"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"currency": "EUR"}, "differ in currency"),
        ({"basis": CostBasis.LIST}, "differ in basis"),
        ({"end": date(2026, 10, 9)}, "differ in period"),
        ({"cloud": "gcp"}, "a cloud twice"),
    ],
)
def test_what_is_not_comparable_is_not_compared(changes: dict[str, object], message: str) -> None:
    aws, gcp = _reports(("aws", "1", 2), ("gcp", "2", 2))
    with pytest.raises(CostAnalysisError, match=message):
        get_smallest_bill([replace(aws, **changes), gcp])  # type: ignore[arg-type]


def test_figures_of_two_currencies_are_not_added() -> None:
    aws, gcp = _reports(("aws", "1", 2), ("gcp", "2", 2))
    with pytest.raises(CostAnalysisError, match="one currency"):
        add_figures([aws.total, replace(gcp, currency="EUR").total])

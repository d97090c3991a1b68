"""A bill's rows as SQL: usage drawn from integers, and what follows from it."""
# ruff: noqa: S608 - the texts in these queries are the generator's own

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.testing.bills.catalogue import CATALOGUES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_multicloud.testing.bills.catalogue import Sku
    from airflow_multicloud.testing.bills.options import BillOptions, Restatement

#: Which part of coverable usage the commitment covers, and what it pays of the list price.
COVERED_PERCENT = 40
COMMITTED_PRICE = Decimal("0.72")
#: What of the commitment goes unused at least, on its busiest day.
HEADROOM = Decimal("1.05")

_MONEY = "DECIMAL(28, 10)"
_DAY_KEYS = 60_000_000
_PRIME = 2_147_483_647  # 2**31 - 1: products of two residues fit 64 bits
_TEAMS = ("data", "platform", "research")

#: Columns that a bill has besides FOCUS's: which row it is, and in which version it came.
ROW = "x_Row"
VERSION = "x_Version"


def create_bill(
    connection: DuckDBPyConnection, options: BillOptions, restatements: tuple[Restatement, ...]
) -> None:
    """Create the view ``bill``; usage is never held, the few other rows are a table."""
    _create_slots(connection, options)
    connection.execute(f"CREATE VIEW usage AS {_usage(options)}")
    _create_fixed(connection, options)
    connection.execute(
        "CREATE VIEW bill_0 AS SELECT * FROM usage UNION ALL BY NAME SELECT * FROM fixed"
    )
    for version, restatement in enumerate(restatements, 1):
        sql = _restated(f"bill_{version - 1}", version, options, restatement)
        connection.execute(f"CREATE VIEW bill_{version} AS {sql}")
    connection.execute(f"CREATE VIEW bill AS SELECT * FROM bill_{len(restatements)}")


def text(value: str | None) -> str:
    """A text as SQL."""
    return "CAST(NULL AS VARCHAR)" if value is None else "'" + value.replace("'", "''") + "'"


def moment(options: BillOptions, days: int) -> str:
    """Midnight UTC, so many days after the billing period began, as SQL."""
    day = options.billing_period + timedelta(days=days)
    return f"TIMESTAMPTZ '{day.isoformat()} 00:00:00+00'"


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
        SELECT {_columns(options, _USAGE)} FROM (
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


#: FOCUS 1.2's columns in alphabetical order; what each is in a usage row.
_USAGE = {
    "AvailabilityZone": "CASE WHEN coverable THEN region || 'a' END",
    "BilledCost": f"CASE WHEN covered THEN 0 ELSE CAST(own_price * quantity AS {_MONEY}) END",
    "CapacityReservationId": None,
    "CapacityReservationStatus": None,
    "ChargeCategory": "'Usage'",
    "ChargeClass": None,
    "ChargeDescription": "service || ' ' || meter",
    "ChargeFrequency": "'Usage-Based'",
    "ChargePeriodEnd": "$start + to_days(CAST(day + 1 AS INTEGER))",
    "ChargePeriodStart": "$start + to_days(CAST(day AS INTEGER))",
    "CommitmentDiscountCategory": "CASE WHEN covered THEN 'Spend' END",
    "CommitmentDiscountId": "CASE WHEN covered THEN $commitment END",
    "CommitmentDiscountName": "CASE WHEN covered THEN 'Compute commitment' END",
    "CommitmentDiscountQuantity": "CASE WHEN covered THEN committed_price * quantity END",
    "CommitmentDiscountStatus": "CASE WHEN covered THEN 'Used' END",
    "CommitmentDiscountType": "CASE WHEN covered THEN $commitment_type END",
    "CommitmentDiscountUnit": "CASE WHEN covered THEN $currency END",
    "ConsumedQuantity": "quantity",
    "ConsumedUnit": "unit",
    "ContractedCost": "own_price * quantity",
    "ContractedUnitPrice": "own_price",
    "EffectiveCost": "CASE WHEN covered THEN committed_price ELSE own_price END * quantity",
    "ListCost": "list_price * quantity",
    "ListUnitPrice": "list_price",
    "PricingCategory": "CASE WHEN covered THEN 'Committed' ELSE 'Standard' END",
    "PricingQuantity": "quantity",
    "PricingUnit": "unit",
    "RegionId": "region",
    "RegionName": "region_name",
    "ResourceId": "resource",
    "ResourceName": "printf('r%08x', n)",
    "ResourceType": "type",
    "ServiceCategory": "category",
    "ServiceName": "service",
    "ServiceSubcategory": "subcategory",
    "SkuId": "name",
    "SkuMeter": "meter",
    "SkuPriceDetails": "details",
    "SkuPriceId": "name || '.' || region",
    "SubAccountId": "account",
    "Tags": "tags",
    VERSION: "0",
    ROW: "i",
}

_DECIMALS = frozenset(
    {
        "BilledCost",
        "CommitmentDiscountQuantity",
        "ConsumedQuantity",
        "ContractedCost",
        "ContractedUnitPrice",
        "EffectiveCost",
        "ListCost",
        "ListUnitPrice",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyEffectiveCost",
        "PricingCurrencyListUnitPrice",
        "PricingQuantity",
    }
)
_TIMES = frozenset({"ChargePeriodStart", "ChargePeriodEnd"})
_NUMBERS = {ROW: "BIGINT", VERSION: "INTEGER"}


def _columns(options: BillOptions, given: dict[str, str | None]) -> str:
    """The select list: what ``given`` says, and what is the same in every row."""
    catalogue = CATALOGUES[options.cloud]
    invoice = f"{options.cloud.upper()}-{options.billing_period:%Y%m}-0001"
    common: dict[str, str | None] = {
        "BillingAccountId": text(catalogue.billing_account),
        "BillingAccountName": text(catalogue.billing_account_name),
        "BillingAccountType": text(catalogue.billing_account_type),
        "BillingCurrency": text(options.currency),
        "BillingPeriodEnd": moment(options, options.month_days),
        "BillingPeriodStart": moment(options, 0),
        "InvoiceId": text(invoice) if options.invoiced else None,
        "InvoiceIssuerName": text(catalogue.issuer),
        "PricingCurrency": text(options.currency),
        "PricingCurrencyContractedUnitPrice": given.get("ContractedUnitPrice"),
        "PricingCurrencyEffectiveCost": given.get("EffectiveCost"),
        "PricingCurrencyListUnitPrice": given.get("ListUnitPrice"),
        "ProviderName": text(catalogue.provider),
        "PublisherName": text(catalogue.provider),
        "SubAccountName": given.get("SubAccountId"),
        "SubAccountType": text(catalogue.account_type),
    }
    constants = {
        "$start": moment(options, 0),
        "$commitment_type": text(catalogue.commitment_type),
        "$commitment": text(catalogue.commitment),
        "$currency": text(options.currency),
    }
    found = []
    for name, value in sorted({**given, **common}.items()):
        expression = value or "NULL"
        for placeholder, constant in constants.items():
            expression = expression.replace(placeholder, constant)
        found.append(f'CAST({expression} AS {_type(name)}) AS "{name}"')
    return ",\n".join(found)


def _type(name: str) -> str:
    if name in _DECIMALS:
        return _MONEY
    if name.startswith(("BillingPeriod", "ChargePeriod")):
        return "TIMESTAMP WITH TIME ZONE"
    return _NUMBERS.get(name, "VARCHAR")


def _create_fixed(connection: DuckDBPyConnection, options: BillOptions) -> None:
    """Commitment, purchases, credits and tax, from one look at the usage."""
    connection.execute(
        "CREATE TABLE sums AS SELECT SubAccountId AS account, "
        "date_diff('day', BillingPeriodStart, ChargePeriodStart) AS day, "
        "sum(BilledCost) AS billed, sum(EffectiveCost) AS effective, sum(ListCost) AS listed, "
        "sum(ContractedCost) AS contracted, "
        "coalesce(sum(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Used'), 0) AS used "
        "FROM usage GROUP BY ALL"
    )
    connection.execute(
        f"CREATE TABLE accounts AS SELECT n, {CATALOGUES[options.cloud].account} AS account "
        f"FROM range({options.accounts}) accounts(n)"
    )
    nothing = f"SELECT {_columns(options, dict.fromkeys(_USAGE))} WHERE false"
    connection.execute(f"CREATE TABLE fixed AS {nothing}")
    for wanted, sql in (
        (options.commitments, _commitment(options)),
        (options.monthly_purchases, _purchases(options)),
        (bool(options.credit_rate), _credits(options)),
        (bool(options.tax_rate), _taxes(options)),
    ):
        if wanted:
            connection.execute(f"INSERT INTO fixed BY NAME {sql}")
    connection.execute(f'UPDATE fixed SET "{ROW}" = rowid + {options.usage_rows}')


def _fixed(options: BillOptions, source: str, **given: str) -> str:
    """Rows from ``source``; a column that is not given is null."""
    costs = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
    values: dict[str, str | None] = {
        **dict.fromkeys(_USAGE),
        **dict.fromkeys(costs, given.pop("cost", None)),
        "Tags": "'{}'",
        VERSION: "0",
        **given,
    }
    return f"SELECT {_columns(options, values)} FROM {source}"


def _commitment(options: BillOptions) -> str:
    """Bought on the first day for all the days covered: their busiest day's use and some more.

    FOCUS: the purchase has EffectiveCost 0, since used and unused rows carry it.
    """
    catalogue = CATALOGUES[options.cloud]
    days = (
        f"(SELECT range AS number, (SELECT coalesce(sum(used), 0) FROM sums WHERE day = range) "
        f"AS used FROM range({options.covered}))"
    )
    fee = f"(SELECT CAST(ceil(max(used) * {HEADROOM}) AS DECIMAL(18, 0)) FROM {days})"
    common = {
        "ServiceCategory": "'Compute'",
        "ServiceSubcategory": "'Other (Compute)'",
        "ServiceName": text(catalogue.skus[0].service),
        "SubAccountId": "(SELECT account FROM accounts WHERE n = 0)",
        "CommitmentDiscountCategory": "'Spend'",
        "CommitmentDiscountId": "$commitment",
        "CommitmentDiscountName": "'Compute commitment'",
        "CommitmentDiscountType": "$commitment_type",
        "CommitmentDiscountUnit": "$currency",
        "ResourceId": "$commitment",
        "SkuId": "'commitment'",
        "SkuPriceId": "'commitment.monthly'",
        "PricingUnit": "$currency",
    }
    bought = f"{fee} * {options.covered}"
    purchase = _fixed(
        options,
        "(SELECT 1)",
        **common,
        cost=bought,
        EffectiveCost="0",
        ChargeCategory="'Purchase'",
        ChargeFrequency="'Recurring'",
        ChargeDescription="'Commitment, monthly fee'",
        ChargePeriodStart="$start",
        ChargePeriodEnd=moment(options, options.month_days),
        CommitmentDiscountQuantity=bought,
        ListUnitPrice="1",
        ContractedUnitPrice="1",
        PricingQuantity=bought,
        PricingCategory="'Standard'",
    )
    unused = _fixed(
        options,
        days,
        **common,
        cost="0",
        EffectiveCost=f"{fee} - used",
        ChargeCategory="'Usage'",
        ChargeFrequency="'Usage-Based'",
        ChargeDescription="'Commitment, not used'",
        ChargePeriodStart="$start + to_days(CAST(number AS INTEGER))",
        ChargePeriodEnd="$start + to_days(CAST(number + 1 AS INTEGER))",
        CommitmentDiscountQuantity=f"{fee} - used",
        CommitmentDiscountStatus="'Unused'",
        PricingCategory="'Committed'",
    )
    return f"{purchase} UNION ALL {unused}"


def _purchases(options: BillOptions) -> str:
    catalogue = CATALOGUES[options.cloud]
    prices = f"(VALUES ({text(catalogue.support)}, 'Other', 'Other (Other)', 100.00),"
    prices += f" ({text(catalogue.marketplace)}, 'Developer Tools', 'Other (Developer Tools)',"
    prices += " 249.00)) bought(name, category, subcategory, price)"
    price = f"price * CAST({options.exchange_rate} AS DECIMAL(8, 2))"
    return _fixed(
        options,
        prices,
        cost=price,
        ChargeCategory="'Purchase'",
        ChargeFrequency="'Recurring'",
        ChargeDescription="name || ', monthly fee'",
        ChargePeriodStart="$start",
        ChargePeriodEnd=moment(options, options.month_days),
        ServiceCategory="category",
        ServiceSubcategory="subcategory",
        ServiceName="name",
        SubAccountId="(SELECT account FROM accounts WHERE n = 0)",
        SkuId="'monthly'",
        SkuPriceId="name || '.monthly'",
        ListUnitPrice=price,
        ContractedUnitPrice=price,
        PricingQuantity="1",
        PricingUnit="'Months'",
        PricingCategory="'Standard'",
    )


def _credits(options: BillOptions) -> str:
    """A promotion: a part of what each sub account was billed that day, to the cent."""
    days = (
        f"(SELECT accounts.account, range AS number, coalesce(billed, 0) AS billed "
        f"FROM accounts CROSS JOIN range({options.covered}) "
        "LEFT JOIN sums ON sums.account = accounts.account AND sums.day = range "
        "ORDER BY number, n)"
    )
    service = CATALOGUES[options.cloud].skus[0]
    return _fixed(
        options,
        days,
        # FOCUS: a credit that belongs to no single charge is the same on every cost basis.
        cost=f"-round(billed * CAST({options.credit_rate} AS DECIMAL(6, 2)), 2)",
        ChargeCategory="'Credit'",
        ChargeFrequency="'One-Time'",
        ChargeDescription="'Promotional credit'",
        ChargePeriodStart="$start + to_days(CAST(number AS INTEGER))",
        ChargePeriodEnd="$start + to_days(CAST(number + 1 AS INTEGER))",
        ServiceCategory=text(service.category),
        ServiceSubcategory=text(service.subcategory),
        ServiceName=text(service.service),
        SubAccountId="account",
    )


def _taxes(options: BillOptions) -> str:
    """A rate on everything else of the sub account, per cost basis, to the cent."""
    month = (
        "(SELECT accounts.account, billed, effective, listed, contracted FROM accounts LEFT JOIN ("
        "SELECT SubAccountId AS account, sum(BilledCost) AS billed, "
        "sum(EffectiveCost) AS effective, sum(ListCost) AS listed, "
        "sum(ContractedCost) AS contracted FROM (SELECT * FROM usage UNION ALL BY NAME "
        "SELECT * FROM fixed) GROUP BY ALL) charged ON charged.account = accounts.account "
        "ORDER BY n)"
    )
    rate = f"CAST({options.tax_rate} AS DECIMAL(6, 2))"
    return _fixed(
        options,
        month,
        BilledCost=f"round(coalesce(billed, 0) * {rate}, 2)",
        EffectiveCost=f"round(coalesce(effective, 0) * {rate}, 2)",
        ListCost=f"round(coalesce(listed, 0) * {rate}, 2)",
        ContractedCost=f"round(coalesce(contracted, 0) * {rate}, 2)",
        ChargeCategory="'Tax'",
        ChargeFrequency="'Recurring'",
        ChargeDescription=text(options.tax_name),
        ChargePeriodStart="$start",
        ChargePeriodEnd=moment(options, options.month_days),
        ServiceCategory="'Other'",
        ServiceSubcategory="'Other (Other)'",
        ServiceName=text(options.tax_name),
        SubAccountId="account",
    )


def _restated(before: str, version: int, options: BillOptions, restatement: Restatement) -> str:
    """The next version of a bill, from the one before."""
    chosen = (
        f"ChargeCategory = 'Usage' AND CommitmentDiscountStatus IS NULL "
        f"AND ServiceName = {text(restatement.service)} "
        f"AND ChargePeriodStart = {moment(options, restatement.day - 1)}"
    )
    factor = f"CAST({restatement.factor} AS DECIMAL(12, 2))"
    anew = f"CAST(round(CAST(PricingQuantity AS DECIMAL(18, 3)) * {factor}, 3) AS DECIMAL(18, 3))"
    if restatement.style is CorrectionStyle.REPLACE:
        changes = _amounts(anew)
        replaced = ", ".join(
            f'CASE WHEN {chosen} THEN {sql} ELSE "{name}" END AS "{name}"'
            for name, sql in changes.items()
        )
        return f"SELECT * REPLACE ({replaced}) FROM {before}"
    correction = f"'Correction' AS ChargeClass, {version} AS \"{VERSION}\""
    reversal = _amounts("-CAST(PricingQuantity AS DECIMAL(18, 3))")
    difference = _amounts(f"({anew} - CAST(PricingQuantity AS DECIMAL(18, 3)))")
    parts = [reversal, _amounts(anew)]
    if restatement.style is CorrectionStyle.ADJUST:
        parts = [difference]
    added = [
        f"SELECT * REPLACE ({_replacements(part)}, {correction}) FROM {before} WHERE {chosen}"
        for part in parts
    ]
    return " UNION ALL BY NAME ".join([f"SELECT * FROM {before}", *added])


def _amounts(quantity: str) -> dict[str, str]:
    """What changes with a usage row's quantity."""
    own = f"CAST(CAST(ContractedUnitPrice AS DECIMAL(12, 6)) * {quantity} AS {_MONEY})"
    listed = f"CAST(CAST(ListUnitPrice AS DECIMAL(12, 6)) * {quantity} AS {_MONEY})"
    return {
        "BilledCost": own,
        "EffectiveCost": own,
        "ContractedCost": own,
        "PricingCurrencyEffectiveCost": own,
        "ListCost": listed,
        "PricingQuantity": f"CAST({quantity} AS {_MONEY})",
        "ConsumedQuantity": f"CAST({quantity} AS {_MONEY})",
    }


def _replacements(amounts: dict[str, str]) -> str:
    return ", ".join(f'{sql} AS "{name}"' for name, sql in amounts.items())

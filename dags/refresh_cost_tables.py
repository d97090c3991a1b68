"""Every week: refresh list prices and the European Central Bank's exchange rates."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Asset

from airflow_multicloud.operators.cost import (
    RefreshExchangeRatesOperator,
    RefreshPricesOperator,
)

#: Where the two files are kept: every task of `nightly_cost` must be able to read them there. List
#: them in its `PLACES` as well.
PRICES = "s3://aws_default@finops/tables/prices.csv"
RATES = "s3://aws_default@finops/tables/eurofxref-hist.zip"
#: A connection for each cloud whose price list is asked; leave out what you don't have.
CONNECTIONS = ["aws_default", "google_cloud_default", "azure_default"]
#: Regions that you run in, by cloud, besides those of the packaged table.
REGIONS: dict[str, list[str]] = {}

DOC = """
### Prices and exchange rates

1. **prices**: asks each cloud's public price list for the prices of the table again. What no list
   answers for stays as it is, with its date. A cloud that can't be asked keeps its prices.
2. **rates**: fetches the European Central Bank's euro reference rates, and checks the file.

Both files are replaced whole, or not at all. Where they are, and whom to ask, stands at the head of
this file. Give them to `nightly_cost` as the params `prices` and `rates_file`, and the prices to
`release`.
"""

with DAG(
    dag_id="refresh_cost_tables",
    description="Renew the price table and the exchange rates that cost questions use.",
    doc_md=DOC,
    schedule="0 5 * * 1",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["multicloud", "cost"],
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
) as dag:
    RefreshPricesOperator(
        task_id="prices",
        target=PRICES,
        conn_ids=CONNECTIONS,
        regions=REGIONS,
        outlets=[Asset("cost_prices")],
    )
    RefreshExchangeRatesOperator(task_id="rates", target=RATES, outlets=[Asset("exchange_rates")])

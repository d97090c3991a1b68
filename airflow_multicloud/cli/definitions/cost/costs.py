"""Commands about money."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import OUTPUT_WITH_CSV, arg, command, flag
from airflow_multicloud.cli.values import day, duration, month, number

COSTS = command(
    "costs",
    "Say what the clouds cost, from the bills in a cost store",
    arg("store", metavar="STORE", help="a directory, or the URI of a prefix"),
    arg(
        "--ingest",
        action="append",
        metavar="URI",
        help="first bring the store up to date with this export; may be given more than once",
    ),
    arg("--month", type=month, metavar="YYYY-MM", help="the whole month"),
    arg("--start", type=day, metavar="YYYY-MM-DD", help="first day (default: of this month)"),
    arg("--end", type=day, metavar="YYYY-MM-DD", help="the day after the last (default: today's)"),
    arg(
        "--group-by",
        action="append",
        metavar="COLUMN",
        help="a FOCUS column, or tag:KEY; may be given more than once (default: ServiceName)",
    ),
    arg(
        "--basis",
        choices=("billed", "effective", "list", "contracted"),
        help="(default: effective)",
    ),
    arg(
        "--by",
        choices=("charge-day", "billing-period"),
        help="what was charged for these days, or is on the bills of these months (default: the\n"
        "bills for whole months with --basis billed, else the days)",
    ),
    arg("--currency", metavar="CODE", help="convert everything to it (default: USD)"),
    arg("--cloud", action="append", metavar="NAME", help="only this cloud; may be repeated"),
    arg("--limit", type=int, metavar="N", help="lines per cloud; the rest is (other)"),
    arg("--rates-file", metavar="PLACE", help="the newer exchange rates that 'rates' wrote"),
    arg("--max-stale-days", type=int, metavar="N", help="use the last rate for so many days"),
    arg("--html", metavar="FILE", help="also write these figures as a page"),
    output=OUTPUT_WITH_CSV,
    service="cost",
    description="Nothing is asked of a cloud but the exports given with --ingest and, for a store "
    "in a bucket,\nits files. Amounts on all four cost bases are rounded so that they add up.",
    examples="""\
  airflow multicloud costs ./costs --ingest s3://aws_default@billing/exports/focus --month 2026-10
  airflow multicloud costs s3://aws_default@finops/costs/ --group-by RegionId -o csv
  airflow multicloud costs ./costs --group-by tag:team --currency EUR --html costs.html
""",
)

COST_STORE = command(
    "cost-store",
    "List the exports in a cost store; take one out of it; delete old versions",
    arg("store", metavar="STORE", help="a directory, or the URI of a prefix"),
    arg(
        "--remove",
        metavar="EXPORT",
        help="take this export out, by its URI or its name in the list: it is not counted any more",
    ),
    arg("--cloud", metavar="NAME", help="with --remove: only of this cloud"),
    arg("--month", type=month, metavar="YYYY-MM", help="with --remove: only this month"),
    flag("--prune", "delete the files that only older states of the store need"),
    arg("--keep", type=int, metavar="N", help="with --prune: states that stay (default: 7)"),
    service="cost",
    description="Lists what the store then has: each export's months, and whether they are final. "
    "--prune leaves\nwhat was current within the last day, so that no reader loses its files.",
    examples="""\
  airflow multicloud cost-store s3://aws_default@finops/costs/
  airflow multicloud cost-store ./costs --remove billing/exports/focus-1-0 --prune
""",
)

QUOTE = command(
    "quote",
    "Say what a workload would cost on each cloud",
    arg("store", metavar="STORE", help="the cost store: your own prices come before lists'"),
    arg("--vcpus", type=number, metavar="N", help="of one instance, at least"),
    arg("--memory-gib", type=number, metavar="N", help="of one instance, at least"),
    arg("--instances", type=int, metavar="N", help="(default: 1)"),
    arg("--hours", type=number, metavar="N", help="of the month (default: 730)"),
    arg("--storage-gb", type=number, metavar="N", help="standard object storage, all month"),
    arg("--writes", type=int, metavar="N", help="requests a month"),
    arg("--reads", type=int, metavar="N", help="requests a month"),
    arg("--egress-gb", type=number, metavar="N", help="to the internet"),
    flag("--burstable", "accept instance types with shared cores"),
    arg("--cloud", action="append", metavar="NAME", help="(default: aws, gcp and azure)"),
    arg(
        "--region",
        action="append",
        metavar="CLOUD=REGION",
        help="of one cloud (default: where all of it can be priced and is cheapest)",
    ),
    arg("--currency", metavar="CODE", help="(default: USD)"),
    arg("--prices", metavar="PLACE", help="the price table that 'prices' wrote: file or URI"),
    arg("--max-price-age", type=duration, metavar="AGE", help="refuse older list prices, like 90d"),
    arg("--rates-file", metavar="PLACE", help="the exchange rates that 'rates' wrote"),
    service="cost",
    description="Each cloud's prices are all of one region. How old they are is said.",
    examples="""\
  airflow multicloud quote ./costs --vcpus 4 --memory-gib 16 --storage-gb 1000 --egress-gb 200
  airflow multicloud quote ./costs --storage-gb 50000 --prices s3://aws_default@finops/prices.csv
""",
)

PRICES = command(
    "prices",
    "Refresh a price table from the clouds' price lists",
    arg("target", metavar="PLACE", help="where the table is, or will be: a file, or a URI"),
    arg(
        "--from",
        dest="conn_ids",
        action="append",
        required=True,
        metavar="CONN_ID",
        help="a connection of a cloud whose list is to be asked; may be given more than once",
    ),
    arg(
        "--region",
        action="append",
        metavar="CLOUD=REGION",
        help="also the prices of this region; may be given more than once",
    ),
    service="cost",
    description="The table that is there is renewed, else the packaged one. It is written whole, "
    "or not at all.",
    examples="""\
  airflow multicloud prices s3://aws_default@finops/prices.csv --from aws_default \\
      --from google_cloud_default --from azure_default --region aws=eu-central-1
""",
)

RATES = command(
    "rates",
    "Fetch the European Central Bank's exchange rates",
    arg("target", metavar="PLACE", help="where the file is, or will be: a file, or a URI"),
    arg("--source", metavar="URL", help="an https URL, a file or a URI (default: the bank's)"),
    service="cost",
    description="The file is checked before it is written. Give it to 'costs' and 'quote' as "
    "--rates-file.",
    examples="""\
  airflow multicloud rates eurofxref-hist.zip
  airflow multicloud rates s3://aws_default@finops/eurofxref-hist.zip
""",
)

COMMANDS = (COSTS, COST_STORE, QUOTE, PRICES, RATES)

"""What ``airflow multicloud`` can be told.

Airflow loads this for every ``airflow …`` command: it imports no more than the means to say
what commands there are. Defaults are those of the Python API; the help only repeats them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.cli.cli_config import (
    ARG_OUTPUT,
    ARG_VERBOSE,
    ActionCommand,
    Arg,
    CLICommand,
    GroupCommand,
    lazy_load_command,
)

from airflow_multicloud.cli.values import day, duration, month, number, size

EXIT_CODES = """\
Exit codes:
  0    done
  1    unexpected error
  2    the command line or a connection is wrong, or an extra is not installed
  3    it ran, but some objects failed or are not proven
  4    not found: a connection, bucket, object or manifest
  5    credentials or permissions
  6    unavailable, timed out, throttled or changed meanwhile: try again later
  7    refused: what is there, a stated limit or a quota forbids it
  130  interrupted (Ctrl-C)
  141  whoever read the output closed it (as head does)
"""

_LOCATIONS = (
    "Locations are URIs: scheme://conn_id@bucket/key, with s3, gs or abfs; a prefix ends with a "
    "slash.\nWithout conn_id@ the scheme's default connection is used."
)


def _arg(name: str, **settings: Any) -> Arg:
    return Arg((name,), **settings)  # type: ignore[no-untyped-call]  # Airflow's


def _flag(name: str, text: str) -> Arg:
    return _arg(name, help=text, action="store_true")


_QUIET = Arg(  # type: ignore[no-untyped-call]  # Airflow's
    ("-q", "--quiet"),
    help="say nothing on stderr but what is the matter: no bar, no notes",
    action="store_true",
)


def _command(
    name: str,
    text: str,
    *args: Arg,
    description: str,
    examples: str,
    output: Arg = ARG_OUTPUT,
) -> ActionCommand:
    return ActionCommand(
        name=name,
        help=text,
        description=description,
        epilog=f"Examples:\n{examples}\n{EXIT_CODES}",
        func=lazy_load_command(f"airflow_multicloud.cli.commands.{name.replace('-', '_')}.run"),
        args=(*args, ARG_VERBOSE) if name == "local" else (*args, output, _QUIET, ARG_VERBOSE),
    )


_INIT = _command(
    "init",
    "Check connections: identity, reachability, region, and what is missing",
    _arg("conn_id", nargs="*", metavar="CONN_ID", help="connections; see above when left out"),
    description="Ask each connection's cloud who we are. Without CONN_ID: every connection of a "
    "cloud\nin the environment and in the metadata database and, for a cloud that has none, its\n"
    "default connection. Connections in a secrets backend must be named.",
    examples="""\
  airflow multicloud init
  airflow multicloud init aws_default google_cloud_default -o json
""",
)

_UPLOAD = _command(
    "upload",
    "Upload a file to one cloud, and replicate it to others",
    _arg("file", type=Path, metavar="FILE", help="a local file"),
    _arg(
        "destination",
        metavar="DESTINATION",
        help="the primary's URI; a prefix gets the file's name appended",
    ),
    _arg(
        "--replicate-to",
        action="append",
        metavar="URI",
        help="also replicate it there; may be given more than once",
    ),
    _flag("--immutable", "refuse to replace another content"),
    _flag("--create-buckets", "create buckets that do not exist"),
    _flag("--dry-run", "say what would be done at the primary, check the rest, and do nothing"),
    description=f"The same file is sent once: a second upload sends nothing.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud upload app.tar.gz s3://aws_default@releases/1.4/ --immutable
  airflow multicloud upload app.tar.gz s3://aws_default@releases/1.4/ \\
      --replicate-to gs://google_cloud_default@releases/1.4/ \\
      --replicate-to abfs://wasb_default@releases/1.4/
""",
)

_FILTERS = (
    _arg(
        "--include",
        action="append",
        metavar="GLOB",
        help="only keys (below the prefix) that match; may be given more than once",
    ),
    _arg(
        "--exclude",
        action="append",
        metavar="GLOB",
        help="no keys that match; may be given more than once",
    ),
    _arg("--min-size", type=size, metavar="SIZE", help="only objects of at least this, like 4K"),
    _arg("--max-size", type=size, metavar="SIZE", help="only objects of at most this, like 2G"),
    _arg("--min-age", type=duration, metavar="AGE", help="only objects as old as this, like 15m"),
    _arg("--max-age", type=duration, metavar="AGE", help="only objects as new as this, like 7d"),
)

_OPTIONS = (
    _flag("--immutable", "never replace an object; another content there is a conflict"),
    _arg(
        "--on-error",
        choices=("continue", "fail"),
        help="try every object, or stop at the first failure (default: continue)",
    ),
    _arg(
        "--min-success-ratio",
        type=float,
        metavar="RATIO",
        help="the share of copies, 0 to 1, that must end sound (default: 1.0)",
    ),
    _flag("--preserve-tags", "copy object tags where both stores have them"),
    _arg(
        "--compare-attributes",
        choices=("auto", "always", "never"),
        help="copy an unchanged object again when its metadata, content type or (always, with\n"
        "--preserve-tags) tags changed: where a listing shows it, or looking at every object\n"
        "(default: auto)",
    ),
    _flag("--delete-extraneous", "delete what the source does not have; needs --max-delete"),
    _arg(
        "--max-delete",
        type=int,
        metavar="N",
        help="refuse to delete more than N objects at any one destination",
    ),
    _arg(
        "--storage-class",
        action="append",
        metavar="[DESTINATION=]CLASS",
        help="the store's own name, like STANDARD_IA, NEARLINE or Cool; for one destination, or\n"
        "for all; may be given more than once",
    ),
    _arg(
        "--encryption-key",
        action="append",
        metavar="[DESTINATION=]KEY",
        help="S3: KMS key id or ARN; Google Cloud: KMS key; Azure: encryption scope; for one\n"
        "destination, or for all; may be given more than once",
    ),
    _flag("--create-buckets", "create destination buckets that do not exist"),
    _arg(
        "--part-size",
        type=size,
        metavar="SIZE",
        help="the size of a large object's parts (default: 8M)",
    ),
    _arg(
        "--large-object",
        type=size,
        metavar="SIZE",
        help="larger objects go by parts (default: 8M)",
    ),
    _arg("--concurrency", type=int, metavar="N", help="requests at once (default: 16)"),
    _arg(
        "--memory-limit",
        type=size,
        metavar="SIZE",
        help="content held in memory at once (default: 24M)",
    ),
    _arg(
        "--bandwidth-limit",
        type=size,
        metavar="SIZE",
        help="read at most this much of the source per second",
    ),
)

_REPLICATE = _command(
    "replicate",
    "Make one or more destinations proven replicas of an object or a prefix",
    _arg("source", metavar="SOURCE", help="the URI of an object or a prefix"),
    _arg("destination", nargs="+", metavar="DESTINATION", help="URIs; prefixes, if SOURCE is"),
    *_FILTERS,
    *_OPTIONS,
    _arg("--run-id", metavar="ID", help="names the manifest (default: random)"),
    _flag("--dry-run", "only say what would be copied, compared and deleted"),
    description="Only what changed is copied. Each destination gets a manifest that 'verify' and "
    f"'fetch' use.\n{_LOCATIONS}\nSizes are bytes, or K, M, G, T (powers of 1024); ages are s, m, "
    "h, d, w.",
    examples="""\
  airflow multicloud replicate s3://aws_default@lake/sales/ \\
      gs://google_cloud_default@lake/sales/ abfs://wasb_default@lake/sales/ --dry-run
  airflow multicloud replicate s3://lake/sales/ gs://lake/sales/ \\
      --include '*.parquet' --min-age 15m --delete-extraneous --max-delete 100 -o json | jq .
""",
)

_VERIFY = _command(
    "verify",
    "Prove a replica against its manifest",
    _arg("replica", metavar="REPLICA", help="the replica's URI, as it was a destination"),
    _arg(
        "--depth",
        choices=("checksums", "auto", "read"),
        default="auto",
        help="by the digests that the store reports, by those and reading where they are not\n"
        "enough, or by reading every byte (default: auto)",
    ),
    _arg("--run-id", metavar="ID", help="the manifest of this run (default: the latest)"),
    description=f"Names exactly what is damaged or missing.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud verify gs://google_cloud_default@lake/sales/
  airflow multicloud verify gs://lake/sales/ --depth read -o json || alert-someone
""",
)

_FETCH = _command(
    "fetch",
    "Fetch an object or a prefix from the first copy that can be trusted",
    _arg(
        "candidate",
        nargs="+",
        metavar="URI",
        help="the primary, then its replicas in the order of preference",
    ),
    _arg(
        "--to",
        required=True,
        metavar="TARGET",
        help="a local path, a URI, or - for standard output (one object, once it is verified)",
    ),
    _arg(
        "--fail-over-on",
        action="append",
        metavar="KIND",
        help="error kinds that make the next candidate's turn; may be given more than once\n"
        "(default: unavailable, timeout, throttled, not_found)",
    ),
    _arg(
        "--attempt-timeout",
        type=duration,
        metavar="TIME",
        help="the longest one candidate may take (default: 15m)",
    ),
    _arg(
        "--deadline",
        type=duration,
        metavar="TIME",
        help="the longest all of it may take (default: 1h)",
    ),
    _arg(
        "--max-staleness",
        type=duration,
        metavar="TIME",
        help="reject replicas that were last completed longer ago, like 1d",
    ),
    _arg("--expected-sha256", metavar="HEX", help="reject any other content"),
    _flag("--require-digest", "reject content that no digest vouches for"),
    _arg(
        "--hedge-after",
        type=duration,
        metavar="TIME",
        help="start the next candidate too when one takes longer than this, like 30s",
    ),
    description="Nothing is in place before it is verified. What served, and why others did not, "
    f"is told.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud fetch s3://releases/app.tar.gz gs://releases/app.tar.gz --to app.tar.gz
  airflow multicloud fetch s3://lake/sales/ gs://lake/sales/ --to ./sales --max-staleness 1d
  airflow multicloud fetch s3://lake/day.csv.gz gs://lake/day.csv.gz --to - | zcat | head
""",
)

_STATUS = _command(
    "status",
    "Say how replicas stand: last proven state, lag, findings",
    _arg("replica", nargs="+", metavar="REPLICA", help="replicas' URIs, as they were destinations"),
    _arg(
        "--max-lag",
        type=duration,
        metavar="TIME",
        help="a lag of more than this, like 2h, is a finding, and ends with exit code 3",
    ),
    description="By what the last run recorded beside each replica: one listing and some small "
    f"reads.\nNothing is proven anew: that is 'verify'.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud status gs://google_cloud_default@lake/sales/ abfs://wasb_default@lake/sales/
  airflow multicloud status gs://lake/sales/ --max-lag 2h -q || alert-someone
""",
)

_RUNS = _command(
    "runs",
    "List the runs recorded beside a replica",
    _arg("replica", metavar="REPLICA", help="the replica's URI, as it was a destination"),
    _arg("--limit", type=int, default=20, metavar="N", help="at most so many (default: 20)"),
    description=f"The newest first; 'verify --run-id' takes each of them.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud runs gs://google_cloud_default@lake/sales/
""",
)

_DRILL = _command(
    "drill",
    "Lose the primary on purpose, recover from the replicas, and write evidence",
    _arg("primary", metavar="PRIMARY", help="the URI of the prefix that is replicated"),
    _arg("replica", nargs="+", metavar="REPLICA", help="URIs, in the order of preference"),
    _arg(
        "--fault",
        choices=("unavailable", "stalled", "permission_denied", "truncated", "corrupt"),
        help="how the primary misbehaves, for this command only (default: unavailable)",
    ),
    _arg(
        "--fail-over-on",
        action="append",
        metavar="KIND",
        help="error kinds that make the next candidate's turn, as your fetches have them; may\n"
        "be given more than once (default: unavailable, timeout, throttled, not_found)",
    ),
    _arg("--rto", type=duration, metavar="TIME", help="the time objective (default: 1h)"),
    _arg("--rpo", type=duration, metavar="TIME", help="the point objective (default: 1h)"),
    _arg(
        "--attempt-timeout",
        type=duration,
        metavar="TIME",
        help="the longest one candidate may take for one object (default: 5m)",
    ),
    _arg(
        "--evidence",
        action="append",
        metavar="URI",
        help="a bucket that keeps the evidence; may be given more than once (default: those of\n"
        "the first two replicas in reach)",
    ),
    _arg(
        "--restore-to",
        metavar="DIRECTORY",
        help="keep what was recovered here; it must be empty (default: it is deleted)",
    ),
    description="Replicates, verifies, writes a canary (_drill/canary.json) below PRIMARY, then "
    "recovers\neverything from the replicas and judges. Nothing at any cloud is switched off or "
    f"deleted.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud drill s3://aws_default@lake/sales/ gs://google_cloud_default@lake/sales/ \\
      abfs://wasb_default@lake/sales/ --rto 15m --rpo 1h
""",
)

_CLEANUP = _command(
    "cleanup",
    "Remove what killed runs have left: parts, journals, plans, half-written files",
    _arg(
        "place",
        nargs="+",
        metavar="PLACE",
        help="URIs of prefixes that were written to (a bucket is one), and directories",
    ),
    _arg(
        "--older-than",
        type=duration,
        metavar="TIME",
        help="leave alone what was used since: a run may be under way (default: 1d)",
    ),
    _flag("--dry-run", "only name what would be removed"),
    description="The next run of the same replication goes on from what a killed one left, and "
    f"tidies up;\nthis is for what no run comes back to.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud cleanup gs://google_cloud_default@lake/ abfs://wasb_default@lake/ --dry-run
  airflow multicloud cleanup s3://lake/sales/ /data/sales --older-than 7d
""",
)

_MB = _command(
    "mb",
    "Make buckets",
    _arg("bucket", nargs="+", metavar="URI", help="scheme://conn_id@bucket"),
    _arg("--location", metavar="NAME", help="where, in the store's own words, like eu-central-1"),
    description=f"One that is there is left as it is.\n{_LOCATIONS}",
    examples="""\
  airflow multicloud mb s3://aws_default@lake gs://google_cloud_default@lake
""",
)

_COSTS = _command(
    "costs",
    "Say what the clouds cost, from the bills in a cost store",
    _arg("store", metavar="STORE", help="a directory, or the URI of a prefix"),
    _arg(
        "--ingest",
        action="append",
        metavar="URI",
        help="first bring the store up to date with this export; may be given more than once",
    ),
    _arg("--month", type=month, metavar="YYYY-MM", help="the whole month"),
    _arg("--start", type=day, metavar="YYYY-MM-DD", help="first day (default: of this month)"),
    _arg("--end", type=day, metavar="YYYY-MM-DD", help="the day after the last (default: today's)"),
    _arg(
        "--group-by",
        action="append",
        metavar="COLUMN",
        help="a FOCUS column, or tag:KEY; may be given more than once (default: ServiceName)",
    ),
    _arg(
        "--basis",
        choices=("billed", "effective", "list", "contracted"),
        help="(default: effective)",
    ),
    _arg(
        "--by",
        choices=("charge-day", "billing-period"),
        help="what was charged for these days, or is on the bills of these months (default: the\n"
        "bills for whole months with --basis billed, else the days)",
    ),
    _arg("--currency", metavar="CODE", help="convert everything to it (default: USD)"),
    _arg("--cloud", action="append", metavar="NAME", help="only this cloud; may be repeated"),
    _arg("--limit", type=int, metavar="N", help="lines per cloud; the rest is (other)"),
    _arg("--rates-file", metavar="PLACE", help="the newer exchange rates that 'rates' wrote"),
    _arg("--max-stale-days", type=int, metavar="N", help="use the last rate for so many days"),
    _arg("--html", metavar="FILE", help="also write the report as a page"),
    output=Arg(  # type: ignore[no-untyped-call]  # Airflow's
        ("-o", "--output"),
        help="Output format. Allowed values: table, json, yaml, plain, csv (default: table)",
        metavar="table|json|yaml|plain|csv",
        choices=("table", "json", "yaml", "plain", "csv"),
        default="table",
    ),
    description="Nothing is asked of a cloud but the exports given with --ingest and, for a store "
    "in a bucket,\nits files. Amounts on all four cost bases are rounded so that they add up.",
    examples="""\
  airflow multicloud costs ./costs --ingest s3://aws_default@billing/exports/focus --month 2026-10
  airflow multicloud costs s3://aws_default@finops/costs/ --group-by RegionId -o csv
  airflow multicloud costs ./costs --group-by tag:team --currency EUR --html costs.html
""",
)

_QUOTE = _command(
    "quote",
    "Say what a workload would cost on each cloud",
    _arg("store", metavar="STORE", help="the cost store: your own prices come before lists'"),
    _arg("--vcpus", type=number, metavar="N", help="of one instance, at least"),
    _arg("--memory-gib", type=number, metavar="N", help="of one instance, at least"),
    _arg("--instances", type=int, metavar="N", help="(default: 1)"),
    _arg("--hours", type=number, metavar="N", help="of the month (default: 730)"),
    _arg("--storage-gb", type=number, metavar="N", help="standard object storage, all month"),
    _arg("--writes", type=int, metavar="N", help="requests a month"),
    _arg("--reads", type=int, metavar="N", help="requests a month"),
    _arg("--egress-gb", type=number, metavar="N", help="to the internet"),
    _flag("--burstable", "accept instance types with shared cores"),
    _arg("--cloud", action="append", metavar="NAME", help="(default: aws, gcp and azure)"),
    _arg(
        "--region",
        action="append",
        metavar="CLOUD=REGION",
        help="of one cloud (default: where all of it can be priced and is cheapest)",
    ),
    _arg("--currency", metavar="CODE", help="(default: USD)"),
    _arg("--prices", metavar="PLACE", help="the price table that 'prices' wrote: file or URI"),
    _arg(
        "--max-price-age", type=duration, metavar="AGE", help="refuse older list prices, like 90d"
    ),
    _arg("--rates-file", metavar="PLACE", help="the exchange rates that 'rates' wrote"),
    description="Each cloud's prices are all of one region. How old they are is said.",
    examples="""\
  airflow multicloud quote ./costs --vcpus 4 --memory-gib 16 --storage-gb 1000 --egress-gb 200
  airflow multicloud quote ./costs --storage-gb 50000 --prices s3://aws_default@finops/prices.csv
""",
)

_PRICES = _command(
    "prices",
    "Read the clouds' price lists anew into a price table",
    _arg("target", metavar="PLACE", help="where the table is, or will be: a file, or a URI"),
    _arg(
        "--from",
        dest="conn_ids",
        action="append",
        required=True,
        metavar="CONN_ID",
        help="a connection of a cloud whose list is to be asked; may be given more than once",
    ),
    _arg(
        "--region",
        action="append",
        metavar="CLOUD=REGION",
        help="also the prices of this region; may be given more than once",
    ),
    description="The table that is there is renewed, else the packaged one. It is written whole, "
    "or not at all.",
    examples="""\
  airflow multicloud prices s3://aws_default@finops/prices.csv --from aws_default \\
      --from google_cloud_default --from azure_default --region aws=eu-central-1
""",
)

_RATES = _command(
    "rates",
    "Fetch the European Central Bank's exchange rates",
    _arg("target", metavar="PLACE", help="where the file is, or will be: a file, or a URI"),
    _arg("--source", metavar="URL", help="an https URL, a file or a URI (default: the bank's)"),
    description="The file is checked before it is written. Give it to 'costs' and 'quote' as "
    "--rates-file.",
    examples="""\
  airflow multicloud rates eurofxref-hist.zip
  airflow multicloud rates s3://aws_default@finops/eurofxref-hist.zip
""",
)

_COST_STORE = _command(
    "cost-store",
    "List the exports in a cost store; take one out of it; delete old versions",
    _arg("store", metavar="STORE", help="a directory, or the URI of a prefix"),
    _arg(
        "--remove",
        metavar="EXPORT",
        help="take this export out, by its URI or its name in the list: it is not counted any more",
    ),
    _arg("--cloud", metavar="NAME", help="with --remove: only of this cloud"),
    _arg("--month", type=month, metavar="YYYY-MM", help="with --remove: only this month"),
    _flag("--prune", "delete the files that only older states of the store need"),
    _arg("--keep", type=int, metavar="N", help="with --prune: states that stay (default: 7)"),
    description="Lists what the store then has: each export's months, and whether they are final. "
    "--prune leaves\nwhat was current within the last day, so that no reader loses its files.",
    examples="""\
  airflow multicloud cost-store s3://aws_default@finops/costs/
  airflow multicloud cost-store ./costs --remove billing/exports/focus-1-0 --prune
""",
)

_LOCAL = _command(
    "local",
    "Run servers on this machine that stand in for the clouds",
    _arg("--data-dir", metavar="DIRECTORY", help="keep data and logs here (default: temporary)"),
    _flag("--second-s3", "also run a second AWS, connection aws_second"),
    _arg(
        "command",
        nargs="...",
        metavar="-- COMMAND",
        help="run this with the connections set, then stop; its exit code is ours",
    ),
    description="Prints the connections aws_local, gcp_local and wasb_local as shell lines, and "
    "runs until\nCtrl-C. Needs the extra: pip install '.\\[local]' in a checkout. Linux only.",
    examples="""\
  airflow multicloud local -- bash
  airflow multicloud local --data-dir ./clouds
  airflow multicloud local -- airflow standalone
""",
)


def get_cli_commands() -> list[CLICommand]:
    """The commands this provider adds (the ``cli`` entry of its provider info)."""
    return [
        GroupCommand(
            name="multicloud",
            help="Replicate, prove and fail over data across AWS, Google Cloud and Azure",
            description="Replicate, prove and fail over data across AWS, Google Cloud and Azure.\n"
            "Results are on stdout (-o table, json, yaml or plain), all else is on stderr.",
            epilog=EXIT_CODES,
            subcommands=(
                *(_INIT, _MB, _UPLOAD, _REPLICATE, _VERIFY, _FETCH),
                *(_STATUS, _RUNS, _DRILL, _CLEANUP),
                *(_COSTS, _COST_STORE, _QUOTE, _PRICES, _RATES, _LOCAL),
            ),
        )
    ]

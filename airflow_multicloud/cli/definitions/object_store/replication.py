"""Commands that make and read replicas."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.cli.definitions.object_store.fetching import FETCH
from airflow_multicloud.cli.definitions.object_store.verification import VERIFY
from airflow_multicloud.cli.definitions.parts import LOCATIONS, arg, command, flag
from airflow_multicloud.cli.values import count_or_share, duration, size

MB = command(
    "mb",
    "Make buckets",
    arg("bucket", nargs="+", metavar="URI", help="scheme://conn_id@bucket"),
    arg("--location", metavar="NAME", help="where, in the store's own words, like eu-central-1"),
    service="object_store",
    description=f"One that is there is left as it is.\n{LOCATIONS}",
    examples="""\
  airflow multicloud mb s3://aws_default@lake gs://google_cloud_default@lake
""",
)

_SIGNING = arg(
    "--signing-conn-id",
    metavar="CONN",
    help="an Airflow connection with an Ed25519 key, which signs what is written into ledgers",
)

UPLOAD = command(
    "upload",
    "Upload a file to one cloud, and replicate it to others",
    arg("file", type=Path, metavar="FILE", help="a local file"),
    arg(
        "destination",
        metavar="DESTINATION",
        help="the primary's URI; a prefix gets the file's name appended",
    ),
    arg(
        "--replicate-to",
        action="append",
        metavar="URI",
        help="also replicate it there; may be given more than once",
    ),
    flag("--immutable", "refuse to replace another content"),
    flag("--create-buckets", "create buckets that do not exist"),
    _SIGNING,
    flag("--dry-run", "say what would be done at the primary, check the rest, and do nothing"),
    service="object_store",
    description=f"The same file is sent once: a second upload sends nothing.\n{LOCATIONS}",
    examples="""\
  airflow multicloud upload app.tar.gz s3://aws_default@releases/1.4/ --immutable
  airflow multicloud upload app.tar.gz s3://aws_default@releases/1.4/ \\
      --replicate-to gs://google_cloud_default@releases/1.4/ \\
      --replicate-to abfs://wasb_default@releases/1.4/
""",
)

#: What ledgers name as the selection of a run.
SELECTION = (
    arg(
        "--include",
        action="append",
        metavar="GLOB",
        help="only keys (below the prefix) that match; may be given more than once",
    ),
    arg(
        "--exclude",
        action="append",
        metavar="GLOB",
        help="no keys that match; may be given more than once",
    ),
    arg("--min-size", type=size, metavar="SIZE", help="only objects of at least this, like 4K"),
    arg("--max-size", type=size, metavar="SIZE", help="only objects of at most this, like 2G"),
    arg("--max-age", type=duration, metavar="AGE", help="only objects as new as this, like 7d"),
)
_FILTERS = (
    *SELECTION,
    arg("--min-age", type=duration, metavar="AGE", help="only objects as old as this, like 15m"),
)

_OPTIONS = (
    flag("--immutable", "never replace an object; another content there is a conflict"),
    arg(
        "--on-error",
        choices=("continue", "fail"),
        help="try every object, or stop at the first failure (default: continue)",
    ),
    arg(
        "--min-success-ratio",
        type=float,
        metavar="RATIO",
        help="the share of copies, 0 to 1, that must end sound (default: 1.0)",
    ),
    flag("--preserve-tags", "copy object tags where both stores have them"),
    arg(
        "--compare-attributes",
        choices=("auto", "always", "never"),
        help="copy an unchanged object again when its metadata, content type or (always, with\n"
        "--preserve-tags) tags changed: where a listing shows it, or looking at every object\n"
        "(default: auto)",
    ),
    flag("--delete-extraneous", "delete what the source does not have; needs --max-delete"),
    arg(
        "--max-delete",
        type=int,
        metavar="N",
        help="refuse to delete more than N objects at any one destination",
    ),
    arg(
        "--max-replace",
        type=count_or_share,
        metavar="N|N%",
        help="refuse to replace more than N objects, or N%% of those there, at any one destination",
    ),
    arg(
        "--storage-class",
        action="append",
        metavar="[DESTINATION=]CLASS",
        help="the store's own name, like STANDARD_IA, NEARLINE or Cool; for one destination, or\n"
        "for all; may be given more than once",
    ),
    arg(
        "--encryption-key",
        action="append",
        metavar="[DESTINATION=]KEY",
        help="S3: KMS key id or ARN; Google Cloud: KMS key; Azure: encryption scope; for one\n"
        "destination, or for all; may be given more than once",
    ),
    flag("--create-buckets", "create destination buckets that do not exist"),
    arg(
        "--part-size",
        type=size,
        metavar="SIZE",
        help="the size of a large object's parts (default: 8M)",
    ),
    arg(
        "--large-object",
        type=size,
        metavar="SIZE",
        help="larger objects go by parts (default: 8M)",
    ),
    arg(
        "--digest",
        choices=("sha256", "blake3"),
        help="what tells the content of these larger objects; blake3 takes a quarter of the time,\n"
        "and the extra of this name (default: sha256)",
    ),
    arg("--concurrency", type=int, metavar="N", help="requests at once (default: 16)"),
    arg(
        "--memory-limit",
        type=size,
        metavar="SIZE",
        help="content held in memory at once (default: 24M)",
    ),
    arg(
        "--bandwidth-limit",
        type=size,
        metavar="SIZE",
        help="read at most this much of the source per second",
    ),
)

REPLICATE = command(
    "replicate",
    "Make one or more destinations proven replicas of an object or a prefix",
    arg("source", metavar="SOURCE", help="the URI of an object or a prefix"),
    arg("destination", nargs="+", metavar="DESTINATION", help="URIs; prefixes, if SOURCE is"),
    *_FILTERS,
    *_OPTIONS,
    arg("--run-id", metavar="ID", help="names the run in the ledgers (default: random)"),
    _SIGNING,
    flag("--dry-run", "only say what would be copied, compared and deleted"),
    service="object_store",
    description="Only what changed is copied. What is proven is recorded in the destination's "
    f"ledger, which 'verify' and 'fetch' use.\n{LOCATIONS}\nSizes are bytes, or K, M, G, T (powers "
    "of 1024); ages are s, m, h, d, w.",
    examples="""\
  airflow multicloud replicate s3://aws_default@lake/sales/ \\
      gs://google_cloud_default@lake/sales/ abfs://wasb_default@lake/sales/ --dry-run
  airflow multicloud replicate s3://lake/sales/ gs://lake/sales/ \\
      --include '*.parquet' --min-age 15m --delete-extraneous --max-delete 100 -o json | jq .
""",
)

COMMANDS = (MB, UPLOAD, REPLICATE, VERIFY, FETCH)

"""``airflow multicloud fetch``."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.cli.definitions.parts import LOCATIONS, arg, command, flag
from airflow_multicloud.cli.values import duration

FETCH = command(
    "fetch",
    "Fetch an object or a prefix from the first copy that can be trusted",
    arg(
        "candidate",
        nargs="+",
        metavar="URI",
        help="the primary, then its replicas in the order of preference",
    ),
    arg(
        "--to",
        required=True,
        metavar="TARGET",
        help="a local path, a URI, or - for standard output (one object, once it is verified)",
    ),
    arg(
        "--fail-over-on",
        action="append",
        metavar="KIND",
        help="error kinds that trigger failover to the next candidate; may be given more than\n"
        "once (default: unavailable, busy, timeout, throttled, not_found)",
    ),
    arg(
        "--attempt-timeout",
        type=duration,
        metavar="TIME",
        help="the longest one candidate may take (default: 15m)",
    ),
    arg(
        "--deadline",
        type=duration,
        metavar="TIME",
        help="the overall time limit (default: 1h)",
    ),
    arg(
        "--max-staleness",
        type=duration,
        metavar="TIME",
        help="reject replicas that are known to be up to date until longer ago only, like 1d",
    ),
    arg("--expected-sha256", metavar="HEX", help="reject any other content"),
    flag("--require-digest", "reject content that no digest vouches for"),
    arg(
        "--hedge-after",
        type=duration,
        metavar="TIME",
        help="start the next candidate too when one takes longer than this, like 30s",
    ),
    arg(
        "--first",
        dest="live_primary",
        choices=("primary", "replica"),
        help="what the first candidate is: the live primary, judged by its listing, or a replica,\n"
        "judged by its ledger (default: as ledgers have it)",
    ),
    arg(
        "--expected-root",
        dest="expected_roots",
        action="append",
        metavar="URI=ROOT",
        help="reject the candidate unless its ledger's newest commit has this root, or the one\n"
        "that --at-least-commit names; may be given more than once",
    ),
    arg(
        "--at-least-commit",
        dest="at_least_commits",
        action="append",
        metavar="URI=NUMBER",
        help="reject the candidate unless its ledger has reached this commit; may be given more\n"
        "than once",
    ),
    arg(
        "--public-key",
        dest="public_keys",
        type=Path,
        metavar="FILE",
        help="reject replicas whose ledger is not signed by one of these Ed25519 keys (PEM)",
    ),
    flag("--list-unknown", "report what lies at the replica and its ledger does not know"),
    service="object_store",
    description="Nothing is in place before it is verified. What served, and why others did not, "
    f"is told.\n{LOCATIONS}",
    examples="""\
  airflow multicloud fetch s3://releases/app.tar.gz gs://releases/app.tar.gz --to app.tar.gz
  airflow multicloud fetch s3://lake/sales/ gs://lake/sales/ --to ./sales --max-staleness 1d
  airflow multicloud fetch s3://lake/day.csv.gz gs://lake/day.csv.gz --to - | zcat | head
""",
)

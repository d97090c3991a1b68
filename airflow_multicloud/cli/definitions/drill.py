"""The commands that hold a drill, and that check what drills have written."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import LOCATIONS, arg, command
from airflow_multicloud.cli.values import duration

DRILL = command(
    "drill",
    "Lose the primary on purpose, recover from the replicas, and write evidence",
    arg("primary", metavar="PRIMARY", help="the URI of the prefix that is replicated"),
    arg("replica", nargs="+", metavar="REPLICA", help="URIs, in the order of preference"),
    arg(
        "--fault",
        choices=("unavailable", "stalled", "permission_denied", "truncated", "corrupt"),
        help="how the primary misbehaves, for this command only (default: unavailable)",
    ),
    arg(
        "--fail-over-on",
        action="append",
        metavar="KIND",
        help="error kinds that trigger failover to the next candidate, as your fetches have them;\n"
        "may be given more than once (default: unavailable, busy, timeout, throttled, not_found)",
    ),
    arg("--rto", type=duration, metavar="TIME", help="the time objective (default: 1h)"),
    arg(
        "--detect",
        type=duration,
        metavar="TIME",
        help="the objective of a phase, counted from the fault like the next two: until the first\n"
        "attempt has failed (default: none)",
    ),
    arg(
        "--failover",
        type=duration,
        metavar="TIME",
        help="until a copy begins to send what it serves in the end (default: no objective)",
    ),
    arg(
        "--first-verified",
        type=duration,
        metavar="TIME",
        help="until the first object is verified and in place (default: no objective)",
    ),
    arg("--rpo", type=duration, metavar="TIME", help="the point objective (default: 1h)"),
    arg(
        "--attempt-timeout",
        type=duration,
        metavar="TIME",
        help="the longest one candidate may take for one object (default: 5m)",
    ),
    arg(
        "--evidence",
        action="append",
        metavar="URI",
        help="a bucket that keeps the evidence; may be given more than once (default: those of\n"
        "the first two replicas in reach); in fewer than two clouds the drill can't pass",
    ),
    arg(
        "--signing-conn-id",
        metavar="CONN_ID",
        help="the connection whose password is the Ed25519 key (PEM) that signs the evidence\n"
        "(default: it is not signed)",
    ),
    arg(
        "--restore-to",
        metavar="DIRECTORY",
        help="keep what was recovered here; it must be empty (default: it is deleted)",
    ),
    description="Replicates, verifies, writes a canary (_drill/canary.json) below PRIMARY, then "
    "recovers\neverything from the replicas and judges. Nothing at any cloud is switched off or "
    f"deleted.\n{LOCATIONS}",
    examples="""\
  airflow multicloud drill s3://aws_default@lake/sales/ gs://google_cloud_default@lake/sales/ \\
      abfs://wasb_default@lake/sales/ --rto 15m --rpo 1h
""",
)

EVIDENCE = command(
    "evidence",
    "Check the evidence that drills have written to a bucket, or show its trend",
    arg(
        "action",
        choices=("verify", "trend"),
        help="verify: read the whole chain of records; trend: RTO, RPO and verdict of the newest",
    ),
    arg("place", metavar="PLACE", help="a URI in the bucket that keeps the evidence"),
    arg(
        "--public-key",
        metavar="FILE",
        help="Ed25519 public keys in PEM; each record must be signed by one of them\n"
        "(default: signatures are not looked at)",
    ),
    arg(
        "--signed-from",
        type=int,
        metavar="N",
        help="the first record that must be signed (default: 1)",
    ),
    arg(
        "--at-least",
        type=int,
        metavar="N",
        help="a record with this number was written: all up to it must be there",
    ),
    arg(
        "--expected-sha256",
        metavar="HEX",
        help="a record with this SHA-256 was written, as the drill reported it: it must be there",
    ),
    arg(
        "--witness",
        action="append",
        metavar="URI",
        help="another bucket that the same drills wrote to: what its records say of this chain\n"
        "must hold; may be given more than once",
    ),
    arg("--last", type=int, metavar="N", help="trend: how many drills (default: 20)"),
    description="Every record names the one before it by its SHA-256. Reads all of them, and says "
    "which are\nmissing, changed, out of order or not signed. Who may write in the bucket can "
    "replace the\nwhole chain, or take its newest records away: the options are against that.\n"
    f"{LOCATIONS}",
    examples="""\
  airflow multicloud evidence verify gs://google_cloud_default@lake/
  airflow multicloud evidence verify gs://lake/ --public-key signing.pub --at-least 12
  airflow multicloud evidence verify gs://lake/ --witness abfs://wasb_default@lake/
  airflow multicloud evidence trend gs://lake/ --last 12
""",
)

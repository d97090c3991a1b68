"""The command that proves replicas."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import LOCATIONS, arg, command

VERIFY = command(
    "verify",
    "Prove a replica against its ledger",
    arg("replica", metavar="REPLICA", help="the replica's URI, as it was a destination"),
    arg(
        "--depth",
        choices=("checksums", "auto", "read"),
        default="auto",
        help="by the digests that the store reports, by those and reading where they are not\n"
        "enough, or by reading every byte (default: auto)",
    ),
    arg("--run-id", metavar="ID", help="the state at the end of this run (default: the newest)"),
    arg(
        "--expected-root",
        metavar="HEX",
        help="a ledger_root that was reported earlier: the newest commit must have it, or, with\n"
        "--at-least-commit, that one",
    ),
    arg(
        "--at-least-commit",
        type=int,
        metavar="N",
        help="the newest commit must have this number or a greater one",
    ),
    arg(
        "--sibling",
        action="append",
        metavar="URI",
        help="another replica, whose ledger must not contradict this one; may be given more than\n"
        "once",
    ),
    arg(
        "--public-key",
        metavar="FILE",
        help="Ed25519 public keys in PEM, one of which must have signed the newest commit",
    ),
    service="object_store",
    description="Names exactly what is damaged or missing. Whoever can write to the bucket can "
    "rewrite its ledger:\na root that you noted, other replicas, or a signature tell whether "
    f"somebody has.\n{LOCATIONS}",
    examples="""\
  airflow multicloud verify gs://google_cloud_default@lake/sales/
  airflow multicloud verify gs://lake/sales/ --depth read -o json || alert-someone
  airflow multicloud verify gs://lake/sales/ --sibling abfs://lake/sales/ --public-key signing.pub
""",
)

"""``airflow multicloud status``: how replicas stand by what is recorded beside them."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta
from typing import Any

from airflow_multicloud.api import ReplicaStatus, replica_status
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.commands.object_store.replicate import filter_of
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.running import command
from airflow_multicloud.cli.wording import spelled
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.text import duration_text


@command()
def run(args: Namespace) -> Result:
    """Say it of each; one that can't be looked at costs no other."""
    rows: list[dict[str, Any]] = []
    documents: list[dict[str, Any]] = []
    remarks: list[str] = []
    codes: list[ExitCode] = []
    for uri in args.replica:
        try:
            one = replica_status(uri, max_lag=args.max_lag, chosen=filter_of(args))
        except CloudError as err:
            rows.append({**dict.fromkeys(_COLUMNS), "replica": uri, "status": str(err.kind)})
            documents.append({"replica": uri, "problem": f"{err.kind}: {err}"})
            remarks.append(error_line(err.kind, spelled("status", str(err))))
            codes.append(exit_codes.of_error(err))
            continue
        rows.append(_row(one))
        documents.append({**to_document(one), "problem": None})
        remarks += [f"{one.replica}: {finding}" for finding in one.findings]
        late = args.max_lag is not None and not _is_within(one, args.max_lag)
        codes.append(ExitCode.NOT_SOUND if late or not one.complete else ExitCode.DONE)
    return Result(rows, documents, remarks, next((code for code in codes if code), ExitCode.DONE))


_COLUMNS = ("replica", "status", "lag", "proven", "as_of")


def _is_within(one: ReplicaStatus, max_lag: timedelta) -> bool:
    return one.lag is not None and timedelta(0) <= one.lag <= max_lag


def _row(one: ReplicaStatus) -> dict[str, Any]:
    lag = one.lag if one.lag is not None and one.lag >= timedelta(0) else None
    return {
        "replica": one.replica,
        "status": "ok" if not one.findings else "see below",
        "lag": "unknown" if lag is None else duration_text(lag.total_seconds()),
        "proven": f"{one.proven} of {one.objects}",
        "as_of": f"{one.as_of:%Y-%m-%d %H:%M:%S}" if one.as_of else "unknown",
    }

"""``airflow multicloud fetch``: from the first copy that can be trusted."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import fields

from airflow_multicloud.api import FailoverPolicy, Provenance, TreeProvenance, failover_fetch
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.progress import progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.failover.policy import parse_kinds


@command
def run(args: Namespace) -> Result:
    """Fetch, and say who served it and how that is known."""
    given = {f.name: getattr(args, f.name) for f in fields(FailoverPolicy)}
    if args.fail_over_on is not None:
        given["fail_over_on"] = parse_kinds(args.fail_over_on)
    policy = FailoverPolicy(**{name: v for name, v in given.items() if v is not None})
    with progress_bar("fetching"):
        served = failover_fetch(args.candidate, args.to, policy)
    remarks = [f"failed over: {a}" for a in served.attempts if a.kind is not None]
    if isinstance(served, TreeProvenance):
        remarks += [f"left out: {name!r}" for name in served.left_out_names]
    return Result([_row(served)], [served.as_dict()], remarks)


def _row(served: Provenance | TreeProvenance) -> dict[str, object]:
    if isinstance(served, Provenance):
        by, objects, verified = served.served_by, 1, served.verified_by or "nothing"
    else:
        by = ", ".join(f"{uri} ({count})" for uri, count in served.served.items())
        objects = served.objects
        verified = ", ".join(f"{how} ({count})" for how, count in served.verified_by.items())
    return {
        "target": served.target,
        "served_by": by,
        "failed_over": served.failed_over,
        "objects": objects,
        "bytes": served.size,
        "verified_by": verified,
        "as_of": served.as_of.isoformat(timespec="seconds"),
    }

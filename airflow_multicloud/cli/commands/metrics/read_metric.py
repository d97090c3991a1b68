"""``airflow multicloud read-metric``: a metric's points, from its cloud."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.api import ReadPoint, read_metric
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.pairs import pairs
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.text import printable, printable_data


@command()
def run(args: Namespace) -> Result:
    """Read them; no points is "not found"."""
    until = args.until or datetime.now(UTC)
    since = args.since or until - (args.last or timedelta(hours=1))
    found = read_metric(
        args.conn_id,
        args.name,
        namespace=args.namespace,
        since=since,
        until=until,
        attributes=dict(pairs("--attribute", args.attribute or (), "NAME=VALUE, like country=de")),
    )
    remarks = [f"note: {note}" for note in found.notes]
    if not found.points:
        remarks.append("no points: a cloud may show them minutes after it has taken them")
    code = ExitCode.DONE if found.points else ExitCode.NOT_FOUND
    return Result([_row(one) for one in found.points], [to_document(found)], remarks, code)


def _row(one: ReadPoint) -> dict[str, Any]:
    return {
        "time": one.time.isoformat(),
        "start": None if one.start is None else one.start.isoformat(),
        # Escaped as JSON has it, so that it can be read as such in every form of the output.
        "attributes": printable_data(
            json.dumps(dict(sorted(one.attributes.items())), ensure_ascii=False)
        ),
        "count": one.count,
        "total": one.total,
        "minimum": one.minimum,
        "maximum": one.maximum,
        "unit": printable(one.unit),
    }

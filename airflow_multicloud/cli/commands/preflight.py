"""``airflow multicloud preflight``: whether operations will be allowed what they need."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from airflow_multicloud.api import render_policy, run_preflight
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.cli.yaml_text import read_yaml
from airflow_multicloud.core.preflight.report import CheckedPermission
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.identity import Decision
from airflow_multicloud.text import given_text


@command()
def run(args: Namespace) -> Result:
    """Check, or with ``--render`` write policies."""
    operations = _read(args.file)
    if args.render is not None:
        rendered = [to_document(one) for one in render_policy(operations, args.render)]
        text = json.dumps(rendered, indent=2)
        return Result([], [], content=io.BytesIO(f"{text}\n".encode()))
    report = run_preflight(operations, on_unknown="warn" if args.warn_unknown else "fail")
    remarks = [
        f"note: {one.conn_id}: without {one.permission}, {one.without}"
        for one in report.permissions
        if one.without and one.decision is not Decision.ALLOW
    ]
    remarks.append(
        f"{report.allowed} permissions allowed, {report.denied} denied, {report.unknown} not known"
    )
    return Result(
        [_row(one) for one in report.permissions],
        [to_document(report)],
        remarks,
        ExitCode.DONE if report.passed else ExitCode.DENIED,
    )


def _row(one: CheckedPermission) -> dict[str, object]:
    return {
        "decision": one.decision,
        "cloud": one.cloud,
        "conn_id": one.conn_id,
        "permission": one.permission,
        "resource": one.resource,
        "condition": one.condition,
        "needed": one.needed,
        "calls": ", ".join(one.calls),
        "operations": ", ".join(one.operations),
        "reason": one.reason,
    }


def _read(file: str) -> Any:
    """The operations of a file, in JSON or YAML.

    :raises CloudError: kind ``not_found`` or ``invalid_argument``, naming the file.
    """
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as err:
        raise CloudError(f"file: {file}: {err.strerror}", kind=ErrorKind.NOT_FOUND) from err
    except UnicodeDecodeError:
        why = "it is not in UTF-8"
    except ValueError:  # of a path with a NUL character
        raise CloudError(
            f"file: {given_text(file)} given, expected a path", kind=ErrorKind.INVALID_ARGUMENT
        ) from None
    else:
        try:
            return read_yaml(text)
        except ValueError as err:
            why = str(err)
    raise CloudError(
        f"file: {file} can't be read, expected JSON or YAML: {why}", kind=ErrorKind.INVALID_ARGUMENT
    )

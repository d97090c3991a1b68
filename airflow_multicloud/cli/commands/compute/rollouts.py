"""What deploying and rolling back share: files of JSON, plans, and what came of a rollout."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from airflow_multicloud.api import MultiCloudDeploymentResult, MultiCloudPlan
from airflow_multicloud.api.compute.rollouts import ApprovedPlan
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result, error_line, say
from airflow_multicloud.core.rollout.names import place_of
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind

#: More is no deployment, nor a plan of one.
_MOST_BYTES = 16 * 1024 * 1024
INTERRUPTED = (
    "what was launched is there, and the same command goes on with it; "
    "'airflow multicloud deployments' names it"
)


def read_json(path: Path, parameter: str) -> Any:
    """What a file says.

    :raises DeploymentError: ``invalid_argument`` when it can't be read.
    """
    try:
        with path.open("rb") as file:  # What is cut off here is no JSON any more.
            return json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError) as err:
        raise DeploymentError(
            f"{parameter}: {path} can't be read as JSON: {err}", kind=ErrorKind.INVALID_ARGUMENT
        ) from err


def approved_of(args: Namespace) -> dict[str, Any] | str | None:
    """The plan that was approved, by ``--plan`` or ``--plan-hash``.

    :raises DeploymentError: ``invalid_argument``.
    """
    if args.plan is None:
        hashed: str | None = args.plan_hash
        return hashed
    if args.plan_hash is not None:
        raise DeploymentError(
            "--plan: given together with --plan-hash, expected one of them",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    found = read_json(args.plan, "plan")
    if isinstance(found, list) and len(found) == 1:
        (found,) = found  # as -o json prints it
    if not isinstance(found, dict):
        raise DeploymentError(
            f"--plan: {args.plan} is no plan; expected what --dry-run -o json prints",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found


def carried_out(
    args: Namespace,
    plan: Callable[[], MultiCloudPlan],
    work: Callable[[ApprovedPlan], MultiCloudDeploymentResult],
) -> Result:
    """Print the plan and, without ``--dry-run``, do what it says.

    :param work: gets the plan that is to hold.
    """
    approved = approved_of(args)
    planned = plan()
    if args.dry_run:
        remarks = [*planned.lines, "nothing was changed (--dry-run)"]
        return Result([*_planned_rows(planned)], [planned.document], remarks)
    if not args.quiet:
        for line in planned.lines:
            say(line)
    # What was printed is what runs, also where nobody had approved anything before.
    result = work(planned if approved is None else approved)
    return Result([*_rows(result)], [to_document(result)], *_ended(result))


def progress_of(args: Namespace) -> Callable[[str], None] | None:
    """Says each step on stderr, unless ``--quiet`` is given."""
    return None if args.quiet else say


def _planned_rows(planned: MultiCloudPlan) -> Iterator[dict[str, Any]]:
    for target in planned.plan.targets:
        for number, candidate in enumerate(target.candidates, 1):
            price, spec = candidate.hourly_price, candidate.spec
            yield {
                "target": target.name,
                "cloud": target.cloud,
                "count": target.count,
                "candidate": number,
                "place": place_of(spec.region, spec.zone),
                "size": spec.size.name,
                "image": spec.image.id,
                "price": None if price is None else f"{price.amount:f} {price.currency}/h",
            }
        if not target.candidates:
            yield {
                "target": target.name,
                "cloud": target.cloud,
                "count": target.count,
                "candidate": None,
                "place": f"{target.error_kind}: {target.error}",
                "size": None,
                "image": None,
                "price": None,
            }


def _rows(result: MultiCloudDeploymentResult) -> Iterator[dict[str, Any]]:
    for target in result.targets:
        found = target.instances
        yield {
            "target": target.name,
            "cloud": target.cloud,
            "outcome": target.outcome.value,
            "instances": ", ".join(one.id for one in found) or None,
            "addresses": ", ".join(one.public_address or one.address or "none" for one in found)
            or None,
            "attempts": len(target.attempts),
            "error": target.error_kind,
            "seconds": round(target.seconds, 1),
        }


def _ended(result: MultiCloudDeploymentResult) -> tuple[list[str], ExitCode]:
    """What went wrong and the exit code."""
    remarks = [
        f"{target.name}: {target.outcome}: {target.error_kind}: {target.error}"
        for target in result.targets
        if target.error is not None
    ]
    if result.stopped is not None:
        remarks.append(f"no other wave was begun: {result.stopped}")
    remarks.append(f"success rate {result.success_rate:.0%}, plan hash {result.plan_hash}")
    try:
        result.raise_if_failed()
    except CloudError as err:
        return [*remarks, error_line(err.kind, err)], exit_codes.of_error(err)
    return remarks, ExitCode.DONE

"""``airflow multicloud deployments``: what runs where."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from airflow_multicloud.api import DeploymentsReport, list_deployments
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.commands.compute.places import regions_of, told
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.rollout.names import place_of
from airflow_multicloud.documents import to_document


@command()
def run(args: Namespace) -> Result:
    """List it; a place that can't be listed costs no other."""
    report = list_deployments(args.conn, regions=regions_of(args), deployment_id=args.deployment_id)
    remarks = told(report.unreachable)
    remarks += [f"unreadable labels: {one.id}: {one.why}" for one in report.unreadable]
    if report.complete and not report.deployments and not report.unreadable:
        remarks.append("note: nothing there carries a deployment's label")
    return Result([*rows(report)], [to_document(report)], remarks, code_of(report))


def code_of(report: DeploymentsReport) -> ExitCode:
    """The exit code of the first place that gave no answer, if any."""
    kinds = [place.error_kind for place in report.unreachable]
    return exit_codes.of_kind(kinds[0]) if kinds else ExitCode.DONE


def rows(report: DeploymentsReport) -> Iterator[dict[str, Any]]:
    """One for each instance."""
    for deployment in report.deployments:
        for target in deployment.targets:
            for slot in target.slots:
                for one in slot.instances:
                    yield {
                        "deployment": deployment.deployment_id,
                        "target": target.name,
                        "slot": slot.number,
                        "revision": one.revision,
                        "standing": one.standing.value,
                        "state": one.state.value,
                        "conn_id": one.conn_id,
                        "place": place_of(one.region, one.zone),
                        "size": one.size,
                        "address": one.public_address or one.address,
                        "id": one.id,
                    }
    for lost in report.unreadable:
        yield {
            "deployment": lost.deployment_id,
            "target": lost.target,
            "slot": None,
            "revision": None,
            "standing": "unreadable",
            "state": lost.state.value,
            "conn_id": lost.conn_id,
            "place": place_of(lost.region, lost.zone),
            "size": None,
            "address": None,
            "id": lost.id,
        }

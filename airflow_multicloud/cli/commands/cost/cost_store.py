"""``airflow multicloud cost-store``: what a cost store has, and what is to go."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command(interrupted="what was removed stays removed; the same command goes on from there")
def run(args: Namespace) -> Result:
    """Remove and prune what was asked for, and list what there is."""
    analyzer = CloudCostAnalyzer(args.store)
    remarks = []
    if args.remove:
        gone = analyzer.remove_export(args.remove, cloud=args.cloud, month=args.month)
        remarks += [f"not counted any more: {p.cloud} {p.export} {p.month}" for p in gone]
    if args.prune:
        remarks.append(f"files deleted: {len(analyzer.prune_store(keep=args.keep))}")
    rows = [to_document(period) for period in analyzer.stored_exports()]
    if not rows:
        remarks.append(f"the store {args.store} has no bills; give exports to 'costs --ingest'")
    return Result(rows, rows, remarks)

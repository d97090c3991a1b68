"""``airflow multicloud replicate``: make destinations proven replicas of a source."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from airflow_multicloud.api import (
    Destination,
    ObjectFilter,
    Plan,
    ReplicationFailedError,
    ReplicationOptions,
    ReplicationReport,
    replicate,
    replication,
)
from airflow_multicloud.api.cost.transfers import estimate_replication
from airflow_multicloud.cli.exit_codes import of_error
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.progress import BAR_INTERVAL, progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.cli.wording import spelled
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.report import DestinationReport
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: How many keys of each kind a dry run names.
_NAMED = 1000


@command(
    interrupted="what is finished is kept, and so are the parts sent of a large object; "
    "the same command goes on from there"
)
def run(args: Namespace) -> Result:
    """Replicate, or with ``--dry-run`` say what would be done."""
    options, destinations = options_of(args), destinations_of(args)
    signing = args.signing_conn_id
    prepared = replication(args.source, destinations, options, signing_conn_id=signing)
    if args.dry_run:
        return _planned(prepared)
    try:
        with progress_bar("replicating", quiet=args.quiet) as listener:
            report = replicate(
                args.source,
                destinations,
                options,
                run_id=args.run_id,
                signing_conn_id=signing,
                listener=listener,
                interval=BAR_INTERVAL,
            )
    except ReplicationFailedError as err:
        remarks = [*remarks_on(err.report), error_line(err.kind, err)]
        return Result(_rows(err.report), [to_document(err.report)], remarks, of_error(err))
    effects = [
        f"note: {spelled('replicate', told)}"
        for told in engine.options_without_effect(prepared, report)
    ]
    return Result(_rows(report), [to_document(report)], [*remarks_on(report), *effects])


def _planned(prepared: Replication) -> Result:
    """What would be done, by name where something is lost by it, and its price."""
    plans = engine.plan(prepared, named=_NAMED)
    remarks = [line for plan in plans for line in _named(plan)]
    remarks += [f"{plan.uri}: {finding}" for plan in plans for finding in plan.findings]
    price: dict[str, Any] | None = None
    try:
        estimate = estimate_replication(prepared, plans=plans)
    except CloudError as err:
        remarks.append(f"price: unknown: {err}")
    else:
        price = to_document(estimate)
        remarks.append(f"price: {estimate}")
    remarks.append("nothing was changed (--dry-run)")
    rows = [
        {name: value for name, value in asdict(plan).items() if not isinstance(value, tuple)}
        for plan in plans
    ]
    return Result(rows, [{**asdict(plan), "price": price} for plan in plans], remarks)


def _named(plan: Plan) -> Iterable[str]:
    kinds = (
        ("would replace", plan.replaces, plan.replace),
        ("would compare, and replace if it differs", plan.compares, plan.compare),
        ("would delete", plan.deletes, plan.delete),
    )
    for doing, names, count in kinds:
        yield from (f"{doing}: {plan.uri}{name}" for name in names)
        if count > len(names):
            yield f"{doing}: {count - len(names)} more at {plan.uri}"


def options_of(args: Namespace) -> ReplicationOptions:
    """The options given; those that were left out keep the defaults of the Python API."""
    names = (f.name for f in fields(ReplicationOptions) if f.name != "filter")
    return ReplicationOptions(filter=filter_of(args), **_given(args, names))


def filter_of(args: Namespace) -> ObjectFilter:
    """The filter given."""
    return ObjectFilter(**_given(args, (f.name for f in fields(ObjectFilter))))


def destinations_of(args: Namespace) -> list[Destination]:
    """The destinations given, with what is to hold for them.

    :raises StorageError: kind ``invalid_argument`` for a destination that is none of them, or
        two values for one.
    """
    classes = _per_destination(args.destination, args.storage_class, "--storage-class")
    keys = _per_destination(args.destination, args.encryption_key, "--encryption-key")
    return [Destination(uri, classes.get(uri), keys.get(uri)) for uri in args.destination]


def _per_destination(
    destinations: Sequence[str], given: Sequence[str] | None, option: str
) -> dict[str, str]:
    """Values by destination; ``DESTINATION=VALUE`` goes before a plain ``VALUE`` for all."""
    for_all: list[str] = []
    for_one: dict[str, str] = {}
    for text in given or ():
        # Keys may hold "=", so only a destination that was given is looked for before one.
        uri = next((uri for uri in destinations if text.startswith(f"{uri}=")), None)
        value = text if uri is None else text[len(uri) + 1 :]
        if (uri is None and "://" in text) or not value:
            raise _refused(option, text, "VALUE, or DESTINATION=VALUE with one of the destinations")
        if for_all if uri is None else uri in for_one:
            raise _refused(option, text, "one value for each destination")
        if uri is None:
            for_all.append(value)
        else:
            for_one[uri] = value
    return {
        uri: for_one.get(uri) or for_all[0] for uri in destinations if for_all or uri in for_one
    }


def _refused(option: str, given: str, expected: str) -> StorageError:
    return StorageError(
        f"{option}: {given!r} given, expected {expected}", kind=ErrorKind.INVALID_ARGUMENT
    )


def _given(args: Namespace, names: Iterable[str]) -> dict[str, Any]:
    given = {name: getattr(args, name, None) for name in names}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }


def _rows(report: ReplicationReport) -> list[dict[str, object]]:
    return [
        {
            "destination": destination.uri,
            "objects": report.objects,
            "outcomes": outcomes(destination),
            "bytes_written": destination.bytes_written,
            "deleted": destination.deleted,
            "ledger": ledger(destination),
            "run_id": report.run_id,
        }
        for destination in report.destinations
    ]


def outcomes(destination: DestinationReport) -> str:
    """What became of a destination's objects, in a few words."""
    return ", ".join(f"{count} {o}" for o, count in sorted(destination.outcomes.items()))


def ledger(destination: DestinationReport) -> str | None:
    """The run's last commit in a destination's ledger, and how its root begins."""
    if destination.commit is None or destination.ledger_root is None:
        return None
    return f"{destination.commit} {destination.ledger_root[:12]}"


def remarks_on(report: ReplicationReport) -> list[str]:
    """What failed or was left out, as far as the report names it, and what could not be kept."""
    not_kept = [
        f"note: {destination.uri} could not keep {what} of {count} objects"
        for destination in report.destinations
        for what, count in destination.not_kept.items()
    ]
    return [
        *(f"failed: {failure}" for failure in report.failures),
        *(f"left out: {left_out}" for left_out in report.left_out),
        *not_kept,
    ]

"""A synchronisation: look everywhere, check the whole plan, write, remove last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.secret_sync import planning
from airflow_multicloud.core.secret_sync.carrying import Budget, carried
from airflow_multicloud.core.secret_sync.looking import Comparer, History
from airflow_multicloud.core.secret_sync.options import SyncOptions
from airflow_multicloud.core.secret_sync.outcomes import FAILING, WRITING, SyncOutcome, Verdict
from airflow_multicloud.core.secret_sync.planning import AtSource, Plan, Run
from airflow_multicloud.core.secret_sync.removing import not_removed, removed
from airflow_multicloud.core.secret_sync.report import Settled, SyncedStore, SyncReport, report_of
from airflow_multicloud.core.secret_sync.stores import (
    Accounts,
    Store,
    Unusable,
    destination_stores,
    source_store,
)
from airflow_multicloud.core.telemetry import failed, operation, submit_in_context
from airflow_multicloud.errors import CloudError, SecretsError
from airflow_multicloud.ports.secrets import SecretsService

T = TypeVar("T")

_Place = Store | Unusable
#: Destinations that are served at the same time.
_MOST_AT_ONCE = 16


def sync(
    source: Destination[SecretsService],
    destinations: Sequence[Destination[SecretsService]],
    options: SyncOptions,
    accounts: Accounts = MappingProxyType({}),
) -> SyncReport:
    """Make the secrets of every destination equal to the source's.

    :param accounts: connection → the store that it is expected to lead to; nothing is read of any
        when one leads to another.
    :raises SecretsError: ``invalid_argument`` or ``precondition_failed`` for stores that are not
        as they must be; ``not_found`` when the source has nothing of what is meant.
    :raises CloudError: when the source can't be asked.
    """
    with operation("secrets.sync", multicloud__destinations=len(destinations)) as span:
        first = source_store(source, accounts)
        places = destination_stores(first, destinations, accounts)
        comparer = Comparer()
        run = Run(
            source=first,
            options=options,
            comparer=comparer,
            history=History(first.hook, comparer),
        )
        at_source = planning.look_at_source(run)
        plans = _at_each(places, lambda place: _planned(run, place, at_source))
        refused = planning.most_exceeded(plans, options)
        if not options.dry_run and refused is None:
            plans = _carried_out(run, places, plans)
        report = report_of(
            first.conn_id,
            first.id,
            [(_store(p, made), _settled(p, made)) for p, made in zip(places, plans, strict=True)],
            dry_run=options.dry_run or refused is not None,
            refused=refused,
        )
        _tell(report, span.set_attribute)
        return report


def _planned(run: Run, place: _Place, at_source: AtSource) -> Plan:
    if isinstance(place, Unusable):
        names = (*at_source.left, *at_source.errors, *at_source.seen)
        verdict = Verdict(outcome=SyncOutcome.FAILED)
        return Plan(dict.fromkeys(names, verdict), set(), place.error)
    with operation("secrets.sync.compare", **_attributes(place)):
        made = planning.plan(run, place, at_source)
        if made.error is not None:
            failed(made.error)
        return made


def _carried_out(run: Run, places: Sequence[_Place], plans: Sequence[Plan]) -> list[Plan]:
    budget = Budget(run.options.max_replace)
    made = dict(zip([place.conn_id for place in places], plans, strict=True))

    def write(place: _Place) -> None:
        if isinstance(place, Store):
            with operation("secrets.sync.destination", **_attributes(place)):
                _write(run, place, made[place.conn_id], budget)

    _at_each(places, write)
    clean = not any(_failed(one) for one in plans)

    def remove(place: _Place) -> None:
        if isinstance(place, Store) and made[place.conn_id].removals:
            with operation("secrets.sync.remove", **_attributes(place)):
                _remove(run, place, made[place.conn_id], clean=clean)

    _at_each(places, remove)
    return list(plans)


def _write(run: Run, to: Store, made: Plan, budget: Budget) -> None:
    def one(name: str) -> None:
        made.verdicts[name] = carried(run, to, name, budget)
        _note(made.verdicts[name], to)

    names = [name for name, verdict in made.verdicts.items() if verdict.outcome in WRITING]
    planning.each(one, names, run.options.workers)


def _remove(run: Run, to: Store, made: Plan, *, clean: bool) -> None:
    for name in sorted(made.removals):
        cancellation.check()
        made.verdicts[name] = removed(run, to, name) if clean else not_removed()
        _note(made.verdicts[name], to)


def _failed(made: Plan) -> bool:
    bad = any(verdict.outcome in FAILING for verdict in made.verdicts.values())
    return bad or made.error is not None


def _note(verdict: Verdict, to: Store) -> None:
    """The destination's span is a failed one when anything failed there."""
    if verdict.outcome in FAILING and verdict.error_kind is not None:
        failed(SecretsError(verdict.message, kind=verdict.error_kind, cloud=to.cloud))


def _at_each(places: Sequence[_Place], work: Callable[[_Place], T]) -> list[T]:
    with cancellation.pool(min(len(places), _MOST_AT_ONCE) or 1, "multicloud-stores") as pool:
        futures = [submit_in_context(pool, work, place) for place in places]
        cancellation.wait_for(futures)
        cancellation.check()
        return [future.result() for future in futures]


def _attributes(to: Store) -> Mapping[str, str]:
    return {"cloud__provider": to.cloud, "multicloud__conn_id": to.conn_id}


def _store(place: _Place, made: Plan) -> SyncedStore:
    error: CloudError | None = place.error if isinstance(place, Unusable) else made.error
    return SyncedStore(
        conn_id=place.conn_id,
        cloud=place.cloud,
        store=place.id if isinstance(place, Store) else None,
        error_kind=None if error is None else error.kind,
        error=None if error is None else str(error),
    )


def _settled(place: _Place, made: Plan) -> Sequence[Settled]:
    return [
        Settled(conn_id=place.conn_id, name=name, verdict=verdict)
        for name, verdict in sorted(made.verdicts.items())
    ]


def _tell(report: SyncReport, attribute: Callable[[str, int], None]) -> None:
    for outcome in SyncOutcome:
        count = sum(getattr(one, outcome) for one in report.destinations)
        if count:
            attribute(f"multicloud.secrets.{outcome}", count)

"""What became of a sharded run's objects, by what the ledgers and the listings say."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from msgspec.structs import replace

from airflow_multicloud.core import records
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication import run_files
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.facts import as_recorded
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: What a shard's record of its outcomes may say; all else is in the ledgers.
_FAILURES = frozenset({Outcome.FAILED, Outcome.CONFLICT, Outcome.SOURCE_CHANGED})


def settled_items(
    catalog: Catalog, home: Endpoint, run: Run, plan: run_files.Plan, young: list[str]
) -> Iterator[Item]:
    """Every item with what became of it, by what the ledgers and the listings say now.

    :param young: gets the names of what was changed at the source since the plan.
    """
    failures = Follow(_failures(home, run.run_id, plan.shards))
    for item in catalog.items():
        known = failures.at(item.name)
        settled, missed = item, False
        for index, state in enumerate(item.replicas):
            entry = catalog.entry(index, item.name)
            after = _by_ledger(run, item, state, entry)
            if after.outcome is None:
                failed = known.replicas[index] if known and index < len(known.replicas) else None
                missed = missed or failed is None or failed.outcome not in _FAILURES
                after = _failed(state, failed)
            if after is not state:
                settled = settled.with_replica(index, after)
        if missed and item.modified > run.started:
            young.append(item.name)
        elif settled is not item:
            yield settled


def _by_ledger(run: Run, item: Item, state: Replica, entry: Entry | None) -> Replica:
    """What a destination's own ledger and listing say of an object."""
    proof = entry.proof if entry else None
    if proof is None or state.prior is None or state.outcome not in (None, Outcome.UNCHANGED):
        return state
    if not proof.etag or proof.etag != state.prior.etag:
        return state
    if not proof.is_about(run.origin_of(item.name), item.etag, item.size):
        return state
    if state.outcome is not None and proof.run_id != run.run_id:
        return state
    return replace(
        as_recorded(state, proof),
        reason=None if proof.proven else "the store reports no digest of the object as a whole",
    )


def _failed(state: Replica, failed: Replica | None) -> Replica:
    """A replica that no shard has brought to a good end."""
    if failed is not None and failed.outcome in _FAILURES:
        kind = failed.kind or ErrorKind.UNAVAILABLE
        return state.failed(failed.outcome, kind, failed.reason or "")
    return state.failed(
        Outcome.FAILED,
        ErrorKind.UNAVAILABLE,
        "the shard that has it did not finish, or none has it: clear the task of the shard, or the "
        "one that plans",
    )


def _failures(home: Endpoint, run_id: str, shards: int) -> Iterator[tuple[str, Item]]:
    """What the shards say of objects that failed: for readers, as far as it can be read."""
    for number in range(shards):
        try:
            for item in run_files.read_items(home, run_id, run_files.done(run_files.shard(number))):
                yield item.name, item
        except CloudError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                continue  # It did not finish.
            if err.kind not in records.UNREADABLE:
                raise
            _log.warning("why objects failed is not known: %s", printable(str(err)))

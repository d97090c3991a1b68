"""What Airflow remembers of ledgers, where a writer of their buckets can't change it.

After a run, number and root of its last commit at each destination go to XCom (``ledgers``), to the
events of the task's outlets, and on Airflow 3.3 to the state store of these assets. A task that has
such an asset among its inlets or outlets holds a replica's ledger against that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.replication.report import DestinationReport
from airflow_multicloud.core.upload import Uploaded
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.opening.endpoints import open_endpoint

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

#: Where it is kept: the key in XCom and in the ``extra`` of events.
XCOM_KEY = "ledgers"
EVENT_KEY = "multicloud_ledgers"
#: So many events of an asset are looked at, the newest first.
_EVENTS = 100


def state_key(place: str) -> str:
    """The key in an asset's state store."""
    return f"multicloud ledger of {place}"


def ledgers_of(written: Iterable[DestinationReport | Uploaded]) -> tuple[Remembered, ...]:
    """What a run has left in ledgers; the newest where two destinations have the same one."""
    now, found = datetime.now(UTC), dict[str, Remembered]()
    for one in written:
        if one.commit is not None and one.ledger_root is not None:
            place = place_of(open_endpoint(one.uri, parameter="uri"))
            this = Remembered(place, one.commit, one.ledger_root, now)
            before = found.get(this.place)
            if before is None or before.commit < this.commit:
                found[this.place] = this
    return tuple(found.values())


def remember(task: BaseOperator, context: Context, ledgers: Sequence[Remembered]) -> None:
    """Keep what a run has left in ledgers, whether it succeeded or not."""
    if not ledgers:
        return
    context["ti"].xcom_push(key=XCOM_KEY, value=[to_document(one) for one in ledgers])
    for asset in _assets(task.outlets):
        for store in _stores(context, asset):
            for one in ledgers:
                before = _read(task, asset, store.get(state_key(one.place)))
                # A run that ended meanwhile may have told of its later commit first. A ledger that
                # was rolled back stays one until somebody says that it is right.
                if before is None or before.commit <= one.commit:
                    store.set(state_key(one.place), to_document(one))


def event_extra(ledgers: Sequence[Remembered]) -> dict[str, Any]:
    """What the events of outlets get besides."""
    return {EVENT_KEY: [to_document(one) for one in ledgers]} if ledgers else {}


def remembered(
    task: BaseOperator, context: Context, uris: Iterable[str]
) -> Mapping[str, Remembered]:
    """What is remembered of the ledgers of places, by bucket; it is told in the task's log.

    The state stores of the task's inlets and outlets, where Airflow has them, else the newest
    events of its inlets.
    """
    found: dict[str, Remembered] = {}
    for place in _places(task, uris):
        known = [*_in_stores(task, context, place)] or [*_in_events(task, context, place)]
        if known:
            newest = max(known, key=lambda one: one.commit)
            found[place] = newest
            task.log.info("the ledger of %s must still have %s", place, newest)
    return found


def _places(task: BaseOperator, uris: Iterable[str]) -> Iterable[str]:
    """The places of the buckets, each once; what can't be opened is told by whoever uses it."""
    found: dict[str, None] = {}
    if any(True for _ in _assets([*task.inlets, *task.outlets])):
        for uri in uris:
            with suppress(CloudError):
                found[place_of(open_endpoint(uri, parameter="uri"))] = None
    return found


def _in_stores(task: BaseOperator, context: Context, place: str) -> Iterator[Remembered]:
    for asset in _assets([*task.inlets, *task.outlets]):
        for store in _stores(context, asset):
            one = _read(task, asset, store.get(state_key(place)))
            if one is not None and one.place == place:
                yield one


def _in_events(task: BaseOperator, context: Context, place: str) -> Iterator[Remembered]:
    """What the newest event of each inlet says that speaks of this place."""
    for asset in _assets(task.inlets):
        for event in reversed(list(context["inlet_events"][asset])[-_EVENTS:]):
            listed = (event.extra or {}).get(EVENT_KEY)
            told = [_read(task, asset, one) for one in listed] if isinstance(listed, list) else []
            here = [one for one in told if one is not None and one.place == place]
            if here:
                yield from here
                break


def _stores(context: Context, asset: Asset) -> Iterator[Any]:
    """The asset's state store; none before Airflow 3.3."""
    stores: Any = context.get("asset_state_store")
    if stores is not None:
        yield stores[asset]


def _assets(lets: Iterable[object]) -> Iterator[Asset]:
    return (one for one in lets if isinstance(one, Asset))


def _read(task: BaseOperator, asset: Asset, told: object) -> Remembered | None:
    if told is None:
        return None
    try:
        return read_document(Remembered, told, what="what is remembered of a ledger")
    except CloudError as err:
        task.log.warning("asset %s: %s", asset.name, err)
        return None

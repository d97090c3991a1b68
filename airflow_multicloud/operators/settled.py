"""What the tries of a task remember of what was delivered, where Airflow keeps state for tasks.

That is Airflow 3.3 and later (``task_state_store``); it is of one task and map index, and stays
from try to try.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.deliveries import PartlySettled, Settled
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.accounting import Accounting
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

_log = logging.getLogger(__name__)

#: A value may have 64 KiB (``[state_store] max_value_storage_bytes``). That is about 2,500 portions
#: of all destinations together; what is more is sent again.
_MOST = 60_000


def settled_before(task: BaseOperator, context: Context, key: str) -> Settled:
    """By connection id, what earlier tries have settled; empty where nothing is remembered.

    :param key: what it is kept under.
    """
    store: Any = context.get("task_state_store")
    told = None if store is None else _told(store, key)
    found: Settled = {}
    for conn_id, portions in _items(told):
        found[conn_id] = {}
        for digest, account in _items(portions):
            try:
                found[conn_id][digest] = _read(account)
            except CloudError as err:
                task.log.warning("sent again: %s", err)
    return found


def remember_settled(context: Context, key: str, settled: Settled) -> None:
    """Keep for a later try what this one and those before it have settled."""
    store: Any = context.get("task_state_store")
    if store is None or not any(settled.values()):
        return
    kept: dict[str, dict[str, Any]] = {}
    for conn_id, accounts in settled.items():
        left = _MOST // len(settled)
        kept[conn_id] = {}
        # The newest first, of which this try knows, and of these what takes little room.
        newest = reversed([*accounts.items()])
        for digest, account in sorted(newest, key=lambda one: not _is_plain(one[1])):
            told = account.accepted if _is_plain(account) else to_document(account)
            size = len(json.dumps({digest: told}))
            if size <= left:
                left -= size
                kept[conn_id][digest] = told
    try:
        store.set(key, kept)
    except Exception as err:  # noqa: BLE001 - everything was sent and accounted for without it
        _log.warning("a later try of this task would send everything again: %s", _why(err))


def _told(store: Any, key: str) -> object:
    try:
        return store.get(key)
    except Exception as err:  # noqa: BLE001 - what is not remembered is sent again
        _log.warning("what earlier tries had accepted is not known: %s", _why(err))
        return None


def _why(err: Exception) -> str:
    return printable(f"Airflow's state store failed: {type(err).__name__}: {err}")


def _is_plain(account: Accounting) -> bool:
    """Nearly all portions were accepted as a whole: their number says it."""
    return not account.refusals and not isinstance(account, PartlySettled)


def _items(told: object) -> list[tuple[str, Any]]:
    return [*told.items()] if isinstance(told, Mapping) else []


def _read(told: object) -> Accounting:
    if isinstance(told, int):
        return Accounting(given=told, accepted=told)
    partly = isinstance(told, Mapping) and "places" in told
    cls = PartlySettled if partly else Accounting
    return read_document(cls, told, what="what was accepted before")

"""Runs, and items of them, made by hand: what becomes of them needs no store."""

from __future__ import annotations

from datetime import timedelta

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger.commits import Identity, Selection
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.run import Run
from tests.unit.ledger.made import at

SOURCE = "mem://lab/data/"


def a_run(
    run_id: str = "run",
    minutes: float = 0,
    *,
    selection: Selection = Selection(),
    source: str = SOURCE,
    min_age: float = 0,
) -> Run:
    """A run that began so long after noon; ``min_age`` in minutes too."""
    started = at(minutes)
    return Run(
        Identity(run_id, f"token of {run_id}"),
        source,
        source.endswith("/"),
        selection,
        started,
        started - timedelta(minutes=min_age),
    )


def an_item(
    name: str = "a", *states: Replica, content: bytes = b"1", etag: str = "s-e", minutes: float = 0
) -> Item:
    """An object of the source, and what is to become of it at each destination."""
    return Item(
        name,
        len(content),
        etag,
        "source version",
        at(minutes),
        states or (Replica(),),
        digests_of(content),
    )

"""What runs that are over have left at the destinations, discarded at the end of a run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.left_uploads import clear_left_uploads
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog
from airflow_multicloud.core.replication.request import Replication


def clear_left(catalog: Catalog, replication: Replication, writable: Iterable[int]) -> int:
    """Discard uploads that no later run takes up; returns how many.

    Also of objects that were deleted, renamed or shrunk since, and of this package's own files. An
    upload of an object that the source has, and that this run did not look at or could not bring to
    its end, is kept for a while.

    :param writable: the destinations, by index, that can be worked with.
    """
    return sum(
        clear_left_uploads(
            replication.destinations[index],
            wanted=partial(_wanted, catalog, replication.destinations[index], index),
            own_files=True,
        )
        for index in writable
    )


def _wanted(catalog: Catalog, destination: Endpoint, index: int, key: str) -> bool:
    name = key.removeprefix(destination.location.key)
    if catalog.is_untouched(name):
        return False
    if (item := catalog.item(name)) is None:
        return key.startswith(destination.location.key) and catalog.is_listed(SOURCE, name)
    outcome = item.replicas[index].outcome
    return outcome is None or not outcome.sound

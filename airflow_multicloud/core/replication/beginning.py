"""The first commit of a run: made as late as can be, and before anything is written."""

from __future__ import annotations

from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.recording import Recorder


class Begin:
    """Has the run say once that it begins to write. One thread uses it.

    :param due: whether the run has not said so yet.
    """

    def __init__(self, catalog: Catalog, recorder: Recorder, *, due: bool) -> None:
        self._catalog = catalog
        self._recorder = recorder
        self._due = due

    def now(self) -> None:
        """Say it."""
        if self._due:
            self._recorder.begin()
            self._due = False

    def before(self, item: Item) -> Item:
        """Say it; the item, failed where it could not be said."""
        self.now()
        if (told := self._catalog.item(item.name)) is not None:
            for index in item.open_replicas:
                if told.replicas[index].outcome is not None:
                    item = item.with_replica(index, told.replicas[index])
        return item

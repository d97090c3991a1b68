"""Records of the same drill that are there already: of a run that was cleared, or is retried."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.core.drill.chain import numbers_of, read_file
from airflow_multicloud.core.drill.history import Earlier
from airflow_multicloud.core.drill.records import Record, key_of
from airflow_multicloud.core.drill.trend import NO_RECORD
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import CloudError

#: How many of a chain's newest records are read for it.
_LOOKED_AT = 20
#: What names a run among the facts of a record.
_OF_RUN = ("DAG", "run")


def earlier(place: Endpoint, drill_id: str, run: Mapping[str, str]) -> list[Earlier]:
    """The records of a drill among the newest ones in a place's bucket, the newest first.

    :param run: who holds it: a record is of the same drill if it has its id, or names the same run
        of the same DAG.
    :raises StorageError: as the store's calls do.
    """
    found: list[Earlier] = []
    for number in sorted(numbers_of(place), reverse=True)[:_LOOKED_AT]:
        try:
            record = Record.of(read_file(place, key_of(number)))
        except CloudError as err:
            if err.kind not in NO_RECORD:
                raise
            continue
        told = record.evidence
        same_run = all(name in run and told.run.get(name) == run[name] for name in _OF_RUN)
        if same_run or told.drill_id == drill_id:
            uri = str(place.location.with_key(key_of(number)))
            found.append(Earlier(uri, record.sha256, str(told.verdict), told.written_at))
    return found

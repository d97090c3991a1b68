"""What holds for every object that is copied, small or large: it costs itself at most."""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.core.endpoints import why_not_reserved_key
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.small import Job
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


def guarded(copy: Callable[..., Item], job: Job, item: Item, *more: object) -> Item:
    """Copy one object; whatever else than its failure is raised on the way becomes that.

    An answer that nobody foresaw, or a bug, costs the object that it came with. A panic in obstore
    is no ``Exception``; what else is none (an interrupt, Airflow's timeout) ends the work.
    """
    try:
        return copy(job, item, *more)
    except (WorkCancelledError, MemoryError):
        raise
    except BaseException as err:
        if not isinstance(err, Exception) and type(err).__name__ != "PanicException":
            raise
        text = printable(f"{type(err).__name__}: {err}")
        _log.warning("%s: copying it failed by an unforeseen error: %s", printable(item.name), text)
        _log.debug("the error of %s", printable(item.name), exc_info=True)
        kind = err.kind if isinstance(err, CloudError) else ErrorKind.INTEGRITY
        return item.end_open(Outcome.FAILED, kind, text)


def reserved_left_out(job: Job, item: Item) -> Item:
    """The item, to be written nowhere among this package's own files.

    Planning has seen to it, but a shard's file lies at the first destination: who may write there
    could add items to it, and so plant records at the others.
    """
    for index in item.open_replicas:
        if why := why_not_reserved_key(job.replica_key(index, item)):
            state = item.replicas[index].failed(Outcome.RESERVED, ErrorKind.UNSUPPORTED, why)
            item = item.with_replica(index, state)
    return item

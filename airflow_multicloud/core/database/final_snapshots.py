"""Whether the snapshot that was to be taken before a removal is there: the data is gone otherwise.

Names don't tell it alone: a snapshot may have failed, and Cloud SQL takes a final one under a name
that an older one has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from airflow_multicloud.core.database.identity import SNAPSHOT, identity_of
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseRef,
    DatabaseService,
    Snapshot,
    SnapshotState,
)

#: Some clouds tell times in whole seconds.
_ROUNDED: Final = timedelta(seconds=1)


def is_kept(
    service: DatabaseService,
    ref: DatabaseRef,
    name: str,
    *,
    token: str | None,
    made_at: datetime | None,
) -> bool:
    """Whether the final snapshot of an instance that is gone can be restored.

    :param ref: the instance.
    :param name: of the snapshot.
    :param token: of the order that made the instance, which its final snapshot carries; ``None``
        where no try that is remembered has seen the instance.
    :param made_at: when the instance was made, where that is known.
    :return: ``False`` while it is being taken.
    :raises DatabaseError: ``precondition_failed`` when there is none.
    """
    named = [one for one in service.list_snapshots(ref, {}) if one.name == name]
    states = [one.state for one in named if _is_final(one, token, made_at)]
    if SnapshotState.AVAILABLE in states:
        return True
    if SnapshotState.CREATING in states:
        return False
    if states:
        why = f"its snapshot {name!r} is {states[0]}"
    elif named:
        why = f"the snapshot {name!r} of it is another one, not taken when it was removed"
    else:
        why = f"there is no snapshot {name!r} of it"
    raise DatabaseError(
        f"final_snapshot: {ref.id} is gone, and {why}: taking it has failed, or somebody else has "
        "deleted the instance, or an earlier try without this snapshot. Look for others",
        kind=ErrorKind.PRECONDITION_FAILED,
    )


def _is_final(snapshot: Snapshot, token: str | None, made_at: datetime | None) -> bool:
    identity = identity_of(snapshot.labels, snapshot.name)
    if identity is not None and identity.kind == SNAPSHOT:
        # It was ordered as such.
        return False
    if token is not None and snapshot.labels.get(TOKEN_LABEL) != token:
        return False
    taken_at = snapshot.created_at
    return taken_at is None or made_at is None or taken_at >= made_at - _ROUNDED

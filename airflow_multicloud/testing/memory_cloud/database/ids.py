"""Ids of the memory cloud's instances and snapshots, which name their region."""

from __future__ import annotations

import re
from typing import Final

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import DatabaseRef
from airflow_multicloud.testing.memory_cloud.database.refusals import failure

#: The region of plain names.
REGION: Final = "mem-1"
_NAME = re.compile(r"[a-z][a-z0-9-]*")


def id_of(account_id: str, kind: str, region: str, name: str) -> str:
    """A full id.

    :param kind: ``databases`` or ``snapshots``.
    """
    return f"memory/{account_id}/{region}/{kind}/{name}"


def named(account_id: str, kind: str, ref: DatabaseRef) -> tuple[str, str]:
    """The region and the name that a reference means.

    :raises DatabaseError: ``invalid_argument``.
    """
    place, _, name = ref.id.rpartition(f"/{kind}/")
    owner, _, region = place.rpartition("/")
    is_id = owner == f"memory/{account_id}"
    contradicts = is_id and ref.region not in (None, region)
    if not _NAME.fullmatch(name) or (place and not is_id) or contradicts:
        within = f" in {ref.region}" if contradicts else ""
        raise failure(
            f"{kind.removesuffix('s')}: {ref.id!r} given{within}; expected a name, or "
            f"{id_of(account_id, kind, '<region>', '<name>')}",
            ErrorKind.INVALID_ARGUMENT,
        )
    return (region if is_id else ref.region or REGION), name

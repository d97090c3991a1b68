"""A snapshot's name, token and labels in its backup's description: backups have nothing else.

Anybody may write a description. One that is not written exactly as here is not a snapshot of ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from airflow_multicloud.adapters.orders import check_order
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.claims import token_text
from airflow_multicloud.clouds.gcp.database.errors import failure
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseRef, SnapshotOrder

_MARK: Final = "airflow-multicloud 1 "
#: Characters; Google says nothing of a limit.
_LONGEST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a description says.

    :param labels: without the token.
    """

    name: str
    token: str
    labels: Mapping[str, str]

    @property
    def all_labels(self) -> dict[str, str]:
        """The labels as the port has them."""
        return {**self.labels, TOKEN_LABEL: self.token}


def described(name: str, token: str, labels: Mapping[str, str]) -> str:
    """The description of a snapshot.

    :raises DatabaseError: ``invalid_argument`` when the labels are too long together.
    """
    told = {"name": name, "token": token_text(token), "labels": dict(labels)}
    text = _MARK + json.dumps(told, separators=(",", ":"), sort_keys=True)
    if len(text) > _LONGEST:
        raise failure(
            f"labels: {len(text)} characters with the name and the token; expected at most "
            f"{_LONGEST}, which a backup's description holds",
            ErrorKind.INVALID_ARGUMENT,
        )
    return text


def description_in(text: str | None) -> Description | None:
    """What a description says; ``None`` when the backup is not a snapshot of ours."""
    if text is None or not text.startswith(_MARK) or len(text) > _LONGEST:
        return None
    try:
        told: dict[str, Any] = json.loads(text.removeprefix(_MARK))
        order = SnapshotOrder(database=DatabaseRef(""), **told)
        check_order(order, cloud=NAME)
        # A text of another order, spacing or spelling was not written here.
        if text != described(order.name, order.token, order.labels):
            return None
    except (DatabaseError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    return Description(name=order.name, token=order.token, labels=dict(order.labels))

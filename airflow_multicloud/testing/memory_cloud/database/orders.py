"""Orders, checked by the port's rules, and what of them is kept as labels."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import LabelRules, current_work
from airflow_multicloud.ports.database import TOKEN_LABEL, RestoreOrder, SnapshotOrder
from airflow_multicloud.testing.memory_cloud.database.refusals import failure
from airflow_multicloud.testing.memory_cloud.database.space import SIZES, SUBNETS

_NAME = re.compile(r"(?=.{1,60}\Z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_RULES = LabelRules(illegal=r"[^a-z0-9_-]", longest=63, lower=True)


def check_order(order: SnapshotOrder | RestoreOrder) -> None:
    """Refuse what the port does not allow.

    :raises DatabaseError: ``invalid_argument``.
    """
    check_name("name", order.name)
    check_token(order.token)
    for key, value in order.labels.items():
        if not (_KEY.fullmatch(key) and _VALUE.fullmatch(value)):
            raise failure(
                f"labels: {key!r}={value!r} given; expected lower-case letters, digits, hyphens "
                "and underscores, at most 63 characters, and a letter first in a key",
                ErrorKind.INVALID_ARGUMENT,
            )
    if isinstance(order, RestoreOrder):
        _check_place(order)


def check_name(parameter: str, name: str) -> None:
    """Refuse what is no name of an instance or a snapshot.

    :raises DatabaseError: ``invalid_argument``.
    """
    if not _NAME.fullmatch(name):
        raise failure(
            f"{parameter}: {name!r} given; expected a lower-case letter, then those, digits and "
            "single hyphens, at most 60 characters",
            ErrorKind.INVALID_ARGUMENT,
        )


def check_token(token: str) -> None:
    """Refuse what is no token.

    :raises DatabaseError: ``invalid_argument``.
    """
    try:
        uuid.UUID(token)
    except ValueError:
        raise failure("token: expected a UUID", ErrorKind.INVALID_ARGUMENT) from None


def labels_of(order: SnapshotOrder | RestoreOrder) -> dict[str, str]:
    """What is kept on what an order makes; an instance's bill names the DAG."""
    work = current_work().lasting().labels(_RULES) if isinstance(order, RestoreOrder) else {}
    return {**work, **order.labels, TOKEN_LABEL: order.token}


def carries(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    """Whether these labels are among those."""
    return all(key in labels and value in (None, labels[key]) for key, value in wanted.items())


def _check_place(order: RestoreOrder) -> None:
    if order.size is not None and order.size not in SIZES:
        raise failure(
            f"size: {order.size!r} given, which is not there; known: {', '.join(SIZES)}",
            ErrorKind.INVALID_ARGUMENT,
        )
    network = order.network
    if network is None:
        return
    if network.subnet is not None and network.subnet not in SUBNETS:
        raise failure(
            f"network.subnet: {network.subnet!r} given, which is not there; known: "
            f"{', '.join(SUBNETS)}",
            ErrorKind.NOT_FOUND,
        )
    if network.security_groups or network.private_zone is not None:
        raise failure(
            "network: security_groups or private_zone given, expected none here",
            ErrorKind.INVALID_ARGUMENT,
        )

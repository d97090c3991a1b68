"""What of an order the memory cloud checks beyond the port's rules, and what it keeps as labels."""

from __future__ import annotations

from airflow_multicloud.adapters.orders import check_order
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import LabelRules, current_work
from airflow_multicloud.ports.database import TOKEN_LABEL, RestoreOrder, SnapshotOrder
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.memory_cloud.database.refusals import failure
from airflow_multicloud.testing.memory_cloud.database.space import SIZES, SUBNETS

_RULES = LabelRules(illegal=r"[^a-z0-9_-]", longest=63, lower=True)


def check_restore(order: RestoreOrder) -> None:
    """Refuse what the port does not allow, and what is not there.

    :raises DatabaseError: ``invalid_argument``, ``not_found``.
    """
    check_order(order, cloud=NAME)
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


def labels_of(order: SnapshotOrder | RestoreOrder) -> dict[str, str]:
    """What is kept on what an order makes; an instance's bill names the DAG."""
    work = current_work().lasting().labels(_RULES) if isinstance(order, RestoreOrder) else {}
    return {**work, **order.labels, TOKEN_LABEL: order.token}

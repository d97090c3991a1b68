"""Whether a rollout has succeeded, can still succeed, and may go on: pure questions."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil

from airflow_multicloud.errors import DeploymentError, ErrorKind


def needed(min_success: float, total: int) -> int:
    """How many targets must succeed.

    :param min_success: a count (``int``) or a fraction (``float``).
    """
    if isinstance(min_success, int):
        return min_success
    # 0.7 × 10 is 7.000000000000001 at times, which must not come to 8.
    return ceil(round(min_success * total, 9))


def check_quorum(min_success: float, total: int) -> None:
    """Refuse a count that no outcome can reach.

    :raises DeploymentError: ``invalid_argument``.
    """
    if needed(min_success, total) > total:
        raise DeploymentError(
            f"min_success: {min_success} given, expected at most the number of targets, {total}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def is_met(
    targets: Collection[str],
    succeeded: Collection[str],
    required: Collection[str],
    min_success: float,
) -> bool:
    """Whether enough targets have succeeded, and all that are required."""
    return len({*succeeded} & {*targets}) >= needed(min_success, len(targets)) and {*required} <= {
        *succeeded
    }


def can_be_met(
    targets: Collection[str],
    failed: Collection[str],
    required: Collection[str],
    min_success: float,
) -> bool:
    """Whether it could still be met if all succeeded that have not failed."""
    return is_met(targets, {*targets} - {*failed}, required, min_success)


def holds_floor(healthy: int, begun: int, floor: float) -> bool:
    """Whether so many of the targets begun so far are healthy that another wave may begin."""
    return begun == 0 or healthy >= floor * begun

"""In whose account something is: nothing is touched in another than the one that is meant."""

from __future__ import annotations

from airflow_multicloud.errors import DatabaseError, ErrorKind


def check_account(what: str, found: str | None, expected: str | None) -> None:
    """Refuse what is in another account than the one that is expected.

    :param what: the instance or the snapshot, for errors.
    :param found: AWS account, Google project or Azure subscription; ``None`` when it can't be seen.
    :param expected: ``None`` for any.
    :raises DatabaseError: ``precondition_failed``.
    """
    if expected is None or found == expected:
        return
    where = "an account that can't be seen" if found is None else f"account {found}"
    raise DatabaseError(
        f"account: {what} is in {where}, not in {expected}; nothing was done",
        kind=ErrorKind.PRECONDITION_FAILED,
    )

"""In whose account something is: nothing is touched in another than the one that is meant."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabasePlace, DatabaseService


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


def check_places(
    service: DatabaseService, places: Sequence[DatabasePlace], expected: str | None
) -> None:
    """Refuse to call it nothing when something was looked for in other accounts only.

    :param places: where it was looked for.
    :param expected: the account that is meant; ``None`` for any.
    :raises DatabaseError: ``precondition_failed``.
    """
    if expected is None:
        return
    accounts = dict.fromkeys(service.database_account(place) for place in places)
    if expected not in accounts:
        raise DatabaseError(
            f"account: nothing was found, and it was looked for in {', '.join(accounts)}, not in "
            f"{expected}; use a connection that sees {expected}",
            kind=ErrorKind.PRECONDITION_FAILED,
        )

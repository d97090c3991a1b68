"""What a connection says of the project that it leads to, without a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from airflow_multicloud.ports.calls import ACCOUNT

if TYPE_CHECKING:
    from airflow.sdk import Connection


#: The service account as which IAM signs what a connection can't sign by itself.
SIGNS_BY_IAM: Final = "signs_by_iam"
_KEYS = ("keyfile_dict", "key_path", "key_secret_name")
_UNTOLD = "{the connection's own}"


def facts_of(connection: Connection | None) -> Mapping[str, str]:
    """The project, and who signs for the connection where it has no key that does.

    Where the extra does not name a project, the credentials do.
    """
    extra: Mapping[str, Any] = connection.extra_dejson if connection else {}
    named = extra.get("project")
    facts = {"project": str(named) if named else ACCOUNT}
    chain = extra.get("impersonation_chain")
    accounts = chain if isinstance(chain, list) else str(chain or "").split(",")
    if last := str(accounts[-1]).strip() if accounts else "":
        return {**facts, SIGNS_BY_IAM: last}
    if any(extra.get(name) for name in _KEYS):
        return facts
    return {**facts, SIGNS_BY_IAM: _UNTOLD}

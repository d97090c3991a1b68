"""What a connection says of the project that it leads to, without a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_multicloud.ports.calls import ACCOUNT

if TYPE_CHECKING:
    from airflow.sdk import Connection


def facts_of(connection: Connection | None) -> Mapping[str, str]:
    """The project; where the extra does not name one, the credentials do."""
    named = connection.extra_dejson.get("project") if connection else None
    return {"project": str(named) if named else ACCOUNT}

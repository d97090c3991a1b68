"""Who may see what: Airflow's own users, and of these each the DAGs that they may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import (
    AssetDetails,
    DagAccessEntity,
)
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: For every route: who is not signed in is told so (401), and so is who may not read runs, tasks
#: and XComs (403): in general, and of the DAG that a path names.
MAY_READ = [
    Depends(requires_access_dag("GET")),
    Depends(requires_access_dag("GET", DagAccessEntity.RUN)),
    Depends(requires_access_dag("GET", DagAccessEntity.TASK_INSTANCE)),
    Depends(requires_access_dag("GET", DagAccessEntity.XCOM)),
]


class Reader:
    """The user who asks."""

    def __init__(self, user: BaseUser) -> None:
        self._user = user

    def dag_ids(self, session: Session) -> set[str]:
        """The DAGs that the user may read."""
        return get_auth_manager().get_authorized_dag_ids(user=self._user, session=session)

    def may_read_asset(self, asset_id: int) -> bool:
        """Whether the user may read an asset, and so its events."""
        details = AssetDetails(id=str(asset_id))
        return get_auth_manager().is_authorized_asset(
            method="GET", user=self._user, details=details
        )


def _reader(user: GetUserDep) -> Reader:
    # A function: older versions of FastAPI don't see what a class's parameters depend on.
    return Reader(user)


#: The parameter of a route.
ReaderDep = Annotated[Reader, Depends(_reader)]

"""Start and stop a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.accounts import check_account
from airflow_multicloud.core.database.given import reference
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.links.consoles import CONSOLE_LINKS
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.opening.operations import Begun, ended_operations
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.database.base import DatabaseOperator, link_to_instance
from airflow_multicloud.operators.operations import Wait, wait_for
from airflow_multicloud.ports.database import Database, DatabaseRef
from airflow_multicloud.ports.operations import Operation

if TYPE_CHECKING:
    from airflow.sdk import Context


class DatabasePowerOperator(DatabaseOperator):
    """What starting and stopping have in common.

    :param database: as its cloud writes it, or its name.
    """

    template_fields: Sequence[str] = ("conn_id", "database", "region", "account")
    operator_extra_links = CONSOLE_LINKS
    #: Whether it runs afterwards.
    on: ClassVar[bool]

    def __init__(self, *, database: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.database = database

    def begin(self, context: Context) -> Wait | Outcome:
        """Have the cloud do it, unless it is so already."""
        self.check_place()
        ref = self._ref()
        opened = open_databases(self.conn_id)
        with telemetry.operation("database.power", cloud__provider=opened.cloud):
            if self.account is not None:
                found = opened.service.describe_database(ref)
                check_account(found.ref.id, found.account_id, self.account)
            begun = opened.service.power_database(ref, on=self.on)
        if begun.state.is_final:
            return self._ended(context, begun)
        self.log.info("the %s of %s has begun", begun.action, self.database)
        return wait_for(Database, [Begun(conn_id=self.conn_id, operation=begun)])

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See how it ended."""
        (ended,) = ended_operations(facts)
        return self._ended(context, ended)

    def _ended(self, context: Context, ended: Operation) -> Outcome:
        opened = open_databases(self.conn_id)
        ended.raise_if_failed(DatabaseError, opened.cloud)
        instance = opened.service.describe_database(self._ref())
        link_to_instance(context, instance)
        return Outcome(to_document(instance))

    def _ref(self) -> DatabaseRef:
        return reference("database", self.database, self.region)


class StartDatabaseOperator(DatabasePowerOperator):
    """Start an instance that is stopped; one that runs is left alone.

    Returns the instance as it is then.
    """

    on = True


class StopDatabaseOperator(DatabasePowerOperator):
    """Stop an instance and keep its data, so that it can be started again.

    Returns the instance as it is then. One that is stopped already is left alone. Its storage still
    costs, and AWS and Azure start it again by themselves after seven days
    (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_StopInstance.html,
    https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-stop-server).
    """

    on = False

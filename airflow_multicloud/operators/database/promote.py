"""Promote a replica."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.given import duration, reference
from airflow_multicloud.core.database.lags import MAX_AGE
from airflow_multicloud.core.database.promotions import (
    Allowance,
    LagRule,
    PromotedReplica,
    begin_promotion,
    promoted_replica,
)
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.links.consoles import CONSOLE_LINKS
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.opening.operations import Begun, ended_operations
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.database.base import DatabaseOperator, link_to_instance
from airflow_multicloud.operators.operations import Wait, wait_for
from airflow_multicloud.ports.database import Database

if TYPE_CHECKING:
    from airflow.sdk import Context


class PromoteReplicaOperator(DatabaseOperator):
    """Make a replica a primary of its own, for good: what it has not received by then is lost.

    It is refused before anything is asked of the cloud when ``confirm`` and ``allow`` don't name
    the replica. One that is a primary already is a success, and ``already: true`` says so; a retry,
    before which an earlier try may have promoted it, returns ``already: null`` then. Nothing
    is done to its old primary, which may still take writes: keep your applications from it.

    :param replica: as its cloud writes it, or its name.
    :param confirm: the instance's name, exactly.
    :param allow: full ids or names of what may be promoted; there are no patterns. Of Azure SQL
        full ids only, as a name is unique on its server only.
    :param max_lag: how far it may be behind at most; a lag that is not known is refused. Left out,
        the lag does not matter.
    :param max_lag_age: how old the measurement of the lag may be.
    :param promote_unknown_lag: promote although its cloud has no measurement of the lag at all, as
        when its primary is gone.
    """

    template_fields: Sequence[str] = ("conn_id", "replica", "confirm", "allow", "region", "account")
    operator_extra_links = CONSOLE_LINKS

    def __init__(
        self,
        *,
        replica: str,
        confirm: str,
        allow: Sequence[str] | str,
        max_lag: timedelta | None = None,
        max_lag_age: timedelta = MAX_AGE,
        promote_unknown_lag: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replica = replica
        self.confirm = confirm
        self.allow = allow
        self.max_lag = max_lag
        self.max_lag_age = max_lag_age
        self.promote_unknown_lag = promote_unknown_lag

    def begin(self, context: Context) -> Wait | Outcome:
        """Check what guards it, and have the cloud do it."""
        self.check_place()
        ref = reference("replica", self.replica, self.region)
        allowance = Allowance.read(self.confirm, self.allow, self.account)
        allowance.check_given("replica", ref.id)
        rule = LagRule(
            max_lag=None if self.max_lag is None else duration("max_lag", self.max_lag),
            max_age=duration("max_lag_age", self.max_lag_age),
            unknown=self.promote_unknown_lag,
        )
        opened = open_databases(self.conn_id)
        with telemetry.operation("database.promote", cloud__provider=opened.cloud):
            before, begun = begin_promotion(opened.service, ref, allowance, rule, datetime.now(UTC))
        already = None if begun is None and _is_retried(context) else begun is None
        so_far = PromotedReplica.before(self.conn_id, opened.cloud, before, already=already)
        if begun is None:
            self.log.info("it is a primary already: %s", before.ref.id)
            return self._told(context, so_far)
        self.log.info("begun: the promotion of %s, with a lag of %s", before.ref.id, so_far.lag)
        if begun.state.is_final:
            begun.raise_if_failed(DatabaseError, opened.cloud)
            return self._told(context, promoted_replica(opened.service, so_far))
        waited = [Begun(conn_id=self.conn_id, operation=begun)]
        return wait_for(Database, waited, to_document(so_far))

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See how it ended."""
        (ended,) = ended_operations(facts)
        opened = open_databases(self.conn_id)
        ended.raise_if_failed(DatabaseError, opened.cloud)
        so_far = read_document(PromotedReplica, state, what="a promotion that is waited for")
        return self._told(context, promoted_replica(opened.service, so_far))

    def _told(self, context: Context, promoted: PromotedReplica) -> Outcome:
        link_to_instance(context, promoted.database)
        return Outcome(to_document(promoted))


def _is_retried(context: Context) -> bool:
    """Whether the task was tried before: neither its XCom nor the cloud tells what that try did."""
    return (getattr(context["ti"], "try_number", None) or 1) > 1

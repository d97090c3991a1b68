"""Take a deployment down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core.rollout.clock import LISTINGS_LAG
from airflow_multicloud.core.rollout.given import check_not_empty
from airflow_multicloud.core.rollout.inputs import duration
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.core.rollout.teardown_progress import PlaceTeardown, TeardownResult
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.opening.teardowns import advance_teardown, arguments_of, open_teardown
from airflow_multicloud.operators.base import Outcome, failure_of
from airflow_multicloud.operators.operations import OperationOperator, Wait

if TYPE_CHECKING:
    from airflow.sdk import Context

_LONGEST_REMOVAL = timedelta(days=7)


class TeardownOperator(OperationOperator):
    """Remove everything that carries a deployment's label, until a listing shows nothing.

    Whoever may label instances in these accounts can have them removed by it. It is done when a
    listing of every place, made after the last removal, has shown nothing; XCom has the report
    either way, under ``teardown_report``.

    :param deployment_id: whose instances go, with their interfaces and disks.
    :param conn_ids: the connections of the clouds to do so in.
    :param regions: connection → regions; every region that its account uses when left out;
        refused when there is nothing of it in the run.
    :param removal_timeout: for each connection's place; 7 days at most.
    :param confirm_after: the closing listing is made no earlier than this after the beginning,
        since listings lag behind launches.
    """

    template_fields: Sequence[str] = ("deployment_id", "conn_ids", "regions")
    report_key: ClassVar[str | None] = "teardown_report"

    def __init__(
        self,
        *,
        deployment_id: str,
        conn_ids: Sequence[str] | str,
        regions: Mapping[str, Sequence[str]] | None = None,
        removal_timeout: timedelta = timedelta(minutes=15),
        confirm_after: timedelta = LISTINGS_LAG,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.conn_ids = conn_ids
        self.regions = regions
        self._has_regions = regions is not None
        self.removal_timeout = removal_timeout
        self.confirm_after = confirm_after

    def begin(self, context: Context) -> Wait | Outcome:
        """List, terminate, and list again, here or in the triggerer."""
        check_id(self.deployment_id, "deployment_id")
        if self._has_regions:
            check_not_empty("regions", self.regions)
        conn_ids = [self.conn_ids] if isinstance(self.conn_ids, str) else list(self.conn_ids)
        regions = {conn_id: list(names) for conn_id, names in (self.regions or {}).items()}
        removal = duration("removal_timeout", self.removal_timeout, most=_LONGEST_REMOVAL)
        poll = timedelta(seconds=self.poll_interval)
        limits = (removal, poll, self.confirm_after)
        teardown = open_teardown(self.deployment_id, conn_ids, regions, *limits)
        if self.deferrable:
            return Wait(
                check=advance_teardown,
                arguments=arguments_of(
                    self.deployment_id, conn_ids, regions, poll, teardown.begin()
                ),
            )
        return self._ended(teardown.run())

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See what is left."""
        places = [read_document(PlaceTeardown, place, what="place") for place in facts["places"]]
        return self._ended(TeardownResult.of(self.deployment_id, places))

    def _ended(self, result: TeardownResult) -> Outcome:
        for place in result.places:
            self.log.info(
                "%s (%s): %s, %d removed%s",
                *(place.conn_id, place.cloud, place.state, len(place.removed)),
                f"; listed at {place.listed_at}" if place.listed_at else "",
            )
        return Outcome(to_document(result), failure_of(result.raise_if_failed))

"""Spread one replication over many tasks, on any executor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    MappedOperator,
)
from airflow.sdk import Asset, TaskGroup, TaskInstanceState, TriggerRule

from airflow_multicloud.core.replication import shards as sharding
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.object_store.replication import ReplicationOperator
from airflow_multicloud.operators.run_ids import run_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class PlanReplicationOperator(ReplicationOperator):
    """Cut a replication into shards; returns their URIs, to be mapped over.

    :param shards: at most so many; each is about as much work as any other.
    """

    __doc__ = f"{__doc__}\n{ReplicationOperator.__doc__}"

    def __init__(self, *, shards: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shards = shards

    def perform(self, context: Context) -> Outcome:
        """Plan, and write the shards to the first destination."""
        plan = sharding.plan_shards(
            self.replication(),
            shards=self.shards,
            run_id=run_id_of(context, self.group, shared=True),
        )
        self.log.info(
            "%d of %d objects to copy, in %d shards", plan.to_copy, plan.objects, len(plan.shards)
        )
        return Outcome(list(plan.shards), is_plan=True)


class ReplicateShardOperator(ReplicationOperator):
    """Copy one shard of a planned replication.

    :param shard: one of the URIs that :class:`PlanReplicationOperator` returned.
    """

    __doc__ = f"{__doc__}\n{ReplicationOperator.__doc__}"

    template_fields: Sequence[str] = (*ReplicationOperator.template_fields, "shard")
    labelled_by = ("shard",)

    def __init__(self, *, shard: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def perform(self, context: Context) -> Outcome:
        """Copy the shard's objects; their failures are judged when the run is closed."""
        counts = sharding.replicate_shard(
            self.replication(),
            run_id=run_id_of(context, self.group, shared=True),
            shard=self.shard,
            listener=self.tell_progress,
        )
        if counts["closed"]:
            self.log.warning(
                "nothing was done: this task was cleared after the run had been closed, and the "
                "ledgers say what became of its objects; to copy what changed since, clear "
                "the task that plans, and what follows it"
            )
        return Outcome(counts)


class CloseReplicationOperator(ReplicationOperator):
    """Prove what the shards of a replication have copied, and judge it as a whole.

    It is skipped when the plan was, and fails when the plan did. Closed again, it reports what it
    reported first, and says which tasks were cleared in vain.
    """

    __doc__ = f"{__doc__}\n{ReplicationOperator.__doc__}"

    report_key = "report"
    operator_extra_links = REPORT_LINKS

    def perform(self, context: Context) -> Outcome:
        """Close the run, returning what :class:`ReplicateOperator` returns."""
        self._follow_plan(context)
        self._tell_cleared(context)
        run_id = run_id_of(context, self.group, shared=True)
        return self.finish(self.replication(), partial(sharding.close_shards, run_id=run_id))

    def _follow_plan(self, context: Context) -> None:
        """End as the plan has ended, unless it succeeded: then there is something to close."""
        plans = [
            task.task_id for task in self.upstream_list if isinstance(task, PlanReplicationOperator)
        ]
        if not plans:
            return
        states = context["ti"].get_task_states(
            dag_id=context["dag"].dag_id, task_ids=plans, run_ids=[context["run_id"]]
        )
        for plan, state in states.get(context["run_id"], {}).items():
            if state in (TaskInstanceState.SKIPPED, TaskInstanceState.REMOVED):
                raise AirflowSkipException(f"{plan} was {state}: there is nothing to close")
            if state in (TaskInstanceState.FAILED, TaskInstanceState.UPSTREAM_FAILED):
                raise AirflowFailException(f"{plan} is {state}: nothing was planned")

    def _tell_cleared(self, context: Context) -> None:
        for task in self.upstream_list:
            if not isinstance(task, MappedOperator):
                continue
            done = context["ti"].xcom_pull(task_ids=task.task_id)
            # A slice: iterating over what mapped tasks pushed logs an error.
            cleared = [counts["shard"] for counts in (done or ())[:] if counts["closed"]]
            if cleared:
                self.log.warning(
                    "cleared after the run had been closed, and so without effect: %s (%s)",
                    task.task_id,
                    ", ".join(cleared),
                )


def sharded_replication(
    group_id: str, *, shards: int, outlets: Sequence[Asset] = (), **arguments: Any
) -> TaskGroup:
    """A task group that spreads one replication over mapped tasks, on any executor.

    ``plan`` → ``replicate_shard`` × N → ``close``, with the arguments of
    :class:`ReplicateOperator`; ``close`` returns what that returns.

    :param shards: at most so many mapped tasks.
    :param outlets: assets that ``close`` updates.
    """
    with TaskGroup(group_id) as group:
        plan = PlanReplicationOperator(task_id="plan", shards=shards, **arguments)
        copied = ReplicateShardOperator.partial(task_id="replicate_shard", **arguments).expand(
            shard=plan.output
        )
        # Also after a failed shard: the ledgers must say what is missing.
        close = CloseReplicationOperator(
            task_id="close",
            outlets=list(outlets),
            trigger_rule=TriggerRule.ALL_DONE,
            **arguments,
        )
        copied >> close
        plan >> close
    return group

"""Replicate objects between clouds, in one task or spread over many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    MappedOperator,
)
from airflow.sdk import Asset, TaskGroup, TaskInstanceState, TriggerRule

from airflow_multicloud import api
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication import shards as sharding
from airflow_multicloud.core.replication.engine import Replication, ReplicationFailedError
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ObjectFilter,
    OnError,
    ReplicationOptions,
    include_globs,
)
from airflow_multicloud.core.replication.progress import Snapshot
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.lists import texts
from airflow_multicloud.operators._destinations import DestinationsOperator
from airflow_multicloud.operators._estimates import tell_estimate
from airflow_multicloud.operators._runs import run_id_of
from airflow_multicloud.operators._shell import tell_assets

if TYPE_CHECKING:
    from airflow.sdk import Context


class _ReplicationOperator(DestinationsOperator):
    """The arguments that all operators of one replication take, and must be given alike.

    :param source: URI of an object, or of a prefix (it ends with a slash):
        ``s3://conn_id@bucket/prefix/``.
    :param destinations: URIs, or :class:`~airflow_multicloud.api.Destination` for a storage
        class or an encryption key.
    :param include: globs on the key below the prefix; ``*`` matches ``/`` too.
    :param exclude: globs of what is left out.
    :param min_size: bytes.
    :param max_size: bytes.
    :param min_age: since the last modification.
    :param max_age: since the last modification.
    :param immutable: never replace an object that differs; it is a ``conflict``.
    :param on_error: ``continue`` or ``fail`` (stop at the first object that fails).
    :param min_success_ratio: the share of copies that must end sound for the task to succeed.
    :param preserve_tags: copy object tags too (one more request per object).
    :param compare_attributes: copy an object with unchanged content again when its attributes
        changed: ``auto`` where a listing shows it, ``always`` (its tags too; at least one more
        request per object) or ``never``.
    :param delete_extraneous: delete what the source does not have; needs ``max_delete``.
    :param max_delete: the most objects to delete at one destination.
    :param create_buckets: create destination buckets that do not exist.
    :param part_size: bytes per part of a large object.
    :param large_object: objects larger than this many bytes go by parts (``part_size``).
    :param concurrency: requests under way at once.
    :param memory_limit: bytes of content held at once.
    :param bandwidth_limit: bytes read from the source per second.
    """

    template_fields: Sequence[str] = ("source", "destinations", "include", "exclude")

    def __init__(
        self,
        *,
        source: str,
        destinations: Sequence[str | api.Destination],
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        min_size: int | None = None,
        max_size: int | None = None,
        min_age: timedelta | None = None,
        max_age: timedelta | None = None,
        immutable: bool = False,
        on_error: str = "continue",
        min_success_ratio: float = 1.0,
        preserve_tags: bool = False,
        compare_attributes: str = "auto",
        delete_extraneous: bool = False,
        max_delete: int | None = None,
        create_buckets: bool = False,
        part_size: int = ReplicationOptions().part_size,
        large_object: int | None = None,
        concurrency: int = ReplicationOptions().concurrency,
        memory_limit: int = ReplicationOptions().memory_limit,
        bandwidth_limit: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.destinations = destinations
        self.include = include
        self.include_given = include != ()
        self.exclude = exclude
        self.options = ReplicationOptions(
            filter=ObjectFilter(
                min_size=min_size, max_size=max_size, min_age=min_age, max_age=max_age
            ),
            immutable=immutable,
            on_error=OnError.parse(on_error),
            min_success_ratio=min_success_ratio,
            preserve_tags=preserve_tags,
            compare_attributes=CompareAttributes.parse(compare_attributes),
            delete_extraneous=delete_extraneous,
            max_delete=max_delete,
            create_buckets=create_buckets,
            part_size=part_size,
            large_object=large_object,
            concurrency=concurrency,
            memory_limit=memory_limit,
            bandwidth_limit=bandwidth_limit,
        )

    @property
    def group(self) -> str:
        """What the tasks of one sharded replication have in common: their task group."""
        return self.task_id.rpartition(".")[0]

    def replication(self) -> Replication:
        """The replication of the rendered arguments; resolves connections, makes no request."""
        filtered = replace(
            self.options.filter,
            include=include_globs(self.include, given=self.include_given),
            exclude=texts(self.exclude, "exclude", what="globs"),
        )
        return api.replication(
            self.source, self.destinations, replace(self.options, filter=filtered)
        )

    def tell_progress(self, snapshot: Snapshot) -> None:
        """Write one line about progress to the task log."""
        self.log.info("replicated %s", snapshot)

    def finish(self, context: Context, report: ReplicationReport) -> dict[str, Any]:
        """Log a report, attach it to the outlets, and give it to XCom."""
        for destination in report.destinations:
            counts = ", ".join(f"{n} {o}" for o, n in sorted(destination.outcomes.items()))
            self.log.info("%s: %s; manifest %s", destination.uri, counts, destination.manifest_uri)
        for left_out in report.left_out:
            self.log.warning("left out: %s", left_out)
        for told in engine.options_without_effect(self.replication(), report):
            self.log.info("%s", told)
        facts = report.as_dict()
        tell_assets(self, context, {"multicloud": facts})
        return facts


class ReplicateOperator(_ReplicationOperator):
    """Make every destination a proven replica of an object or a prefix.

    Returns counts, bytes, the Merkle root and the manifests' URIs; with ``dry_run`` the plan.
    A second try of the task sends only what is missing. A failure that a retry can't mend
    fails the task at once.

    :param dry_run: return what would be done, and do nothing.
    :param preview_cost: before a byte moves, log what it will cost (egress, requests, storage)
        and give it to XCom under ``cost_estimate``.
    :param prices: path or URI of the list prices for that; the packaged ones by default.
    """

    __doc__ = f"{__doc__}\n{_ReplicationOperator.__doc__}"

    template_fields: Sequence[str] = (*_ReplicationOperator.template_fields, "prices")

    def __init__(
        self,
        *,
        dry_run: bool = False,
        preview_cost: bool = False,
        prices: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.prices = prices
        self.plan_only = dry_run
        self.preview_cost = preview_cost

    def execute(self, context: Context) -> dict[str, Any] | list[dict[str, Any]]:
        """Replicate, or plan to."""
        with self.stoppable():
            replication = self.replication()
            if self.preview_cost:
                estimate = api.estimate_replication(replication, prices=self.prices or None)
                tell_estimate(self, estimate)
                context["ti"].xcom_push(key="cost_estimate", value=estimate.as_dict())
            if self.plan_only:
                return [asdict(plan) for plan in engine.plan(replication)]
            try:
                report = engine.replicate(
                    replication,
                    run_id=run_id_of(context, self.task_id),
                    listener=self.tell_progress,
                )
            except ReplicationFailedError as err:
                context["ti"].xcom_push(key="report", value=self.finish(context, err.report))
                raise
            return self.finish(context, report)


class PlanReplicationOperator(_ReplicationOperator):
    """Cut a replication into shards; returns their URIs, to be mapped over.

    :param shards: at most so many; each is about as much work as any other.
    """

    __doc__ = f"{__doc__}\n{_ReplicationOperator.__doc__}"

    def __init__(self, *, shards: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shards = shards

    def execute(self, context: Context) -> list[str]:
        """Plan, and write the shards to the first destination."""
        with self.stoppable():
            plan = sharding.plan_shards(
                self.replication(),
                shards=self.shards,
                run_id=run_id_of(context, self.group, shared=True),
            )
        self.log.info(
            "%d of %d objects to copy, in %d shards", plan.to_copy, plan.objects, len(plan.shards)
        )
        return list(plan.shards)


class ReplicateShardOperator(_ReplicationOperator):
    """Copy one shard of a planned replication.

    :param shard: one of the URIs that :class:`PlanReplicationOperator` returned.
    """

    __doc__ = f"{__doc__}\n{_ReplicationOperator.__doc__}"

    template_fields: Sequence[str] = (*_ReplicationOperator.template_fields, "shard")

    def __init__(self, *, shard: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def execute(self, context: Context) -> dict[str, Any]:
        """Copy the shard's objects; their failures are judged when the run is closed."""
        with self.stoppable():
            counts = sharding.replicate_shard(
                self.replication(),
                run_id=run_id_of(context, self.group, shared=True),
                shard=self.shard,
                listener=self.tell_progress,
            )
        if counts["closed"]:
            self.log.warning(
                "nothing was done: this task was cleared after the run had been closed, and the "
                "run's manifest says what became of its objects; to copy what changed since, clear "
                "the task that plans, and what follows it"
            )
        return counts


class CloseReplicationOperator(_ReplicationOperator):
    """Merge the shards of a replication into one manifest, and judge it as a whole.

    It is skipped when the plan was, and fails when the plan did. Closed again, it reports what it
    reported first, and says which tasks were cleared in vain.
    """

    __doc__ = f"{__doc__}\n{_ReplicationOperator.__doc__}"

    def execute(self, context: Context) -> dict[str, Any]:
        """Close the run, returning what :class:`ReplicateOperator` returns."""
        self._follow_plan(context)
        self._tell_cleared(context)
        with self.stoppable():
            try:
                report = sharding.close_shards(
                    self.replication(), run_id=run_id_of(context, self.group, shared=True)
                )
            except ReplicationFailedError as err:
                context["ti"].xcom_push(key="report", value=self.finish(context, err.report))
                raise
            return self.finish(context, report)

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
        # Also after a failed shard: the manifest must say what is missing.
        close = CloseReplicationOperator(
            task_id="close",
            outlets=list(outlets),
            trigger_rule=TriggerRule.ALL_DONE,
            **arguments,
        )
        copied >> close
        plan >> close
    return group

"""Teardowns: everything with a deployment's label is removed, and a listing proves it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.rollout.clock import LISTINGS_LAG, pause_for, utc_now
from airflow_multicloud.core.rollout.names import DEPLOYMENT, TARGET
from airflow_multicloud.core.rollout.teardown_progress import (
    PlaceTeardown,
    RemovedInstance,
    TeardownResult,
    TeardownState,
)
from airflow_multicloud.core.telemetry import count_retry, submit_in_context
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Compute, Instance
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeardownPlace:
    """Where to look.

    :param cloud: the connection's.
    :param regions: in which; empty for every region that the account uses.
    """

    conn_id: str
    cloud: str
    compute: Compute
    regions: tuple[str, ...] = ()

    def listed(self, deployment_id: str | None) -> list[Instance]:
        """All that carries the deployment's label there; ``None`` for any deployment's."""
        labels = {DEPLOYMENT: deployment_id}
        return [
            instance
            for region in self.regions or (None,)
            for instance in self.compute.list_instances(labels, region)
        ]


class Teardown:
    """One teardown.

    :param deployment_id: whose instances go.
    :param places: where; each is worked on beside the others.
    :param timeout: for each place.
    :param poll_interval: between two looks.
    :param confirm_after: the closing listing is begun no earlier than this after the beginning, for
        listings lag behind launches.
    :param clock: gives the time, aware.
    :param pause: waits so many seconds.
    """

    def __init__(
        self,
        deployment_id: str,
        places: Sequence[TeardownPlace],
        *,
        timeout: timedelta = timedelta(minutes=15),
        poll_interval: timedelta = timedelta(seconds=5),
        confirm_after: timedelta = LISTINGS_LAG,
        clock: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = pause_for,
    ) -> None:
        self.deployment_id = deployment_id
        self._places = {place.conn_id: place for place in places}
        self._timeout = timeout
        self._poll = poll_interval
        self._confirm_after = confirm_after
        self._clock = clock
        self._pause = pause

    def begin(self) -> tuple[PlaceTeardown, ...]:
        """Places where nothing was done yet."""
        now = self._clock()
        return tuple(
            PlaceTeardown(
                conn_id=place.conn_id,
                cloud=place.cloud,
                deadline=now + self._timeout,
                certain_from=now + self._confirm_after,
            )
            for place in self._places.values()
        )

    def run(self) -> TeardownResult:
        """Go on until it is done.

        :raises WorkCancelledError: when the work is told to stop.
        """
        return self.result(self._everywhere(self._drive, self.begin()))

    def advance(self, places: Sequence[PlaceTeardown]) -> tuple[PlaceTeardown, ...]:
        """Do what is due at every place, once."""
        return self._everywhere(self.step, places)

    def result(self, places: Sequence[PlaceTeardown]) -> TeardownResult:
        """What came of it."""
        return TeardownResult(
            deployment_id=self.deployment_id, places=tuple(places), ended_at=self._clock()
        )

    def _everywhere(
        self,
        work: Callable[[PlaceTeardown], PlaceTeardown],
        places: Sequence[PlaceTeardown],
    ) -> tuple[PlaceTeardown, ...]:
        with cancellation.pool(max(1, len(places)), "teardown") as pool:
            futures = [submit_in_context(pool, work, place) for place in places]
            return tuple(future.result() for future in futures)

    def step(self, place: PlaceTeardown) -> PlaceTeardown:
        """Do what is due at one place, once."""
        now = self._clock()
        done = place.state is not TeardownState.REMOVING
        if done or (place.not_before is not None and now < place.not_before):
            return place
        try:
            after = self._step(replace(place, not_before=None))
        except CloudError as err:
            return self._refused(place, err)
        if after.state is TeardownState.REMOVING and now >= after.deadline:
            return replace(
                after,
                state=TeardownState.FAILED,
                error_kind=ErrorKind.TIMEOUT,
                error="it took too long",
            )
        return after

    def _drive(self, place: PlaceTeardown) -> PlaceTeardown:
        while place.state is TeardownState.REMOVING:
            cancellation.check()
            place = self.step(place)
            if place.not_before is not None and place.state is TeardownState.REMOVING:
                self._pause(max(0.0, (place.not_before - self._clock()) / timedelta(seconds=1)))
        return place

    def _step(self, place: PlaceTeardown) -> PlaceTeardown:
        where = self._places[place.conn_id]
        left, failure = self._still(where, place.waits_for)
        if left:
            return replace(place, waits_for=left, not_before=self._clock() + self._poll)
        if failure is not None and self._clock() >= place.deadline:
            return self._refused(replace(place, waits_for=()), failure)
        listed_at = self._clock()
        found = where.listed(self.deployment_id)
        place = replace(
            place,
            waits_for=(),
            listed_at=listed_at,
            left=tuple(instance.ref.id for instance in found),
        )
        if not found and listed_at < place.certain_from:
            # What was launched just before may not be listed yet.
            return replace(place, not_before=place.certain_from)
        if not found:
            return replace(place, state=TeardownState.CLEAN)
        known = {one.id for one in place.removed}
        removed, begun, refused = list(place.removed), [], []
        for instance in found:
            told = (place.conn_id, printable(instance.ref.id), printable(instance.name))
            _log.info("%s: terminating %s (%s)", *told)
            try:
                begun.append(where.compute.terminate_instance(instance.ref))
            except CloudError as err:
                refused.append(err)
                continue
            if instance.ref.id not in known:
                removed.append(_named(instance))
        after = replace(
            place,
            removed=tuple(removed),
            waits_for=tuple(begun),
            not_before=listed_at + self._poll,
        )
        if begun or not refused:
            return after  # One that can't go keeps no other: it is tried again after these.
        lasting = [err for err in refused if not err.retryable]
        return self._refused(after, (lasting or refused)[0])

    def _still(
        self, where: TeardownPlace, operations: Sequence[Operation]
    ) -> tuple[tuple[Operation, ...], DeploymentError | None]:
        """The operations that go on, and what one has failed with: it is begun again."""
        looked = [where.compute.describe_operation(operation) for operation in operations]
        failure = None
        for operation in looked:
            try:
                operation.raise_if_failed(DeploymentError, where.cloud)
            except DeploymentError as err:
                failure = err
                _log.warning("%s: %s: %s", where.conn_id, err.kind, err)
        return tuple(operation for operation in looked if not operation.state.is_final), failure

    def _refused(self, place: PlaceTeardown, err: CloudError) -> PlaceTeardown:
        now = self._clock()
        if not err.retryable or now >= place.deadline:
            return replace(
                place,
                state=TeardownState.FAILED,
                error_kind=err.kind,
                error=printable(str(err)),
            )
        count_retry(err)
        pause = max(self._poll, err.retry_after or timedelta())
        return replace(place, not_before=now + pause)


def _named(instance: Instance) -> RemovedInstance:
    return RemovedInstance(
        id=instance.ref.id,
        name=instance.name,
        region=instance.ref.region,
        target=instance.labels.get(TARGET),
    )

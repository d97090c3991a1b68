"""A rollout: waves of targets, the decision after each, and the close.

Slots go on side by side, each on a thread of its own, so a cloud that does not answer holds up its
own targets only. :meth:`Rollout.run` does it all; :meth:`Rollout.advance` does what is due, for who
waits elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.rollout.clock import pause_for, utc_now
from airflow_multicloud.core.rollout.closing import ClosingSteps
from airflow_multicloud.core.rollout.deciding import after_rest, slots_under_way
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.progress import (
    Phase,
    RolloutProgress,
    SlotProgress,
    Stage,
)
from airflow_multicloud.core.rollout.site import Site
from airflow_multicloud.core.rollout.slots import SlotSteps
from airflow_multicloud.core.telemetry import submit_in_context
from airflow_multicloud.errors import DeploymentError
from airflow_multicloud.text import traceback_text

_log = logging.getLogger(__name__)

_CLOSING = frozenset({Phase.SETTLING, Phase.UNDOING})
_MOST_THREADS = 256

#: Gets a line of text.
Listener = Callable[[str], None]


class Rollout:
    """One rollout.

    :param plan: what to do.
    :param sites: target → where; for each that could be planned.
    :param clock: gives the time, aware.
    :param pause: waits so many seconds.
    :param threads: how many slots go on at the same time; each waits most of the time.
    :param listener: told what the log is told of each slot, from its thread.
    """

    def __init__(
        self,
        plan: DeploymentPlan,
        sites: Mapping[str, Site],
        *,
        clock: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = pause_for,
        threads: int = _MOST_THREADS,
        listener: Listener | None = None,
    ) -> None:
        self.plan = plan
        self._listener = listener
        self._clock = clock
        self._pause = pause
        self._threads = threads
        self._steps = {name: SlotSteps(plan, site, clock) for name, site in sites.items()}
        self._closing = {name: ClosingSteps(steps) for name, steps in self._steps.items()}

    def begin(self) -> RolloutProgress:
        """A rollout that was just begun; targets that could not be planned have failed."""
        slots = []
        for target in self.plan.targets:
            for number in range(target.count):
                slot = SlotProgress(target=target.name, number=number)
                if target.error_kind is not None:
                    slot = replace(
                        slot,
                        phase=Phase.FAILED,
                        error_kind=target.error_kind,
                        error=f"{target.error}; what is there now is not known",
                    )
                slots.append(slot)
        return self._moved(RolloutProgress(slots=tuple(slots), began_at=self._clock()))

    def run(self, progress: RolloutProgress) -> RolloutProgress:
        """Go on until it is done.

        :raises WorkCancelledError: when the work is told to stop; what was launched stays.
        """
        while progress.stage is not Stage.DONE:
            active = slots_under_way(progress)
            threads = min(self._threads, max(1, len(active)))
            with cancellation.pool(threads, "rollout") as pool:
                futures = [submit_in_context(pool, self._drive, slot) for slot in active]
                rested = [future.result() for future in futures]
            progress = self._moved(_with(progress, rested))
        return progress

    def advance(self, progress: RolloutProgress) -> RolloutProgress:
        """Do what is due, once.

        It takes as long as its slowest slot's step: a few requests to a cloud, each bounded by its
        client, and one health check, bounded by the check's ``timeout``.

        :raises WorkCancelledError: when the work is told to stop; what was launched stays.
        """
        active = slots_under_way(progress)
        if active:
            threads = min(self._threads, len(active))
            with cancellation.pool(threads, "rollout") as pool:
                futures = [submit_in_context(pool, self._step, slot) for slot in active]
                stepped = [future.result() for future in futures]
            progress = _with(progress, stepped)
        return self._moved(progress)

    def due(self, progress: RolloutProgress) -> datetime:
        """When something is to be done next."""
        now = self._clock()
        return min((slot.not_before or now for slot in slots_under_way(progress)), default=now)

    def _moved(self, progress: RolloutProgress) -> RolloutProgress:
        """The next wave, or the close, when all that is under way rests."""
        while progress.stage is not Stage.DONE and not slots_under_way(progress):
            progress = after_rest(self.plan, progress, self._begun)
        return progress

    def _begun(self, slot: SlotProgress, phase: Phase) -> SlotProgress:
        self._tell(slot, phase)
        if phase in _CLOSING:
            return self._closing[slot.target].begin(slot, phase)
        return self._steps[slot.target].begin(slot)

    def _drive(self, slot: SlotProgress) -> SlotProgress:
        """Step until it rests."""
        with telemetry.operation(
            "deploy.slot",
            cloud__provider=self._steps[slot.target].site.plan.cloud,
            multicloud__target=slot.target,
            multicloud__slot=slot.number,
        ) as span:
            while not slot.phase.rests:
                cancellation.check()
                slot = self._step(slot)
                if slot.not_before is not None and not slot.phase.rests:
                    wait = (slot.not_before - self._clock()) / timedelta(seconds=1)
                    self._pause(max(0.0, wait))
            span.set_attribute("multicloud.phase", slot.phase.value)
            if slot.error_kind is not None:
                telemetry.failed(DeploymentError(slot.error or slot.phase, kind=slot.error_kind))
            if slot.instance is not None:
                span.set_attribute("cloud.region", slot.instance.ref.region)
        return slot

    def _step(self, slot: SlotProgress) -> SlotProgress:
        steps = self._closing[slot.target] if slot.phase in _CLOSING else self._steps[slot.target]
        try:
            after = steps.step(slot)
        except cancellation.WorkCancelledError:
            raise
        except Exception as err:  # noqa: BLE001 - whatever a bug raises
            # A bug costs its slot only: what the others have launched must still be rolled back.
            _log.error(
                "%s/%d: a step failed unforeseen:\n%s",
                *(slot.target, slot.number, traceback_text(err)),
            )
            after = steps.broken(slot, err)
        if after.phase is not slot.phase:
            self._tell(after, after.phase)
        return after

    def _tell(self, slot: SlotProgress, phase: Phase) -> None:
        held = f" {slot.instance.ref.id}" if slot.instance is not None else ""
        why = f": {slot.error}" if slot.error else ""
        line = f"{slot.target}/{slot.number}: {phase}{held}{why}"
        _log.info("%s", line)
        if self._listener is not None:
            self._listener(line)


def _with(progress: RolloutProgress, changed: Iterable[SlotProgress]) -> RolloutProgress:
    by_slot = {(slot.target, slot.number): slot for slot in changed}
    slots = tuple(by_slot.get((slot.target, slot.number), slot) for slot in progress.slots)
    return replace(progress, slots=slots)

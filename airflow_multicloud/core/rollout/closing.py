"""The end of a slot: its instance taken for good, or all undone.

Both go by a new listing each time, and are over when that shows nothing more to do: what other
runs did meanwhile counts, whatever this one remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from airflow_multicloud.core.rollout.looking import (
    Seen,
    Wanted,
    adoptable,
    how_ended,
    outdated,
    seen_in,
    stood_down,
    superseding,
    told,
)
from airflow_multicloud.core.rollout.names import (
    ORDER,
    STANDING,
    Standing,
    identity_of,
    order_of,
)
from airflow_multicloud.core.rollout.progress import Phase, SlotProgress
from airflow_multicloud.core.rollout.slot_base import Looked, told_shortly
from airflow_multicloud.core.rollout.slots import SlotSteps
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Instance, InstanceState
from airflow_multicloud.ports.operations import Operation


class ClosingSteps:
    """The last steps of one target's slots.

    :param steps: the earlier ones, which know the target.
    """

    def __init__(self, steps: SlotSteps) -> None:
        self._steps = steps
        self._site = steps.site
        self._clock = steps.clock

    def begin(self, slot: SlotProgress, phase: Phase) -> SlotProgress:
        """A slot that is settled, or undone, from now on."""
        now = self._clock()
        return replace(
            slot,
            phase=phase,
            waits_for=(),
            not_before=None,
            looked_from=now,
            deadline=now + self._steps.plan.policy.boot_timeout,
            tries=0,
        )

    def step(self, slot: SlotProgress) -> SlotProgress:
        """One step; the same slot when none is due."""
        if slot.not_before is not None and self._clock() < slot.not_before:
            return slot
        slot = replace(slot, not_before=None)
        try:
            looked = self._steps.looked_at(slot.waits_for)
            if looked.left or looked.failure is not None:
                return self._waited(slot, looked)
            slot = replace(slot, waits_for=())
            return self._settle(slot) if slot.phase is Phase.SETTLING else self._undo(slot)
        except CloudError as err:
            if not err.retryable or self._is_late(slot):
                return self._left(slot, err)
            return self._steps.tried(slot, err)

    def _waited(self, slot: SlotProgress, looked: Looked) -> SlotProgress:
        """A slot whose operations go on, or have failed: then it lists and begins them again."""
        slot = replace(slot, waits_for=looked.left)
        if self._is_late(slot):
            return self._left(slot, looked.failure)
        if looked.left or looked.failure is None:
            return self._steps.again(slot, looked.wait)
        return self._steps.tried(replace(slot, looked_from=self._clock()), looked.failure)

    def _settle(self, slot: SlotProgress) -> SlotProgress:
        wanted, seen = self._steps.wanted(slot), self._seen(slot)
        if (later := superseding(wanted, seen)) is not None:
            return self.begin(replace(slot, superseded_by=told(later)), Phase.UNDOING)
        like = adoptable(wanted, seen)
        held = slot.instance
        if held is None or not like:
            return self._steps.lost(slot, "its instance was healthy, and is gone")
        stays = like[0]
        if stays.instance.ref != held.ref:
            # Another run's instance of the same: it has to prove its health here, too.
            health = self._clock() + self._steps.plan.policy.health_timeout
            taken = replace(slot, phase=Phase.CHECKING, instance=stays.instance, adopted=True)
            return replace(taken, checks=0, deadline=health)
        return self._take(slot, wanted, seen, stays)

    def _take(
        self, slot: SlotProgress, wanted: Wanted, seen: Sequence[Seen], stays: Seen
    ) -> SlotProgress:
        """Take the instance that the slot holds for good; then what it replaces goes."""
        held = stays.instance
        if stays.identity.standing is Standing.REPLACED and not slot.restarted:
            # A later run has stopped it, and has not come to its end: that decides.
            after = self._steps.again(replace(slot, looked_from=self._clock()))
            return self._left(after, None) if self._is_late(after) else after
        if not slot.taken:
            return self._taken(slot, wanted, stays)
        if held.state is not InstanceState.RUNNING:
            return self._left(slot, DeploymentError(how_ended(held), kind=ErrorKind.UNAVAILABLE))
        going = [*outdated(wanted, seen, held.ref.id), *self._beyond(slot)]
        if not going:
            return replace(slot, phase=Phase.SETTLED, ended_at=self._clock())
        return self._waiting(slot, [self._terminated(one) for one in going])

    def _taken(self, slot: SlotProgress, wanted: Wanted, stays: Seen) -> SlotProgress:
        """A step of its own: what is refused after it does not undo it."""
        if (why := self._why_not_well(stays.instance)) is not None:
            return self._steps.failed(slot, ErrorKind.UNAVAILABLE, why)
        if (
            stays.identity.standing is not Standing.CURRENT
            or stays.identity.rank.order < wanted.order
        ):
            # Never lowered: a later run may have claimed it meanwhile.
            order = max(wanted.order, stays.identity.rank.order)
            labels = {STANDING: Standing.CURRENT.value, ORDER: str(order)}
            self._site.compute.label_instance(stays.instance.ref, labels)
        return replace(slot, taken=True, restarted=False, looked_from=self._clock())

    def _why_not_well(self, instance: Instance) -> str | None:
        """What became of an instance since it was healthy; the revision before goes after this."""
        if instance.state is not InstanceState.RUNNING:
            return how_ended(instance)
        return self._site.why_not_healthy(instance)

    def _seen(self, slot: SlotProgress) -> tuple[Seen, ...]:
        """What lies in the slot, also the instance it holds if a listing does not show it yet."""
        seen, held = self._steps.seen(slot), slot.instance
        if held is None or any(one.instance.ref == held.ref for one in seen):
            return seen
        try:
            instance = self._site.compute.describe_instance(held.ref)
        except CloudError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return seen
            raise
        if instance.state.is_gone:
            return seen
        return (*seen, *seen_in(self._steps.wanted(slot).slot, [instance]))

    def _beyond(self, slot: SlotProgress) -> list[Seen]:
        """What an earlier run had in slots that there are no more: the first slot sees to it."""
        if slot.number != 0:
            return []
        listed = self._site.listed(slot.looked_from or self._clock(), self._clock)
        order = order_of(self._steps.plan.order)
        found = []
        for instance in listed:
            identity = identity_of(instance)
            if (
                identity is not None
                and identity.slot.number >= self._site.plan.count
                and identity.rank.order <= order
                and not instance.state.is_gone
            ):
                found.append(Seen(instance, identity))
        return found

    def _undo(self, slot: SlotProgress) -> SlotProgress:
        wanted, seen = self._steps.wanted(slot), self._seen(slot)
        ours = [one for one in seen if self._is_to_go(slot, wanted, one)]
        if ours:
            return self._waiting(replace(slot, undid=True), [self._terminated(one) for one in ours])
        if slot.launched is not None:
            # No listing need show it yet.
            ended = self._site.compute.terminate_instance(slot.launched)
            return self._waiting(replace(slot, launched=None, undid=True), [ended])
        if slot.may_hide is not None and self._clock() < slot.may_hide:
            return replace(slot, not_before=slot.may_hide, looked_from=slot.may_hide)
        if slot.restarted and slot.instance is not None:
            stopped = self._site.compute.power_instance(slot.instance.ref, on=False)
            return self._waiting(replace(slot, restarted=False, undid=True), [stopped])
        earlier = stood_down(wanted, seen) if slot.superseded_by is None else ()
        if not earlier:
            return replace(slot, phase=Phase.UNDONE, ended_at=self._clock())
        begun = []
        for one in earlier:
            if one.instance.state is InstanceState.RUNNING:
                # Labelled last: until it runs it must be found as one that is to be started.
                labels = {STANDING: Standing.CURRENT.value}
                self._site.compute.label_instance(one.instance.ref, labels)
            else:
                begun.append(self._site.compute.power_instance(one.instance.ref, on=True))
        return self._waiting(replace(slot, undid=True), begun)

    def _is_to_go(self, slot: SlotProgress, wanted: Wanted, one: Seen) -> bool:
        """Whether an instance is this run's to remove."""
        if one.instance.state.is_gone:
            return False
        held = slot.instance is not None and one.instance.ref == slot.instance.ref
        yields = slot.superseded_by is not None and one.identity.rank.order <= wanted.order
        return wanted.is_ours(one) or (held and yields)

    def _terminated(self, one: Seen) -> Operation:
        return self._site.compute.terminate_instance(one.instance.ref)

    def _waiting(self, slot: SlotProgress, begun: list[Operation]) -> SlotProgress:
        now = self._clock()
        pause = self._steps.plan.policy.poll_interval
        waiting = replace(slot, waits_for=tuple(begun), looked_from=now, not_before=now + pause)
        return self._left(waiting, None) if self._is_late(waiting) else waiting

    def _is_late(self, slot: SlotProgress) -> bool:
        return slot.deadline is not None and self._clock() >= slot.deadline

    def broken(self, slot: SlotProgress, err: Exception) -> SlotProgress:
        """A slot of which a step failed in a way that was not foreseen, as a bug makes it."""
        why = f"unforeseen {type(err).__name__}: {err}"
        return self._left(slot, CloudError(why, kind=ErrorKind.UNAVAILABLE))

    def _left(self, slot: SlotProgress, err: CloudError | None) -> SlotProgress:
        """What could not be settled or undone in time stays, and is told."""
        if slot.phase is Phase.SETTLING and not slot.taken:
            why = "it took too long to take it" if err is None else str(err)
            kind = ErrorKind.TIMEOUT if err is None else err.kind
            return self._steps.failed(slot, kind, f"healthy, but not taken: {why}")
        doing = "settled" if slot.phase is Phase.SETTLING else "undone"
        why = f"{err}" if err is not None else "it took too long"
        kind = err.kind if err is not None else ErrorKind.TIMEOUT
        before = f"{slot.error}; " if slot.error else ""
        return replace(
            slot,
            phase=Phase.LEFT,
            undo_failed=slot.phase is Phase.UNDOING,
            error_kind=slot.error_kind or kind,
            error=before + told_shortly(f"it could not be {doing}: {why}"),
            not_before=None,
            ended_at=self._clock(),
        )

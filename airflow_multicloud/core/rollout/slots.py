"""One slot, from what lies there to an instance that is healthy: step by step.

A step makes few requests and gives the slot as it is after it; nothing else is kept, so a run that
is killed between two of them, or in one, leaves nothing but what the clouds know: the next run
looks there first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from airflow_multicloud.core.rollout.capacity import SCARCE, block_of, next_candidate
from airflow_multicloud.core.rollout.clock import LISTINGS_LAG
from airflow_multicloud.core.rollout.looking import (
    Seen,
    adoptable,
    how_ended,
    in_the_way,
    serving,
    superseding,
    told,
)
from airflow_multicloud.core.rollout.names import (
    ORDER,
    STANDING,
    Identity,
    Rank,
    Standing,
    identity_of,
    labels_of,
    name_of,
    spec_of,
    token_of,
)
from airflow_multicloud.core.rollout.policy import Strategy
from airflow_multicloud.core.rollout.progress import Attempt, Phase, SlotProgress
from airflow_multicloud.core.rollout.slot_base import SlotBase, has_served, held_by, told_shortly
from airflow_multicloud.errors import CloudError, ErrorKind, SpentTokenError
from airflow_multicloud.ports.compute import (
    Instance,
    InstanceRef,
    InstanceState,
    LaunchOrder,
)
from airflow_multicloud.ports.operations import Operation, OperationState

#: A token that is spent so often is not spent by teardowns.
_MOST_GENERATIONS = 100


class SlotSteps(SlotBase):
    """The steps of one target's slots until they are healthy or have failed."""

    def begin(self, slot: SlotProgress) -> SlotProgress:
        """A slot that is looked at next."""
        now = self.clock()
        return replace(
            slot,
            phase=Phase.LOOKING,
            began_at=slot.began_at or now,
            looked_from=now,
            deadline=now + self.plan.policy.boot_timeout,
        )

    def step(self, slot: SlotProgress) -> SlotProgress:
        """One step of a slot that does not rest; the same slot when none is due."""
        if slot.not_before is not None and self.clock() < slot.not_before:
            return slot
        steps = {
            Phase.LOOKING: self._look,
            Phase.CLEARING: self._clear,
            Phase.LAUNCHING: self._launch,
            Phase.BOOTING: self._boot,
            Phase.CHECKING: self._check,
            Phase.STANDING_DOWN: self._stand_down,
        }
        try:
            after = steps[slot.phase](replace(slot, not_before=None))
        except CloudError as err:
            return self._refused(slot, err)
        return replace(after, tries=0)

    def _look(self, slot: SlotProgress) -> SlotProgress:
        wanted, seen = self.wanted(slot), self.seen(slot)
        if (later := superseding(wanted, seen)) is not None:
            return replace(slot, phase=Phase.SUPERSEDED, superseded_by=told(later))
        if found := adoptable(wanted, seen):
            return self._adopt(slot, found[0])
        if left := in_the_way(wanted, seen):
            return self._clearing(slot, [one.instance.ref for one in left])
        return self._launching(slot)

    def _adopt(self, slot: SlotProgress, found: Seen) -> SlotProgress:
        instance, identity = found.instance, found.identity
        if instance.state is InstanceState.STOPPING:
            return self.later(replace(slot, looked_from=self.clock()))
        self._claim(slot, instance)
        held = replace(
            slot,
            instance=instance,
            adopted=True,
            restarted=identity.standing is Standing.REPLACED,
            candidate=self.specs[identity.rank.spec],
            generation=identity.generation,
        )
        if instance.state is InstanceState.STOPPED:
            started = self.site.compute.power_instance(instance.ref, on=True)
            return self._booting(held, (started,))
        if instance.state is InstanceState.PENDING:
            return self._booting(held, ())
        return self._checking(held, instance)

    def _claim(self, slot: SlotProgress, instance: Instance) -> None:
        """Have an instance say that this run wants it, too.

        So no earlier run replaces it; and what a killed run has left is this one's, to take or to
        remove.
        """
        order, identity = self.wanted(slot).order, identity_of(instance)
        if identity is not None and identity.rank.order < order:
            self.site.compute.label_instance(instance.ref, {ORDER: str(order)})

    def _clear(self, slot: SlotProgress) -> SlotProgress:
        looked = self.looked_at(slot.waits_for)
        if looked.left:
            return self.later(replace(slot, waits_for=looked.left), looked.wait)
        slot = replace(slot, waits_for=(), instance=None, looked_from=self.clock())
        if looked.failure is not None:
            slot = self.later(slot)  # What is left is looked for and ended again.
        return slot if slot.phase is Phase.FAILED else replace(slot, phase=Phase.LOOKING)

    def _launch(self, slot: SlotProgress) -> SlotProgress:
        candidate = self.site.plan.candidates[slot.candidate]
        wanted = self.wanted(slot)
        token = token_of(wanted.slot, candidate.digest, slot.generation)
        identity = Identity(
            slot=wanted.slot,
            rank=Rank(order=wanted.order, spec=spec_of(candidate.digest)),
            generation=slot.generation,
            revision=self.plan.revision,
            standing=Standing.NEW,
        )
        order = LaunchOrder(
            spec=candidate.spec,
            name=name_of(wanted.slot, token),
            token=token,
            startup_script=self.site.script(candidate),
            labels=labels_of(identity),
        )
        try:
            begun = self.site.compute.launch_instance(order)
        except SpentTokenError:
            if slot.generation >= _MOST_GENERATIONS:
                raise
            return replace(slot, generation=slot.generation + 1)
        made = InstanceRef(begun.resource, candidate.spec.region)
        slot = replace(slot, adopted=False, may_hide=None, launched=made)
        return self._booting(slot, (begun,))

    def _boot(self, slot: SlotProgress) -> SlotProgress:
        if slot.waits_for:
            (waiting,) = slot.waits_for
            operation = self.site.compute.describe_operation(waiting)
            slot = replace(slot, waits_for=(operation,))
            if operation.state is OperationState.FAILED:
                kind = operation.error_kind or ErrorKind.UNAVAILABLE
                return self._not_this_one(slot, kind, operation.error or kind, operation.code)
            if not operation.state.is_final:
                return self.later(slot, operation.poll_after)
            ref = InstanceRef(operation.resource, self._region(slot))
        elif slot.instance is not None:
            ref = slot.instance.ref
        else:
            raise AssertionError("a slot that boots holds an instance or waits for one")
        instance = self.site.compute.describe_instance(ref)
        # A launch gives what another run has made by the same order.
        self._claim(slot, instance)
        slot = replace(slot, instance=instance, launched=None)
        if instance.state is InstanceState.PENDING:
            return self.later(slot)
        if instance.state is not InstanceState.RUNNING and instance.error_kind is not None:
            return self._not_this_one(slot, instance.error_kind, how_ended(instance), None)
        if instance.state is not InstanceState.RUNNING:
            return self._ended(slot, instance)
        return self._checking(replace(slot, waits_for=()), instance)

    def _check(self, slot: SlotProgress) -> SlotProgress:
        held = held_by(slot)
        instance = self.site.compute.describe_instance(held.ref)
        slot = replace(slot, instance=instance)
        if instance.state is not InstanceState.RUNNING:
            return self._ended(slot, instance)
        complaint = self.site.why_not_healthy(instance)
        if complaint is not None:
            return self.later(replace(slot, checks=0, complaint=complaint))
        slot = replace(slot, checks=slot.checks + 1, complaint=None)
        if slot.checks < self.plan.policy.healthy_checks:
            return self.again(slot)
        if self.plan.policy.strategy is Strategy.SIDE_BY_SIDE:
            return self._ready(slot)
        return replace(
            slot,
            phase=Phase.STANDING_DOWN,
            looked_from=self.clock(),
            deadline=self.clock() + self.plan.policy.boot_timeout,
        )

    def _stand_down(self, slot: SlotProgress) -> SlotProgress:
        looked = self.looked_at(slot.waits_for)
        if looked.left:
            return self.later(replace(slot, waits_for=looked.left), looked.wait)
        if looked.failure is not None:
            return self.later(replace(slot, waits_for=(), looked_from=self.clock()))
        begun = []
        for one in serving(self.wanted(slot), self.seen(slot)):
            # Labelled first: a run that is killed in between must know whom to start again.
            self.site.compute.label_instance(one.instance.ref, {STANDING: Standing.REPLACED.value})
            begun.append(self.site.compute.power_instance(one.instance.ref, on=False))
        if not begun:
            return self._ready(slot)
        return self.later(replace(slot, waits_for=tuple(begun), looked_from=self.clock()))

    def _ended(self, slot: SlotProgress, instance: Instance) -> SlotProgress:
        """After an instance stopped, which says something of it, or was terminated."""
        if instance.state in (InstanceState.TERMINATING, InstanceState.TERMINATED):
            return self.lost(slot, how_ended(instance))
        return self.failed(slot, ErrorKind.UNAVAILABLE, how_ended(instance))

    def _refused(self, slot: SlotProgress, err: CloudError) -> SlotProgress:
        """After a request that was refused: another candidate, another try, or the end."""
        now = self.clock()
        if slot.phase is Phase.LAUNCHING:
            if err.kind in SCARCE:
                return self._not_this_one(slot, err.kind, str(err), err.code)
            if err.retryable:
                slot = replace(slot, may_hide=now + LISTINGS_LAG)
        if err.kind is ErrorKind.NOT_FOUND and slot.phase in (Phase.BOOTING, Phase.CHECKING):
            return self.lost(slot, str(err))
        if not err.retryable or (slot.deadline is not None and now >= slot.deadline):
            return self.failed(slot, err.kind, str(err))
        return self.tried(slot, err)

    def _not_this_one(
        self, slot: SlotProgress, kind: ErrorKind, why: str, code: str | None
    ) -> SlotProgress:
        """A candidate that did not do: what is left of it goes, and the next one's turn comes."""
        spec = self.site.plan.candidates[slot.candidate].spec
        attempt = Attempt(
            candidate=slot.candidate,
            region=spec.region,
            zone=spec.zone,
            size=spec.size.name,
            error_kind=kind,
            error=told_shortly(why),
            code=code,
        )
        slot = replace(slot, attempts=(*slot.attempts, attempt))
        if kind not in SCARCE or (slot.adopted and has_served(slot.instance)):
            # What served once is not given up for a place that may have no room either.
            return self.failed(slot, kind, why)
        slot = replace(slot, blocks=(*slot.blocks, block_of(kind, spec)))
        following = next_candidate(self.site.plan.candidates, slot.candidate, slot.blocks)
        if following is None:
            return self.failed(slot, kind, f"no candidate is left: {why}")
        held = () if slot.instance is None else (slot.instance.ref,)
        made = [InstanceRef(one.resource, spec.region) for one in slot.waits_for]
        left = tuple(dict.fromkeys((*made, *held)))
        slot = replace(slot, candidate=following, generation=1, launched=None)
        return self._clearing(slot, left) if left else self._launching(slot)

    def _clearing(self, slot: SlotProgress, left: Sequence[InstanceRef]) -> SlotProgress:
        begun = tuple(self.site.compute.terminate_instance(ref) for ref in left)
        return self.later(replace(slot, phase=Phase.CLEARING, waits_for=begun))

    def _launching(self, slot: SlotProgress) -> SlotProgress:
        deadline = self.clock() + self.plan.policy.boot_timeout
        return replace(slot, phase=Phase.LAUNCHING, waits_for=(), instance=None, deadline=deadline)

    def _booting(self, slot: SlotProgress, waits_for: tuple[Operation, ...]) -> SlotProgress:
        slot = replace(slot, phase=Phase.BOOTING, waits_for=waits_for)
        done = waits_for and all(operation.state.is_final for operation in waits_for)
        return slot if done else self.later(slot)

    def _checking(self, slot: SlotProgress, instance: Instance) -> SlotProgress:
        deadline = self.clock() + self.plan.policy.health_timeout
        return replace(slot, phase=Phase.CHECKING, instance=instance, checks=0, deadline=deadline)

    def _ready(self, slot: SlotProgress) -> SlotProgress:
        return replace(slot, phase=Phase.READY, waits_for=(), deadline=None)

    def _region(self, slot: SlotProgress) -> str:
        if slot.instance is not None:
            return slot.instance.ref.region
        return self.site.plan.candidates[slot.candidate].spec.region

"""What comes after a wave: the next one, or the close, and for whom it closes how. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from airflow_multicloud.core.rollout.names import Standing, identity_of
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.policy import RollbackScope
from airflow_multicloud.core.rollout.progress import (
    Phase,
    RolloutProgress,
    SlotProgress,
    Stage,
)
from airflow_multicloud.core.rollout.quorum import can_be_met, holds_floor, is_met

#: Begins a phase for a slot.
Begin = Callable[[SlotProgress, Phase], SlotProgress]

_HEALTHY = frozenset({Phase.READY, Phase.SETTLED})


def slots_under_way(progress: RolloutProgress) -> tuple[SlotProgress, ...]:
    """The slots that do not rest."""
    return tuple(slot for slot in progress.slots if not slot.phase.rests)


def after_rest(plan: DeploymentPlan, progress: RolloutProgress, begin: Begin) -> RolloutProgress:
    """The rollout's next move when all slots under way rest."""
    if progress.stage is Stage.ROLLING:
        return _rolled(plan, progress, begin)
    if any(slot.phase is Phase.READY for slot in progress.slots):
        # It settled on another run's instance, whose health is known by now.
        slots = tuple(
            begin(slot, Phase.SETTLING) if slot.phase is Phase.READY else slot
            for slot in progress.slots
        )
        return replace(progress, slots=slots)
    if progress.stage is Stage.CLOSING and (late := _failed_late(plan, progress)):
        slots = tuple(
            begin(slot, Phase.UNDOING) if slot in late else slot for slot in progress.slots
        )
        return replace(progress, slots=slots)
    return replace(progress, stage=Stage.DONE)


def _rolled(plan: DeploymentPlan, progress: RolloutProgress, begin: Begin) -> RolloutProgress:
    """The present wave begun, or the next one's turn, or the close."""
    if any(_is_next(plan, progress, slot) for slot in progress.slots):
        # What could not be planned or delivered may have decided it before anything is launched.
        if (why := why_no_quorum(plan, progress)) is None:
            return _wave_begun(plan, progress, begin)
    else:
        why = why_no_more_waves(plan, progress)
        if why is None and progress.wave + 1 < len(plan.waves):
            return replace(progress, wave=progress.wave + 1)
    return _closed(plan, replace(progress, stopped=why), begin)


def _is_next(plan: DeploymentPlan, progress: RolloutProgress, slot: SlotProgress) -> bool:
    return slot.phase is Phase.WAITING and slot.target in _wave(plan, progress)


def _wave(plan: DeploymentPlan, progress: RolloutProgress) -> Collection[str]:
    return plan.waves[progress.wave] if progress.wave < len(plan.waves) else ()


def _wave_begun(plan: DeploymentPlan, progress: RolloutProgress, begin: Begin) -> RolloutProgress:
    slots = tuple(
        begin(slot, Phase.LOOKING) if _is_next(plan, progress, slot) else slot
        for slot in progress.slots
    )
    return replace(progress, slots=slots)


def by_target(progress: RolloutProgress) -> Mapping[str, tuple[SlotProgress, ...]]:
    """Target → its slots."""
    found: dict[str, list[SlotProgress]] = defaultdict(list)
    for slot in progress.slots:
        found[slot.target].append(slot)
    return {name: tuple(slots) for name, slots in found.items()}


def healthy_targets(progress: RolloutProgress) -> set[str]:
    """The targets all of whose slots are healthy."""
    return {
        name
        for name, slots in by_target(progress).items()
        if all(slot.phase in _HEALTHY for slot in slots)
    }


def failed_targets(progress: RolloutProgress) -> set[str]:
    """The targets that were begun and are not healthy."""
    begun = {
        name
        for name, slots in by_target(progress).items()
        if all(slot.phase is not Phase.WAITING for slot in slots)
    }
    return begun - healthy_targets(progress)


def why_no_more_waves(plan: DeploymentPlan, progress: RolloutProgress) -> str | None:
    """Why no other wave may begin; ``None`` when one may."""
    healthy, failed = healthy_targets(progress), failed_targets(progress)
    if newer := sorted({slot.superseded_by for slot in progress.slots if slot.superseded_by}):
        return f"a later run's {newer[0]} is there already"
    if (why := why_no_quorum(plan, progress)) is not None:
        return why
    # What was never begun says nothing of the revision's health.
    begun = len(healthy) + len({slot.target for slot in progress.slots if slot.began_at} & failed)
    if not holds_floor(len(healthy), begun, plan.policy.health_floor):
        return (
            f"{len(healthy)} of {begun} targets are healthy, below health_floor "
            f"{plan.policy.health_floor:g}"
        )
    return None


def why_no_quorum(plan: DeploymentPlan, progress: RolloutProgress) -> str | None:
    """Why the quorum can't be met any more; ``None`` while it can."""
    failed = failed_targets(progress)
    names = [target.name for target in plan.targets]
    required = [target.name for target in plan.targets if target.required]
    if can_be_met(names, failed, required, plan.policy.min_success):
        return None
    return f"the quorum can't be met any more: {', '.join(sorted(failed))} failed"


def quorum_holds(plan: DeploymentPlan, progress: RolloutProgress) -> bool:
    """Whether enough targets are healthy."""
    names = [target.name for target in plan.targets]
    required = [target.name for target in plan.targets if target.required]
    return is_met(names, healthy_targets(progress), required, plan.policy.min_success)


def _closed(plan: DeploymentPlan, progress: RolloutProgress, begin: Begin) -> RolloutProgress:
    """Every slot on its way to its end: taken for good, undone, or left."""
    met, healthy = quorum_holds(plan, progress), healthy_targets(progress)
    undo_all = plan.policy.rollback is RollbackScope.ALL and not met
    undo_some = plan.policy.rollback is not RollbackScope.NONE
    planned = {target.name for target in plan.targets if target.candidates}

    def end(slot: SlotProgress) -> SlotProgress:
        if slot.phase is Phase.WAITING:
            return slot
        if slot.target not in planned:
            return replace(slot, phase=Phase.LEFT)
        if slot.phase is Phase.SUPERSEDED:
            return begin(slot, Phase.UNDOING)
        kept = slot.phase is Phase.READY and slot.adopted and _is_current(slot)
        if slot.target in healthy and (kept or not undo_all):
            return begin(slot, Phase.SETTLING)
        if kept:
            # It served before this run, which puts back only what it has done itself.
            return replace(slot, phase=Phase.LEFT)
        return begin(slot, Phase.UNDOING) if undo_some else replace(slot, phase=Phase.LEFT)

    slots = tuple(map(end, progress.slots))
    return replace(progress, stage=Stage.CLOSING, quorum_met=met, slots=slots)


def _is_current(slot: SlotProgress) -> bool:
    identity = None if slot.instance is None else identity_of(slot.instance)
    return identity is not None and identity.standing is Standing.CURRENT


def _failed_late(plan: DeploymentPlan, progress: RolloutProgress) -> list[SlotProgress]:
    """Slots that failed while the rollout was closing."""
    if plan.policy.rollback is RollbackScope.NONE:
        return []
    return [
        slot
        for slot in progress.slots
        if slot.phase in (Phase.FAILED, Phase.SUPERSEDED) and slot.began_at is not None
    ]

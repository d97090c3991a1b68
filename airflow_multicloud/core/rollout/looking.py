"""What a listing says of a slot: pure decisions about what lies there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_multicloud.core.rollout.names import Identity, Rank, Slot, Standing, identity_of
from airflow_multicloud.ports.compute import Instance, InstanceState
from airflow_multicloud.text import printable

_LAST = datetime.max.replace(tzinfo=UTC)
_PREFERRED = (Standing.CURRENT, Standing.NEW, Standing.REPLACED)
_IN_THE_WAY = frozenset({InstanceState.FAILED, InstanceState.INCOMPLETE, InstanceState.TERMINATING})


@dataclass(frozen=True, slots=True)
class Seen:
    """An instance of a slot, with what its labels say."""

    instance: Instance
    identity: Identity

    @property
    def is_live(self) -> bool:
        """Whether it is a machine that works, may become one, or can be started again."""
        return self.instance.state.is_live


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a run wants of a slot.

    :param rank: of its run; its ``spec`` is that of the instance it holds, or its highest.
    :param specs: of its candidates; an instance of any of them will do.
    :param accounts: in which they are.
    """

    slot: Slot
    rank: Rank
    specs: Collection[str]
    accounts: Collection[str]

    @property
    def order(self) -> int:
        """Of its run, as in :class:`~airflow_multicloud.core.rollout.names.Rank`."""
        return self.rank.order

    def is_of_spec(self, seen: Seen) -> bool:
        """Whether an instance is what is wanted, whoever made it."""
        return seen.identity.rank.spec in self.specs and seen.instance.account_id in self.accounts

    def is_ours(self, seen: Seen) -> bool:
        """Whether it is what this very run has made, in this try or another, and not yet taken.

        Of whatever spec: a retry may have found another image.
        """
        return (
            seen.instance.account_id in self.accounts
            and seen.identity.rank.order == self.order
            and seen.identity.standing is Standing.NEW
        )


def seen_in(slot: Slot, instances: Iterable[Instance]) -> tuple[Seen, ...]:
    """The instances of a slot among others; what is not labelled fully is nobody's."""
    found = ((instance, identity_of(instance)) for instance in instances)
    return tuple(
        Seen(instance, identity)
        for instance, identity in found
        if identity is not None and identity.slot == slot
    )


def superseding(wanted: Wanted, seen: Iterable[Seen]) -> Seen | None:
    """A later run's instance that was healthy, of another spec: it stays, and ours yields."""
    later = [
        one
        for one in seen
        if one.is_live
        and one.identity.standing is Standing.CURRENT
        and one.identity.rank > wanted.rank
        and not wanted.is_of_spec(one)
    ]
    return max(later, key=lambda one: one.identity.rank, default=None)


def adoptable(wanted: Wanted, seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """Live instances that are what is wanted, the one that stays first.

    All runs that want the same agree on it, whenever they look.
    """
    live = [one for one in seen if one.is_live and wanted.is_of_spec(one)]
    return tuple(
        sorted(
            live,
            key=lambda one: (
                _PREFERRED.index(one.identity.standing),
                one.instance.created_at or _LAST,
                one.instance.ref.id,
            ),
        )
    )


def in_the_way(wanted: Wanted, seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """What is left of instances like ours, and must be gone before another is made."""
    return tuple(
        one for one in seen if one.instance.state in _IN_THE_WAY and wanted.is_of_spec(one)
    )


def outdated(wanted: Wanted, seen: Iterable[Seen], kept: str) -> tuple[Seen, ...]:
    """What goes when one instance is taken for good.

    Everything of earlier runs, of another spec of this run, and its own like but the one; a later
    run's stays.

    :param kept: the id of the one.
    """
    return tuple(
        one
        for one in seen
        if one.instance.ref.id != kept
        and not one.instance.state.is_gone
        and (one.identity.rank.order <= wanted.order or wanted.is_of_spec(one))
    )


def serving(wanted: Wanted, seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """The earlier instances that serve until ours are healthy."""
    return tuple(
        one
        for one in seen
        if one.instance.state in (InstanceState.PENDING, InstanceState.RUNNING)
        and one.identity.standing is Standing.CURRENT
        and one.identity.rank.order <= wanted.order
        and not wanted.is_of_spec(one)
    )


def stood_down(wanted: Wanted, seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """Earlier instances that were stopped for ours."""
    return tuple(
        one
        for one in seen
        if one.is_live
        and one.identity.standing is Standing.REPLACED
        and one.identity.rank.order <= wanted.order
        and not wanted.is_of_spec(one)
    )


def told(seen: Seen) -> str:
    """An instance of another revision, for people."""
    return printable(f"revision {seen.identity.revision} (instance {seen.instance.ref.id})")


def how_ended(instance: Instance) -> str:
    """What is said of an instance that ended by itself."""
    why = f": {instance.error}" if instance.error else ""
    return f"instance {instance.ref.id} is {instance.state}, though nobody here ended it{why}"

"""How far a teardown is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from airflow_multicloud.core.rollout.clock import utc_now
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.operations import Operation


class TeardownState(StrEnum):
    """How far one place is."""

    REMOVING = "removing"
    #: A listing, made after the last removal, has shown nothing.
    CLEAN = "clean"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedInstance:
    """One instance, or what was left of one, that is gone.

    :param target: what it was labelled with.
    """

    id: str
    name: str
    region: str
    target: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTeardown:
    """How far one place is.

    :param certain_from: a listing begun earlier may not show what was launched just before.
    :param left: ids of what is still there, as far as is known.
    :param listed_at: when the last listing was begun.
    """

    conn_id: str
    cloud: str
    deadline: datetime
    certain_from: datetime
    state: TeardownState = TeardownState.REMOVING
    removed: tuple[RemovedInstance, ...] = ()
    left: tuple[str, ...] = ()
    waits_for: tuple[Operation, ...] = ()
    not_before: datetime | None = None
    listed_at: datetime | None = None
    error_kind: ErrorKind | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeardownResult:
    """What came of a teardown.

    :param places: each with what was removed there.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=("deployment_id", "succeeded", "removed", "places", "ended_at")
    )

    deployment_id: str
    places: tuple[PlaceTeardown, ...]
    ended_at: datetime

    @classmethod
    def of(cls, deployment_id: str, places: Sequence[PlaceTeardown]) -> Self:
        """What came of it, ended now."""
        return cls(deployment_id=deployment_id, places=tuple(places), ended_at=utc_now())

    @property
    def succeeded(self) -> bool:
        """Whether a listing of every place has shown that nothing is left."""
        return all(place.state is TeardownState.CLEAN for place in self.places)

    @property
    def removed(self) -> int:
        """How many instances are gone."""
        return len({one.id for place in self.places for one in place.removed})

    def raise_if_failed(self) -> None:
        """Raise when something is left, or may be.

        :raises DeploymentError: naming it.
        """
        bad = [place for place in self.places if place.state is TeardownState.FAILED]
        if not bad:
            return
        told = "; ".join(
            f"{place.conn_id} ({place.cloud}): {place.error}"
            + (f"; still there: {', '.join(place.left)}" if place.left else "")
            for place in bad
        )
        kinds = [place.error_kind or ErrorKind.TIMEOUT for place in bad]
        lasting = [kind for kind in kinds if not kind.retryable]
        raise DeploymentError(
            f"deployment {self.deployment_id}: not everything is known to be gone: {told}",
            kind=(lasting or kinds)[0],
        )

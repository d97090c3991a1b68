"""When what was lost serves again, from the clouds that are left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from airflow_multicloud.core.pages import duration
from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
from airflow_multicloud.documents import Document

#: Under which XCom has what a drill's deployment has shown.
SERVING_KEY: Final = "drill_deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The artifact that a drill deploys.

    :param served_by: the replica that it was fetched from.
    :param size: its bytes.
    :param left_out: targets in the primary's cloud.
    """

    served_by: str
    sha256: str
    size: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a drill's deployment has shown.

    :param serving_at: when all that had to be was healthy; ``None``: it never was.
    """

    DOCUMENT: ClassVar[Document] = Document(
        shows=(
            *("deployment_id", "revision", "fault_at", "serving_at", "serving_again"),
            *("artifact", "targets", "told"),
        )
    )

    deployment_id: str
    revision: str
    fault_at: datetime
    serving_at: datetime | None
    artifact: Recovered
    targets: tuple[str, ...]

    @classmethod
    def of(
        cls, result: MultiCloudDeploymentResult, artifact: Recovered, fault_at: datetime
    ) -> Self:
        """From what came of the rollout."""
        return cls(
            deployment_id=result.deployment_id,
            revision=result.revision,
            fault_at=fault_at,
            serving_at=result.ended_at if result.succeeded else None,
            artifact=artifact,
            targets=tuple(one.name for one in result.targets if one.outcome.is_success),
        )

    @property
    def serving_again(self) -> timedelta | None:
        """From the fault until it served; ``None``: never, or clocks disagree about it."""
        if self.serving_at is None or self.serving_at < self.fault_at:
            return None
        return self.serving_at - self.fault_at

    @property
    def told(self) -> str:
        """What was seen, in a sentence."""
        if self.serving_at is None:
            return f"{self.deployment_id} did not serve again"
        if (took := self.serving_again) is None:
            return (
                "clocks disagree: it served before the fault, so it can't be told how long it "
                "took; set the clocks of the workers by NTP"
            )
        where = ", ".join(self.targets)
        return (
            f"serving again {duration(took.total_seconds())} after the fault, at {where}, from "
            f"{self.artifact.served_by}"
        )

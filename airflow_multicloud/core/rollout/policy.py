"""How a rollout goes: its waves, what counts as success, and what is put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from airflow_multicloud.core.rollout.inputs import duration, member, refused, whole_number

_MOST_CHECKS = 100
#: Beyond it the URL that an instance fetches its artifact by has expired for sure.
_LONGEST_TIMEOUT = timedelta(days=7)
_LONGEST_INTERVAL = timedelta(hours=1)


class Strategy(StrEnum):
    """What happens to the revision that runs now."""

    #: A target's old instances are stopped once its new ones are healthy, and terminated when the
    #: rollout has succeeded.
    REPLACE = "replace"
    #: They go on running until the rollout has succeeded.
    SIDE_BY_SIDE = "side_by_side"


class RollbackScope(StrEnum):
    """What is put back."""

    #: Targets that failed.
    FAILED_ONLY = "failed_only"
    #: Every target, when the waves have not met the quorum; else those that failed. Once instances
    #: are taken for good, what fails late costs its own target.
    ALL = "all"
    #: Nothing: what failed stays for somebody to look at.
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPolicy:
    """How a rollout goes.

    :param canary: how many targets the first wave has; 0 for no canary.
    :param max_parallel: how many targets each later wave has; ``None`` for all the rest.
    :param min_success: how many targets must succeed: a count (``int``) or a fraction of all
        (``float``, above 0 up to 1). Required targets must succeed besides.
    :param health_floor: the fraction of the targets begun so far that must be healthy after a wave;
        below it no other wave begins.
    :param strategy: what happens to the revision that runs now.
    :param rollback: what is put back.
    :param boot_timeout: for an instance, from its launch until its cloud says that it runs; 7 days
        at most.
    :param health_timeout: from then until it is healthy; likewise.
    :param healthy_checks: how many health checks in a row must succeed; 100 at most.
    :param poll_interval: between two looks at an instance; 1 hour at most.
    """

    canary: int = 1
    max_parallel: int | None = None
    min_success: int | float = 1.0
    health_floor: float = 0.5
    strategy: Strategy = Strategy.REPLACE
    rollback: RollbackScope = RollbackScope.FAILED_ONLY
    boot_timeout: timedelta = timedelta(minutes=10)
    health_timeout: timedelta = timedelta(minutes=10)
    healthy_checks: int = 2
    poll_interval: timedelta = timedelta(seconds=5)

    def __post_init__(self) -> None:
        """Take plain values as they are given.

        :raises DeploymentError: ``invalid_argument``, naming the parameter.
        """
        whole_number("canary", self.canary, 0)
        if self.max_parallel is not None:
            whole_number("max_parallel", self.max_parallel, 1)
        self._check_shares()
        whole_number("healthy_checks", self.healthy_checks, 1, _MOST_CHECKS)
        changed: dict[str, object] = {
            "strategy": member("strategy", Strategy, self.strategy),
            "rollback": member("rollback", RollbackScope, self.rollback),
        }
        for name in ("boot_timeout", "health_timeout"):
            changed[name] = duration(name, getattr(self, name), most=_LONGEST_TIMEOUT)
        if self.poll_interval != timedelta():
            changed["poll_interval"] = duration(
                "poll_interval", self.poll_interval, most=_LONGEST_INTERVAL
            )
        for name, value in changed.items():
            object.__setattr__(self, name, value)

    def _check_shares(self) -> None:
        share: object = self.min_success
        if isinstance(share, float):
            fits = 0 < share <= 1
        else:
            fits = isinstance(share, int) and not isinstance(share, bool) and share >= 0
        if not fits:
            allowed = "a count of targets (int) or a fraction above 0 up to 1 (float)"
            raise refused("min_success", share, allowed)
        floor: object = self.health_floor
        if isinstance(floor, bool) or not isinstance(floor, int | float) or not 0 <= floor <= 1:
            raise refused("health_floor", floor, "0 to 1")

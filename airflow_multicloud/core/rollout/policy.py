"""How a rollout goes: its waves, what counts as success, and what is put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from airflow_multicloud.errors import DeploymentError, ErrorKind

E = TypeVar("E", bound=StrEnum)


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
    :param boot_timeout: for an instance, from its launch until its cloud says that it runs.
    :param health_timeout: from then until it is healthy.
    :param healthy_checks: how many health checks in a row must succeed.
    :param poll_interval: between two looks at an instance.
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
        object.__setattr__(self, "strategy", _member(Strategy, self.strategy, "strategy"))
        object.__setattr__(self, "rollback", _member(RollbackScope, self.rollback, "rollback"))
        _check(self.canary >= 0, "canary", self.canary, "0 or more")
        _check(
            self.max_parallel is None or self.max_parallel >= 1,
            "max_parallel",
            self.max_parallel,
            "1 or more, or None",
        )
        is_count = isinstance(self.min_success, int)
        _check(
            self.min_success >= 0 if is_count else 0 < self.min_success <= 1,
            "min_success",
            self.min_success,
            "a count of targets (int) or a fraction above 0 up to 1 (float)",
        )
        _check(0 <= self.health_floor <= 1, "health_floor", self.health_floor, "0 to 1")
        _check(self.healthy_checks >= 1, "healthy_checks", self.healthy_checks, "1 or more")
        for name in ("boot_timeout", "health_timeout"):
            _check(getattr(self, name) > timedelta(), name, getattr(self, name), "more than 0")
        _check(self.poll_interval >= timedelta(), "poll_interval", self.poll_interval, "0 or more")


def _member(kind: type[E], given: str, parameter: str) -> E:
    if given in set(kind):
        return kind(given)
    raise _wrong(parameter, given, " or ".join(kind))


def _check(fits: bool, parameter: str, given: object, allowed: str) -> None:
    if not fits:
        raise _wrong(parameter, given, allowed)


def _wrong(parameter: str, given: object, allowed: str) -> DeploymentError:
    return DeploymentError(
        f"{parameter}: {given} given, expected {allowed}", kind=ErrorKind.INVALID_ARGUMENT
    )

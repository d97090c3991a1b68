"""The objectives of a drill, as parameters of operators give them."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import is_template
from airflow_multicloud.operators.given import given_or_none
from airflow_multicloud.text import given_text

Seconds = float | str | None


class HasObjectives(Protocol):
    """An operator that has them as parameters."""

    rto_seconds: float | str
    rpo_seconds: float | str
    detect_seconds: Seconds
    failover_seconds: Seconds
    first_verified_seconds: Seconds


def objectives_of(
    *,
    rto_seconds: Seconds,
    rpo_seconds: Seconds,
    detect_seconds: Seconds = None,
    failover_seconds: Seconds = None,
    first_verified_seconds: Seconds = None,
) -> Objectives:
    """From numbers of seconds, or texts that templates have made of some.

    :raises StorageError: kind ``invalid_argument``, naming the parameter, for what is no number
        above 0, and for a phase that may take longer than the whole recovery.
    """
    found = Objectives(
        rto=_time("rto_seconds", rto_seconds),
        rpo=_time("rpo_seconds", rpo_seconds),
        detect=_time_or_none("detect_seconds", detect_seconds),
        failover=_time_or_none("failover_seconds", failover_seconds),
        first_verified=_time_or_none("first_verified_seconds", first_verified_seconds),
    )
    found.check(suffix="_seconds")
    return found


def operator_objectives(operator: HasObjectives) -> Objectives:
    """Those of an operator, once its templates are rendered.

    :raises StorageError: as :func:`objectives_of`.
    """
    return objectives_of(**_given(operator))


def check_given_objectives(operator: HasObjectives) -> None:
    """Refuse what is wrong when the DAG is parsed; what a template gives is not known by then.

    :raises StorageError: as :func:`objectives_of`.
    """
    given = _given(operator)
    if not is_template([*given.values()]):
        objectives_of(**given)


def _given(operator: HasObjectives) -> dict[str, Seconds]:
    return {
        "rto_seconds": operator.rto_seconds,
        "rpo_seconds": operator.rpo_seconds,
        "detect_seconds": operator.detect_seconds,
        "failover_seconds": operator.failover_seconds,
        "first_verified_seconds": operator.first_verified_seconds,
    }


def _time_or_none(parameter: str, given: Seconds) -> timedelta | None:
    return None if given_or_none(given) is None else _time(parameter, given)


def _time(parameter: str, given: Seconds) -> timedelta:
    try:
        # True is a number for Python, and None is refused as well.
        number = float("nan") if isinstance(given, bool) else float(given)  # type: ignore[arg-type]
        return timedelta(seconds=number)
    except (TypeError, ValueError, OverflowError):
        raise StorageError(
            f"{parameter}: {given_text(given)} given, expected a number of seconds above 0",
            kind=ErrorKind.INVALID_ARGUMENT,
        ) from None

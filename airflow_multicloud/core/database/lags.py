"""How far a replica is behind, and whether that is known: an unknown lag is never zero."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow_multicloud.ports.database import DatabaseInstance, DatabaseRole, ReplicaLag

#: How old a measurement may be by default: clouds measure every minute, and publish up to three
#: minutes later. What has happened since then is not known.
MAX_AGE = timedelta(minutes=5)


def lag_now(instance: DatabaseInstance, max_age: timedelta, now: datetime) -> timedelta | str:
    """The replica's lag, or why it is not known.

    :param max_age: a measurement that is older says nothing of now.
    :param now: aware.
    """
    lag = instance.lag
    if instance.role is not DatabaseRole.REPLICA:
        return f"{instance.name} is no replica but a {instance.role}"
    if lag is None or lag.value is None or lag.measured_at is None:
        return f"its cloud has no measurement{_source(lag)}"
    if lag.value < timedelta(0):
        return f"its newest measurement{_source(lag)} is negative, as of a replica that is cut off"
    age = now - lag.measured_at
    if age > max_age:
        return (
            f"its newest measurement{_source(lag)} is of {lag.measured_at.isoformat()}, older than "
            f"{max_age}"
        )
    return lag.value


def why_too_far(
    instance: DatabaseInstance, max_lag: timedelta, max_age: timedelta, now: datetime
) -> str | None:
    """Why a replica is not within ``max_lag`` of its primary, or can't be known to be."""
    lag = lag_now(instance, max_age, now)
    if isinstance(lag, str):
        return f"the lag of {instance.ref.id} is not known: {lag}"
    if lag > max_lag:
        return f"{instance.ref.id} is {lag} behind, more than {max_lag}"
    return None


def _source(lag: ReplicaLag | None) -> str:
    return f" of {lag.source}" if lag is not None and lag.source else ""

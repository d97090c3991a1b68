"""Teardowns, opened from their connections; and one look, as a trigger makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_multicloud.core.rollout.clock import utc_now
from airflow_multicloud.core.rollout.teardown import Teardown
from airflow_multicloud.core.rollout.teardown_progress import PlaceTeardown, TeardownState
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.opening.deployments import open_places


def open_teardown(
    deployment_id: str,
    conn_ids: Sequence[str],
    regions: Mapping[str, Sequence[str]],
    timeout: timedelta,
    poll_interval: timedelta,
    confirm_after: timedelta,
) -> Teardown:
    """A teardown at these connections.

    :raises CloudError: for a connection that can't be used.
    """
    places = open_places(conn_ids, regions)
    return Teardown(
        deployment_id,
        places,
        timeout=timeout,
        poll_interval=poll_interval,
        confirm_after=confirm_after,
    )


def arguments_of(
    deployment_id: str,
    conn_ids: Sequence[str],
    regions: Mapping[str, Sequence[str]],
    poll_interval: timedelta,
    places: Sequence[PlaceTeardown],
) -> dict[str, Any]:
    """What :func:`advance_teardown` is called with."""
    return {
        "deployment_id": deployment_id,
        "conn_ids": list(conn_ids),
        "regions": {conn_id: list(names) for conn_id, names in regions.items()},
        "poll_seconds": poll_interval.total_seconds(),
        "places": [to_document(place) for place in places],
    }


def advance_teardown(
    deployment_id: str,
    conn_ids: list[str],
    regions: dict[str, list[str]],
    poll_seconds: float,
    places: list[dict[str, Any]],
) -> dict[str, Any] | NotYet:
    """Do what is due at every place, once; gives the places when all are done."""
    poll = timedelta(seconds=poll_seconds)
    # The times are in the places; these here only make new ones.
    none = timedelta()
    teardown = open_teardown(deployment_id, conn_ids, regions, none, poll, none)
    read = [read_document(PlaceTeardown, place, what="place") for place in places]
    now = teardown.advance(read)
    if all(place.state is not TeardownState.REMOVING for place in now):
        return {"places": [to_document(place) for place in now]}
    due = [place.not_before or utc_now() for place in now if place.state is TeardownState.REMOVING]
    return NotYet(
        wait=max(min(due) - utc_now(), timedelta()),
        arguments=arguments_of(deployment_id, conn_ids, regions, poll, now),
    )

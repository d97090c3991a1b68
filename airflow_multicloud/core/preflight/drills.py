"""What a whole drill needs, from the first replication to the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud import known_clouds
from airflow_multicloud.core.preflight.needs import Need, ObjectPlace
from airflow_multicloud.core.preflight.objects import LEDGER, reading, replica


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A drill, in the words of ``run_drill``; the same that the tasks of a drill's DAG need.

    :param versioned: see :class:`~.objects.Replicate`.
    """

    primary: object
    replicas: object
    places: object = None
    versioned: bool = True

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {
            "objectives",
            "fault",
            "policy",
            "restore_to",
            "drill_id",
            "run",
            "signing_conn_id",
        }
    )

    def needs(self) -> Iterator[Need]:
        """Of the primary, which gets a canary and is fetched from; of replicas and evidence."""
        primary = ObjectPlace.of(self.primary, "drill: primary", "primary")
        yield from reading(primary, tags=False, versioned=self.versioned)
        yield from primary.needs(("put_object",))
        yield from _recovered_from(primary)
        for place in ObjectPlace.each(self.replicas, "drill: replica", "replicas"):
            yield from replica(
                place, tags=False, delete=False, create=False, versioned=self.versioned
            )
            yield from _recovered_from(place)
            if self.versioned:  # What was replaced there since is read as the ledger has it.
                yield from place.needs(("get_object:version",))
        if not self.places:
            return
        for place in ObjectPlace.each(self.places, "drill: evidence", "places"):
            yield from place.needs((*LEDGER, "put_object"), own=True)


def _recovered_from(place: ObjectPlace) -> Iterator[Need]:
    """As a fetch has it: a bucket's ledger is read. And who was asked is in the evidence."""
    yield from place.needs(LEDGER, own=True)
    cloud = known_clouds.cloud_of_scheme(place.location.scheme, parameter=place.parameter)
    yield Need(
        what=place.what,
        conn_id=known_clouds.connection_of(place.location) or "",
        cloud=cloud.name,
        service="identity",
        use="who_am_i",
    )

"""Drills over time, by the chain of evidence in a bucket."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.drill.chain import numbers_of, read_file
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.history import Past, measured
from airflow_multicloud.core.drill.records import Record, key_of
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import CloudError, ErrorKind

#: What a record can't be read by; it is for ``verify_evidence`` to tell what is the matter.
NO_RECORD = frozenset({ErrorKind.INTEGRITY, ErrorKind.UNSUPPORTED, ErrorKind.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Trend:
    """The newest drills of a chain.

    :param place: the URI of the bucket.
    :param drills: the oldest first.
    :param unreadable: the numbers of records among them that can't be read.
    """

    place: str
    drills: tuple[Past, ...]
    unreadable: tuple[int, ...]


def trend(place: Endpoint, *, last: int) -> Trend:
    """The newest records in a place's bucket, in short; neither chain nor signatures are checked.

    :param last: how many.
    :raises StorageError: as the store's calls do.
    """
    drills: list[Past] = []
    unreadable: list[int] = []
    for number in sorted(numbers_of(place))[-last:]:
        cancellation.check()
        try:
            evidence = Record.of(read_file(place, key_of(number))).evidence
        except CloudError as err:
            if err.kind not in NO_RECORD:
                raise
            unreadable.append(number)
        else:
            drills.append(past_of(evidence, number))
    return Trend(str(place.location.with_key("")), tuple(drills), tuple(unreadable))


def past_of(evidence: Evidence, number: int) -> Past:
    """A record in short.

    :param number: in its chain.
    """
    return Past(
        number=number,
        written_at=evidence.written_at,
        verdict=str(evidence.verdict),
        drill_id=evidence.drill_id,
        rto=measured(evidence.measurement, "rto"),
        rpo=measured(evidence.measurement, "rpo"),
        rto_objective=evidence.objectives.rto,
        rpo_objective=evidence.objectives.rpo,
    )

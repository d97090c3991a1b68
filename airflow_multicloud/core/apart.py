"""Places that must not be, or lie in, one another; by whichever connections they are reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from airflow_multicloud import known_clouds
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.locations import Location


def check_overlap(
    source: Endpoint,
    destinations: Iterable[Endpoint],
    *,
    parameters: tuple[str, str] = ("source", "destinations"),
) -> None:
    """Refuse destinations that lie in the source or in each other.

    What counts is the place, by whichever connection it is reached: see :attr:`Endpoint.place`.

    :param parameters: what the two were given for, for errors.
    :raises StorageError: kind ``invalid_argument``.
    """
    seen = [(parameters[0], source)]
    for number, destination in enumerate(destinations):
        here = destination.location
        name = f"{parameters[1]}[{number}]"
        for other_name, other in seen:
            there = other.location
            if in_one_place(destination, other):
                raise StorageError(
                    f"{name}: {here} overlaps {other_name} {there}{_same(destination, other)}",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        seen.append((name, destination))


def check_others(end: Endpoint, others: Sequence[Endpoint], *, parameter: str) -> None:
    """Refuse others that can't speak for or against a place: its own bucket, and one twice.

    :param parameter: what the others were given for, for errors.
    :raises StorageError: kind ``invalid_argument``.
    """
    for number, other in enumerate(others):
        name = f"{parameter}[{number}]: {other.location}"
        if in_one_bucket(end, other):
            raise StorageError(
                f"{name} is in the same bucket as {end.location}, and its records say nothing of "
                "themselves: give places in other buckets",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=other.cloud,
            )
        for before, one in enumerate(others[:number]):
            if other.place == one.place:
                raise StorageError(
                    f"{name} is the same place as {parameter}[{before}]: give each once",
                    kind=ErrorKind.INVALID_ARGUMENT,
                    cloud=other.cloud,
                )


def in_one_place(one: Endpoint, other: Endpoint) -> bool:
    """Whether one of two places is the other, or lies in it."""
    here, there = one.location, other.location
    return (_covers(here, there) or _covers(there, here)) and in_one_bucket(one, other)


def in_one_bucket(one: Endpoint, other: Endpoint) -> bool:
    """Whether two places are in the same bucket, by whichever connections they are reached."""
    if (one.cloud, one.bucket) != (other.cloud, other.bucket):
        return False
    return _connection(one) == _connection(other) or one.store_name == other.store_name


def _same(one: Endpoint, other: Endpoint) -> str:
    """What an error says of two connections to one bucket."""
    if _connection(one) == _connection(other):
        return ""
    bucket = replace(one, location=one.location.with_key(""))
    return f": both connections reach {bucket.place}"


def _connection(endpoint: Endpoint) -> str | None:
    return known_clouds.connection_of(endpoint.location)


def _covers(one: Location, other: Location) -> bool:
    return one.key == other.key or (one.is_prefix and other.key.startswith(one.key))

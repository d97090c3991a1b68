"""Whether the buckets of a replication are there, and making those that are not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.endpoints import Endpoint, naming
from airflow_multicloud.core.replication import reach
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import BucketCreation


def check_buckets(
    source: Endpoint,
    destinations: Sequence[Endpoint],
    *,
    create: bool,
    absent: Collection[int] = (),
) -> Mapping[int, CloudError]:
    """Fail before any byte moves when a bucket is missing or can't be read.

    :param absent: destinations that need not be looked at.
    :return: the destinations, by index, that are out of reach for now; not all of them.
    :raises CloudError: whatever else is the matter with a bucket or its connection, naming the
        parameter.
    """
    checks = {-1: partial(check_bucket, "source", source, create=False)}
    for number, destination in enumerate(destinations):
        if number not in absent:
            parameter = f"destinations[{number}]"
            checks[number] = partial(check_bucket, parameter, destination, create=create)
    out_of_reach: dict[int, CloudError] = {}

    def settle(number: int, done: Callable[[], None]) -> None:
        try:
            done()
        except CloudError as err:
            if number < 0 or not err.kind.is_outage:
                raise
            out_of_reach[number] = err

    if create:  # One after the other: what comes after a failure is not created.
        for number, check in checks.items():
            settle(number, check)
    else:
        with ThreadPoolExecutor(len(checks), thread_name_prefix="multicloud-check") as pool:
            checked = {n: telemetry.submit_in_context(pool, one) for n, one in checks.items()}
        for number, result in checked.items():
            settle(number, result.result)
    reach.check_any_left(out_of_reach, destinations)
    return out_of_reach


def to_be_created(destinations: Sequence[Endpoint]) -> frozenset[int]:
    """The destinations, by index, whose buckets are not there.

    :raises CloudError: where that can't be told, naming the parameter.
    """
    found: set[int] = set()
    for number, destination in enumerate(destinations):
        try:
            with naming(f"destinations[{number}]", destination):
                destination.store.stat_bucket(destination.bucket)
        except CloudError as err:
            if err.kind.is_outage:
                continue  # Whoever checks it again will say so.
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            found.add(number)
    return frozenset(found)


def check_bucket(parameter: str, endpoint: Endpoint, *, create: bool) -> None:
    """Look whether a bucket is there, and create it if it is to be.

    :raises CloudError: naming the parameter.
    """
    with naming(parameter, endpoint):
        _find_bucket(parameter, endpoint, create=create)


def _find_bucket(parameter: str, endpoint: Endpoint, *, create: bool) -> None:
    try:
        endpoint.store.stat_bucket(endpoint.bucket)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        if not create:
            hint = "" if parameter == "source" else "; create it, or set create_buckets=True"
            raise StorageError(
                f"{parameter}: {endpoint.location}: no bucket {endpoint.bucket!r}{hint}",
                kind=ErrorKind.NOT_FOUND,
                cloud=endpoint.cloud,
                code=err.code,
            ) from err
        if not isinstance(endpoint.store, BucketCreation):
            raise
        endpoint.store.ensure_bucket(endpoint.bucket)

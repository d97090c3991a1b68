"""Whether the buckets of a replication are there, and making those that are not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.endpoints import Endpoint, naming
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import BucketCreation


def check_buckets(
    source: Endpoint,
    destinations: Sequence[Endpoint],
    *,
    create: bool,
    absent: Collection[int] = (),
) -> None:
    """Fail before any byte moves when a bucket is missing or can't be read.

    :param absent: destinations that need not be looked at.
    :raises CloudError: whatever is the matter with a bucket or its connection, naming the
        parameter.
    """
    checks = [partial(check_bucket, "source", source, create=False)]
    checks += [
        partial(check_bucket, f"destinations[{number}]", destination, create=create)
        for number, destination in enumerate(destinations)
        if number not in absent
    ]
    if create:  # One after the other: what comes after a failure is not created.
        for check in checks:
            check()
        return
    with ThreadPoolExecutor(len(checks), thread_name_prefix="multicloud-check") as pool:
        checked = [telemetry.submit_in_context(pool, check) for check in checks]
    for done in checked:
        done.result()


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

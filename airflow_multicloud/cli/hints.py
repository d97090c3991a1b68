"""What a person most likely meant, and what to do next, when something was not found."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator
from datetime import timedelta
from difflib import get_close_matches
from functools import partial

from airflow_multicloud import registry
from airflow_multicloud.cli.connections import known_connections
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.limits import within
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.locations import Location, parse_location
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import BucketListing

#: How many buckets are looked at for the one that was meant.
_BUCKETS = 1000
_PATIENCE = timedelta(seconds=5)
_UNANSWERED = (
    ErrorKind.UNAVAILABLE,
    ErrorKind.TIMEOUT,
    ErrorKind.UNAUTHENTICATED,
    ErrorKind.PERMISSION_DENIED,
)


def hint(args: Namespace, err: CloudError) -> str:
    """What to add to an error; empty where nothing better is known.

    It may ask the clouds again: a person who mistyped a name waits for one more request.
    """
    if err.kind in _UNANSWERED:
        return _check_of(args, err)
    if err.kind is not ErrorKind.NOT_FOUND:
        return ""
    for location in _locations(args):
        conn_id = registry.connection_of(location)
        if conn_id is None:
            continue
        if _missing(conn_id):
            return missing_connection(conn_id)
        try:  # A place that can't be opened, or does not answer: the error has been found.
            end = open_endpoint(str(location), parameter="uri")
            found = within(_PATIENCE, partial(_missing_bucket, end), parameter="the hint's limit")
        except CloudError:
            continue
        if found:
            return found
    return ""


def _check_of(args: Namespace, err: CloudError) -> str:
    said = str(err)
    if "airflow multicloud init" in said:
        return ""
    for location in _locations(args):
        conn_id = registry.connection_of(location)
        if conn_id is not None and str(location) in said:
            return f"; to check the connection: airflow multicloud init {conn_id}"
    return ""


def missing_connection(conn_id: str) -> str:
    """Which connection was meant, or how to make one of this name."""
    known = [
        other
        for other in known_connections(noted=False)
        if other != conn_id and not _missing(other)
    ]
    meant = _closest(conn_id, known)
    said = f"; did you mean {meant}?" if meant else ""
    types = [
        conn_type
        for cloud in registry.list_providers()
        for conn_type in cloud.conn_types
        if conn_id in cloud.uri_schemes.values()
    ]
    return (
        f"{said}; to create it: airflow connections add {conn_id} --conn-type "
        f"{types[0] if types else 'TYPE'} …, or set AIRFLOW_CONN_{conn_id.upper()}"
    )


def _missing_bucket(end: Endpoint) -> str:
    try:
        end.store.stat_bucket(end.bucket)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
    else:
        return ""
    meant = _closest(end.bucket, _buckets(end))
    place = end.location.with_key("")
    said = f"; did you mean {meant}?" if meant else ""
    return f"{said}; to create it: airflow multicloud mb {str(place).removesuffix('/')}"


def _buckets(end: Endpoint) -> list[str]:
    if not isinstance(end.store, BucketListing):
        return []
    found: list[str] = []
    try:
        for bucket in end.store.list_buckets():
            found.append(bucket)
            if len(found) == _BUCKETS:
                break
    except CloudError:
        pass  # Who may not list buckets gets no suggestion; the error itself is told anyway.
    return found


def _missing(conn_id: str) -> bool:
    try:
        registry.cloud_of(conn_id)
    except CloudError as err:
        return err.kind is ErrorKind.NOT_FOUND
    return False


def _locations(args: Namespace) -> Iterator[Location]:
    for value in vars(args).values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and "://" in text and "=" not in text.partition("://")[0]:
                try:
                    yield parse_location(text, parameter="uri")
                except CloudError:
                    continue


def _closest(given: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(given, [*known], n=1, cutoff=0.6)), None)

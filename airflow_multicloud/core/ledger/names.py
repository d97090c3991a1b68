"""Where the parts of a ledger lie, and how places are spelt in it."""

from __future__ import annotations

import re
from dataclasses import replace

from airflow_multicloud import known_clouds
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint

LEDGER = f"{RESERVED_PREFIX}ledger/"
COMMITS = f"{LEDGER}commits/"
SEGMENTS = f"{LEDGER}segments/"

#: Commits are counted down in the first half of their names: most stores list the newest first.
_LAST = 10**12 - 1
#: The greatest number that a commit can have.
LAST_COMMIT = _LAST - 1
_STORE = re.compile(r"^(\w[\w+.-]*://[^/@]*)@[^/]*")
_COMMIT = re.compile(rf"{re.escape(COMMITS)}(\d{{12}})-(\d{{12}})\.jsonl")
_SEGMENT = re.compile(rf"{re.escape(SEGMENTS)}([0-9a-f]{{64}})\.jsonl\.gz")


def place_of(end: Endpoint) -> str:
    """The place that a ledger is about: the whole bucket."""
    return replace(end, location=end.location.with_key("")).place


def is_in(uri: str, end: str, bucket: str) -> bool:
    """Whether a URI that somebody gave is in the bucket of another one.

    One with a connection is in the bucket that this connection reaches; one without, in each of
    that name. What reports call a place is one, too.

    :param end: the other URI.
    :param bucket: the place of its bucket.
    """
    if uri.startswith(bucket):
        return True
    named = _connection(uri)
    default = known_clouds.default_connection(end.partition("://")[0])
    if named and named != (_connection(end) or default):
        return False
    return place_by_uri(f"{uri}/").startswith(without_store(bucket))


def place_by_uri(uri: str) -> str:
    """A place as far as a URI alone tells: without the store, where the cloud has several."""
    scheme, _, rest = uri.partition("://")
    authority, _, key = rest.partition("/")
    return f"{known_clouds.canonical_scheme(scheme)}://{authority.rpartition('@')[2]}/{key}"


def bucket_by_uri(uri: str) -> str:
    """The place of the ledger that a URI is in, likewise."""
    scheme, _, rest = place_by_uri(uri).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"


def _connection(uri: str) -> str:
    """The connection that a URI names; empty when it names none."""
    return uri.partition("://")[2].partition("/")[0].rpartition("@")[0]


def without_store(place: str) -> str:
    """A place as :func:`place_by_uri` has it."""
    return _STORE.sub(r"\1", place)


def commit_key(number: int) -> str:
    """The key of a commit."""
    return f"{COMMITS}{_LAST - number:012d}-{number:012d}.jsonl"


def number_of(key: str) -> int | None:
    """The number of the commit with this key; ``None`` when the key is not a commit's."""
    found = _COMMIT.fullmatch(key)
    if found is None or int(found[1]) + int(found[2]) != _LAST or int(found[2]) < 1:
        return None
    return int(found[2])


def segment_key(sha256: str) -> str:
    """The key of a segment."""
    return f"{SEGMENTS}{sha256}.jsonl.gz"


def segment_of(key: str) -> str | None:
    """The SHA-256 of the segment with this key; ``None`` when the key is not a segment's."""
    found = _SEGMENT.fullmatch(key)
    return found[1] if found else None

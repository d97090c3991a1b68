"""Where the parts of a ledger lie, and how places are spelt in it."""

from __future__ import annotations

import re

from airflow_multicloud import known_clouds
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint

LEDGER = f"{RESERVED_PREFIX}ledger/"
COMMITS = f"{LEDGER}commits/"
SEGMENTS = f"{LEDGER}segments/"

#: Commits are counted down in the first half of their names: most stores list the newest first.
_LAST = 10**12 - 1
#: The greatest number that a commit can have.
LAST_COMMIT = _LAST - 1
_COMMIT = re.compile(rf"{re.escape(COMMITS)}(\d{{12}})-(\d{{12}})\.jsonl")
_SEGMENT = re.compile(rf"{re.escape(SEGMENTS)}([0-9a-f]{{64}})\.jsonl\.gz")


def place(uri: str) -> str:
    """A URI without its connection id and with one scheme for those that mean the same place.

    It is the same data, whoever reaches it and however it is spelt.
    """
    scheme, _, rest = uri.partition("://")
    authority, _, key = rest.partition("/")
    return f"{known_clouds.canonical_scheme(scheme)}://{authority.rpartition('@')[2]}/{key}"


def place_of(end: Endpoint) -> str:
    """The place that a ledger is about: the whole bucket."""
    return place(str(end.location.with_key("")))


def bucket_of(uri: str) -> str:
    """The place of the ledger that a URI is in: its bucket's."""
    scheme, _, rest = place(uri).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"


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

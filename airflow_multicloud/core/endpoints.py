"""One end of an operation: a location, the store that it lies in, and the cloud's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeGuard, TypeVar
from unicodedata import category, normalize
from urllib.parse import unquote

from airflow_multicloud import known_clouds
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import (
    ConditionalWrites,
    ConditionKind,
    IfAbsent,
    IfUnchanged,
    KeyRules,
    MetadataRules,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
    WriteCondition,
)
from airflow_multicloud.text import printable

P = TypeVar("P")

#: Keys under this prefix of a bucket are this package's own (ledgers, parts under way);
#: they are never part of a listing that is replicated, verified or cleaned, and nothing but this
#: package's own records is written there.
RESERVED_PREFIX = ".airflow-multicloud/"


_OWN = RESERVED_PREFIX.rstrip("/")
#: How often a chain of proxies and servers may decode a key.
_DECODINGS = 4
#: Categories of characters that do not show, that mark others, or that are none.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Me", "Mn"})


def why_not_reserved_key(key: str) -> str | None:
    """Why nothing of others may be written under this key, if so.

    Who can write there can forge ledgers and evidence. So what counts is what the key may
    become in a store, or on the way to it: see :func:`_segments`. A key that climbs (``..``) is
    refused wherever the name is in it: one store resolves it, another takes it literally.
    """
    if key.isascii() and key.isprintable() and "%" not in key and _OWN not in key.lower():
        return None  # As nearly all are; the rest takes twenty times as long.
    segments = _segments(key)
    names = [name for segment in segments if (name := segment.lstrip().rstrip(". "))]
    climbs = any(segment.count(".") > 1 and not segment.strip(". ") for segment in segments)
    if _OWN not in (names if climbs else names[:1]):
        return None
    return f"{RESERVED_PREFIX} in a bucket is kept for this package's own files"


def _segments(key: str) -> list[str]:
    """A key's segments, without what some store or file system does not tell apart.

    That is percent-encodings, forms of one character, upper and lower case (some compare by the
    upper one, where the dotless i is an I), accents, and characters that do not show; slashes and
    backslashes; and what follows a ``;`` (a parameter) or ``:`` (a stream) in a segment.
    """
    for _ in range(_DECODINGS):
        encoded, key = key, normalize("NFKC", unquote(key, errors="ignore"))
        if key == encoded:
            break
    folded = normalize("NFKD", key.upper().casefold())
    plain = "".join(c for c in folded if category(c) not in _UNSEEN)
    return [re.split("[:;]", segment, maxsplit=1)[0] for segment in re.split(r"[/\\]", plain)]


def has_capability(store: object, capability: type[P]) -> TypeGuard[P]:
    """Whether a store has an optional capability: ``isinstance``, but asked once per class.

    Python 3.11 collects a protocol's members again at each check: an eighth of the time that a
    small object takes.
    """
    asked: Any = (type(store), capability)
    return _has(*asked)


@cache
def _has(hook: Any, capability: Any) -> bool:
    return all(hasattr(hook, name) for name in vars(capability) if not name.startswith("_"))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place to read from or write to.

    :param storage_class: for what is written here; the store's own name.
    :param encryption_key: for what is written here; see ``WriteOptions``.
    """

    cloud: str
    store: ObjectStore
    location: Location
    storage_class: str | None = None
    encryption_key: str | None = None

    @property
    def bucket(self) -> str:
        """The bucket."""
        return self.location.bucket

    def key_of(self, name: str) -> str:
        """The key of a name below this prefix; an empty name is the key itself."""
        return self.location.key + name

    def below(self, name: str) -> Endpoint:
        """A name below this prefix, as an end of its own."""
        return replace(self, location=self.location.with_key(self.key_of(name)))

    def ref(self, key: str, version: str | None = None) -> ObjectRef:
        """An object in the bucket."""
        return ObjectRef(self.bucket, key, version)

    def objects(self, prefix: str) -> Iterator[ObjectMeta]:
        """The bucket's objects whose keys begin with a prefix.

        Names are cut from keys by its length, so a key that does not begin with it is none: it
        would be another's name, to be copied or deleted.

        :raises StorageError: kind ``integrity`` for such an answer.
        """
        for meta in self.store.list_objects(self.bucket, prefix):
            if not meta.key.startswith(prefix):
                raise StorageError(
                    f"listing {self.bucket!r} under {prefix!r}: the answer can't be read (it has "
                    f"the key {printable(meta.key)!r}, which is not under that prefix); the server "
                    "is broken, or something between it and here answered in its place",
                    kind=ErrorKind.INTEGRITY,
                    cloud=self.cloud,
                )
            yield meta

    def condition(self, prior: IfUnchanged | None) -> WriteCondition | None:
        """The strongest condition the store honours for writing where ``prior`` is now."""
        if not has_capability(self.store, ConditionalWrites):
            return None
        wanted = ConditionKind.ABSENT if prior is None else ConditionKind.UNCHANGED
        if wanted not in self.store.write_conditions:
            return None
        return IfAbsent() if prior is None else prior

    def why_not_key(self, key: str) -> str | None:
        """Why the store can't hold this key, if so."""
        return self.store.why_not_key(key) if has_capability(self.store, KeyRules) else None

    def unusable_metadata(self, names: Iterable[str]) -> tuple[str, ...]:
        """The user metadata names that the store can't hold."""
        if not has_capability(self.store, MetadataRules):
            return ()
        return tuple(n for n in names if self.store.why_not_metadata_name(n) is not None)


@contextmanager
def naming(parameter: str, place: Endpoint) -> Iterator[None]:
    """Have errors say which place it was: the parameter, and the URI with its connection.

    :raises CloudError: what was raised, with both unless it names them already.
    """
    try:
        yield
    except CloudError as err:
        said, uri = str(err), str(place.location)
        if uri in said or said.startswith(f"{parameter}: "):
            raise
        raise err.with_context(f"{parameter}: {uri}") from err


def check_reserved(endpoint: Endpoint, *, parameter: str) -> None:
    """Refuse a place to write to that is kept for this package's own files.

    :param parameter: what it was given for, for the error.
    :raises StorageError: kind ``invalid_argument``.
    """
    if why := why_not_reserved_key(endpoint.location.key):
        raise StorageError(
            f"{parameter}: {endpoint.location}: {why}; choose another place",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=endpoint.cloud,
        )


def check_overlap(
    source: Endpoint,
    destinations: Iterable[Endpoint],
    *,
    parameters: tuple[str, str] = ("source", "destinations"),
) -> None:
    """Refuse destinations that lie in the source or in each other.

    Schemes of one cloud (``abfs://``, ``abfss://``) are the same, and so is a connection
    that is left out and the default one.

    :param parameters: what the two were given for, for errors.
    :raises StorageError: kind ``invalid_argument``.
    """
    seen = [(parameters[0], source)]
    for number, destination in enumerate(destinations):
        here = destination.location
        name = f"{parameters[1]}[{number}]"
        for other_name, other in seen:
            there = other.location
            same_store = _store_of(other) == _store_of(destination)
            if same_store and (_covers(here, there) or _covers(there, here)):
                raise StorageError(
                    f"{name}: {here} overlaps {other_name} {there}",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        seen.append((name, destination))


def _store_of(endpoint: Endpoint) -> tuple[str, str | None, str]:
    location = endpoint.location
    return endpoint.cloud, known_clouds.connection_of(location), location.bucket


def _covers(one: Location, other: Location) -> bool:
    return one.key == other.key or (one.is_prefix and other.key.startswith(one.key))

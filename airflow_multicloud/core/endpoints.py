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
    StoreName,
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
    :param alias: the name of the store by its connection, in place of the store's own.
    """

    cloud: str
    store: ObjectStore
    location: Location
    storage_class: str | None = None
    encryption_key: str | None = None
    alias: str | None = None

    @property
    def place(self) -> str:
        """Which data this is, whoever reaches it and however it is spelt.

        ``scheme://bucket/key``, or ``scheme://bucket@store/key`` where the cloud has several stores
        that may have such a bucket. A cloud's schemes that mean the same are one.
        """
        scheme = known_clouds.canonical_scheme(self.location.scheme)
        return f"{scheme}://{self.bucket_and_store}/{self.location.key}"

    @property
    def bucket_and_store(self) -> str:
        """The bucket, with its store where the cloud has several: ``bucket@store``."""
        store = self.store_name
        return f"{self.bucket}@{store}" if store else self.bucket

    @property
    def store_name(self) -> str:
        """Which of the cloud's stores it is; empty where the bucket's name says all.

        Empty, too, where the connection can't be used: whatever is asked of the store tells that.
        """
        if self.alias is not None:
            return self.alias
        if not has_capability(self.store, StoreName):
            return ""
        try:
            return self.store.store_name
        except CloudError:
            return ""

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
                raise self.not_under(prefix, meta.key)
            yield meta

    def not_under(self, prefix: str, key: str) -> StorageError:
        """The error for a listed key that does not begin with the prefix that was asked for."""
        return StorageError(
            f"listing {self.bucket!r} under {prefix!r}: the answer can't be read (it has "
            f"the key {printable(key)!r}, which is not under that prefix); the server "
            "is broken, or something between it and here answered in its place",
            kind=ErrorKind.INTEGRITY,
            cloud=self.cloud,
        )

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
def naming(parameter: str, place: Endpoint, *others: str) -> Iterator[None]:
    """Have errors say which place it was: the parameter, and the URI with its connection.

    :param others: further parameters; an error that names one of them is about that one.
    :raises CloudError: what was raised, with both unless it names them already.
    """
    try:
        yield
    except CloudError as err:
        said, uri = str(err), str(place.location)
        if uri in said or re.match(rf"({'|'.join((parameter, *others))})(\[\d+\])?: ", said):
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

"""What a replication may be told, checked before any byte moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TypeVar

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import texts

MIB = 1 << 20
E = TypeVar("E", bound=StrEnum)


def _at_least(parameter: str, given: int | None, least: int) -> None:
    if given is not None:
        _require(given >= least, parameter, given, f"at least {least}")


def _require(holds: bool, parameter: str, given: object, allowed: str) -> None:
    if not holds:
        raise StorageError(
            f"{parameter}: {'not' if given is None else repr(given)} given, expected {allowed}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def _member(kind: type[E], parameter: str, given: str) -> E:
    *others, last = (f"{one.value!r}" for one in kind)
    _require(given in tuple(kind), parameter, given, f"{', '.join(others)} or {last}")
    return kind(given)


class OnError(StrEnum):
    """What to do when one object fails."""

    CONTINUE = "continue"
    FAIL = "fail"

    @classmethod
    def parse(cls, given: str) -> OnError:
        """The member of this value.

        :raises StorageError: kind ``invalid_argument``, naming ``on_error``.
        """
        return _member(cls, "on_error", given)


class CompareAttributes(StrEnum):
    """When content is unchanged: whether attributes of the source are looked at as well."""

    AUTO = "auto"
    """Where a listing shows that they may have changed: at no request per unchanged object."""
    ALWAYS = "always"
    """Of every object; one request for each that a listing does not tell enough of, and one for
    its tags with ``preserve_tags``."""
    NEVER = "never"
    """Not at all: an object whose content is unchanged is left alone."""

    @classmethod
    def parse(cls, given: str) -> CompareAttributes:
        """The member of this value.

        :raises StorageError: kind ``invalid_argument``, naming ``compare_attributes``.
        """
        return _member(cls, "compare_attributes", given)


class ContentDigest(StrEnum):
    """What tells the content of an object that is copied by parts; a CRC32C always is besides."""

    SHA256 = "sha256"
    BLAKE3 = "blake3"
    """It takes a quarter of the time, and the extra ``blake3``. No service computes it."""

    @classmethod
    def parse(cls, given: str) -> ContentDigest:
        """The member of this value.

        :raises StorageError: kind ``invalid_argument``, naming ``digest``.
        """
        return _member(cls, "digest", given)


def include_globs(include: object, *, given: bool) -> tuple[str, ...]:
    """The globs of ``include``.

    No globs take all objects. So a list that was given and is empty, as of a template that found
    nothing to do, is refused: with ``delete_extraneous`` the filter would spare nothing either.

    :raises StorageError: kind ``invalid_argument``, naming ``include``.
    """
    advice = "leave it out to take all objects, or skip the task when there is nothing to do"
    return texts(include, "include", what="globs", if_empty=advice if given else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFilter:
    """Which objects of a prefix take part.

    Globs are matched against the key below the prefix, case-sensitively, with ``*`` matching
    any characters, ``/`` too (Python's ``fnmatch``, as in ``aws s3 sync``). An object takes
    part when it matches any ``include`` (all do when it is left out; an empty list is refused)
    and no ``exclude``.

    :param min_size: bytes, inclusive.
    :param max_size: bytes, inclusive.
    :param min_age: only objects last modified at least this long ago.
    :param max_age: only objects last modified at most this long ago.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    min_age: timedelta | None = None
    max_age: timedelta | None = None

    def __post_init__(self) -> None:
        """Take lists as they are given; refuse contradictions."""
        default = isinstance(self.include, tuple) and not self.include
        object.__setattr__(self, "include", include_globs(self.include, given=not default))
        object.__setattr__(self, "exclude", texts(self.exclude, "exclude", what="globs"))
        _at_least("min_size", self.min_size, 0)
        _at_least("max_size", self.max_size, self.min_size or 0)
        if self.min_age is not None and self.max_age is not None:
            _require(
                self.min_age <= self.max_age, "max_age", self.max_age, f"at least {self.min_age}"
            )

    def admits(self, name: str, size: int, modified: datetime, *, now: datetime) -> bool:
        """Whether an object takes part; ``name`` is its key below the prefix."""
        age = now - modified
        return (
            (not self.include or any(fnmatchcase(name, glob) for glob in self.include))
            and not any(fnmatchcase(name, glob) for glob in self.exclude)
            and (self.min_size is None or size >= self.min_size)
            and (self.max_size is None or size <= self.max_size)
            and (self.min_age is None or age >= self.min_age)
            and (self.max_age is None or age <= self.max_age)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationOptions:
    """How to replicate.

    Memory above the interpreter stays below about ``memory_limit`` plus one part per thread
    in transit, whatever the size and number of objects.

    :param filter: which objects take part.
    :param immutable: an object that is already at a destination is never replaced: another
        content there is a ``conflict``.
    :param on_error: ``continue`` tries every object; ``fail`` stops at the first failure
        (the objects not tried count as ``failed``).
    :param min_success_ratio: the share (0 to 1) of object-destination pairs that must end
        sound, or the run as a whole raises.
    :param preserve_tags: copy object tags where both stores have them (one more request
        per object at the source).
    :param compare_attributes: whether an object whose content is unchanged is copied again
        because its attributes changed: ``auto`` where the source's listing shows it (Cloud
        Storage, Azure) or shows that the object was modified (S3), ``always`` of every object
        and its tags, or ``never``.
    :param delete_extraneous: delete objects at the destinations that the source does not
        have; needs ``max_delete``.
    :param max_delete: the most objects one run may delete at one destination; more is
        refused before anything is copied.
    :param max_replace: the most objects one run may replace at one destination; more is refused
        before anything is copied. An ``int`` counts objects; a ``float`` from 0 to 1 is a share
        of the objects that ``include`` and ``exclude`` leave there.
    :param create_buckets: create destination buckets that do not exist.
    :param part_size: bytes per part of a large object, raised where a store's limit on the
        number of parts demands it.
    :param large_object: objects larger than this many bytes go by parts; ``part_size`` when
        left out.
    :param digest: what the content of objects that go by parts is told by: ``sha256``, or
        ``blake3``, which takes a quarter of the time (extra ``blake3``). Smaller objects have a
        SHA-256 always, and so have those of which the source's service tells a SHA-256.
    :param concurrency: threads, and so requests under way at once.
    :param memory_limit: bytes of object content held at any one time.
    :param bandwidth_limit: bytes read from the source per second, or ``None``.
    """

    filter: ObjectFilter = ObjectFilter()
    immutable: bool = False
    on_error: OnError = OnError.CONTINUE
    min_success_ratio: float = 1.0
    preserve_tags: bool = False
    compare_attributes: CompareAttributes = CompareAttributes.AUTO
    delete_extraneous: bool = False
    max_delete: int | None = None
    max_replace: int | float | None = None
    create_buckets: bool = False
    part_size: int = 8 * MIB
    large_object: int | None = None
    digest: ContentDigest = ContentDigest.SHA256
    concurrency: int = 16
    memory_limit: int = 24 * MIB
    bandwidth_limit: int | None = None

    @property
    def parts_above(self) -> int:
        """Objects larger than this many bytes go by parts."""
        return self.part_size if self.large_object is None else self.large_object

    def replaceable(self, there: int) -> int | None:
        """The most objects that may be replaced where so many are; ``None`` without a limit."""
        if isinstance(self.max_replace, float):
            # As it is written: 0.29 of 100 are 29, which no product of floats gives.
            return int(Fraction(str(self.max_replace)) * there)
        return self.max_replace

    def __post_init__(self) -> None:
        """Refuse what makes no sense, naming the parameter."""
        object.__setattr__(self, "on_error", OnError.parse(self.on_error))
        compare = CompareAttributes.parse(self.compare_attributes)
        object.__setattr__(self, "compare_attributes", compare)
        object.__setattr__(self, "digest", ContentDigest.parse(self.digest))
        _require(
            0 <= self.min_success_ratio <= 1,
            "min_success_ratio",
            self.min_success_ratio,
            "a number from 0 to 1",
        )
        _at_least("part_size", self.part_size, 1)
        _at_least("large_object", self.large_object, 0)
        _at_least("concurrency", self.concurrency, 1)
        _at_least("memory_limit", self.memory_limit, self.part_size)
        _at_least("memory_limit", self.memory_limit, self.parts_above)
        _at_least("bandwidth_limit", self.bandwidth_limit, 1)
        _at_least("max_delete", self.max_delete, 0)
        _require(
            not self.delete_extraneous or self.max_delete is not None,
            "max_delete",
            self.max_delete,
            "a number, because delete_extraneous is set",
        )
        most = self.max_replace
        _require(
            most is None
            or (type(most) is int and most >= 0)
            or (type(most) is float and 0 <= most <= 1),
            "max_replace",
            most,
            "a count (an int, at least 0) or a share (a float from 0 to 1)",
        )

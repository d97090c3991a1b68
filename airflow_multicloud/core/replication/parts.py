"""Into how many parts a large object is cut, within the limits of every store involved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_multicloud.core.replication.options import MIB
from airflow_multicloud.ports.object_store import PartLimits


@dataclass(frozen=True, slots=True)
class PartRange:
    """Bytes ``start`` up to (not including) ``end``; ``number`` starts at 1."""

    number: int
    start: int
    end: int


def why_not_size(size: int, limits: PartLimits) -> str | None:
    """Why a store can't hold an object of this size, if so."""
    if size > limits.max_object:
        return f"{size} bytes are more than the store's limit of {limits.max_object} per object"
    return None


def choose_part_size(size: int, wanted: int, limits: PartLimits) -> int:
    """The part size for an object: ``wanted``, or as much more as the store demands.

    A multiple of one MiB unless ``wanted`` already serves. ``size`` must pass
    :func:`why_not_size`.
    """
    least = max(limits.min_part, -(-size // limits.max_parts))
    if wanted < least:
        wanted = -(-least // MIB) * MIB
    return min(wanted, limits.max_part)


def cut(size: int, part_size: int) -> Iterator[PartRange]:
    """The parts of an object, in order; none for an empty one."""
    for number, start in enumerate(range(0, size, part_size), 1):
        yield PartRange(number, start, min(start + part_size, size))

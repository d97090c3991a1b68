"""What can become of one object at one destination."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The closed list of ends; in every report, objects = the sum of their outcomes."""

    COPIED = "copied"
    """The key was free; the object was written and its digest confirmed by the store."""
    REPLACED = "replaced"
    """Another object was there; it was replaced and the new one's digest confirmed."""
    UNCHANGED = "unchanged"
    """The ledger proves it, and neither side has changed since."""
    VERIFIED = "verified"
    """An object was there already; digests that both stores report prove it identical."""
    UNVERIFIABLE = "unverifiable"
    """Written, but the store reports no digest to confirm it by; the reason is given."""
    CONFLICT = "conflict"
    """The destination has another object, and was not to be, or could not be, replaced."""
    SOURCE_CHANGED = "source_changed"
    """The source object was replaced or deleted while it was being copied."""
    FAILED = "failed"
    """It was not written; the error kind and the reason are given."""

    RESERVED = "reserved"
    """Its key there is among this package's own files; it was left out, and fails nothing."""

    @property
    def proven(self) -> bool:
        """Whether the replica is known to be identical to the source."""
        return self in _PROVEN

    @property
    def sound(self) -> bool:
        """Whether the replica is there, proven or not."""
        return self in _PROVEN or self is Outcome.UNVERIFIABLE

    @property
    def written(self) -> bool:
        """Whether this run wrote the object, confirmed or not."""
        return self in _WRITTEN

    @property
    def owed(self) -> bool:
        """Whether the destination should have the object, so that its absence is a failure."""
        return self is not Outcome.RESERVED


# Tuples, which are looked through by identity: an enum's hash is a call of Python's.
_PROVEN = (Outcome.UNCHANGED, Outcome.COPIED, Outcome.REPLACED, Outcome.VERIFIED)
_WRITTEN = (Outcome.COPIED, Outcome.REPLACED, Outcome.UNVERIFIABLE)

"""What becomes of a secret at a destination, and what there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.errors import ErrorKind


class SyncOutcome(StrEnum):
    """What became of a secret at a destination; in a dry run, what would."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    #: Only its tags were changed.
    TAGGED = "tagged"
    #: It differs, and was to be left alone.
    KEPT = "kept"
    #: It differs, and nobody said what to do then.
    CONFLICT = "conflict"
    REMOVED = "removed"
    FAILED = "failed"
    #: Nothing can be done with it for now, or it was not its turn.
    SKIPPED = "skipped"


#: What a request is needed for.
WRITING = frozenset({SyncOutcome.CREATED, SyncOutcome.REPLACED, SyncOutcome.TAGGED})
#: What a run fails for.
FAILING = frozenset({SyncOutcome.CONFLICT, SyncOutcome.FAILED})


class FindingKind(StrEnum):
    """What the matter is."""

    #: The source never had the destination's value, as far back as was looked.
    UNKNOWN_VALUE = "unknown_value"
    #: The source had it earlier, but it was written after the source's current one.
    WRITTEN_BACK = "written_back"
    #: Somebody wrote at the same time, and that value is not the current one any more.
    OVERWRITTEN = "overwritten"
    #: The destination's secret is disabled, or has no version.
    NOT_READABLE = "not_readable"
    #: The destination's secret was removed and can be recovered.
    REMOVED = "removed"
    #: The source's secret is disabled, or has no version.
    SOURCE_NOT_READABLE = "source_not_readable"
    SOURCE_MISSING = "source_missing"
    #: Its name in the source's cloud looks like another name's encoding.
    NOT_ADDRESSABLE = "not_addressable"
    #: A service of the cloud keeps it, at the source or at the destination.
    MANAGED = "managed"
    #: The destination can't have its name.
    NAME = "name"
    TOO_LARGE = "too_large"
    #: It has no bytes, which the destination can't have.
    EMPTY = "empty"
    TAGS = "tags"
    #: A copy whose secret is gone, which these runs did not make.
    NOT_OURS = "not_ours"
    #: More would be replaced or removed than is allowed.
    LIMIT = "limit"
    #: Not removed, because something else failed.
    NOT_REMOVED = "not_removed"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be done with a secret at a destination, or was.

    :param finding: what the matter is, if anything.
    :param message: what to say of it.
    :param error_kind: of what failed.
    :param version: the destination's version that was written or removed.
    """

    outcome: SyncOutcome
    finding: FindingKind | None = None
    message: str = ""
    error_kind: ErrorKind | None = None
    version: str | None = None

"""How an object is to be written, and on which condition."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.ports.object_store.values import ObjectAttributes


@dataclass(frozen=True, slots=True)
class IfAbsent:
    """Write only when no object has the key."""


@dataclass(frozen=True, slots=True)
class IfUnchanged:
    """Write or delete only when the object is still this one (by version or ETag)."""

    etag: str
    version: str | None = None


WriteCondition = IfAbsent | IfUnchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How an object is to be written.

    :param storage_class: the store's own name (S3 ``STANDARD_IA``, GCS ``NEARLINE``, Azure
        tier ``Cool``).
    :param encryption_key: S3: KMS key id or ARN; GCS: Cloud KMS key name; Azure: encryption
        scope.
    :param condition: needs the :class:`ConditionalWrites` capability; a write whose condition does
        not hold raises kind ``precondition_failed`` (``already_exists`` for
        :class:`IfAbsent`) and changes nothing.
    """

    attributes: ObjectAttributes = ObjectAttributes()
    storage_class: str | None = None
    encryption_key: str | None = None
    condition: WriteCondition | None = None


class ConditionKind(StrEnum):
    """The write conditions a store may honour."""

    ABSENT = "absent"
    UNCHANGED = "unchanged"

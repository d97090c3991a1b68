"""What the in-memory cloud refuses."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import LabelRules
from airflow_multicloud.ports.object_store import FittedAttributes, ObjectAttributes
from airflow_multicloud.testing.memory_cloud.object_store.space import failure

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ObjectRef

#: As S3 and Cloud Storage: a key has at most this many bytes of UTF-8.
MAX_KEY_BYTES = 1024
#: A bucket's labels: as Cloud Storage, which takes least.
LABELS = LabelRules(illegal=r"[^\w-]", longest=63, most_bytes=128, lower=True)
MOST_TAGS = 10
_STANDARD = tuple(field.name for field in fields(ObjectAttributes) if field.name != "metadata")
_METADATA_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]*")


def fail_if(condition: bool, message: str) -> None:
    """Raise kind ``invalid_argument`` with ``message`` when ``condition`` holds."""
    if condition:
        raise failure(message, ErrorKind.INVALID_ARGUMENT)


def why_not_key(key: str) -> str | None:
    """Why no object can have this key."""
    if not key:
        return "a key is not empty"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "a key is valid Unicode (it has a lone surrogate)"
    if size > MAX_KEY_BYTES:
        return f"a key has at most {MAX_KEY_BYTES} bytes of UTF-8; this one has {size}"
    return None


def why_not_metadata_name(name: str) -> str | None:
    """Why no user metadata can have this name."""
    if _METADATA_NAME.fullmatch(name):
        return None
    return "a metadata name has only lower-case ASCII letters, digits, '_', '.' and '-'"


def check_ref(ref: ObjectRef, *, writing: bool) -> None:
    """Raise unless the store can hold the key (and, when writing, no version is named)."""
    if reason := why_not_key(ref.key):
        raise failure(f"key {ref.key!r}: {reason}", ErrorKind.INVALID_ARGUMENT)
    fail_if(writing and ref.version is not None, f"key {ref.key!r}: a write names no version")


def check_attributes(attributes: ObjectAttributes) -> None:
    """Raise unless the store can hold all of them."""
    not_kept = fit_attributes(attributes).not_kept
    fail_if(bool(not_kept), f"attributes that are no printable ASCII: {', '.join(not_kept)}")


def fit_attributes(attributes: ObjectAttributes) -> FittedAttributes:
    """Printable ASCII is held, and the names that are legal; nothing is encoded."""
    standard: dict[str, str | None] = {
        name: value for name in _STANDARD if (value := getattr(attributes, name)) is not None
    }
    dropped = [name for name, value in standard.items() if not _is_plain(value or "")]
    metadata = {
        name: value
        for name, value in attributes.metadata.items()
        if not why_not_metadata_name(name) and _is_plain(value)
    }
    lost = [f"metadata:{name}" for name in attributes.metadata if name not in metadata]
    if not dropped and not lost:
        return FittedAttributes(attributes)
    cleared: dict[str, None] = dict.fromkeys(dropped)
    return FittedAttributes(replace(attributes, metadata=metadata, **cleared), (*dropped, *lost))


def why_not_tag(name: str, value: str) -> str | None:
    """Why no object can have this tag."""
    if name and _is_plain(name) and _is_plain(value):
        return None
    return "a tag is printable ASCII and has a name"


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable()

"""What Cloud Storage can hold: keys, and the names and values of metadata.

https://cloud.google.com/storage/docs/objects#naming
"""

from __future__ import annotations

from typing import Final

from airflow_multicloud.adapters.attributes import (
    CONTROL,
    METADATA_NAME,
    HeaderRules,
    encode_value,
)
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import FittedAttributes, ObjectAttributes

#: Reserved in every bucket: parts lie here until their upload is completed or aborted.
PARTS_PREFIX: Final = ".airflow-multicloud/parts/"

_MAX_BYTES = 1024
_CHALLENGE = ".well-known/acme-challenge/"


def why_not_key(key: str) -> str | None:
    """Why an object can't have this key, or ``None`` when it can."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "Cloud Storage takes keys that UTF-8 can encode, so no lone surrogates"
    rules = (
        (not 1 <= size <= _MAX_BYTES, f"keys of 1 to {_MAX_BYTES} UTF-8 bytes only"),
        ("\r" in key or "\n" in key, "no carriage return or line feed in keys"),
        (key in (".", ".."), f"no object named {key!r}"),
        (key.startswith(_CHALLENGE), f"no keys under {_CHALLENGE}"),
    )
    for broken, rule in rules:
        if broken:
            return f"Cloud Storage takes {rule}"
    if key.startswith(PARTS_PREFIX):
        return f"{PARTS_PREFIX} is reserved for uploads in parts"
    return None


def check_key(key: str) -> None:
    """Refuse a key before any byte moves.

    :raises StorageError: kind ``invalid_argument`` when :func:`why_not_key` has a reason.
    """
    if reason := why_not_key(key):
        raise StorageError(
            f"key: {key[:80]!r}: {reason}", kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME
        )


def why_not_metadata_name(name: str) -> str | None:
    """Why user metadata can't have this name, or ``None`` when it can.

    The XML interface makes each name part of a header's, whose case is not kept.
    """
    if METADATA_NAME.fullmatch(name):
        return None
    return "Cloud Storage takes metadata names of a-z, 0-9 and !#$%&'*+-.^_`|~ only"


def held_value(value: str) -> str | None:
    """A metadata value as Cloud Storage holds it: text as it is, but for what headers change.

    The XML interface, which serves downloads too, puts values into headers.
    """
    altered = value.startswith("=?") or value != value.strip() or CONTROL.search(value)
    return encode_value(value) if altered else value


#: https://cloud.google.com/storage/quotas#objects: 8 KiB of custom metadata.
RULES: Final = HeaderRules(
    store="Cloud Storage",
    cloud=NAME,
    check_name=why_not_metadata_name,
    encode=held_value,
    most_metadata=8192,
    unicode_disposition=True,
)


class GCSKeys:
    """Which keys and attributes Cloud Storage takes."""

    def why_not_key(self, key: str) -> str | None:
        """Why Cloud Storage can't hold an object of this key, or this package reserves it."""
        return why_not_key(key)

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why Cloud Storage can't hold user metadata of this name."""
        return why_not_metadata_name(name)

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """What Cloud Storage can hold of attributes: 8 KiB of metadata; Unicode in most."""
        return RULES.fit(attributes)

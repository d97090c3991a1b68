"""Which keys and metadata S3 can hold, and what messages call an object."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from airflow_multicloud.adapters import names
from airflow_multicloud.adapters.attributes import METADATA_NAME, HeaderRules, encode_value
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.client import ObjectStoreBase
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    FittedAttributes,
    ObjectAttributes,
    ObjectRef,
    WriteOptions,
)

DEFAULT_OPTIONS: Final = WriteOptions()

_KEY_BYTES = 1024


def name_of(ref: ObjectRef) -> str:
    """An object as messages name it."""
    return names.name_of(ref, "s3")


def why_not_metadata_name(name: str) -> str | None:
    """Why S3 can't hold metadata of a name, or ``None`` when it can.

    A name is the end of an HTTP header's name (RFC 9110, "token"), and S3 keeps it in lower case.
    """
    return None if METADATA_NAME.fullmatch(name) else "it is no HTTP header name in lower case"


# docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: 2 KB of user-defined and 2 KB
# of system-defined metadata, names and values.
RULES: Final = HeaderRules(
    store="S3",
    cloud=NAME,
    check_name=why_not_metadata_name,
    encode=encode_value,
    most_metadata=2048,
    most_standard=2048,
)


class S3Keys(ObjectStoreBase):
    """``KeyRules``, ``MetadataRules`` and ``AttributeRules``."""

    def why_not_key(self, key: str) -> str | None:
        """Why S3 can't hold this key, or ``None`` when it can.

        Rules: docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html; there also that
        ``../`` may not lead above the first segment, read from the left.
        """
        try:
            length = len(key.encode())
        except UnicodeEncodeError:
            return "it can't be encoded as UTF-8"
        if not 0 < length <= _KEY_BYTES:
            return f"it has {length} bytes in UTF-8; S3 allows 1 to {_KEY_BYTES}"
        depth = 0
        for segment in key.split("/"):
            depth += {"..": -1, ".": 0}.get(segment, 1)
            if depth < 0:
                return "its .. segments lead above the bucket, which S3 refuses"
        return None

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why the store can't hold user metadata of this name, or ``None`` when it can."""
        return why_not_metadata_name(name)

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """What S3 can hold of attributes: 2 KB of metadata, and 2 KB of all others."""
        return RULES.fit(attributes)

    def _writable(self, ref: ObjectRef, options: WriteOptions, doing: str) -> WriteOptions:
        """The options as S3 takes them; refuses what it can't hold."""
        reason = self.why_not_key(ref.key)
        if reason is not None:
            raise StorageError(
                f"{doing}: S3 can't hold this key: {reason}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        attributes = RULES.fitted(options.attributes, doing)
        return (
            options if attributes is options.attributes else replace(options, attributes=attributes)
        )

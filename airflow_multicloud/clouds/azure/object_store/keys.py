"""Which keys, metadata and attributes Azure Blob Storage holds faithfully.

Sources: "Naming and referencing containers, blobs, and metadata"
(https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata)
for length, segments, control characters, code points and metadata names. Others measured
that the service turns a backslash into a slash and drops a trailing full stop
(https://github.com/versity/versitygw/issues/845, https://stackoverflow.com/q/54805654).
``.`` and ``..`` segments are resolved on the way (RFC 3986, section 5.2.4).
"""

from __future__ import annotations

import re

from airflow_multicloud.adapters import names
from airflow_multicloud.adapters.attributes import HeaderRules, encode_value
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.fields import DIRECTORY_MARK
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import FittedAttributes, ObjectAttributes, ObjectRef

_MAX_LENGTH = 1024
_MAX_SEGMENTS = 254
# Control characters; the private use area ("code points like \uE000"); surrogates; and the
# noncharacters, which the XML of a listing can't carry.
_NONCHARACTERS = "".join(
    chr(plane + 0xFFFE) + chr(plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)
)
_NOT_HELD = re.compile(
    f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef{_NONCHARACTERS}]"
)
_IDENTIFIER = re.compile(r"[^\W\d]\w*", re.ASCII)


def why_not_key(key: str) -> str | None:
    """Why a blob of exactly this name can't be held, or ``None`` when it can."""
    segments = key.split("/")
    length = len(key.encode("utf-16-le", "surrogatepass")) // 2
    why: str | None = None
    if not key:
        why = "a blob's name can't be empty"
    elif length > _MAX_LENGTH:
        why = f"a blob's name has at most {_MAX_LENGTH} characters, this one {length}"
    elif len(segments) > _MAX_SEGMENTS:
        why = f"a blob's name has at most {_MAX_SEGMENTS} segments, this one {len(segments)}"
    elif found := _NOT_HELD.search(key):
        why = f"a blob's name can't hold the character U+{ord(found[0]):04X}"
    elif "\\" in key:
        why = "Azure turns a backslash in a blob's name into a slash"
    elif any(segment in (".", "..") for segment in segments):
        why = "'.' and '..' segments of a blob's name are resolved on the way"
    elif key.endswith("."):
        why = "Azure drops the full stop at the end of a blob's name"
    return why


def check_key(key: str) -> None:
    """Refuse a key that can't be held, before any byte moves.

    :raises StorageError: kind ``invalid_argument``, saying why.
    """
    if why := why_not_key(key):
        raise StorageError(f"key {key!r}: {why}", kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)


def why_not_metadata_name(name: str) -> str | None:
    """Why metadata of this name can't be held, or ``None`` when it can.

    Names are C# identifiers, sent as header names, hence ASCII.
    """
    if name.lower() == DIRECTORY_MARK:
        return "it makes an empty blob a directory"
    if _IDENTIFIER.fullmatch(name):
        return None
    return "Azure metadata names are C# identifiers: letters, digits and '_', no digit first"


#: "Setting and retrieving properties and metadata"
#: (https://learn.microsoft.com/rest/api/storageservices/setting-and-retrieving-properties-and-metadata-for-blob-resources):
#: 8 KiB of names and values. Values travel as header values, and other text than ASCII breaks the
#: request's signature.
RULES = HeaderRules(
    store="Azure",
    cloud=NAME,
    check_name=why_not_metadata_name,
    encode=encode_value,
    most_metadata=8192,
)


def name_of(ref: ObjectRef) -> str:
    """An object as messages name it."""
    return names.name_of(ref, "abfs")


class BlobKeys(ObjectStoreBase):
    """The port's ``KeyRules``, ``MetadataRules`` and ``AttributeRules``."""

    def why_not_key(self, key: str) -> str | None:
        """Why no blob can be called exactly this, or ``None`` when one can."""
        return why_not_key(key)

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why no metadata can be called this, or ``None`` when it can."""
        return why_not_metadata_name(name)

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """What Azure can hold of attributes: 8 KiB of metadata; ASCII in all others."""
        return RULES.fit(attributes)

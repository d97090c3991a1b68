"""Which keys and metadata names Azure Blob Storage holds faithfully.

Sources: "Naming and referencing containers, blobs, and metadata"
(https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata)
for length, segments, control characters, code points and metadata names. Others measured
that the service turns a backslash into a slash and drops a trailing full stop
(https://github.com/versity/versitygw/issues/845, https://stackoverflow.com/q/54805654).
``.`` and ``..`` segments are resolved on the way (RFC 3986, section 5.2.4).
"""

from __future__ import annotations

import re

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.errors import ErrorKind, StorageError

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
# "Set Blob Tags" (https://learn.microsoft.com/rest/api/storageservices/set-blob-tags).
MOST_TAGS = 10
_TAG_NAME = re.compile(r"[A-Za-z0-9 +\-./:=_]{1,128}")
_TAG_VALUE = re.compile(r"[A-Za-z0-9 +\-./:=_]{0,256}")
_DIRECTORY_MARK = "hdi_isfolder"
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
    if name.lower() == _DIRECTORY_MARK:
        return "it makes an empty blob a directory"
    if _IDENTIFIER.fullmatch(name):
        return None
    return "Azure metadata names are C# identifiers: letters, digits and '_', no digit first"


def why_not_tag(name: str, value: str) -> str | None:
    """Why a blob index tag can't be held, or ``None`` when it can."""
    if _TAG_NAME.fullmatch(name) and _TAG_VALUE.fullmatch(value):
        return None
    return (
        "Azure allows letters and digits of ASCII, blanks and + - . / : = _, 1 to 128 for the name "
        "and at most 256 for the value"
    )

"""Which keys Cloud Storage can't hold.

https://cloud.google.com/storage/docs/objects#naming
"""

from __future__ import annotations

from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.parts import PARTS_PREFIX
from airflow_multicloud.errors import ErrorKind, StorageError

_MAX_BYTES = 1024
_CHALLENGE = ".well-known/acme-challenge/"


def refusal(key: str) -> str | None:
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


def check(key: str) -> None:
    """Refuse a key before any byte moves.

    :raises StorageError: kind ``invalid_argument`` when :func:`refusal` has a reason.
    """
    if reason := refusal(key):
        raise StorageError(
            f"key: {key[:80]!r}: {reason}", kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME
        )

"""This package's own files in buckets where nothing can be overwritten or deleted for a while.

Retention policies, object locks and legal holds keep objects as they are. A file that is to change
then gets another name beside the first, and what can't be removed is said, not the run's end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, RetentionError
from airflow_multicloud.ports.object_store import ObjectMeta, WriteOptions
from airflow_multicloud.text import printable

#: Between a file's name and the time that tells its later versions apart. It is above ``.``, so
#: that the file itself comes first.
MARK = "~"

_log = logging.getLogger(__name__)


def write_anew(
    replica: Endpoint,
    stem: str,
    suffix: str,
    body: Callable[[], Iterable[bytes]],
    options: WriteOptions,
) -> str:
    """Write a file, beside the one that is there if that is kept as it is; returns its key.

    :param body: gives the content, twice if need be.
    """
    key = stem + suffix
    try:
        put_stream(replica, key, body(), options)
    except RetentionError:
        key = f"{stem}{MARK}{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}{suffix}"
        put_stream(replica, key, body(), options)
    return key


def stem_of(key: str, suffix: str) -> str:
    """What the keys of a file and of its later versions have in common."""
    return key.removesuffix(suffix).partition(MARK)[0]


def newest(listed: Iterable[ObjectMeta]) -> ObjectMeta | None:
    """The version of a file that was written last."""
    return max(listed, key=lambda meta: (meta.last_modified, meta.key), default=None)


def delete_all(replica: Endpoint, keys: Sequence[str], what: str) -> str | None:
    """Delete files, the oldest first; what stays and why, if a retention policy keeps some.

    Those after the first that is kept are younger, and not tried.
    """
    for number, key in enumerate(keys):
        try:
            replica.store.delete_object(replica.ref(key))
        except RetentionError as err:
            left = f"{len(keys) - number} {what} can't be deleted yet, the oldest {key}: {err}"
            _log.warning("%s", printable(left))
            return left
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:  # A concurrent run tidied up as well.
                raise
    return None

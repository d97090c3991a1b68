"""This package's own files in buckets where nothing can be overwritten or deleted for a while.

Retention policies, object locks and legal holds keep objects as they are. What can't be removed is
said, and is not the run's end.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import CloudError, ErrorKind, RetentionError
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


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

"""What killed fetches have left at a target, removed before the next one needs the room."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from airflow_multicloud.core import part_files
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.core.left_uploads import clear_left_uploads

_log = logging.getLogger(__name__)


def clear_left(target: FileTarget | ObjectTarget, *, tree: bool) -> int:
    """Remove uploads and temporary files of fetches to a place that are over.

    :param tree: whether the place is a directory or a prefix, with all below it.
    :return: how many are gone.
    """
    if isinstance(target, ObjectTarget):
        return clear_left_uploads(target.endpoint)
    path = Path(os.path.realpath(target.path))
    gone = part_files.clear(part_files.left_below(path) if tree else part_files.left_for(path))
    if gone:
        _log.info("%s: %s files of fetches that are over were removed", target, gone)
    return gone

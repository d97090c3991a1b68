"""Cost stores, opened from a directory's path or a prefix's URI."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.places import is_uri


def open_cost_store(root: str | Path, *, cache: Path | None = None) -> CostStore:
    """Open a store, new or not; nothing is read yet.

    :param root: a local directory, or the URI of a prefix (``s3://conn@bucket/costs/``) in a
        store that writes conditionally.
    :param cache: as for :meth:`CostStore.open`.
    :raises CloudError: naming ``store`` when the URI or its connection can't be used.
    """
    if not is_uri(root):
        return CostStore.open(Path(root), cache=cache)
    return CostStore.open(open_endpoint(str(root), parameter="store"), cache=cache)

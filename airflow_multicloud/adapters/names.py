"""How messages name what they are about: by its URI, as every cloud's do."""

from __future__ import annotations

from airflow_multicloud.ports.object_store import ObjectRef


def name_of(ref: ObjectRef, scheme: str, *, version: str = "version") -> str:
    """An object: ``s3://bucket/key``, with its version where one is meant.

    :param scheme: the cloud's.
    :param version: what the cloud calls a version.
    """
    which = f" ({version} {ref.version})" if ref.version else ""
    return f"{scheme}://{ref.bucket}/{ref.key}{which}"

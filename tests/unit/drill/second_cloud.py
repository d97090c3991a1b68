"""A second cloud in memory: what keeps evidence is to be in two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from airflow_multicloud import registry
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud import object_store

NAME = "mist"


@contextmanager
def second_cloud(bucket: str) -> Iterator[str]:
    """Its connection ``mist_default`` and one empty bucket; the URI of that."""
    cloud = replace(
        memory_cloud.register(),
        name=NAME,
        conn_types=(NAME,),
        uri_schemes={NAME: "mist_default"},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_MIST_DEFAULT", f"{NAME}://")
        object_store.reset("mist_default")
        object_store.Hook("mist_default").ensure_bucket(bucket)
        registry.register_provider(cloud)
        yield f"{NAME}://{bucket}/"
    registry.unregister_provider(NAME)

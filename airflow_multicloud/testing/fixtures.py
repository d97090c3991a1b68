"""Pytest fixtures; import those you want into your ``conftest.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.local_clouds import LocalCloudOptions, LocalClouds

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def local_cloud_options() -> LocalCloudOptions:
    """How ``local_clouds`` is run; override it to choose."""
    return LocalCloudOptions()


@pytest.fixture(scope="session")
def local_clouds(local_cloud_options: LocalCloudOptions) -> Iterator[LocalClouds]:
    """Local clouds for the whole session, with their ``AIRFLOW_CONN_…`` variables set."""
    with LocalClouds(local_cloud_options) as clouds, pytest.MonkeyPatch.context() as patch:
        for name, value in clouds.conn_env().items():
            patch.setenv(name, value)
        yield clouds

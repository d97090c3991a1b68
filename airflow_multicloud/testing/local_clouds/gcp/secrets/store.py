"""The secrets of the project."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from awscrt.checksums import crc32c  # type: ignore[import-untyped]
from google.cloud.secretmanager_v1.types import resources
from google.protobuf.timestamp_pb2 import Timestamp

from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused
from airflow_multicloud.testing.local_clouds.gcp.secrets.rules import NUMBER

SECRET: Final = resources.Secret.pb()
VERSION: Final = resources.SecretVersion.pb()
State: Final = resources.SecretVersion.State


@dataclass(slots=True, kw_only=True)
class KeptVersion:
    """One version.

    :param told: as it is answered.
    :param checksum: that is answered with the value.
    """

    told: Any
    data: bytes = field(repr=False)
    checksum: int

    @property
    def number(self) -> int:
        """Its id."""
        return int(self.told.name.rpartition("/")[2])


@dataclass(slots=True, kw_only=True)
class KeptSecret:
    """One secret.

    :param told: as it is answered.
    :param versions: the oldest first.
    :param stale: whether those after the first are not told of yet, but by their numbers.
    """

    told: Any
    versions: list[KeptVersion] = field(default_factory=list)
    stale: bool = False

    @property
    def visible(self) -> list[KeptVersion]:
        """The versions that are told of.

        "Other operations within Secret Manager are eventually consistent":
        https://cloud.google.com/secret-manager/docs/add-secret-version.
        """
        return self.versions[:1] if self.stale else self.versions

    def found(self, wanted: str, *, aliases: bool) -> KeptVersion:
        """A version by its number, ``latest`` or an alias.

        :param aliases: whether these are taken: where a version is asked for, or read.
        :raises Refused: when there is none.
        """
        for version in self.versions:
            if wanted == str(version.number):
                return version
            if aliases and self.told.version_aliases.get(wanted) == version.number:
                return version
        if aliases and wanted == "latest" and self.visible:
            return self.visible[-1]
        raise Refused(
            grpc.StatusCode.NOT_FOUND,
            f"Secret Version [{self.told.name}/versions/{wanted}] not found.",
        )

    def add(self, data: bytes, *, checked: bool) -> KeptVersion:
        """A new version.

        :param checked: whether its writer gave a checksum.
        """
        number = len(self.versions) + 1
        told = VERSION(
            name=f"{self.told.name}/versions/{number}",
            create_time=_now(),
            state=State.ENABLED,
            etag=new_etag(),
            client_specified_payload_checksum=checked,
        )
        version = KeptVersion(told=told, data=data, checksum=checksum_of(data))
        self.versions.append(version)
        return version


class Store:
    """Safe for many threads that hold its lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._kept: dict[str, KeptSecret] = {}

    def newest_first(self) -> list[KeptSecret]:
        """All secrets."""
        return list(reversed(self._kept.values()))

    def found(self, secret_id: str) -> KeptSecret:
        """A secret.

        :raises Refused: when there is none.
        """
        if (kept := self._kept.get(secret_id)) is None:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Secret [{_name(secret_id)}] not found.")
        return kept

    def create(self, secret_id: str, given: Any) -> KeptSecret:
        """A new secret.

        :param given: its fields.
        :raises Refused: when it is there.
        """
        if secret_id in self._kept:
            raise Refused(
                grpc.StatusCode.ALREADY_EXISTS, f"Secret [{_name(secret_id)}] already exists."
            )
        told = SECRET(
            name=_name(secret_id),
            replication=given.replication,
            create_time=_now(),
            labels=given.labels,
            annotations=given.annotations,
            etag=new_etag(),
        )
        kept = KeptSecret(told=told)
        self._kept[secret_id] = kept
        return kept

    def write(self, secret_id: str, data: bytes) -> None:
        """A new version by somebody who checks nothing."""
        with self.lock:
            if secret_id not in self._kept:
                self.create(secret_id, SECRET(replication={"automatic": {}}))
            self._kept[secret_id].add(data, checked=False)

    def delete(self, secret_id: str) -> None:
        """Delete a secret for good."""
        self._kept.pop(secret_id)

    def make_stale(self, secret_id: str, *, stale: bool) -> None:
        """Whether only a secret's first version is told of."""
        if (kept := self._kept.get(secret_id)) is not None:
            kept.stale = stale

    def damage(self, secret_id: str) -> None:
        """Change a bit of the newest value."""
        with self.lock:
            newest = self._kept[secret_id].versions[-1]
            newest.data = bytes([newest.data[0] ^ 1, *newest.data[1:]])


def checksum_of(data: bytes) -> int:
    """The CRC32C of a value."""
    found: int = crc32c(data)
    return found


def new_etag() -> str:
    """An etag as Google's look: in quotes."""
    return f'"{secrets.token_hex(7)}"'


def _name(secret_id: str) -> str:
    return f"projects/{NUMBER}/secrets/{secret_id}"


def _now() -> Timestamp:
    moment = Timestamp()
    moment.FromNanoseconds(time.time_ns() // 1000 * 1000)
    return moment

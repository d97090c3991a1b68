"""The record of a drill, which an auditor can read without us."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, ClassVar, Self

from airflow_multicloud import __version__
from airflow_multicloud.core import pages
from airflow_multicloud.core.drill.verdict import MEANINGS, Objectives, Verdict, findings, judge
from airflow_multicloud.documents import Document, to_document

#: Whose versions are in a record, where they are installed.
_SOFTWARE = (
    "apache-airflow-core",
    "apache-airflow-task-sdk",
    "apache-airflow-providers-amazon",
    "apache-airflow-providers-google",
    "apache-airflow-providers-microsoft-azure",
    "obstore",
    "boto3",
    "google-cloud-storage",
    "azure-storage-blob",
    "blake3",
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far a replica's ledger was at the time of a drill: neither can be taken back unnoticed.

    :param uri: of the replica.
    :param commit: the number of its newest commit.
    :param root: the Merkle root of what that commit proves, in hexadecimal.
    """

    uri: str
    commit: int
    root: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything about one drill.

    :param run: who and what held it: names and values, as text.
    :param versions: of the software that held it.
    :param measurement: a :class:`Measurement` as a document, and ``identities``: a
        :class:`CloudProviderStatus` with the ``uri``, for the primary and each replica.
    :param replication: a :class:`ReplicationReport` as a document, for each replication.
    :param verification: a :class:`VerificationReport` as a document, for each replica.
    :param canary: a :class:`Canary` as a document.
    :param anchors: of each replica that was drilled.
    """

    drill_id: str
    verdict: Verdict
    objectives: Objectives
    run: Mapping[str, str]
    versions: Mapping[str, str]
    measurement: Mapping[str, Any]
    replication: Sequence[Mapping[str, Any]]
    verification: Sequence[Mapping[str, Any]]
    canary: Mapping[str, Any]
    written_at: datetime
    anchors: tuple[Anchor, ...] = ()

    DOCUMENT: ClassVar = Document(
        (
            "drill_id",
            "verdict",
            "findings",
            "objectives",
            "run",
            "versions",
            "measurement",
            "canary",
            "replication",
            "verification",
            "anchors",
            "written_at",
        ),
        format="airflow-multicloud drill evidence",
        version=1,
    )

    @classmethod
    def of(
        cls,
        drill_id: str,
        objectives: Objectives,
        *,
        run: Mapping[str, str],
        measurement: Mapping[str, Any],
        replication: Sequence[Mapping[str, Any]],
        verification: Sequence[Mapping[str, Any]],
        canary: Mapping[str, Any],
        anchors: Sequence[Anchor] = (),
    ) -> Self:
        """The record of a drill that has just been measured here, with its verdict."""
        return cls(
            drill_id=drill_id,
            verdict=judge(measurement, verification, objectives),
            objectives=objectives,
            run=run,
            versions=installed_versions(),
            measurement=measurement,
            replication=replication,
            verification=verification,
            canary=canary,
            written_at=datetime.now(UTC),
            anchors=tuple(anchors),
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return findings(self.measurement, self.verification)

    def html(self) -> bytes:
        """As one page that needs nothing else."""
        page = pages.render(
            __package__, "evidence.html.jinja", meanings=MEANINGS, **to_document(self)
        )
        return page.encode()


def installed_versions() -> dict[str, str]:
    """Of this package, Python, Airflow, its providers and the clouds' SDKs."""
    found = {"airflow-multicloud": __version__, "python": platform.python_version()}
    for name in _SOFTWARE:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found

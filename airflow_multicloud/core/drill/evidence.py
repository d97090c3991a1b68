"""The record of a drill, which an auditor can read without us."""

from __future__ import annotations

import json
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
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.documents import Document, read_document, to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

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
)


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
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return findings(self.measurement, self.verification)

    def json(self) -> bytes:
        """As JSON."""
        return json.dumps(to_document(self), indent=2, ensure_ascii=False).encode()

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


def read(place: Endpoint) -> Evidence:
    """A record that :func:`store` wrote, from its JSON form.

    :raises StorageError: kind ``unsupported`` for a version that this one does not know,
        ``invalid_argument`` for what is no such record; both name the place.
    """
    body = bytes(place.store.get_object(place.location.ref).read())
    try:
        doc = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise _no_record(place, "it is not JSON") from err
    if not isinstance(doc, Mapping) or "format_version" not in doc:
        raise _no_record(place, "it has no format and version")
    try:
        return read_document(Evidence, doc, what="the record")
    except CloudError as err:
        if err.kind is not ErrorKind.UNSUPPORTED:
            raise _no_record(place, f"a part of it is missing or wrong ({err})") from err
        raise StorageError(
            f"{place.location} is drill evidence of version {doc['format_version']!r}; this is "
            f"airflow-multicloud {__version__}, which can't read it. Read it with the version of "
            f"airflow-multicloud that wrote it ({_writer(doc)}) or a later one; the page beside "
            "it (.html) opens in any browser",
            kind=ErrorKind.UNSUPPORTED,
            cloud=place.cloud,
        ) from err


def _writer(doc: Mapping[str, Any]) -> str:
    versions = doc.get("versions")
    found = versions.get("airflow-multicloud") if isinstance(versions, Mapping) else None
    return str(found) if found else "which it does not name"


def _no_record(place: Endpoint, why: str) -> StorageError:
    return StorageError(
        f"{place.location} is no drill evidence in JSON: {why}; give the URI of a .json "
        "file below .airflow-multicloud/evidence/ of a bucket",
        kind=ErrorKind.INVALID_ARGUMENT,
        cloud=place.cloud,
    )


def store(evidence: Evidence, place: Endpoint) -> tuple[str, ...]:
    """Write both forms to a place; never over an earlier record. Returns the URIs."""
    stamp = evidence.written_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    base = f"{RESERVED_PREFIX}evidence/{evidence.drill_id}-{stamp}"
    uris: list[str] = []
    for suffix, kind, body in (
        ("json", "application/json", evidence.json()),
        ("html", "text/html; charset=utf-8", evidence.html()),
    ):
        options = WriteOptions(
            attributes=ObjectAttributes(content_type=kind), condition=place.condition(None)
        )
        try:
            put_stream(place, f"{base}.{suffix}", [body], options)
        except CloudError as err:
            if err.kind not in _PERHAPS_OURS or not _holds(place, f"{base}.{suffix}", body):
                raise
        uris.append(str(place.location.with_key(f"{base}.{suffix}")))
    return tuple(uris)


#: A write whose answer got lost is repeated by the SDK, and then meets its own object.
_PERHAPS_OURS = (ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED)


def _holds(place: Endpoint, key: str, body: bytes) -> bool:
    return bytes(place.store.get_object(place.ref(key)).read()) == body

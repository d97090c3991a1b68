"""The records of disaster-recovery drills."""

from __future__ import annotations

from airflow_multicloud.core.drill import evidence
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.endpoints import open_endpoint


def read_evidence(uri: str) -> Evidence:
    """What a drill's ``judge`` task wrote, from its JSON form.

    :param uri: of a ``.json`` file below ``.airflow-multicloud/evidence/`` of a bucket.
    :raises StorageError: kind ``unsupported`` for a version that this one does not know,
        ``invalid_argument`` for what is no such record; both name the place.
    """
    return evidence.read(open_endpoint(uri, parameter="uri"))

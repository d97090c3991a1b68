"""Digests of what a deployment is: of plain values, whoever computes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow_multicloud.core.rollout.plans import PlannedArtifact
from airflow_multicloud.documents import to_document
from airflow_multicloud.ports.compute import LaunchSpec


def digest_of_document(document: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of plain values; the order of keys does not count."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def candidate_digest(artifact: PlannedArtifact, script_digest: str, spec: LaunchSpec) -> str:
    """A candidate's digest: see :class:`~airflow_multicloud.core.rollout.plans.Candidate`."""
    return digest_of_document(
        {
            "sha256": artifact.sha256,
            "size": artifact.size,
            "script": script_digest,
            "spec": to_document(replace(spec, calls=())),
        }
    )

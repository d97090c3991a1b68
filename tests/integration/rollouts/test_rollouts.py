"""Rollouts in three clouds at once whose instances really boot, fetch, verify and serve."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from airflow_multicloud import api
from airflow_multicloud.core.rollout.artifacts import holds, look_at_artifact
from airflow_multicloud.core.rollout.places import artifact_name
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.revisions import find_revision
from airflow_multicloud.documents import to_document
from tests.integration.lab import at

from .landscape import POLL, answers, outcomes

if TYPE_CHECKING:
    from .landscape import Landscape

EVERYWHERE = {"aws", "gcp", "azure"}


def everywhere(what: str) -> dict[str, str]:
    return dict.fromkeys(EVERYWHERE, what)


def test_from_nothing_through_revisions_back_to_nothing(
    landscape: Landscape, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    first, second = landscape.app("first"), landscape.app("second")

    result = landscape.deploy(first, revision="one")
    assert outcomes(result) == everywhere("succeeded"), result
    began = landscape.by_cloud()
    assert answers(list(began.values())) == everywhere("one")
    assert len(landscape.left_on_disk()) == len(EVERYWHERE)
    sha256 = hashlib.sha256(first.read_bytes()).hexdigest()
    artifact = look_at_artifact(first)
    name = artifact_name(landscape.deployment_id, sha256, first.name)
    for place in landscape.places.values():
        assert holds(at(place + name), artifact)
    places = {place: at(place) for place in landscape.places.values()}
    recorded = find_revision(landscape.deployment_id, places, "one")
    assert set(recorded.places) == set(places)

    caplog.clear()
    again = landscape.deploy(first, revision="one")
    assert outcomes(again) == everywhere("adopted"), again
    assert {one.id for one in landscape.instances()} == {one.id for one in began.values()}
    told = [line for line in caplog.messages if line.startswith("artifact: ")]
    assert len(told) == len(EVERYWHERE)
    assert all(line.endswith(" is there") for line in told), told

    replaced = landscape.deploy(second, revision="two")
    assert outcomes(replaced) == everywhere("succeeded"), replaced
    now = landscape.by_cloud()
    assert answers(list(now.values())) == everywhere("two")
    assert not {one.id for one in now.values()} & {one.id for one in began.values()}

    rolled_back = api.roll_back_deployment(
        landscape.deployment_id,
        "one",
        landscape.targets(),
        policy=RolloutPolicy(canary=0, healthy_checks=1, poll_interval=POLL),
    )
    assert outcomes(rolled_back) == everywhere("succeeded"), rolled_back
    assert answers(landscape.instances()) == everywhere("one")

    removed = landscape.tear_down()
    removed.raise_if_failed()
    assert removed.removed == len(EVERYWHERE)
    landscape.check_nothing_is_left()


def test_no_signed_url_is_told(
    landscape: Landscape, caplog: pytest.LogCaptureFixture, spans: InMemorySpanExporter
) -> None:
    """It stands in the startup scripts alone, which the clouds hold."""
    caplog.set_level("DEBUG")
    result = landscape.deploy(landscape.app())
    signatures = landscape.signatures()
    assert len(signatures) == len(EVERYWHERE)
    attributes = [str(dict(span.attributes or {})) for span in spans.get_finished_spans()]
    assert len(attributes) > len(EVERYWHERE)
    told = {
        "logs": caplog.text,
        "spans": "\n".join(attributes),
        "result": json.dumps(to_document(result), default=str) + repr(result),
        "listing": repr(landscape.instances()),
    }
    for signature in signatures:
        assert [where for where, text in told.items() if signature in text] == []

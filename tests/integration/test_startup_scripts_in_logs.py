"""What is in a startup script is in no log of an SDK, whatever the level and the form."""

from __future__ import annotations

import base64
import json
import logging
import time
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from airflow_multicloud.ports.compute import Compute, InstanceRef, LaunchOrder
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRigSpec
from tests.contract.compute_rigs import compute_rig_specs

SIGNATURE = "c4n4ry" * 6
URL = f"https://host/b/k?kept=1&sig={SIGNATURE}&X-Amz-Signature={SIGNATURE}"
SCRIPT = f"#!/bin/sh\ncurl --fail '{URL}&X-Goog-Signature={SIGNATURE}'\n"
#: Loggers that do not hand on to the root's handlers.
_OF_THEIR_OWN = ("google",)


class _Everything(logging.Handler):
    """Keeps all that a record has, not its message only."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(json.dumps({**vars(record), "text": record.getMessage()}, default=str))


@pytest.fixture
def everything() -> Iterator[_Everything]:
    handler = _Everything()
    loggers = [logging.getLogger(name) for name in (None, *_OF_THEIR_OWN)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield handler
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def forms(secret: str) -> Iterator[str]:
    """A text as it is, quoted, and in base64 wherever it begins there."""
    yield secret
    yield quote(secret, safe="")
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode()).decode()
        # What neighbours may change is left out.
        yield encoded[4:-4]
        yield quote(encoded[4:-4], safe="")


def ended(hook: Compute, operation: Operation) -> Operation:
    end = time.monotonic() + 60
    while not operation.state.is_final:
        assert time.monotonic() < end, operation
        time.sleep(0.05)
        operation = hook.describe_operation(operation)
    return operation


@pytest.mark.parametrize(
    "rig", [rig for rig in compute_rig_specs() if rig.cloud != "memory"], ids=lambda rig: rig.cloud
)
def test_no_form_of_a_signed_url_is_logged(
    rig: ComputeRigSpec, request: pytest.FixtureRequest, everything: _Everything
) -> None:
    hook = rig.open(request)
    spec = hook.resolve_launch(rig.request)
    order = LaunchOrder(
        spec=spec,
        name=f"t-{uuid.uuid4().hex[:10]}",
        token=str(uuid.uuid4()),
        startup_script=SCRIPT,
        labels={"test": "logs"},
    )
    done = ended(hook, hook.launch_instance(order))
    ref = InstanceRef(done.resource, spec.region)
    hook.describe_instance(ref)
    ended(hook, hook.terminate_instance(ref))
    heard = "\n".join(everything.heard)
    assert order.name in heard
    for form in forms(SIGNATURE):
        assert form not in heard

"""Whether a deployment is well."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.rollout.drift import ExpectedTarget
from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.names import Standing
from airflow_multicloud.core.rollout.watching import (
    WatchedTarget,
    expected_by,
    read_watched,
    regions_of,
    watch,
)
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceState

from .lab import APP
from .test_drift import instance, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.rollout.standing import StandingInstance


@contextmanager
def serving(body: bytes, together: threading.Barrier | None = None) -> Iterator[int]:
    """A port that answers every request with this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if together is not None:
                together.wait(10)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def looked(
    target: WatchedTarget,
    there: dict[tuple[str, int], list[StandingInstance]],
    revision: str | None = None,
) -> list[str | None]:
    standing = report(there).deployment(APP)
    return [slot.why_not for slot in watch([target], standing, revision)]


def test_each_instance_is_asked_itself_and_all_at_once() -> None:
    together = threading.Barrier(2)
    with serving(b"I am v1", together) as port:
        health = HealthCheck(port=port, expect="I am {revision}")
        target = WatchedTarget(name="one", conn_id="c", count=3, health=health)
        there = {("one", n): [instance(f"i-{n}", address="127.0.0.1")] for n in range(2)}
        ok, also, missing = looked(target, there)
        assert (ok, also) == (None, None)
        assert missing == "no live instance that was taken for good"


def test_the_revision_that_is_wanted_must_answer() -> None:
    with serving(b"I am v1") as port:
        health = HealthCheck(port=port, expect="I am {revision}")
        target = WatchedTarget(name="one", conn_id="c", health=health)
        there = {("one", 0): [instance(address="127.0.0.1")]}
        assert looked(target, there) == [None]
        assert looked(target, there, "v1") == [None]
        (why,) = looked(target, there, "v2")
    assert why == f"i-1: 127.0.0.1:{port}/: its answer does not contain 'I am v2'"


@pytest.mark.parametrize(
    ("lies_there", "why"),
    [
        (instance(state=InstanceState.STOPPED), "i-1 is stopped"),
        (instance(state=InstanceState.PENDING), "i-1 is pending"),
        (
            instance(standing=Standing.NEW),
            "no live instance that was taken for good (i-1 is new, running)",
        ),
        (instance(), None),
    ],
)
def test_without_a_health_check_the_machine_must_run(
    lies_there: StandingInstance, why: str | None
) -> None:
    target = WatchedTarget(name="one", conn_id="c")
    assert looked(target, {("one", 0): [lies_there]}) == [why]


def test_nothing_that_listens_is_not_well() -> None:
    with serving(b"") as port:
        pass
    target = WatchedTarget(name="one", conn_id="c", health=HealthCheck(port=port))
    (why,) = looked(target, {("one", 0): [instance(address="127.0.0.1")]})
    assert why is not None
    assert "ConnectionRefusedError" in why


def test_targets_are_documents_and_become_them_again() -> None:
    given = {
        "name": "one",
        "conn_id": "c",
        "regions": ["r"],
        "count": 2,
        "health": {"port": 80, "kind": "tcp", "timeout_seconds": 2.5},
    }
    targets = read_watched([given])
    assert read_watched([to_document(target) for target in targets]) == targets
    (target,) = targets
    assert (target.regions, target.count) == (("r",), 2)
    assert target.health is not None
    assert target.health.timeout.total_seconds() == 2.5
    assert expected_by(APP, targets, "v1").targets == (
        ExpectedTarget(name="one", count=2, conn_id="c", revision="v1"),
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "targets: nothing given, expected at least one"),
        (["one"], r"targets\[0\]: 'one' given, expected one of the mappings"),
        ([{"name": "one"}], r"targets\[0\]: conn_id missing"),
        (
            [{"name": "one", "conn_id": "c", "port": 1}],
            r"targets\[0\]: 'port' given, expected only",
        ),
        ([{"name": "ONE", "conn_id": "c"}], "targets: name: 'ONE' given"),
        ([{"name": "one", "conn_id": "c", "count": 0}], "target one: count: 0 given"),
        ([{"name": "one", "conn_id": "c", "health": {}}], "target one: health: port missing"),
        ([{"name": "one", "conn_id": "c"}] * 2, "targets: 'two targets named one' given"),
    ],
)
def test_what_is_no_target_is_refused(given: Any, message: str) -> None:
    with pytest.raises(DeploymentError, match=f"^{message}") as caught:
        read_watched(given)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_every_region_is_asked_when_one_target_names_none() -> None:
    def of(*regions: str, conn: str = "c") -> WatchedTarget:
        return WatchedTarget(name="t", conn_id=conn, regions=regions)

    assert regions_of([of("a"), of("b"), of("a")]) == {"c": ("a", "b")}
    assert regions_of([of("a"), of(), of("b")]) == {"c": ()}
    assert regions_of([of(), of("b")]) == {"c": ()}
    assert regions_of([of("a"), of("b", conn="d")]) == {"c": ("a",), "d": ("b",)}

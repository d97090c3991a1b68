"""A lookup on the thread of an event loop, as a trigger makes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import greenback
import pytest
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import MaskSecret

from airflow_multicloud.opening import secret_lookup
from airflow_multicloud.opening.beside_loop import beside_loop
from airflow_multicloud.secrets_backend import MultiCloudSecretsBackend
from airflow_multicloud.testing.memory_cloud import secrets
from airflow_multicloud.testing.memory_cloud.secrets import secrets_of
from airflow_multicloud.testing.memory_cloud.secrets.space import NAMES
from tests.unit.secret_lookup.waiting import let_end

ONE, TWO = "memory_first", "memory_second"
#: Of the stores' own connections; Airflow masks it where they are read.
PASSWORD = "cAnArY-of-a-store"
VALUE = "cAnArY-of-a-loop"


class Comms:
    """The way to the supervisor in a triggerer, as Airflow 3.3's ``TriggerCommsDecoder`` goes."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.told: list[object] = []

    async def asend(self, message: MaskSecret) -> None:
        await asyncio.sleep(0)
        self.told.append(message.value)

    def send(self, message: MaskSecret) -> None:
        if threading.get_ident() != self._thread:
            asyncio.run_coroutine_threadsafe(self.asend(message), self._loop).result(30)
        elif not greenback.has_portal():
            raise RuntimeError("no portal")
        else:
            greenback.await_(self.asend(message))

    def knows(self, secret: str) -> bool:
        return any(secret in (one if isinstance(one, list) else [one]) for one in self.told)


@pytest.fixture(autouse=True)
def _stores(
    memory_account: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    secrets.reset()
    secret_lookup._SHARED.clear()
    for conn_id in (ONE, TWO):
        memory_account(conn_id, "lab")
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", f"memory://me:{PASSWORD}@")
        secrets_of(conn_id).write(NAMES.encode("airflow/variables/x"), VALUE.encode())
    yield
    let_end()
    secrets.reset()


def _backend() -> MultiCloudSecretsBackend:
    return MultiCloudSecretsBackend(stores=[ONE, TWO], hedge_after=60.0, timeout=20.0)


@pytest.mark.parametrize("policy", ["first", "newest"])
@pytest.mark.parametrize("has_portal", [True, False])
def test_a_lookup_on_a_loops_thread_waits_for_nothing_that_needs_the_loop(
    *, has_portal: bool, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trigger() -> None:
        if has_portal:
            await greenback.ensure_portal()
        comms = Comms()
        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
        backend = MultiCloudSecretsBackend(
            stores=[ONE, TWO], hedge_after=60.0, timeout=20.0, on_disagreement=policy
        )
        assert backend.get_variable("x") == VALUE
        # Without a portal nobody can tell the supervisor from here; Airflow itself can't either.
        assert comms.knows(VALUE) is has_portal
        assert comms.knows(PASSWORD) is has_portal
        # The first store has given it: nothing has timed out.
        (lookup,) = secret_lookup._SHARED.values()
        assert [one._failures for one in lookup._stores] == [0, 0]

    asyncio.run(trigger())


def test_the_loop_goes_on_while_a_store_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    read = secrets.Hook.read_secret

    def reading(self: Any, name: str, version: str | None = None) -> Any:
        assert answers.wait(15)
        return read(self, name, version)

    monkeypatch.setattr(secrets.Hook, "read_secret", reading)

    async def trigger() -> None:
        await greenback.ensure_portal()
        # Only a loop that goes on comes to this.
        asyncio.get_running_loop().call_soon(answers.set)
        assert _backend().get_variable("x") == VALUE

    asyncio.run(trigger())


def test_the_supervisor_is_told_by_who_looks_up(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, object]] = []

    class TaskComms:
        def send(self, message: MaskSecret) -> None:
            told.append((threading.get_ident(), message.value))

    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", TaskComms(), raising=False)
    assert _backend().get_variable("x") == VALUE
    let_end()
    assert {thread for thread, _ in told} == {threading.get_ident()}
    assert any(VALUE in one for _, one in told if isinstance(one, list))
    assert PASSWORD in [one for _, one in told]


def test_errors_come_through() -> None:
    async def trigger() -> None:
        await greenback.ensure_portal()
        with pytest.raises(ZeroDivisionError):
            beside_loop(lambda: 1 // 0)

    asyncio.run(trigger())


def test_who_is_called_off_does_not_wait() -> None:
    began, ends = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        ends.wait(30)

    async def waiting() -> None:
        await greenback.ensure_portal()
        beside_loop(work)

    async def trigger() -> None:
        task = asyncio.ensure_future(waiting())
        assert await asyncio.to_thread(began.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ends.set()

    asyncio.run(trigger())

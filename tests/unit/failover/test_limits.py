"""How long others may take to answer."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from airflow_multicloud.core.failover.limits import started, within
from airflow_multicloud.errors import ErrorKind, StorageError


def test_what_is_ready_in_time_is_returned() -> None:
    assert within(timedelta(seconds=30), lambda: 5, parameter="deadline") == 5


@pytest.mark.parametrize("limit", [timedelta(milliseconds=20), timedelta(0), timedelta(hours=-1)])
def test_what_takes_longer_is_a_time_out_that_names_the_limit(limit: timedelta) -> None:
    let_go = threading.Event()
    try:
        with pytest.raises(StorageError, match=r"^took longer than deadline$") as caught:
            within(limit, lambda: let_go.wait(30), parameter="deadline")
    finally:
        let_go.set()
    assert caught.value.kind is ErrorKind.TIMEOUT


def test_an_error_of_the_work_is_its_own() -> None:
    """Also one that looks like ours."""

    def work() -> None:
        raise TimeoutError("of a socket")

    with pytest.raises(TimeoutError, match="of a socket"):
        within(timedelta(seconds=30), work, parameter="deadline")
    assert isinstance(started(work).exception(30), TimeoutError)


def test_nobody_waits_for_it_when_the_process_ends() -> None:
    assert started(lambda: threading.current_thread().daemon).result(30)

"""kill -9 in the middle: the next try sends only what is missing, and leaves nothing behind."""

from __future__ import annotations

import random
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ..forks import Forked, forked  # noqa: TID252
from .proxy import Fault, Rule
from .replicating import replicate_prefix
from .rigs import BUCKET, MIB, Rig, fill, fresh_prefix, hashes_at, hashes_of, leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint

_random = random.Random(1)  # content, no secret
PARTS = 3
LARGE = {"large.bin": _random.randbytes((PARTS - 1) * 5 * MIB + MIB)}
MANY = {f"obj-{n:02d}": _random.randbytes(1000 + n) for n in range(30)}
#: Destination → source. moto does not keep when an upload was begun, ministack does.
ROUTES = {"second-s3": "gcp", "gcp": "azure", "azure": "gcp"}
#: More than a loaded machine needs; nothing waits that long.
_SECONDS = 120


@contextmanager
def _task(source: Endpoint, destination: str, directory: Path) -> Iterator[Forked]:
    errors = directory / "errors.txt"
    task = forked(replicate_prefix, str(source.location), destination, errors=errors)
    try:
        yield task
    finally:
        task.kill()


def _killed_after(
    rig: Rig, count: int, kind: str, ends: tuple[Endpoint, str], directory: Path
) -> None:
    """Kill the task when the server has so many; it hears of no more."""
    of_kind = rig.traffic.of(kind, r"obj-\d+")
    rig.proxy.reset()
    rig.proxy.add(Rule(fault=Fault.STALL, first=count + 1, times=None, **of_kind))
    with _task(*ends, directory) as task:
        _while_running(task, lambda: rig.proxy.wait_for(count, **of_kind, timeout=_SECONDS))
        task.kill()
    assert task.wait() == -signal.SIGKILL
    assert sum(seen.sent for seen in rig.proxy.seen(**of_kind)) == count


def _while_running(task: Forked, wait: Callable[[], None]) -> None:
    try:
        wait()
    except TimeoutError:
        task.kill()
        pytest.fail(task.said())


def _ends(
    rigs: dict[str, Rig], cloud: str, tree: dict[str, bytes]
) -> tuple[Endpoint, str, Endpoint]:
    """Source, destination, and the destination as it is read directly."""
    source = rigs[ROUTES[cloud]].endpoint(fresh_prefix("from"), direct=True)
    fill(source, tree)
    prefix = fresh_prefix("to")
    return source, rigs[cloud].patient_uri(prefix), rigs[cloud].endpoint(prefix, direct=True)


def _uncommitted_blocks(rig: Rig, key: str) -> list[str]:
    if rig.cloud != "azure":
        return []
    service = rig.endpoint("", direct=True).store.get_conn()
    _, uncommitted = service.get_blob_client(BUCKET, key).get_block_list("all")
    return [block.id for block in uncommitted]


@pytest.mark.parametrize("done", [2, PARTS])
@pytest.mark.parametrize("cloud", ROUTES)
def test_a_large_object_goes_on_where_it_was_killed(
    rigs: dict[str, Rig], cloud: str, done: int, tmp_path: Path
) -> None:
    rig = rigs[cloud]
    source, destination, direct = _ends(rigs, cloud, LARGE)
    if done < PARTS:
        _killed_after(rig, done, "part", (source, destination), tmp_path)
    else:  # all parts are there, but the object is not
        rig.proxy.reset()
        rig.proxy.add(Rule(fault=Fault.STALL, times=None, **rig.traffic.of("complete")))
        with _task(source, destination, tmp_path) as task:
            _while_running(task, lambda: rig.proxy.wait_until_applied(1, timeout=_SECONDS))
    assert hashes_at(direct) == {}  # nothing is visible, least of all a part of it
    rig.proxy.reset()

    with _task(source, destination, tmp_path) as task:
        task.succeed()

    # Who takes an upload up may say so with an empty object (Cloud Storage).
    sent = [seen for seen in rig.proxy.seen(**rig.traffic.of("part")) if seen.size > 4096]
    assert len(sent) == PARTS - done
    assert sum(seen.size for seen in sent) <= (PARTS - done) * (5 * MIB + 4096)
    assert hashes_at(direct) == hashes_of(LARGE)
    assert leftovers(direct) == []
    assert _uncommitted_blocks(rig, direct.location.key + "large.bin") == []


@pytest.mark.parametrize("cloud", ROUTES)
def test_a_prefix_goes_on_where_it_was_killed(
    rigs: dict[str, Rig], cloud: str, tmp_path: Path
) -> None:
    rig, done = rigs[cloud], 12
    source, destination, direct = _ends(rigs, cloud, MANY)
    _killed_after(rig, done, "write", (source, destination), tmp_path)
    before = hashes_at(direct)
    assert len(before) == done
    assert before.items() <= hashes_of(MANY).items()
    rig.proxy.reset()

    with _task(source, destination, tmp_path) as task:
        task.succeed()

    seen = rig.proxy.seen(**rig.traffic.of("write", r"obj-\d+"))
    # A commit of the ledger names objects as well.
    sent = [one for one in seen if b".airflow-multicloud/" not in one.head]
    assert len(sent) == len(MANY) - done
    assert hashes_at(direct) == hashes_of(MANY)
    assert leftovers(direct) == []

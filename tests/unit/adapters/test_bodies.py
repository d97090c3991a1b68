from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from airflow_multicloud.adapters.bodies import EmptyBody, StreamedBody
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta

META = ObjectMeta(bucket="b", key="k", size=6, etag="1", last_modified=datetime.now(UTC))


@contextmanager
def _translated(doing):
    try:
        yield
    except OSError as err:
        raise StorageError(f"{doing}: {err}", kind=ErrorKind.UNAVAILABLE) from err


def _broken():
    yield b"abc"
    raise OSError("the connection broke")


def _body(chunks, *, length=6, **more):
    return StreamedBody(
        META, chunks, length=length, doing="reading b/k", cloud="x", translated=_translated, **more
    )


def test_fit_the_port():
    wanted = {name for name in vars(ObjectBody) if not name.startswith("_")} | {"__iter__"}
    assert all(wanted <= set(dir(body)) for body in (StreamedBody, EmptyBody))
    assert (EmptyBody(META).read(), list(EmptyBody(META)), EmptyBody(META).meta) == (b"", [], META)


def test_chunks_and_whole_are_the_same_bytes():
    assert list(_body(lambda: [b"abc", b"def"])) == [b"abc", b"def"]
    assert _body(lambda: [b"abc", memoryview(b"def")]).read() == b"abcdef"
    assert _body(list, whole=lambda: b"abcdef").read() == b"abcdef"


@pytest.mark.parametrize("length", [5, 7])
@pytest.mark.parametrize("read", [lambda b: b.read(), list], ids=["at once", "in chunks"])
@pytest.mark.parametrize("whole", [None, lambda: b"abcdef"])
def test_another_number_of_bytes_is_damage(length, read, whole):
    body = _body(lambda: [b"abc", b"def"], length=length, whole=whole)
    with pytest.raises(StorageError, match=f"reading b/k: 6 of {length} bytes arrived") as caught:
        read(body)
    assert (caught.value.kind, caught.value.cloud) == (ErrorKind.INTEGRITY, "x")


def test_errors_that_come_late_are_translated():
    closed = []
    body = _body(_broken, close=lambda: closed.append(1))
    with pytest.raises(StorageError, match="reading b/k: the connection broke"):
        list(body)
    assert closed == [1]


def test_a_reader_that_stops_early_gives_the_connection_back():
    closed = []
    stream = iter(_body(_broken, close=lambda: closed.append(1)))
    assert next(stream) == b"abc"
    stream.close()
    assert closed == [1]

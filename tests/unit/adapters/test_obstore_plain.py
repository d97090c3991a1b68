"""Plain objects through obstore: what it can't do is declined, and what is no failure is raised."""

from __future__ import annotations

import pytest
from obstore.store import MemoryStore

from airflow_multicloud.adapters.obstore_plain import ObstorePlainBucket
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.object_store import (
    IfAbsent,
    ObjectAttributes,
    PlainAsked,
    PlainWrite,
)

_NONE = ObjectAttributes()


def bucket(**more) -> ObstorePlainBucket:  # type: ignore[no-untyped-def]
    given = {"decode": lambda _: _NONE, "encode": lambda _: {}, **more}
    return ObstorePlainBucket(MemoryStore(), **given)


def write(key: str) -> PlainWrite:
    return PlainWrite(key, b"content", _NONE, {}, IfAbsent())


def test_each_is_written_and_read_for_itself() -> None:
    made = bucket()
    written = made.write_all([write("a"), write("a"), write("b//c"), write("d")])
    assert [one is None for one in written] == [False, True, True, False]
    first = written[0]
    assert first is not None
    asked = [PlainAsked("a", 7, first.etag, None), PlainAsked("a", 8, first.etag, None)]
    asked += [PlainAsked("a", 7, "another", None), PlainAsked("gone", 7, first.etag, None)]
    found = made.read_all([*asked, PlainAsked("a", 7, "", None)])
    assert [one and bytes(one.body) for one in found] == [b"content", None, None, None, None]


def test_credentials_that_cant_be_renewed_decline_all() -> None:
    def prepare() -> None:
        raise CredentialsError("expired", kind=ErrorKind.UNAUTHENTICATED)

    made = bucket(prepare=prepare)
    assert made.write_all([write("a"), write("b")]) == [None, None]
    assert made.read_all([PlainAsked("a", 7, "e", None)]) == [None]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_what_is_no_failure_of_a_request_is_raised(error: type[BaseException]) -> None:
    def prepare() -> None:
        raise error

    with pytest.raises(error):
        bucket(prepare=prepare).write_all([write("a")])


def test_what_is_known_of_attributes_is_bounded_and_right() -> None:
    encoded: list[ObjectAttributes] = []

    def encode(attributes: ObjectAttributes) -> dict[str, str]:
        encoded.append(attributes)
        return {}

    made = bucket(encode=encode)
    for number in range(300):
        attributes = ObjectAttributes(content_type=f"text/x-{number}")
        writes = [PlainWrite(f"{number}-{n}", b"", attributes, {}, None) for n in range(2)]
        assert None not in made.write_all(writes)
    assert len(encoded) == 300
    assert len(made._encoded) <= 256

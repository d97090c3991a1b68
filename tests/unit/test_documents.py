from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from airflow_multicloud.documents import Document, read_document, to_document
from airflow_multicloud.errors import CloudError, ErrorKind

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Point(msgspec.Struct, frozen=True):
    x: int
    y: int = 0


@dataclass(frozen=True, slots=True)
class Leg:
    name: str
    took: timedelta
    pause: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    start: datetime
    day: date
    colour: Colour | None
    legs: tuple[Leg, ...]
    by_name: Mapping[str, Leg]
    counts: Mapping[Colour, int]
    seen: frozenset[Colour]
    point: Point
    place: Path
    price: Decimal
    age_seconds: float = 1.23456


TRIP = Trip(
    start=NOON,
    day=date(2026, 1, 2),
    colour=Colour.RED,
    legs=(Leg("a", timedelta(milliseconds=1500)), Leg("b", timedelta(1), timedelta(hours=1))),
    by_name={"a": Leg("a", timedelta(0))},
    counts={Colour.BLUE: 2},
    seen=frozenset({Colour.RED, Colour.BLUE}),
    point=Point(1),
    place=Path("/tmp/x"),
    price=Decimal("1.10"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    uri: str
    lag: timedelta | None
    hidden: str = "hidden"
    DOCUMENT: ClassVar = Document(("louder", ("place", "uri"), "lag", "doubled"))

    @property
    def louder(self) -> str:
        return self.uri.upper()

    @property
    def doubled(self) -> timedelta | None:
        return self.lag and 2 * self.lag


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    count: int = 0
    DOCUMENT: ClassVar = Document(format="a record", version=2)


def test_a_dataclass_is_shown_by_its_fields() -> None:
    assert to_document(TRIP) == {
        "start": "2026-01-02T12:00:00+00:00",
        "day": "2026-01-02",
        "colour": "red",
        "legs": [
            {"name": "a", "took_seconds": 1.5, "pause_seconds": None},
            {"name": "b", "took_seconds": 86400.0, "pause_seconds": 3600.0},
        ],
        "by_name": {"a": {"name": "a", "took_seconds": 0.0, "pause_seconds": None}},
        "counts": {"blue": 2},
        "seen": ["blue", "red"],
        "point": {"x": 1, "y": 0},
        "place": "/tmp/x",
        "price": Decimal("1.10"),
        "age_seconds": 1.235,
    }


def test_enumerations_leave_no_trace() -> None:
    document = to_document(TRIP)
    assert type(document["colour"]) is str
    assert [type(key) for key in document["counts"]] == [str]


def test_a_document_is_read_back() -> None:
    written = {**to_document(TRIP), "price": "1.10"}
    read = read_document(Trip, json.loads(json.dumps(written)), what="the trip")
    assert to_document(read) == to_document(TRIP)
    assert read.legs == TRIP.legs
    assert read.by_name == TRIP.by_name


def test_names_are_what_the_class_says_in_its_order() -> None:
    shown = Shown("s3://b/", timedelta(seconds=2))
    assert list(to_document(shown).items()) == [
        ("louder", "S3://B/"),
        ("place", "s3://b/"),
        ("lag_seconds", 2.0),
        ("doubled_seconds", 4.0),
    ]
    assert to_document(Shown("s3://b/", None))["doubled_seconds"] is None
    assert read_document(Shown, to_document(shown), what="it") == shown


def test_a_document_says_what_it_is_and_which_version() -> None:
    document = to_document(Record("a"))
    assert document == {"format": "a record", "format_version": 2, "name": "a", "count": 0}
    assert read_document(Record, {**document, "later": 1}, what="it") == Record("a")


def test_another_version_is_refused_and_no_retry_mends_it() -> None:
    document = {**to_document(Record("a")), "format_version": 3}
    with pytest.raises(CloudError, match=r"the record is of version 3; .* reads version 2") as err:
        read_document(Record, document, what="the record")
    assert err.value.kind is ErrorKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "expected an object, got list"),
        ({"format": "another", "format_version": 2}, "its format is 'another'"),
        ({"format": "a record", "format_version": 2}, "missing required field `name`"),
        ({"format": "a record", "format_version": 2, "name": "a", "count": "3"}, r"`\$.count`"),
    ],
)
def test_what_cannot_be_read_is_named(document: object, why: str) -> None:
    with pytest.raises(CloudError, match=rf"the record can't be read: .*{why}") as err:
        read_document(Record, document, what="the record")
    assert err.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize("took", ["soon", None, 1e300, float("nan")])
def test_a_duration_that_is_none_is_named(took: object) -> None:
    with pytest.raises(CloudError, match="the leg can't be read"):
        read_document(Leg, {"name": "a", "took_seconds": took}, what="the leg")


def test_what_has_no_fields_is_refused() -> None:
    with pytest.raises(TypeError, match="int can't be shown in a document"):
        to_document(3)

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from airflow_multicloud.adapters.errors import ErrorTable, by_code, retry_after_of
from airflow_multicloud.errors import ErrorKind

BASE = ErrorTable(
    codes=by_code({ErrorKind.THROTTLED: "SlowDown LimitExceeded", ErrorKind.NOT_FOUND: "Gone"}),
    suffixes={".NotFound": ErrorKind.NOT_FOUND, "ID.NotFound": ErrorKind.INVALID_ARGUMENT},
    statuses={409: ErrorKind.BUSY, 429: ErrorKind.THROTTLED},
)


def test_a_code_given_two_kinds_is_refused():
    with pytest.raises(ValueError, match="given both throttled and quota"):
        by_code({ErrorKind.THROTTLED: "A B", ErrorKind.QUOTA: "C A"})


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SlowDown", 409, ErrorKind.THROTTLED),
        ("Volume.NotFound", 400, ErrorKind.NOT_FOUND),
        ("VolumeID.NotFound", None, ErrorKind.INVALID_ARGUMENT),
        ("VolumeID.NotFound", 404, ErrorKind.INVALID_ARGUMENT),
        ("NotFound", None, None),
        ("Unheard", 409, ErrorKind.BUSY),
        ("Unheard", 418, ErrorKind.INVALID_ARGUMENT),
        ("Unheard", 599, ErrorKind.UNAVAILABLE),
        (None, 302, ErrorKind.INTEGRITY),
        (None, None, None),
        ("", 0, None),
    ],
)
def test_a_code_decides_before_its_status(code, status, kind):
    assert BASE.kind_of(code, status) is kind


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Qps.NotFound", 503, ErrorKind.UNAVAILABLE),
        ("Qps.NotFound", 429, ErrorKind.THROTTLED),
        ("Qps.NotFound", 428, ErrorKind.NOT_FOUND),
        ("SlowDown", 500, ErrorKind.THROTTLED),
        ("Gone", 429, ErrorKind.NOT_FOUND),
    ],
)
def test_how_a_code_ends_says_less_than_a_status_of_try_later(code, status, kind):
    assert BASE.kind_of(code, status) is kind


def test_an_overlay_replaces_what_it_names_and_leaves_the_base():
    over = BASE.overlay(
        by_code({ErrorKind.QUOTA: "LimitExceeded"}),
        suffixes={".NotFound": ErrorKind.UNSUPPORTED},
        statuses={409: ErrorKind.ALREADY_EXISTS},
    )
    asked = [("LimitExceeded", None), ("SlowDown", None), ("X.NotFound", None), (None, 409)]
    assert [over.kind_of(*a) for a in asked] == [
        ErrorKind.QUOTA,
        ErrorKind.THROTTLED,
        ErrorKind.UNSUPPORTED,
        ErrorKind.ALREADY_EXISTS,
    ]
    assert BASE.kind_of("LimitExceeded") is ErrorKind.THROTTLED


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"retry-after": "0.5"}, timedelta(seconds=0.5)),
        ({"Retry-After": "-3"}, timedelta()),
        ({"Retry-After": "1e300"}, None),
        ({"Retry-After": "99999999"}, timedelta(days=1)),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, timedelta()),
        ({}, None),
    ],
)
def test_how_long_an_answer_asks_to_wait(headers, wait):
    assert retry_after_of(headers) == wait


def test_a_moment_to_come_is_a_wait():
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    wait = retry_after_of({"RETRY-AFTER": later})
    assert wait is not None
    assert timedelta(minutes=4) < wait <= timedelta(minutes=5)

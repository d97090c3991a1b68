"""What the ingestion answers, and what becomes of each item: none is forgotten, none sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import Outcome
from tests.integration.metrics_azure.conftest import Lab

_TRACK = "/v2.1/track"
_NONE: Mapping[str, Any] = {"itemsReceived": 1, "itemsAccepted": 0, "errors": []}


def _answered(
    lab: Lab, status: int, body: object, headers: Mapping[str, str] | None = None, times: int = 1
) -> None:
    lab.admin.script(_TRACK, [{"status": status, "body": body, "headers": headers or {}}] * times)


def _outcomes(told: Any) -> dict[tuple[Outcome, ErrorKind], int]:
    return {(one.outcome, one.kind): one.count for one in told.refusals}


def test_each_item_that_an_answer_names_has_its_reason(lab: Lab) -> None:
    errors = [
        {"index": 0, "statusCode": 429, "message": "Too many"},
        {"index": 2, "statusCode": 400, "message": "100: bad\n\x1b[31mforged"},
        {"index": 3, "statusCode": 206, "message": "Telemetry sampled out."},
    ]
    _answered(lab, 206, {"itemsReceived": 5, "itemsAccepted": 2, "errors": errors})
    told = lab.export(*(lab.point(f"m{number}") for number in range(5)))
    assert told.accepted == 2
    assert _outcomes(told) == {
        (Outcome.REJECTED, ErrorKind.THROTTLED): 1,
        (Outcome.REJECTED, ErrorKind.INVALID_ARGUMENT): 1,
        (Outcome.REJECTED, ErrorKind.QUOTA): 1,
    }
    assert {one.samples for one in told.refusals} == {("m0",), ("m2",), ("m3",)}
    assert all(one.reason.isprintable() for one in told.refusals)


def test_of_items_that_an_answer_does_not_name_nobody_knows(lab: Lab) -> None:
    errors = [{"index": 1, "statusCode": 400, "message": "bad"}]
    _answered(lab, 206, {"itemsReceived": 4, "itemsAccepted": 2, "errors": errors})
    told = lab.export(*(lab.point(f"m{number}") for number in range(4)))
    assert (told.accepted, told.rejected, told.unknown) == (0, 1, 3)


@pytest.mark.parametrize(
    "body",
    [
        {"itemsReceived": 3, "itemsAccepted": 3, "errors": []},
        {"itemsReceived": 1, "itemsAccepted": "many", "errors": []},
        {"itemsReceived": 1, "itemsAccepted": 2, "errors": []},
        {"itemsReceived": 1, "itemsAccepted": 0, "errors": [{"index": 7, "statusCode": 400}]},
        {"itemsReceived": 1, "itemsAccepted": 0, "errors": "none"},
        {"status": "sign in"},
        ["accepted"],
        None,
    ],
)
@pytest.mark.parametrize("status", [200, 206])
def test_an_answer_that_is_none_says_nothing(lab: Lab, status: int, body: object) -> None:
    _answered(lab, status, body)
    told = lab.export(lab.point())
    assert (told.accepted, told.unknown) == (0, 1)
    assert told.refusals[0].kind is ErrorKind.INTEGRITY


def test_what_was_refused_as_a_whole_is_sent_again(lab: Lab) -> None:
    _answered(lab, 503, _NONE)
    assert lab.export(lab.point()).accepted == 1
    assert lab.tracked() == [503, 200]
    assert [one.total for one in lab.read()] == [1.0]


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (500, _NONE, {"Retry-After": "1"}),
        (502, None, {"Retry-After": "1"}),
        (503, None, {"Retry-After": "1"}),
        (503, {"itemsReceived": 1, "itemsAccepted": 1}, {}),
        (504, None, {}),
        (408, None, {"Retry-After": "1"}),
    ],
)
def test_what_may_have_been_carried_out_is_not(
    lab: Lab, status: int, body: object, headers: Mapping[str, str]
) -> None:
    _answered(lab, status, body, headers)
    told = lab.export(lab.point())
    assert (told.unknown, told.requests) == (1, 1)
    assert lab.tracked() == [status]


@pytest.mark.parametrize("status", [402, 439])
def test_a_quota_is_none_that_ends_in_a_moment(lab: Lab, status: int) -> None:
    _answered(lab, status, _NONE, {"Retry-After": "1"})
    told = lab.export(lab.point())
    assert _outcomes(told) == {(Outcome.REJECTED, ErrorKind.QUOTA): 1}
    assert lab.tracked() == [status]


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirection_is_not_followed(lab: Lab, status: int) -> None:
    _answered(lab, status, None, {"Location": "https://127.0.0.1:1/v2.1/track"})
    told = lab.export(lab.point())
    assert told.accepted == 0
    assert not any(one.kind is ErrorKind.UNAVAILABLE for one in told.refusals)
    assert lab.tracked() == [status]


@pytest.mark.parametrize("name", ["Retry-After", "x-ms-retry-after-ms"])
@pytest.mark.parametrize("text", ["soon", "Tue, 99 Foo 99999 99:99:99 GMT", "nan", "-1"])
def test_a_wait_that_nobody_can_read_is_none(lab: Lab, name: str, text: str) -> None:
    _answered(lab, 429, _NONE, {name: text})
    assert lab.export(lab.point()).accepted == 1
    assert lab.tracked() == [429, 200]


@pytest.mark.parametrize("status", [400, 500, 503])
def test_nor_does_it_hide_what_was_answered(lab: Lab, status: int) -> None:
    _answered(lab, status, None, {"Retry-After": "soon"})
    told = lab.export(lab.point())
    assert told.accepted == 0
    assert told.refusals[0].kind is (
        ErrorKind.INVALID_ARGUMENT if status == 400 else ErrorKind.UNAVAILABLE
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ErrorKind.INTEGRITY),
        (403, ErrorKind.PERMISSION_DENIED),
    ],
)
def test_a_reading_answered_in_another_type(lab: Lab, status: int, kind: ErrorKind) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    lab.admin.script("/query", [{"status": status, "body": "a page", "headers": headers}])
    with pytest.raises(MetricsError) as caught:
        lab.read()
    assert caught.value.kind is kind


def test_a_long_wait_is_left_to_the_task(lab: Lab) -> None:
    _answered(lab, 429, _NONE, {"Retry-After": "86000"})
    told = lab.export(lab.point())
    assert _outcomes(told) == {(Outcome.REJECTED, ErrorKind.THROTTLED): 1}
    assert lab.tracked() == [429]


def test_all_are_refused_each_for_its_reason(lab: Lab) -> None:
    errors = [{"index": i, "statusCode": 400, "message": f"reason {i}"} for i in range(2)]
    _answered(lab, 400, {"itemsReceived": 2, "itemsAccepted": 0, "errors": errors})
    told = lab.export(lab.point("a"), lab.point("b"))
    assert {(one.reason, one.samples) for one in told.refusals} == {
        ("reason 0", ("a",)),
        ("reason 1", ("b",)),
    }

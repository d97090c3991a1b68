"""The local Cloud Logging keeps to the published API, whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions as api
from google.cloud.logging_v2.types import WriteLogEntriesPartialErrors

from tests.integration.logs_gcp.conftest import NOW

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.logs import GCPLogsHook

GLOBAL = {"type": "global"}


@pytest.fixture
def client(hook: GCPLogsHook) -> Any:
    """Google's own."""
    return hook._logging


@pytest.fixture
def name(hook: GCPLogsHook, log: str) -> str:
    """Of the log."""
    return hook._log_name(log)


def write(client: Any, name: str, *entries: dict[str, Any], **more: Any) -> None:
    request = {"log_name": name, "resource": GLOBAL, "entries": entries, **more}
    client.write_log_entries(request)


def found(client: Any, name: str, more: str = "", **asked: Any) -> list[Any]:
    request = {
        "resource_names": ["projects/local"],
        "filter": f'logName="{name}" {more}',
        "page_size": 1000,
        **asked,
    }
    return list(client.list_log_entries(request))


class TestWriting:
    @pytest.mark.parametrize(
        ("bad", "error"),
        [
            ({"text_payload": "x" * (256 << 10)}, "exceeds maximum size"),
            ({"labels": {str(n): "" for n in range(65)}}, "65 labels"),
            ({"timestamp": datetime.now(UTC) + timedelta(days=2)}, "in the future"),
            ({"timestamp": {"seconds": 1 << 50}}, "not valid"),
            ({"timestamp": {"seconds": 1, "nanos": -1}}, "not valid"),
            ({"severity": 250}, "severity"),
            ({"resource": {"type": "toaster"}}, "resource type"),
            ({"log_name": "projects/local/logs/a b"}, "log name"),
            ({"log_name": "projects/local/logs/a/b"}, "log name"),
            ({"log_name": "projects/local/logs/" + "x" * 512}, "log name"),
        ],
    )
    @pytest.mark.parametrize("partly", [True, False])
    def test_a_bad_entry(
        self, client: Any, name: str, bad: dict[str, Any], error: str, partly: bool
    ) -> None:
        """It alone is refused, or all of its request."""
        good = {"text_payload": "good", "timestamp": NOW}
        with pytest.raises(api.InvalidArgument, match=error) as caught:
            write(client, name, good, {"text_payload": "bad", **bad}, partial_success=partly)
        assert [one.text_payload for one in found(client, name)] == ["good"] * partly
        assert len(caught.value.details) == partly
        if partly:
            errors = WriteLogEntriesPartialErrors.pb(WriteLogEntriesPartialErrors())
            assert caught.value.details[0].Unpack(errors)
            assert {place: one.code for place, one in errors.log_entry_errors.items()} == {1: 3}

    def test_only_bad_entries_have_no_details(self, client: Any, name: str) -> None:
        with pytest.raises(api.InvalidArgument) as caught:
            write(client, name, {"severity": 250}, partial_success=True)
        assert not caught.value.details

    def test_another_project(self, client: Any) -> None:
        with pytest.raises(api.PermissionDenied):
            write(client, "projects/other/logs/x", {"text_payload": "x"})

    def test_a_request_that_is_too_large(self, client: Any, name: str) -> None:
        with pytest.raises(api.InvalidArgument, match="exceeds the limit"):
            write(client, name, *[{"text_payload": "x" * 200_000}] * 53)

    def test_what_is_set_where_nothing_is_given(self, client: Any, name: str) -> None:
        write(client, name, {"text_payload": "x"}, labels={"zone": "a"})
        (one,) = found(client, name)
        assert one.insert_id
        assert one.timestamp == one.receive_timestamp
        assert (dict(one.labels), one.log_name, one.severity) == ({"zone": "a"}, name, 0)
        assert dict(one.resource.labels) == {"project_id": "local"}

    def test_long_labels_are_cut(self, client: Any, name: str) -> None:
        write(client, name, {"text_payload": "x", "labels": {"k" * 600: "v" * 70_000}})
        ((key, value),) = found(client, name)[0].labels.items()
        assert (len(key.encode()), key[-1]) == (512, "…")
        assert (len(value.encode()), value[-1]) == (64 << 10, "…")

    def test_old_entries_are_taken_but_not_kept(self, client: Any, name: str) -> None:
        write(client, name, {"text_payload": "x", "timestamp": NOW - timedelta(days=31)})
        assert found(client, name) == []

    def test_a_dry_run(self, client: Any, name: str) -> None:
        write(client, name, {"text_payload": "x"}, dry_run=True)
        assert found(client, name) == []

    def test_duplicates_are_removed(self, client: Any, name: str) -> None:
        """By insert id and time."""
        one = {"text_payload": "1", "timestamp": NOW, "insert_id": "a"}
        write(client, name, one, {**one, "text_payload": "2"})
        later = NOW + timedelta(microseconds=1)
        write(client, name, {**one, "text_payload": "3"}, {**one, "timestamp": later})
        assert [(e.text_payload, e.insert_id) for e in found(client, name)] == [
            ("1", "a"),
            ("1", "a"),
        ]


class TestListing:
    @pytest.fixture(autouse=True)
    def _written(self, client: Any, name: str) -> None:
        write(
            client,
            name,
            *(
                {"text_payload": f"{n}", "timestamp": NOW + timedelta(seconds=n // 2)}
                | {"insert_id": f"{9 - n}"}
                for n in range(10)
            ),
        )

    def test_the_order(self, client: Any, name: str) -> None:
        """Of times, and then of insert ids."""
        texts = [one.text_payload for one in found(client, name)]
        assert texts == ["1", "0", "3", "2", "5", "4", "7", "6", "9", "8"]
        assert [
            one.text_payload for one in found(client, name, order_by="timestamp desc")
        ] == texts[::-1]

    @pytest.mark.parametrize("order", ["timestamp asc", "timestamp desc", ""])
    @pytest.mark.parametrize("size", [1, 3, 10])
    def test_pages(self, client: Any, name: str, order: str, size: int) -> None:
        whole = [one.insert_id for one in found(client, name, order_by=order)]
        paged = found(client, name, order_by=order, page_size=size)
        assert [one.insert_id for one in paged] == whole

    def test_what_comes_between_pages(self, client: Any, name: str) -> None:
        """An entry that stands further on is there, one that stands before is not."""
        request = {
            "resource_names": ["projects/local"],
            "filter": f'logName="{name}"',
            "page_size": 5,
        }
        pages = client.list_log_entries(request).pages
        first = next(iter(pages))
        for after in (0, 10):
            write(
                client,
                name,
                {"text_payload": f"{after}s", "timestamp": NOW + timedelta(seconds=after)},
            )
        second = client.list_log_entries({**request, "page_token": first.next_page_token})
        assert [one.text_payload for one in second] == ["4", "7", "6", "9", "8", "10s"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"page_size": -1},
            {"page_size": 1001},
            {"order_by": "severity asc"},
            {"order_by": "timestamp"},
            {"resource_names": []},
            {"page_token": "nonsense"},
            {"page_token": "WyJ4IiwgbnVsbF0="},
            {"filter": "SEARCH(x)"},
            {"filter": "textPayload:x " * 2000},
        ],
    )
    def test_what_is_refused(self, client: Any, name: str, wrong: dict[str, Any]) -> None:
        with pytest.raises(api.InvalidArgument):
            found(client, name, **wrong)

    def test_a_token_of_another_list(self, client: Any, name: str) -> None:
        request = {"resource_names": ["projects/local"], "filter": f'logName="{name}"'}
        token = next(iter(client.list_log_entries({**request, "page_size": 1}).pages))
        with pytest.raises(api.InvalidArgument, match="page_token"):
            found(client, name, "severity>=ERROR", page_token=token.next_page_token)

    def test_another_project(self, client: Any, name: str) -> None:
        with pytest.raises(api.PermissionDenied):
            found(client, name, resource_names=["projects/other"])

    def test_the_size_of_a_page_unless_given(self, client: Any, name: str) -> None:
        write(client, name, *({"text_payload": "x", "timestamp": NOW} for _ in range(60)))
        request = {"resource_names": ["projects/local"], "filter": f'logName="{name}"'}
        first = next(iter(client.list_log_entries(request).pages))
        assert len(first.entries) == 50

    def test_what_is_not_served(self, client: Any, name: str) -> None:
        with pytest.raises(api.MethodNotImplemented):
            client.delete_log(log_name=name)

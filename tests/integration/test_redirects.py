"""No redirect is followed to another host: it would get a request, its headers and their tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook
from airflow_multicloud.clouds.gcp.cost.errors import translated
from airflow_multicloud.clouds.gcp.rest import RestApi
from airflow_multicloud.errors import CostAnalysisError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef
from tests.integration.answering import Answer, Asked, answering
from tests.integration.test_answers import azure, google

FOUND = Answer(
    b"internal",
    headers={
        "ETag": '"e"',
        "Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT",
        "x-goog-generation": "1",
        "x-goog-metageneration": "1",
    },
)


def aws(monkeypatch: pytest.MonkeyPatch, endpoint: str, **extra: object) -> S3ObjectStoreHook:
    connection = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {
            "endpoint_url": endpoint,
            "region_name": "us-east-1",
            "aws_session_token": "token",
            "config_kwargs": {"retries": {"total_max_attempts": 1}},
            **extra,
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_ASKED", json.dumps(connection))
    return S3ObjectStoreHook("aws_asked")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("hook", [aws, google, azure])
def test_no_request_goes_where_a_redirect_points(
    hook: Callable[[pytest.MonkeyPatch, str], Any], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(lambda _: FOUND, host="127.0.0.3") as internal:

        def answer(asked: Asked) -> Answer:
            if "acl" in asked.path:
                return Answer(
                    b"<AccessControlPolicy><Owner><ID>x</ID></Owner></AccessControlPolicy>"
                )
            # The bucket is there, so that an object is asked for.
            if asked.method == "HEAD" and asked.path.count("/") == 1:
                return Answer()
            return Answer(status=status, headers={"Location": internal.url + "/credentials"})

        with answering(answer) as server:
            store = hook(monkeypatch, server.url)
            for call in (
                lambda: store.get_object(ObjectRef("bucket", "plain")).read(),
                lambda: store.get_object(ObjectRef("bucket", "odd//key")).read(),
                lambda: store.stat_object(ObjectRef("bucket", "plain")),
                lambda: store.put_object(ObjectRef("bucket", "plain"), b"x"),
                lambda: store.put_object(ObjectRef("bucket", "odd//key"), b"x"),
                lambda: list(store.list_objects("bucket")),
            ):
                with pytest.raises(StorageError) as caught:
                    call()
                wrong = (ErrorKind.INTEGRITY, ErrorKind.INVALID_ARGUMENT)
                assert caught.value.kind in wrong, str(caught.value)
        assert internal.asked == []


def test_the_error_of_a_read_says_that_it_was_a_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.method == "HEAD" or "acl" in asked.path:
            return Answer()
        return Answer(status=302, headers={"Location": "https://elsewhere.example/x"})

    with answering(answer) as server:
        store = google(monkeypatch, server.url)
        with pytest.raises(StorageError, match="redirects to another host") as caught:
            store.get_object(ObjectRef("bucket", "plain"))
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_lists_of_prices_are_not_fetched_from_elsewhere() -> None:
    def answer(_: Asked) -> Answer:
        return Answer(status=302, headers={"Location": internal.url})

    with answering(lambda _: Answer(b'{"skus": [{}]}'), host="127.0.0.3") as internal:
        with answering(answer) as server:
            anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
            rest = RestApi(server.url, anonymous, retries=0, area=CostAnalysisError)
            with (
                pytest.raises(CostAnalysisError) as caught,
                translated("prices"),
            ):
                list(rest.items("/v1/skus", "skus", {}))
        assert caught.value.kind is ErrorKind.INTEGRITY
        assert internal.asked == []


def test_behind_a_proxy_objects_are_read_without_obstore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert _obstore.only_to("https://s3.example/bucket") is None
    monkeypatch.setenv("no_proxy", "s3.example")
    options = _obstore.only_to("https://s3.example/bucket")
    assert options is not None
    assert options["allow_http"] is False

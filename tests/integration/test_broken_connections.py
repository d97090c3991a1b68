"""A connection of whatever form is one error that names it, and shows nothing of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.errors import CloudError

SECRET = "planted-secret"
TYPES = {"s3": "aws", "gs": "google_cloud_platform", "abfs": "wasb"}
EXTRAS: dict[str, Any] = {
    "a list": [SECRET],
    "a number": 3,
    "a list as text": f'["{SECRET}"]',
    "values of other types": {
        "region_name": 3,
        "endpoint_url": [],
        "config_kwargs": SECRET,
        "service_config": [1],
        "connection_string": 5,
        "sas_token": [],
        "keyfile_dict": [SECRET],
        "num_retries": "x",
    },
    "an unknown setting": {"config_kwargs": {SECRET: 1}, "keyfile_dict": "{", "verify": []},
    "an endpoint that is none": {
        "endpoint_url": "http://[",
        "gcs.endpoint": "http://[",
        "connection_string": f";;=;{SECRET}",
        "project": "p",
    },
    "nested too deeply": None,
}
WHOLE = ["", "{", "[1]", "3", "null", "{}", '{"conn_type": []}', "aws://a:b@host:port/", "   "]


def ask(conn_id: str, scheme: str, tmp_path: Any) -> None:
    """Use the connection in several ways; each must end, or raise one of ours."""
    status = api.check_connection(conn_id)
    assert status.available or SECRET not in str(status.problem)
    file = tmp_path / "artifact"
    file.write_bytes(b"artifact")
    uri = f"{scheme}://{conn_id}@bucket/x/"
    for call in (
        lambda: api.plan_upload(file, uri),
        lambda: api.verify_replica(uri),
        lambda: api.replicate(uri, [f"{uri}copy/"]),
    ):
        with pytest.raises(CloudError) as caught:
            call()
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("extra", EXTRAS.values(), ids=EXTRAS.keys())
@pytest.mark.parametrize("scheme", TYPES)
def test_an_extra_of_another_form(
    scheme: str, extra: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    given = json.dumps({"conn_type": TYPES[scheme], "host": "http://127.0.0.1:1", "extra": extra})
    if extra is None:
        given = given.replace("null", "[" * 3000 + "]" * 3000)
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", given)
    if TYPES[scheme] == "google_cloud_platform" and isinstance(extra, dict):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")
    ask("broken", scheme, tmp_path)


@pytest.mark.parametrize("given", WHOLE)
def test_a_connection_of_another_form(
    given: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", given)
    ask("broken", "s3", tmp_path)

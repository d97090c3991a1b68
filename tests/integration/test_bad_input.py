"""What is wrong with a call is said once, by name, before any byte moves."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.operators.replicate import ReplicateOperator

from .lab import at, fill

if TYPE_CHECKING:
    from .lab import Lab


@pytest.fixture
def filled(lab: Lab) -> Lab:
    fill(lab.s3)
    return lab


def refused(lab: Lab, source: str, destinations: object) -> CloudError:
    """The error of a replication; nothing may have been written anywhere."""
    with pytest.raises(CloudError) as caught:
        api.replicate(source, destinations)  # type: ignore[arg-type]
    for uri in lab.replicas:
        end = at(uri)
        assert list(end.store.list_objects(lab.bucket)) == []
    return caught.value


def test_no_such_source_bucket(filled: Lab) -> None:
    err = refused(filled, "s3://aws_local@no-such-bucket-here/data/", filled.replicas)
    assert err.kind is ErrorKind.NOT_FOUND
    assert str(err).startswith("source: s3://aws_local@no-such-bucket-here/data/: no bucket")


@pytest.mark.parametrize("place", ["gs://gcp_local@", "abfs://wasb_local@"])
def test_no_such_destination_bucket(filled: Lab, place: str) -> None:
    wrong = f"{place}no-such-bucket-here/copy/"
    err = refused(filled, filled.s3, [filled.gcs, wrong])
    assert err.kind is ErrorKind.NOT_FOUND
    assert str(err).startswith(f"destinations[1]: {wrong}: no bucket")
    assert "create_buckets" in str(err)


def test_the_scheme_contradicts_the_connection(filled: Lab) -> None:
    err = refused(filled, filled.s3, [f"gs://aws_local@{filled.bucket}/copy/"])
    assert err.kind is ErrorKind.INVALID_ARGUMENT
    assert "destinations[0]" in str(err)
    assert "gs://" in str(err)
    assert "'aws'" in str(err)


def test_nothing_under_the_prefix(filled: Lab) -> None:
    err = refused(filled, f"{filled.s3}nothing/here/", filled.replicas)
    assert err.kind is ErrorKind.NOT_FOUND
    assert str(err).startswith("source: no object under")


def test_a_prefix_without_its_slash(filled: Lab) -> None:
    err = refused(filled, filled.s3.removesuffix("/"), filled.replicas)
    assert err.kind is ErrorKind.NOT_FOUND
    assert "must end with a slash" in str(err)


def test_a_prefix_to_one_object(filled: Lab) -> None:
    err = refused(filled, filled.s3, [f"{filled.gcs}one-object"])
    assert err.kind is ErrorKind.INVALID_ARGUMENT
    assert str(err).startswith("destinations[0]: ")


def test_a_destination_in_the_source(filled: Lab) -> None:
    err = refused(filled, filled.s3, [f"{filled.s3}below/"])
    assert err.kind is ErrorKind.INVALID_ARGUMENT
    assert "overlaps source" in str(err)


def test_destinations_as_one_string(filled: Lab) -> None:
    err = refused(filled, filled.s3, filled.gcs)
    assert err.kind is ErrorKind.INVALID_ARGUMENT
    assert str(err).startswith("destinations: ")


def test_a_connection_that_does_not_exist(filled: Lab) -> None:
    err = refused(filled, "s3://no_such_connection@bucket/data/", filled.replicas)
    assert err.kind is ErrorKind.NOT_FOUND
    assert "no_such_connection" in str(err)


def test_a_wrong_account_key(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = json.loads(os.environ["AIRFLOW_CONN_WASB_LOCAL"])
    fields = connection["extra"]["connection_string"].split(";")
    wrong = "d3JvbmcgYWNjb3VudCBrZXk="
    connection["extra"]["connection_string"] = ";".join(
        f"AccountKey={wrong}" if field.startswith("AccountKey=") else field for field in fields
    )
    monkeypatch.setenv("AIRFLOW_CONN_WASB_WRONG", json.dumps(connection))
    destination = f"abfs://wasb_wrong@{filled.bucket}/copy/"
    err = refused(filled, filled.s3, [filled.gcs, destination])
    assert err.kind in (ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED)
    assert wrong not in str(err)


def test_an_unknown_option() -> None:
    with pytest.raises(TypeError, match="imutable"):
        ReplicateOperator(task_id="x", source="s3://a/", destinations=["gs://b/"], imutable=True)

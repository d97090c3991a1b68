"""What is wrong with a call is said once, by name, before any byte moves."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.operators.object_store import ReplicateOperator

from . import strict_aws
from .lab import at, fill, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.testing.local_clouds import LocalServer

    from .lab import Lab


@pytest.fixture
def filled(lab: Lab) -> Lab:
    fill(lab.s3)
    return lab


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with strict_aws.running(tmp_path_factory.mktemp("strict-aws")) as server:
        yield server


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


def test_destinations_as_one_string_are_one(filled: Lab) -> None:
    err = refused(filled, filled.s3, f"{filled.s3}below/")
    assert err.kind is ErrorKind.INVALID_ARGUMENT
    assert "overlaps source" in str(err)


@pytest.mark.parametrize("given", [5, None, {"uri": "gs://b/"}, "", "['gs://b/'"])
def test_destinations_that_are_no_list(filled: Lab, given: Any) -> None:
    err = refused(filled, filled.s3, given)
    assert err.kind is ErrorKind.INVALID_ARGUMENT
    assert str(err).startswith("destinations")


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


def test_a_wrong_access_key(
    filled: Lab, strict: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = json.dumps(dict(strict.spec.connections["aws_local"]))
    monkeypatch.setenv("AIRFLOW_CONN_AWS_WRONG", connection)
    err = refused(filled, f"s3://aws_wrong@{filled.bucket}/data/", filled.replicas)
    assert err.kind in (ErrorKind.UNAUTHENTICATED, ErrorKind.PERMISSION_DENIED)
    assert filled.bucket in str(err)


@pytest.mark.parametrize(
    ("replicate_to", "said"),
    [
        ("no location", "replicate_to[0]: "),
        ({"uri": "gs://gcp_local@{}/copy/"}, "replicate_to: "),
        (["gs://aws_local@{}/copy/"], "replicate_to[0]: "),
        (["no location"], "replicate_to[0]: "),
    ],
)
def test_an_upload_with_wrong_replicas(
    lab: Lab, tmp_path: Path, replicate_to: str | dict[str, str] | list[str], said: str
) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(b"artifact")
    given: Any = replicate_to
    if isinstance(replicate_to, list):
        given = [uri.format(lab.bucket) for uri in replicate_to]
    with pytest.raises(CloudError) as caught:
        api.upload_artifact(file, lab.s3, replicate_to=given)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert str(caught.value).startswith(said)
    assert tree_of(lab.s3) == {}


@pytest.mark.parametrize("place", ["gs://gcp_local@", "abfs://wasb_local@", "s3://aws_local@"])
def test_an_upload_with_a_replica_in_no_bucket(lab: Lab, tmp_path: Path, place: str) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(b"artifact")
    wrong = f"{place}no-such-bucket-here/copy/"
    for call in (api.plan_upload, api.upload_artifact):
        with pytest.raises(CloudError) as caught:
            call(file, lab.s3, replicate_to=[lab.gcs, wrong])
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert str(caught.value).startswith(f"replicate_to[1]: {wrong}: no bucket")
    assert tree_of(lab.s3) == {}


@pytest.mark.parametrize(
    ("candidates", "said"),
    [
        ("no location", "candidates[0]: "),
        ({"uri": "s3://aws_local@{}/data/"}, "candidates: "),
        (["s3://aws_local@{}/data/", "gs://gcp_local@{}/copy"], "candidates: objects and prefixes"),
        (["s3://aws_local@{}/data/", "gs://aws_local@{}/copy/"], "candidates[1]: "),
    ],
)
def test_a_fetch_from_wrong_candidates(
    filled: Lab, tmp_path: Path, candidates: str | dict[str, str] | list[str], said: str
) -> None:
    given: Any = candidates
    if isinstance(candidates, list):
        given = [uri.format(filled.bucket) for uri in candidates]
    with pytest.raises(CloudError) as caught:
        api.failover_fetch(given, tmp_path / "fetched")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert str(caught.value).startswith(said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["gs://gcp_local@", "abfs://wasb_local@", "s3://aws_local@"])
def test_a_fetch_to_no_bucket(filled: Lab, place: str) -> None:
    wrong = f"{place}no-such-bucket-here/copy/"
    for candidate in (filled.s3, f"{filled.s3}a.txt"):
        with pytest.raises(CloudError) as caught:
            api.failover_fetch([candidate], wrong)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert str(caught.value) == f"target: {wrong}: no bucket 'no-such-bucket-here'; create it"


def test_an_unknown_option() -> None:
    with pytest.raises(TypeError, match="imutable"):
        ReplicateOperator(task_id="x", source="s3://a/", destinations=["gs://b/"], imutable=True)

"""The plain Python API over clouds in memory."""

from __future__ import annotations

import pytest

from airflow_multicloud import api
from airflow_multicloud.api.object_store import unified
from airflow_multicloud.core.drill.faults import Fault, with_fault
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, ProviderNotInitializedError, StorageError
from airflow_multicloud.opening.endpoints import open_endpoint

CONNECTIONS = ("api_one", "api_two", "api_three")
PRIMARY, *BACKUP = (f"mem://{conn_id}@data/" for conn_id in CONNECTIONS)


@pytest.fixture(autouse=True)
def clouds(memory_account):
    for conn_id in CONNECTIONS:
        memory_account(conn_id, "data")


@pytest.fixture
def storage():
    return api.UnifiedCloudStorage(PRIMARY, BACKUP)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "report.csv"
    path.write_bytes(b"a,b\n1,2\n")
    return path


def keys(uri: str) -> list[str]:
    end = open_endpoint(uri, parameter="x")
    listed = (meta.key for meta in end.store.list_objects(end.bucket))
    return [key for key in listed if not key.startswith(".airflow-multicloud/")]


def test_upload_reaches_every_backup(storage, file):
    result = storage.upload(file, "in/report.csv")
    assert result.success
    assert result.uploaded.sha256 == to_document(result)["sha256"]
    assert [keys(uri) for uri in (PRIMARY, *BACKUP)] == [["in/report.csv"]] * 3
    assert {d.uri for d in result.replication.destinations} == {
        f"{uri}in/report.csv" for uri in BACKUP
    }


def test_upload_without_replicas(storage, file):
    assert storage.upload(file, "report.csv", replicate=False).replication is None
    assert [keys(uri) for uri in (PRIMARY, *BACKUP)] == [["report.csv"], [], []]


def test_a_second_upload_sends_nothing(storage, file):
    storage.upload(file, "report.csv")
    again = storage.upload(file, "report.csv")
    assert again.uploaded.unchanged
    assert all(set(d.outcomes) == {"unchanged"} for d in again.replication.destinations)


def test_immutable_refuses_another_content(storage, file):
    storage.upload(file, "report.csv")
    file.write_bytes(b"other")
    with pytest.raises(StorageError) as caught:
        storage.upload(file, "report.csv", immutable=True)
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS


def test_upload_of_no_file(storage, tmp_path):
    with pytest.raises(StorageError, match=r"^file: .*missing is not a file") as caught:
        storage.upload(tmp_path / "missing", "key")
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_download_fails_over(storage, file, tmp_path):
    storage.upload(file, "report.csv")
    primary = open_endpoint(PRIMARY, parameter="x")
    primary.store.delete_object(primary.ref("report.csv"))
    provenance = storage.download("report.csv", tmp_path / "fetched.csv")
    assert (tmp_path / "fetched.csv").read_bytes() == file.read_bytes()
    assert provenance.failed_over
    assert provenance.served_by == f"{BACKUP[0]}report.csv"
    assert [a.kind for a in provenance.attempts] == [ErrorKind.NOT_FOUND, None]
    assert provenance.verified_by == "ledger"


def test_replicate_and_download_a_prefix(storage, tmp_path):
    primary = open_endpoint(PRIMARY, parameter="x")
    for name in ("a", "b/c", "b/d"):
        primary.store.put_object(primary.ref(f"tree/{name}"), name.encode())
    assert storage.replicate().success_ratio == 1
    fetched = storage.download("tree/", tmp_path / "out")
    found = {
        p.relative_to(tmp_path / "out").as_posix(): p.read_text()
        for p in (tmp_path / "out").rglob("*")
        if p.is_file()
    }
    assert found == {"a": "a", "b/c": "b/c", "b/d": "b/d"}
    assert fetched.objects == 3
    assert not fetched.failed_over


def test_list_takes_the_first_store_that_answers(storage, file, monkeypatch):
    storage.upload(file, "report.csv")
    assert [meta.key for meta in storage.list()] == ["report.csv"]

    def without_primary(uri, *, parameter):
        end = open_endpoint(uri, parameter=parameter)
        return with_fault(end, Fault.UNAVAILABLE) if uri == PRIMARY else end

    monkeypatch.setattr(unified, "open_endpoint", without_primary)
    assert [meta.key for meta in storage.list()] == ["report.csv"]


@pytest.mark.parametrize("parameter", ["primary", "backup"])
def test_prefixes_only(parameter):
    uris = {"primary": PRIMARY, "backup": BACKUP}
    uris[parameter] = "mem://api_one@data/key" if parameter == "primary" else ["mem://data/key"]
    with pytest.raises(StorageError, match=f"^{parameter}: ") as caught:
        api.UnifiedCloudStorage(uris["primary"], uris["backup"])
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_initialize_providers():
    providers, (status,) = api.initialize_providers({"memory": "api_one"})
    assert status.available
    assert status.cloud == "memory"
    assert providers.connection_of("memory") == "api_one"
    with pytest.raises(ProviderNotInitializedError, match="initialize_providers"):
        providers.connection_of("aws")
    with pytest.raises(ProviderNotInitializedError, match="not of Amazon"):
        providers.use("aws", "api_one")


def test_a_missing_connection_is_a_status_not_an_error():
    status = api.check_connection("no_such_connection")
    assert not status.available
    assert status.kind is ErrorKind.NOT_FOUND
    assert "no_such_connection" in status.problem


@pytest.mark.parametrize(
    ("destination", "replicas", "named"),
    [
        (f"{PRIMARY}a/f", [f"{PRIMARY}a/f"], r"replicate_to\[0\]: .* overlaps destination"),
        (
            f"{PRIMARY}a/",
            [f"{BACKUP[0]}a/", f"{PRIMARY}a/sub/"],
            r"replicate_to\[1\]: .* destination",
        ),
        (f"{PRIMARY}a/sub/", [f"{PRIMARY}a/"], r"replicate_to\[0\]: .* overlaps destination"),
        (f"{PRIMARY}report.csv", [PRIMARY], r"replicate_to\[0\]: .* overlaps destination"),
        (PRIMARY, [f"{PRIMARY}report.csv"], r"replicate_to\[0\]: .* overlaps destination"),
        (PRIMARY, [BACKUP[0], BACKUP[1], BACKUP[0]], r"replicate_to\[2\]: .* replicate_to\[0\]"),
        (
            PRIMARY,
            [BACKUP[0], f"{BACKUP[0]}report.csv"],
            r"replicate_to\[1\]: .* replicate_to\[0\]",
        ),
    ],
)
def test_an_upload_whose_replicas_overlap_sends_nothing(file, destination, replicas, named):
    with pytest.raises(StorageError, match=f"^{named}") as caught:
        api.upload_artifact(file, destination, replicate_to=replicas)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert [keys(uri) for uri in (PRIMARY, *BACKUP)] == [[], [], []]


@pytest.mark.parametrize("run_id", ["", "../../x", "..", "a/b", "a\nb", "n" * 201])
def test_a_run_id_that_is_no_name_is_refused(storage, file, run_id):
    storage.upload(file, "report.csv")
    for call in (
        lambda: api.replicate(PRIMARY, BACKUP, run_id=run_id),
        lambda: api.verify_replica(BACKUP[0], run_id=run_id),
    ):
        with pytest.raises(StorageError, match=r"^run_id: ") as caught:
            call()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_what_is_given_in_the_wrong_form_is_refused_by_name(tmp_path):
    for name, call in {
        "backup": lambda: api.UnifiedCloudStorage(PRIMARY, 5),
        "candidates": lambda: api.failover_fetch([], tmp_path),
        "depth": lambda: api.verify_replica(BACKUP[0], depth="deep"),
        "fail_over_on": lambda: api.FailoverPolicy(fail_over_on={"outage"}),
    }.items():
        with pytest.raises(StorageError, match=f"^{name}: ") as caught:
            call()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_depth_by_its_value_is_that_depth(storage, file):
    """It was the default one: less proof than was asked for."""
    storage.upload(file, "report.csv")
    replica = f"{BACKUP[0]}report.csv"
    assert api.verify_replica(replica, depth="read").bytes_read == len(file.read_bytes())
    assert api.verify_replica(replica, depth="checksums").bytes_read == 0


def test_error_kinds_by_their_values_are_those_kinds():
    policy = api.FailoverPolicy(fail_over_on={"timeout"})
    assert policy.fail_over_on == frozenset({ErrorKind.TIMEOUT})

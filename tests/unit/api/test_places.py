"""Which place a URI is, by its connection; and places that must not be one another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.core.drill.canary import Canary, write_canary
from airflow_multicloud.core.drill.failover import measure
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.registry import session
from airflow_multicloud.testing.memory_cloud import object_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

A, B, C = (f"mem://place_{name}@data/sales/" for name in "abc")


@pytest.fixture(autouse=True)
def clouds(memory_account: Callable[[str, str], str]) -> None:
    for name in "abc":
        memory_account(f"place_{name}", "data")
    object_store.Hook("place_a").put_object(ObjectRef("data", "sales/x"), b"1")


def connect(monkeypatch: pytest.MonkeyPatch, conn_id: str, kind: str, **fields: Any) -> None:
    connection = json.dumps({"conn_type": kind, **fields})
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", connection)


def opened(uri: str) -> Endpoint:
    with session():
        return open_endpoint(uri, parameter="x")


def place(uri: str) -> str:
    return opened(uri).place


class TestAmazon:
    @pytest.mark.parametrize(
        ("extra", "expected"),
        [
            ({}, "s3://lake/"),
            ({"region_name": "eu-central-1"}, "s3://lake/"),
            ({"region_name": "cn-north-1"}, "s3://lake@aws-cn/"),
            ({"region_name": "us-gov-west-1"}, "s3://lake@aws-us-gov/"),
            ({"endpoint_url": "https://s3.eu-west-1.amazonaws.com"}, "s3://lake/"),
            (
                {"endpoint_url": "https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com"},
                "s3://lake/",
            ),
            ({"endpoint_url": "https://s3.dualstack.eu-west-1.api.aws"}, "s3://lake/"),
            # The host tells the partition.
            ({"endpoint_url": "https://s3.cn-north-1.amazonaws.com.cn"}, "s3://lake@aws-cn/"),
            ({"endpoint_url": "https://s3.amazonaws.com.cn/"}, "s3://lake@aws-cn/"),
            ({"endpoint_url": "https://s3.us-gov-west-1.amazonaws.com"}, "s3://lake@aws-us-gov/"),
            ({"endpoint_url": "https://s3-us-gov-west-1.amazonaws.com"}, "s3://lake@aws-us-gov/"),
            (
                {"endpoint_url": "https://s3-fips-us-gov-west-1.amazonaws.com"},
                "s3://lake@aws-us-gov/",
            ),
            (
                {"endpoint_url": "https://s3-fips.dualstack.us-gov-east-1.amazonaws.com:443"},
                "s3://lake@aws-us-gov/",
            ),
            (
                {"endpoint_url": "https://us-gov-west-1.s3.eu-west-1.amazonaws.com"},
                "s3://lake/",
            ),
            (
                {
                    "endpoint_url": "https://s3.us-gov-west-1.amazonaws.com",
                    "region_name": "eu-west-1",
                },
                "s3://lake@aws-us-gov/",
            ),
            (
                {
                    "endpoint_url": "https://s3.cn-north-1.amazonaws.com.cn",
                    "region_name": "cn-north-1",
                },
                "s3://lake@aws-cn/",
            ),
            # Only where it has none, the region does.
            (
                {"endpoint_url": "https://s3.amazonaws.com", "region_name": "us-gov-west-1"},
                "s3://lake@aws-us-gov/",
            ),
            (
                {"endpoint_url": "https://s3.amazonaws.com.cn", "region_name": "eu-west-1"},
                "s3://lake@aws-cn/",
            ),
            ({"endpoint_url": "http://minio:9000/"}, "s3://lake@minio:9000/"),
            (
                {"endpoint_url": "http://minio.us-gov-west-1:9000", "region_name": "cn-north-1"},
                "s3://lake@minio.us-gov-west-1:9000/",
            ),
            ({"endpoint_url": "https://notamazonaws.com"}, "s3://lake@notamazonaws.com/"),
            (
                {"service_config": {"s3": {"endpoint_url": "https://me:pw@r2.example.com/?x=y"}}},
                "s3://lake@r2.example.com/",
            ),
            # Nobody is asked to play the role.
            ({"role_arn": "arn:aws:iam::123456789012:role/r"}, "s3://lake/"),
        ],
    )
    def test_an_endpoint_of_somebody_else_is_a_store_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], expected: str
    ) -> None:
        connect(monkeypatch, "amazon", "aws", login="id", password="key", extra=extra)
        assert place("s3://amazon@lake/") == expected

    def test_the_environment_and_the_profile_say_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        connect(monkeypatch, "amazon", "aws", extra={"profile_name": "lab"})
        config = tmp_path / "config"
        config.write_text(
            "[profile lab]\nservices = s\nendpoint_url = http://profile:1\n"
            "[services s]\ns3 =\n  endpoint_url = http://service:1\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        assert place("s3://amazon@lake/") == "s3://lake@service:1/"
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://any:1")
        assert place("s3://amazon@lake/") == "s3://lake@any:1/"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://one:1")
        assert place("s3://amazon@lake/") == "s3://lake@one:1/"
        monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        assert place("s3://amazon@lake/") == "s3://lake/"

    def test_what_cannot_be_read_is_no_error_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(monkeypatch, "amazon", "aws", extra={"profile_name": "nowhere"})
        assert place("s3://amazon@lake/") == "s3://lake/"


class TestGoogle:
    @pytest.mark.parametrize(
        ("endpoint", "expected"),
        [
            (None, "gs://lake/"),
            ("https://storage.googleapis.com", "gs://lake/"),
            ("https://storage.europe-west3.rep.googleapis.com", "gs://lake/"),
            ("https://private.googleapis.com:443", "gs://lake/"),
            ("https://storage.googleapis.com/storage/v1", "gs://lake/"),
            ("http://localhost/a.googleapis.com", "gs://lake@localhost%2Fa.googleapis.com/"),
            ("http://localhost:4443", "gs://lake@localhost:4443/"),
        ],
    )
    def test_an_endpoint_of_somebody_else_is_a_store_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch, endpoint: str | None, expected: str
    ) -> None:
        extra = {"gcs.endpoint": endpoint} if endpoint else {}
        connect(monkeypatch, "google", "google_cloud_platform", extra=extra)
        assert place("gs://google@lake/") == expected

    def test_an_emulator(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", "localhost:4443")
        connect(monkeypatch, "google", "google_cloud_platform")
        assert place("gs://google@lake/") == "gs://lake@localhost:4443/"

    def test_what_cannot_be_read_is_no_error_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect(monkeypatch, "google", "google_cloud_platform", extra={"gcs.endpoint": "?"})
        assert place("gs://google@lake/") == "gs://lake/"


class TestAzure:
    @pytest.mark.parametrize(
        ("host", "name"),
        [
            ("https://one.blob.core.windows.net", "one.blob.core.windows.net"),
            ("https://one-secondary.blob.core.windows.net", "one.blob.core.windows.net"),
            ("https://one.privatelink.blob.core.windows.net", "one.blob.core.windows.net"),
            ("https://one-microsoftrouting.blob.core.windows.net", "one.blob.core.windows.net"),
            ("https://one-internetrouting.dfs.core.windows.net", "one.blob.core.windows.net"),
            ("https://one-ipv6.blob.core.windows.net", "one.blob.core.windows.net"),
            ("https://one-dualstack.blob.core.windows.net", "one.blob.core.windows.net"),
            ("https://one-secondary-ipv6.blob.core.windows.net", "one.blob.core.windows.net"),
            (
                "https://one-internetrouting-secondary.z12.blob.storage.azure.net",
                "one.z12.blob.storage.azure.net",
            ),
            ("https://one-other.blob.core.windows.net", "one-other.blob.core.windows.net"),
            ("https://one.dfs.core.windows.net/", "one.blob.core.windows.net"),
            ("https://one.blob.core.chinacloudapi.cn", "one.blob.core.chinacloudapi.cn"),
            ("https://one.z12.blob.storage.azure.net", "one.z12.blob.storage.azure.net"),
            ("https://files.example.com", "files.example.com"),
            ("http://127.0.0.1:10000/devstoreaccount1", "127.0.0.1:10000%2Fdevstoreaccount1"),
        ],
    )
    def test_each_account_is_a_store_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch, host: str, name: str
    ) -> None:
        told = {"connection_string": f"BlobEndpoint={host};SharedAccessSignature=sig=SECRET"}
        connect(monkeypatch, "blobs", "wasb", extra=told)
        assert place("abfss://blobs@lake/x") == f"abfs://lake@{name}/x"

    def test_a_signature_is_no_part_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        extra = {"sas_token": "https://one.blob.core.windows.net/?sv=2024&sig=SECRET"}
        connect(monkeypatch, "blobs", "wasb", extra=extra)
        assert place("abfs://blobs@lake/") == "abfs://lake@one.blob.core.windows.net/"


class TestTheConnectionsOwnName:
    def test_goes_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for conn_id, port in (("inside", 9000), ("outside", 443)):
            extra = {"endpoint_url": f"https://{conn_id}:{port}", "store_name": "minio"}
            connect(monkeypatch, conn_id, "aws", extra=extra)
            assert place(f"s3://{conn_id}@lake/") == "s3://lake@minio/"

    def test_makes_two_addresses_one_ledger(self, monkeypatch: pytest.MonkeyPatch) -> None:
        api.replicate(A, [B])
        connect(monkeypatch, "place_b", "memory", extra={"store_name": "another"})
        with pytest.raises(StorageError, match="extra store_name") as caught:
            api.verify_replica(B)
        assert caught.value.kind is ErrorKind.INTEGRITY
        connect(monkeypatch, "place_b", "memory", extra={"store_name": "place_b"})
        assert api.verify_replica(B).proven

    @pytest.mark.parametrize("given", ["a b", "a@b", "a/b", "x" * 256, 7, "\x1b[2J"])
    def test_is_a_name(self, monkeypatch: pytest.MonkeyPatch, given: object) -> None:
        connect(monkeypatch, "place_b", "memory", extra={"store_name": given})
        with pytest.raises(CredentialsError, match="'place_b': extra store_name is not") as caught:
            opened(B)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def too(monkeypatch: pytest.MonkeyPatch, uri: str, name: str) -> str:
    """The same place, by another connection."""
    connect(monkeypatch, "place_too", "memory", extra={"store_name": name})
    return f"mem://place_too@data/{uri.partition('@data/')[2]}"


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(StorageError) as caught:
        call()
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    return str(caught.value)


class TestPlacesApart:
    def test_the_source_by_another_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        again = too(monkeypatch, A, "place_a")
        said = refused(lambda: api.replicate(A, [f"{again}copy/"]))
        assert said.startswith(f"destinations[0]: {again}copy/ overlaps source {A}: both ")
        assert "mem://data@place_a/" in said

    def test_a_destination_by_another_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        again = too(monkeypatch, B, "place_b")
        said = refused(lambda: api.replicate(A, [B, C, again]))
        assert said.startswith(f"destinations[2]: {again} overlaps destinations[0] {B}")

    def test_a_sibling_is_another_replica(self, monkeypatch: pytest.MonkeyPatch) -> None:
        api.replicate(A, [B, C])
        for other in (B, "mem://place_b@data/other/", too(monkeypatch, B, "place_b")):
            said = refused(lambda other=other: api.verify_replica(B, siblings=[C, other]))
            assert said.startswith(f"siblings[1]: {other} is in the same bucket as {B}")
        assert refused(lambda: api.verify_replica(B, siblings=[C, C])).startswith(
            f"siblings[1]: {C} is the same place as siblings[0]"
        )
        assert api.verify_replica(B, siblings=[C]).not_compared == ()

    def test_a_witness_is_another_bucket(self) -> None:
        said = refused(lambda: api.verify_evidence(B, witnesses=[B]))
        assert said.startswith(f"witnesses[0]: {B} is in the same bucket as {B}")

    def test_a_candidate_is_given_once(self, tmp_path: Path) -> None:
        said = refused(lambda: api.failover_fetch([A, B, A], tmp_path))
        assert said.startswith(f"candidates[2]: {A} is given twice")

    def test_a_drills_replica_is_not_its_primary(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ends = [opened(uri) for uri in (A, B, too(monkeypatch, A, "place_a"))]
        canary: Canary = write_canary(ends[0], "drill")
        candidates = [Candidate(str(end.location), end) for end in ends]
        said = refused(
            lambda: measure(
                candidates,
                tmp_path,
                canary,
                fault=Fault.UNAVAILABLE,
                policy=FailoverPolicy(),
            )
        )
        assert said.startswith(f"candidates[2]: {ends[2].location} is in the primary {A}")


class TestExpectationsOfTwoBucketsOfOneName:
    def test_each_has_its_own(self, tmp_path: Path) -> None:
        for report in (api.replicate(A, [B]), api.replicate(A, [C])):
            (there,) = report.destinations
            roots = {there.uri: there.ledger_root or ""}
            served = api.failover_fetch(
                [there.uri, A],
                tmp_path / there.uri[12],
                FailoverPolicy(expected_roots=roots, live_primary=False),
            )
            assert served.served == {there.uri: 1}  # type: ignore[union-attr]

    def test_one_without_a_connection_is_nobodys(self, tmp_path: Path) -> None:
        policy = FailoverPolicy(at_least_commits={"mem://data/": 1})
        said = refused(lambda: api.failover_fetch([A, B], tmp_path, policy))
        assert said == (
            "at_least_commits: 'mem://data/' given, expected one with its connection, as it is in "
            "mem://data@place_a/ and in mem://data@place_b/"
        )

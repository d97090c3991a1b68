from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.locations import Location, parse_location
from airflow_multicloud.ports.object_store import ObjectRef

POINT = "arn:aws:s3:eu-central-1:123456789012:accesspoint/name"
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{1,40}", fullmatch=True)
ARNS = st.sampled_from(
    [
        POINT,
        "arn:aws:s3:eu-central-1:123456789012:accesspoint:name",
        "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/name",
        "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap",
        "arn:aws:s3-object-lambda:eu-central-1:123456789012:accesspoint/name",
        "arn:aws:s3-outposts:eu-central-1:123456789012:outpost/op-01234/accesspoint/name",
    ]
)
TENANTS = st.from_regex(r"[a-z0-9]{0,10}:[a-z][a-z0-9._-]{1,40}", fullmatch=True)
LOCATIONS = st.one_of(
    st.builds(Location, st.just("s3"), st.none() | NAMES, ARNS, st.text()),
    st.builds(Location, st.just("s3"), NAMES, TENANTS, st.text()),
    st.builds(Location, st.sampled_from(["s3", "gs", "mem"]), st.none() | NAMES, NAMES, st.text()),
    st.builds(
        Location,
        st.sampled_from(["abfs", "abfss"]),
        st.none() | NAMES,
        st.from_regex(r"[a-z0-9][a-z0-9-]{2,40}", fullmatch=True),
        st.text(),
    ),
)


@given(LOCATIONS)
def test_round_trip(location):
    assert parse_location(str(location), parameter="source") == location


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket", Location("s3", None, "bucket", "")),
        ("s3://bucket/", Location("s3", None, "bucket", "")),
        ("s3://c@bucket/a//b/../c", Location("s3", "c", "bucket", "a//b/../c")),
        ("s3://c@bucket//lead", Location("s3", "c", "bucket", "/lead")),
        ("gs://bucket/q?x=1#h%41+ ", Location("gs", None, "bucket", "q?x=1#h%41+ ")),
        ("S3://bucket/Key", Location("s3", None, "bucket", "Key")),
        ("s3://bucket/a@b:c", Location("s3", None, "bucket", "a@b:c")),
        ("s3://c@tenant:bucket/a:b", Location("s3", "c", "tenant:bucket", "a:b")),
        ("s3://c@:bucket/", Location("s3", "c", ":bucket", "")),
        (f"s3://c@{POINT}", Location("s3", "c", POINT, "")),
        (f"s3://c@{POINT}/", Location("s3", "c", POINT, "")),
        (f"S3://{POINT}/dir//a@b:c", Location("s3", None, POINT, "dir//a@b:c")),
        ("gs://domain.example/key", Location("gs", None, "domain.example", "key")),
    ],
)
def test_takes_keys_literally(uri, expected):
    assert parse_location(uri, parameter="source") == expected


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "bucket/key",
        "s3:/bucket/key",
        "://bucket/key",
        "s3://",
        "s3:///key",
        "s3://@bucket/key",
        "s3://conn@/key",
        "s3://a@b@bucket/key",
        "s3://bucket:80/key",
        "s3://conn@bucket:80/key",
        "s3://conn@a:b:c/key",
        "s3://tenant:bucket/key",
        "gs://conn@tenant:bucket/key",
        "abfs://conn@tenant:bucket/key",
        "gs://conn@arn:aws:s3:eu-central-1:123456789012:accesspoint/name/key",
        "s3://conn@arn:aws:s3:eu-central-1:123456789012:accesspoint",
        "s3://conn@arn:aws:s3:eu-central-1:123456789012:accesspoint/",
        "s3://conn@arn:aws:s3:::bucket/key",
        "s3://conn@arn:aws:iam::123456789012:role/key",
        "abfs://container@account.dfs.core.windows.net/key",
    ],
)
def test_refuses(uri):
    with pytest.raises(StorageError, match=r"^destination: ") as caught:
        parse_location(uri, parameter="destination")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_never_echoes_a_password():
    with pytest.raises(StorageError, match="without a port or password") as caught:
        parse_location("s3://login:hunter2@bucket/key", parameter="source")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["s3:/bucket/key?sig=hunter2", "s3://@bucket/key?X-Amz-Signature=hunter2"]
)
def test_never_echoes_a_query(uri):
    with pytest.raises(StorageError) as caught:
        parse_location(uri, parameter="source")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://login:hunter2@conn@bucket/key",
        "s3://login:hunt/er2@bucket/key",
        "s3://login:hunter2@/key",
        "s3://login:hunter2@tenant:bucket/key",
        "s3://login:hunter2@arn:aws:s3:eu-central-1:123456789012:accesspoint/name/key",
        "login:hunter2@bucket/key",
    ],
)
def test_never_echoes_a_password_of_a_malformed_uri(uri):
    with pytest.raises(StorageError) as caught:
        parse_location(uri, parameter="source")
    assert "hunt" not in str(caught.value)


def test_parts():
    location = parse_location("gs://conn@bucket/dir/", parameter="source")
    assert location.is_prefix
    assert parse_location("gs://bucket", parameter="source").is_prefix
    key = location.with_key("dir/a")
    assert not key.is_prefix
    assert key.ref == ObjectRef("bucket", "dir/a")
    assert str(key) == "gs://conn@bucket/dir/a"

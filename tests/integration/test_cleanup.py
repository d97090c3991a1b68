"""Uploads that were left are found, and removed where the store has a verb for it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.adapters.digests import crc32c_of
from airflow_multicloud.core.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import Digests, PartUploads, WriteOptions

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint

    from .lab import Lab

NOW = timedelta(0)


@pytest.mark.parametrize("cloud", ["s3", "gcs", "azure"])
def test_an_upload_that_was_left(lab: Lab, cloud: str) -> None:
    place: str = getattr(lab, cloud)
    end = open_endpoint(place, parameter="place")
    assert isinstance(end.store, PartUploads)
    ref = end.ref(f"{end.location.key}large")
    upload = end.store.begin_upload(ref)
    body = b"1" * 1000
    end.store.put_part(upload, 1, body, digests=Digests(crc32c=crc32c_of(body)))
    (seen,) = api.cleanup(place, older_than=NOW, dry_run=True).named
    assert (seen.kind, seen.uri, seen.removed) == (api.Left.UPLOAD, f"{place}large", False)
    assert len(list(end.store.list_uploads(ref.bucket, ref.key))) == 1
    (done,) = api.cleanup([place], older_than=NOW).named
    if cloud == "azure":
        assert not done.removed
        assert done.reason is not None
        assert "no verb to discard it" in done.reason
    else:
        assert done.removed
        assert list(end.store.list_uploads(ref.bucket, ref.key)) == []


@pytest.mark.parametrize("cloud", ["s3", "gcs", "azure"])
def test_an_upload_that_still_gets_parts_is_in_use(lab: Lab, cloud: str) -> None:
    place: str = getattr(lab, cloud)
    end = open_endpoint(place, parameter="place")
    assert isinstance(end.store, PartUploads)
    upload = end.store.begin_upload(end.ref(f"{end.location.key}large"))
    body = b"1" * 1000
    digests = Digests(crc32c=crc32c_of(body))
    end.store.put_part(upload, 1, body, digests=digests)
    time.sleep(4)
    end.store.put_part(upload, 2, body, digests=digests)
    assert api.cleanup(place, older_than=timedelta(seconds=3)).named == ()
    assert len(end.store.list_parts(upload)) == 2


def test_another_programs_upload_on_s3_is_named_and_left(lab: Lab) -> None:
    end = open_endpoint(lab.s3, parameter="place")
    client = end.store._s3.client  # type: ignore[attr-defined]
    client.create_multipart_upload(Bucket=end.bucket, Key=f"{end.location.key}theirs")
    (left,) = api.cleanup(lab.s3, older_than=NOW).named
    assert not left.removed
    assert left.reason == "another program's, for all the store tells"


def test_what_is_noted_of_an_upload_that_is_over_goes_with_the_next_one(lab: Lab) -> None:
    """A lifecycle rule, or a killed run that had just completed it, left the note behind."""
    end = open_endpoint(lab.s3, parameter="place")
    assert isinstance(end.store, PartUploads)
    ref = end.ref(f"{end.location.key}large")
    over, other = end.store.begin_upload(ref), end.store.begin_upload(ref)
    client = end.store._s3.client  # type: ignore[attr-defined]
    client.abort_multipart_upload(Bucket=ref.bucket, Key=ref.key, UploadId=over.upload_id)
    assert len(_notes(end)) == 2
    (left,) = end.store.left_uploads(ref, WriteOptions())
    assert left.upload.upload_id == other.upload_id
    assert len(_notes(end)) == 1
    end.store.abort_upload(other)
    assert _notes(end) == []


def _notes(end: Endpoint) -> list[str]:
    return [m.key for m in end.store.list_objects(end.bucket, ".airflow-multicloud/uploads/")]

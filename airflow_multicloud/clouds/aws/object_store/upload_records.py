"""Which multipart uploads this package began, and with what.

S3 does not tell the headers, the key or the metadata that an upload was begun with
(ListMultipartUploads, ListParts), and completing it makes an object with just those. So each
upload has a small object beside it whose name says all there is to know:
``.airflow-multicloud/uploads/<key>/<upload>-<options>-<run>``, three hashes and the token of the
run that began it. It goes with the upload.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.listed_pages import metas_of
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.object_store.fields import write_params
from airflow_multicloud.clouds.aws.object_store.pages import pages
from airflow_multicloud.errors import CloudError

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import PartUpload, WriteOptions

#: Listings show these only when their prefix asks for them.
UPLOADS_PREFIX = ".airflow-multicloud/uploads/"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """What is known of an upload: hashes of its id and options, its run, and when it was noted.

    :param key: of the record itself.
    """

    key: str
    upload: str
    options: str
    run: str | None
    started: datetime


def upload_hash(upload_id: str) -> str:
    """What a record calls an upload."""
    return _short(upload_id)


def options_hash(options: WriteOptions) -> str:
    """All that an upload is begun with: headers, metadata, storage class, encryption key."""
    return _short(json.dumps(write_params(options), sort_keys=True))


def write_record(client: Any, upload: PartUpload, options: WriteOptions) -> None:
    """Note an upload that has just begun. If that fails, it can't be taken up again: a warning."""
    key = _key(upload, options)
    try:
        with translated(f"noting the upload as {key}"):
            client.put_object(Bucket=upload.ref.bucket, Key=key, Body=b"")
    except CloudError as err:
        _log.warning("if this upload is cut off, it will start afresh: %s", err)


def records_of(client: Any, bucket: str, key: str | None = None) -> Iterator[UploadRecord]:
    """The records of uploads in a bucket, or of those to one key.

    :raises StorageError: kind ``integrity`` when the answer can't be read.
    """
    prefix = UPLOADS_PREFIX if key is None else f"{UPLOADS_PREFIX}{_short(key)}/"
    doing = f"listing what is noted of uploads of s3://{bucket}/{key or ''}"
    for page in pages(client, "list_objects_v2", doing, Bucket=bucket, Prefix=prefix):
        with well_formed(doing, NAME):
            found = list(metas_of(page["Page"].listed(bucket, hidden=None, md5_etags=False)))
        for meta in found:
            upload, _, rest = meta.key.rpartition("/")[2].partition("-")
            options, _, run = rest.partition("-")
            yield UploadRecord(meta.key, upload, options, run or None, meta.last_modified)


def newest(records: Iterable[UploadRecord]) -> dict[str, UploadRecord]:
    """The newest record of each upload.

    A run that takes one up notes it before it deletes the old record.
    """
    return {record.upload: record for record in sorted(records, key=lambda r: r.started)}


def forget(client: Any, upload: PartUpload, options: WriteOptions) -> None:
    """Delete what is noted of an upload that is over and was begun with these options."""
    delete_record(client, upload.ref.bucket, _key(upload, options))


def renew_record(client: Any, upload: PartUpload, run: str) -> PartUpload:
    """Note the run that goes on with an upload; returns the upload as one of that run."""
    taken_up = replace(upload, run=run)
    for record in list(records_of(client, upload.ref.bucket, upload.ref.key)):
        if record.upload != upload_hash(upload.upload_id) or record.run == run:
            continue
        key = f"{record.key.rpartition('/')[0]}/{record.upload}-{record.options}-{run}"
        with translated(f"noting the upload as {key}"):
            client.put_object(Bucket=upload.ref.bucket, Key=key, Body=b"")
        delete_record(client, upload.ref.bucket, record.key)
    return taken_up


def delete_record(client: Any, bucket: str, key: str) -> None:
    """Delete a record. If that fails, a few bytes of names are left: a warning."""
    try:
        with translated(f"forgetting an upload: deleting s3://{bucket}/{key}"):
            client.delete_object(Bucket=bucket, Key=key)
    except CloudError as err:
        _log.warning("%s", err)


def delete_records(client: Any, upload: PartUpload) -> None:
    """Forget an upload that is over, whatever it was begun with."""
    try:
        found = list(records_of(client, upload.ref.bucket, upload.ref.key))
    except CloudError as err:
        _log.warning("%s", err)
        return
    for record in found:
        if record.upload == upload_hash(upload.upload_id):
            delete_record(client, upload.ref.bucket, record.key)


def _key(upload: PartUpload, options: WriteOptions) -> str:
    name = f"{upload_hash(upload.upload_id)}-{options_hash(options)}"
    of_run = f"-{upload.run}" if upload.run else ""
    return f"{UPLOADS_PREFIX}{_short(upload.ref.key)}/{name}{of_run}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]

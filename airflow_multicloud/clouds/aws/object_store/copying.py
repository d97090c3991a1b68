"""Copies within S3: in one request up to 5 GiB, in ranges beyond."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.object_store.fields import (
    condition_params,
    placement_params,
    quoted,
    ref_params,
    version_of,
    write_params,
)
from airflow_multicloud.clouds.aws.object_store.keys import DEFAULT_OPTIONS, name_of
from airflow_multicloud.clouds.aws.object_store.tags import S3Tags
from airflow_multicloud.clouds.aws.object_store.writing import S3Writes
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ObjectMeta,
    ObjectRef,
    WriteCondition,
    WriteOptions,
)

#: CopyObject takes at most 5 GiB (docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
ONE_REQUEST = 5 * 1024**3
RANGE = 512 * 1024**2
_RANGES_MAX = 10_000
_AT_ONCE = 8


class S3Copies(S3Writes, S3Tags):
    """The ``ServerSideCopy`` verb."""

    def copy_within(
        self, source: ObjectRef, destination: ObjectRef, options: WriteOptions = DEFAULT_OPTIONS
    ) -> ObjectMeta:
        """Copy an object without its bytes passing through here; its tags come along.

        The source is pinned by its ETag: kind ``source_changed`` when it is another by the
        time it is read.
        """
        meta = self.stat_object(source)
        doing = f"copying {name_of(source)} to {name_of(destination)}"
        self._writable(destination, DEFAULT_OPTIONS, doing)
        self._check_unmet(destination, options.condition, doing)
        with (
            translated(doing, condition=options.condition),
            _source_pinned(doing, options.condition),
        ):
            if meta.size <= ONE_REQUEST:
                response = self._s3.client.copy_object(
                    Bucket=destination.bucket,
                    Key=destination.key,
                    **_source_params(source, meta),
                    **placement_params(options),
                    **condition_params(options.condition),
                )
            else:
                response = self._copy_ranges(source, meta, destination, options, doing)
        return self.stat_object(
            ObjectRef(destination.bucket, destination.key, version_of(response))
        )

    def _copy_ranges(
        self,
        source: ObjectRef,
        meta: ObjectMeta,
        destination: ObjectRef,
        options: WriteOptions,
        doing: str,
    ) -> Any:
        client = self._s3.client
        tags = self.get_tags(source)
        if meta.attributes is not None:
            options = replace(options, attributes=meta.attributes)
        begun = client.create_multipart_upload(
            Bucket=destination.bucket, Key=destination.key, **write_params(options)
        )
        with well_formed(doing, NAME):
            upload = {
                "Bucket": destination.bucket,
                "Key": destination.key,
                "UploadId": begun["UploadId"],
            }
        step = max(RANGE, -(-meta.size // _RANGES_MAX))

        def copy(number: int) -> dict[str, Any]:
            first = (number - 1) * step
            last = min(first + step, meta.size) - 1
            answer = client.upload_part_copy(
                **upload,
                **_source_params(source, meta),
                PartNumber=number,
                CopySourceRange=f"bytes={first}-{last}",
            )
            with well_formed(doing, NAME):
                result = answer["CopyPartResult"]
                checksums = {k: v for k, v in result.items() if k.startswith("Checksum")}
                return {"PartNumber": number, "ETag": result["ETag"], **checksums}

        try:
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="s3-copy") as pool:
                pending = [
                    pool.submit(copy_context().run, copy, number)
                    for number in range(1, -(-meta.size // step) + 1)
                ]
                try:
                    parts = [future.result() for future in pending]
                finally:
                    for future in pending:
                        future.cancel()
            response = client.complete_multipart_upload(
                **upload,
                **condition_params(options.condition),
                MultipartUpload={"Parts": parts},
                MpuObjectSize=meta.size,
            )
        except BaseException:
            client.abort_multipart_upload(**upload)
            raise
        if tags:
            copied = ObjectRef(destination.bucket, destination.key, version_of(response))
            self.set_tags(copied, tags)
        return response


def _source_params(source: ObjectRef, meta: ObjectMeta) -> dict[str, Any]:
    return {"CopySource": ref_params(source), "CopySourceIfMatch": quoted(meta.etag)}


@contextmanager
def _source_pinned(doing: str, condition: WriteCondition | None) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        unmet = str(details.get("Condition", "")).lower()
        if details.get("Code") not in ("PreconditionFailed", "412") or not (
            condition is None or unmet.startswith("x-amz-copy-source")
        ):
            raise
        raise StorageError(
            f"{doing}: the source is another object by now",
            kind=ErrorKind.SOURCE_CHANGED,
            cloud=NAME,
            code=details.get("Code"),
        ) from error

"""Cloud Storage's JSON interface.

google-cloud-storage spends several times as much of a core on a small upload and on a listed
object, so only signing is left to it.

Interface: https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_multicloud.adapters.answers import not_an_answer, well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.fields import OBJECT_FIELDS
from airflow_multicloud.clouds.gcp.rest import RestApi
from airflow_multicloud.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import urllib3
    from google.auth.credentials import Credentials
    from obstore.store import GCSCredential
    from typing_extensions import Buffer

#: Bodies up to this many bytes are joined into one send.
_JOIN_LIMIT = 1 << 20
_PAGE_SIZE = 1000
_OBJECTS = "storage#objects"


class JsonApi(RestApi):
    """Objects and buckets; paths are those below ``/storage/v1``.

    :param endpoint: scheme and host, without a path.
    :param retries: how often one request is repeated.
    """

    def __init__(self, endpoint: str, credentials: Credentials, *, retries: int) -> None:
        # Every request of this package may be repeated: it either carries a generation condition,
        # or writes the same bytes again, or deletes.
        super().__init__(
            endpoint, credentials, retries=retries, area=StorageError, repeats_all=True
        )
        #: Buckets that took a write here which the XML interface had refused.
        self.without_xml: set[str] = set()

    @property
    def quota_project(self) -> str | None:
        """The project that is billed for requests, when it is not the bucket's."""
        project: str | None = getattr(self.credentials, "quota_project_id", None)
        return project

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One JSON request; ``path`` is below ``/storage/v1`` and already encoded."""
        return super().ask(method, f"/storage/v1{path}", query, body)

    def insert(
        self, bucket: str, resource: Mapping[str, Any], content: Buffer, query: Mapping[str, str]
    ) -> dict[str, Any]:
        """Upload one object with its metadata in one request (``uploadType=multipart``)."""
        boundary = secrets.token_hex(16)
        content_type = resource.get("contentType", "application/octet-stream")
        head = (
            f"--{boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n"
            f"{json.dumps(resource)}\r\n--{boundary}\r\ncontent-type: {content_type}\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--".encode()
        view = memoryview(content).cast("B")
        chunks = (head, view, tail)
        length = len(head) + len(view) + len(tail)
        return self.read(
            "POST",
            f"/upload/storage/v1/b/{quote(bucket, safe='')}/o",
            {**query, "uploadType": "multipart"},
            body=b"".join(chunks) if length <= _JOIN_LIMIT else chunks,
            headers={
                "content-type": f"multipart/related; boundary={boundary}",
                "content-length": str(length),
            },
        )

    def objects(
        self, bucket: str, prefix: str, *, versions: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The object resources under ``prefix``, page by page."""
        query = {
            "prefix": prefix,
            "maxResults": str(_PAGE_SIZE),
            "fields": f"kind,items({OBJECT_FIELDS}),nextPageToken",
        }
        doing = f"listing gs://{bucket}/{prefix}"
        if versions:
            query["versions"] = "true"
        for page in self.pages(f"/b/{quote(bucket, safe='')}/o", query, doing):
            with well_formed(doing, NAME):
                found = [_named(resource) for resource in page.get("items", ())]
            # JSON leaves out what is empty, and stand-ins the kind; a page of neither is none.
            if page and page.get("kind", _OBJECTS if "items" in page else None) != _OBJECTS:
                raise not_an_answer(doing, NAME, f"it is no {_OBJECTS}")
            yield from found

    def media(
        self, bucket: str, key: str, query: Mapping[str, str], byte_range: str | None
    ) -> urllib3.BaseHTTPResponse:
        """The open response of a download, its body as stored and not yet read."""
        # "gzip" asks for the stored bytes of objects whose Content-Encoding is gzip, see
        # https://cloud.google.com/storage/docs/transcoding
        headers = {"accept-encoding": "gzip"} | ({"range": byte_range} if byte_range else {})
        return self.send(
            "GET",
            f"/storage/v1{object_path(bucket, key)}",
            {**query, "alt": "media"},
            headers=headers,
            preload_content=False,
        )

    def obstore_credential(self) -> GCSCredential:
        """The current token, for obstore; :meth:`ensure_fresh` renews it."""
        expiry: datetime | None = self.credentials.expiry
        return {
            "token": str(self.credentials.token),
            "expires_at": expiry.replace(tzinfo=UTC) if expiry else None,
        }


def _named(resource: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(resource["name"], str):
        raise TypeError("an object without a name")
    # JSON can write what UTF-8 can't (half of a pair of surrogates), and no request can name.
    resource["name"] = resource["name"].encode(errors="backslashreplace").decode()
    return resource


def object_path(bucket: str, key: str) -> str:
    """An object's path below ``/storage/v1``."""
    return f"/b/{quote(bucket, safe='')}/o/{quote(key, safe='')}"

"""Listings, a page of "List Blobs" after another."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from airflow_multicloud.adapters.answers import Tokens, malformed, not_an_answer
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.fields import listed_object

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from airflow_multicloud.clouds.azure.storage_account import StorageAccount
    from airflow_multicloud.ports.object_store import ObjectMeta


class BlobListings(ObjectStoreBase):
    """The port's ``list_objects`` and ``ObjectVersions``."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every blob, with attributes; directories are left out.

        The Content-MD5 counts as ``declared``: the service computes it of a blob written in one
        request, but keeps what the writer says of one committed from blocks, and "Set Blob
        Properties" sets it to anything. That changes the ETag, so it is the service's own for
        as long as the ETag is that of a write in one request.
        """
        blobs = listed_blobs(self.account, bucket, prefix, "metadata")
        return (meta for blob in blobs if (meta := listed_object(bucket, blob)) is not None)

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every version of every blob.

        An account without versioning lists the blobs as they are, with no ``version``.
        """
        blobs = listed_blobs(self.account, bucket, prefix, "metadata,versions")
        return (meta for blob in blobs if (meta := listed_object(bucket, blob)) is not None)


def listed_blobs(
    account: StorageAccount, bucket: str, prefix: str, include: str
) -> Iterator[Element]:
    """The blobs of "List Blobs"; nothing is asked before the first is asked for.

    Each element is good until the next one is asked for.

    :param account: the storage account.
    :param bucket: the container.
    :param prefix: what the blobs' names begin with.
    :param include: what is to be listed with them, as the API's parameter says it.
    :raises StorageError: kind ``integrity`` when a page can't be read, or comes twice.
    """
    doing = f"listing abfs://{bucket}/{prefix}"
    params = {"restype": "container", "comp": "list", "include": include}
    if prefix:
        params["prefix"] = prefix
    marker: str | None = ""
    tokens = Tokens(doing, NAME)
    while marker is not None:
        at = {"marker": marker} if marker else {}
        with translated(doing):
            url = account.service.get_container_client(bucket).url
            page = account.get_undecoded(url, {**params, **at})
        marker, whole = None, False
        for element in _elements(page, doing):
            # Metadata may have these names too, but no name in it and no place after it.
            if element.tag == "Blob" and element.find("Name") is not None:
                marker = None
                yield element
                element.clear()
            elif element.tag == "NextMarker":
                marker = element.text or None
            elif element.tag == "EnumerationResults":
                whole = True
        if not whole:
            raise not_an_answer(doing, NAME, "it is no EnumerationResults")
        if marker is not None:
            tokens.note(marker)


def _elements(page: bytes, doing: str) -> Iterator[Element]:
    """The elements of a page as they close; in pieces, since a whole tree costs five times more."""
    try:
        # Azure's own answer to a signed request, which the SDK would parse with the same parser.
        for _, element in ET.iterparse(BytesIO(page)):  # noqa: S314
            yield element
    except ET.ParseError as err:
        raise malformed(doing, NAME, err) from err

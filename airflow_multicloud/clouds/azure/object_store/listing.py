"""Listings, a page of "List Blobs" after another."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from airflow_multicloud.adapters.answers import (
    Tokens,
    malformed,
    not_an_answer,
    well_formed,
)
from airflow_multicloud.adapters.listed_pages import metas_of, page_of
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.fields import listed_blob, listed_object
from airflow_multicloud.clouds.azure.object_store.plain_blobs import plain_blobs
from airflow_multicloud.ports.object_store import ListedPage, ObjectMeta

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from airflow_multicloud.clouds.azure.storage_account import StorageAccount


class BlobListings(ObjectStoreBase):
    """The port's ``list_objects``, ``PagedListings`` and ``ObjectVersions``."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every blob, with attributes; directories are left out.

        The Content-MD5 counts as ``declared``: the service computes it of a blob written in one
        request, but keeps what the writer says of one committed from blocks, and "Set Blob
        Properties" sets it to anything. That changes the ETag, so it is the service's own for
        as long as the ETag is that of a write in one request.
        """
        return self._listed(bucket, prefix, "metadata")

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every version of every blob.

        An account without versioning lists the blobs as they are, with no ``version``.
        """
        return self._listed(bucket, prefix, "metadata,versions")

    def list_pages(self, bucket: str, prefix: str = "") -> Iterator[ListedPage]:
        """What :meth:`list_objects` lists, up to 5,000 a page."""
        return self._listed_pages(bucket, prefix, "metadata")

    def _listed(self, bucket: str, prefix: str, include: str) -> Iterator[ObjectMeta]:
        for page in self._listed_pages(bucket, prefix, include):
            with well_formed(f"list {bucket}", NAME):
                yield from metas_of(page)

    def _listed_pages(self, bucket: str, prefix: str, include: str) -> Iterator[ListedPage]:
        doing = f"list {bucket}"
        for page in _pages(self.account, bucket, prefix, include):
            if (plain := plain_blobs(page.body)) is not None:
                page.body = plain.rest
            metas = list[ObjectMeta]()
            for element in page:
                if plain is None:
                    with well_formed(doing, NAME):
                        found = listed_object(bucket, listed_blob(element))
                    if found is not None:
                        metas.append(found)
            with well_formed(doing, NAME):
                listed = page_of(metas) if plain is None else plain.listed(bucket)
            yield listed


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
    for page in _pages(account, bucket, prefix, include):
        yield from page


class _Page:
    """A page's blobs, to be gone through once.

    :param body: what came.
    :ivar following: the marker of the next page, known at the end of this one.
    """

    def __init__(self, body: bytes, doing: str) -> None:
        self.body = body
        self.following: str | None = None
        self._doing = doing

    def __iter__(self) -> Iterator[Element]:
        whole = False
        for element in _elements(self.body, self._doing):
            # Metadata may have these names too, but no name in it and no place after it.
            if element.tag == "Blob" and element.find("Name") is not None:
                self.following = None
                yield element
                element.clear()
            elif element.tag == "NextMarker":
                self.following = element.text or None
            elif element.tag == "EnumerationResults":
                whole = True
        if not whole:
            raise not_an_answer(self._doing, NAME, "it is no EnumerationResults")


def _pages(account: StorageAccount, bucket: str, prefix: str, include: str) -> Iterator[_Page]:
    doing = f"listing abfs://{bucket}/{prefix}"
    params = {"restype": "container", "comp": "list", "include": include}
    if prefix:
        params["prefix"] = prefix
    tokens = Tokens(doing, NAME)
    while True:
        with translated(doing):
            url = account.service.get_container_client(bucket).url
            page = _Page(account.get_undecoded(url, params), doing)
        yield page
        if page.following is None:
            return
        tokens.note(page.following)
        params["marker"] = page.following


def _elements(page: bytes, doing: str) -> Iterator[Element]:
    """The elements of a page as they close; in pieces, since a whole tree costs five times more."""
    try:
        # Azure's own answer to a signed request, which the SDK would parse with the same parser.
        for _, element in ET.iterparse(BytesIO(page)):  # noqa: S314
            yield element
    except (ET.ParseError, LookupError) as err:  # The latter for an encoding that nobody knows.
        raise malformed(doing, NAME, err) from err

"""Listings read without a parser say what they say with one, whatever a page is like."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.parsers import ResponseParserError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_multicloud.adapters.listed_pages import metas_of
from airflow_multicloud.adapters.plain_pages import MARK
from airflow_multicloud.clouds.aws.object_store import pages
from airflow_multicloud.clouds.azure.object_store import listing, plain_blobs
from airflow_multicloud.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.ports.object_store import ObjectMeta

Outcome = tuple[list["ObjectMeta"], Any]

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
MD5 = "9a0364b9e99bb480dd25e1f0284c8555"
BASE64 = "mgNkuembtIDdJeHwKEyFVQ=="


def contents(key: str = "d/a", more: str = "", kept: str = "STANDARD") -> str:
    return (
        f"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;{MD5}&quot;</ETag>{more}<Size>7</Size>"
        f"<StorageClass>{kept}</StorageClass></Contents>"
    )


CHECKSUM = "<ChecksumAlgorithm>CRC32C</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
SEVERAL = contents() + contents("d/b", CHECKSUM) + contents("d/%C3%A9%26%2B+%0A", kept="GLACIER")


def bucket_page(
    inside: str = SEVERAL,
    *,
    head: str = HEAD,
    root: str = 'ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"',
    before: str = "<EncodingType>url</EncodingType>",
    after: str = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
) -> bytes:
    return f"{head}<{root}>{before}{inside}{after}</{root.partition(' ')[0]}>".encode()


def blob(
    name: str = "d/a", properties: str = "", metadata: str = "<a>b</a>", size: str = "7"
) -> str:
    return (
        f"<Blob><Name>{name}</Name><Properties>"
        "<Creation-Time>Thu, 01 Jan 2026 00:00:00 GMT</Creation-Time>"
        "<Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag>"
        f"<Content-Length>{size}</Content-Length><Content-Type>a/b</Content-Type>"
        f"<Content-Encoding /><Content-Language>de</Content-Language><Content-CRC64 />"
        f"<Content-MD5>{BASE64}</Content-MD5><Cache-Control /><Content-Disposition />"
        f"<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>{properties}</Properties>"
        f"<Metadata>{metadata}</Metadata><OrMetadata /></Blob>"
    )


TYPED = blob("d/e").replace("<Content-Length>", "<ResourceType>file</ResourceType><Content-Length>")
BLOBS = (
    blob()
    + blob("d/\N{LATIN SMALL LETTER E WITH ACUTE}", "<LeaseState>available</LeaseState>", "")
    + blob("d/d", metadata="<multicloud_sha256>ab</multicloud_sha256><X>=?UTF-8?B?w6k=?=</X>")
    + TYPED
    + blob("folder", metadata="<hdi_isfolder>true</hdi_isfolder>", size="0")
    + TYPED.replace("file", "directory")
    + blob("none").replace(f"<Content-MD5>{BASE64}</Content-MD5>", "<Content-MD5 />")
)


def blobs_page(
    inside: str = BLOBS, *, head: str = HEAD, root: str = "EnumerationResults", after: str = ""
) -> bytes:
    marker = after or "<NextMarker />"
    return (
        f"{head}<{root}><Prefix>d/</Prefix><Blobs>{inside}</Blobs>{marker}"
        f"</{root.partition(' ')[0]}>"
    ).encode()


def of_s3(page: bytes) -> Outcome:
    """The objects of a page, and what is wrong with it, or what paging goes by."""
    answer, merged = {"body": page, "status_code": 200}, dict[str, Any]()
    found: list[ObjectMeta] = []
    try:
        pages._parse(answer, merged)
        if "Page" not in merged:
            return found, answer["body"]
        found += metas_of(merged.pop("Page").listed("bucket", hidden=None, md5_etags=True))
    except (ValueError, TypeError, ResponseParserError) as err:
        return found, repr(err)
    return found, merged


class Listing(listing.BlobListings):
    """Of one page."""

    def __init__(self, page: bytes) -> None:
        client = SimpleNamespace(url="https://account/bucket")
        service = SimpleNamespace(get_container_client=lambda _: client)
        self.given: Any = SimpleNamespace(service=service, get_undecoded=lambda *_: page)

    account = property(lambda self: self.given)


def of_azure(page: bytes) -> Outcome:
    found: list[ObjectMeta] = []
    try:
        found += Listing(page).list_objects("bucket", "d/")
    except CloudError as err:
        return found, (err.kind, str(err))
    return found, None


def plainly_read(read: Callable[[bytes], Outcome], page: bytes) -> bool:
    """Whether no parser has read the page's entries; they are the same with one in any case."""
    met: list[bool] = []

    def noted(form: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any) -> Any:
            found = form(*given)
            met.append(found is not None)
            return found

        return asked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "_plain", noted(pages._plain))
        patch.setattr(listing, "plain_blobs", noted(plain_blobs.plain_blobs))
        found = read(page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "_plain", lambda _: None)
        patch.setattr(listing, "plain_blobs", lambda _: None)
        assert found == read(page)
    return any(met)


@pytest.mark.parametrize(
    ("read", "page", "objects"),
    [(of_s3, bucket_page(), 3), (of_azure, blobs_page(), 5)],
    ids=["aws", "azure"],
)
def test_what_services_write_is_read_without_a_parser(
    read: Callable[[bytes], Outcome], page: bytes, objects: int
) -> None:
    assert plainly_read(read, page)
    found, _ = read(page)
    assert len(found) == objects
    assert found[0].key == "d/a"
    assert found[0].etag in (MD5, "0x1")


@pytest.mark.parametrize("plain", [True, False])
def test_what_an_entry_says_is_all_there(plain: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not plain:
            patch.setattr(listing, "plain_blobs", lambda _: None)
        (first, second, third, *_), _ = of_azure(blobs_page())
    assert first.attributes is not None
    assert (first.attributes.content_type, first.attributes.content_language) == ("a/b", "de")
    assert first.attributes.content_encoding is None
    assert (first.declared.md5, first.size, first.storage_class) == (MD5, 7, "Hot")
    assert first.attributes.metadata == {"a": "b"}
    assert second.key == "d/é"
    assert second.attributes is not None
    assert second.attributes.metadata == {}
    assert third.attributes is not None
    assert third.attributes.metadata == {"multicloud_sha256": "ab", "x": "é"}


ODD_ENTRIES = [
    contents("d/&amp;"),
    contents("d/&lt;Contents&gt;"),
    contents("d/&#233;"),
    contents("<![CDATA[d/a]]>"),
    contents("d/]]>"),
    contents("<!-- a --> d"),
    contents(""),
    contents("d\r\na"),
    contents("d/\x01"),
    contents("d/\ufffe"),
    contents("d/a", "<Size>8</Size>"),
    contents() + "<!-- -->" + contents("b"),
    contents() + "\n" + contents("b"),
    contents() + "<Other>" + contents("b") + "</Other>",
    "<Other>" + contents() + contents("b") + "</Other>",
    contents() + "<Contents/>",
    contents() + '<Contents a="b"><Key>b</Key></Contents>',
    contents().replace("<Key>", '<Key a="b">'),
    contents().replace("<StorageClass>STANDARD</StorageClass>", ""),
    contents().replace("<Size>7</Size>", "") + contents("b"),
    contents().replace("&quot;", '"'),
    contents().replace("&quot;", "&amp;"),
    contents("d/a", "<Owner><ID>first</ID></Owner>"),
    contents().replace("<ETag>", "<Etag>"),
    contents().replace("</Key>", "</Size>"),
    "<Contents><Size>7</Size><Key>d/a</Key></Contents>",
    "<!--" + contents() + "-->",
    "<![CDATA[" + contents() + "]]>",
    "<?odd " + contents() + "?>",
    contents(MARK),
]


@pytest.mark.parametrize("inside", ODD_ENTRIES)
def test_odd_objects_are_as_a_parser_has_them(inside: str) -> None:
    plainly_read(of_s3, bucket_page(inside))
    plainly_read(of_s3, bucket_page(contents("0") + inside + contents("z")))
    plainly_read(of_s3, bucket_page(inside, before=""))


@pytest.mark.parametrize(
    "odd",
    [
        bucket_page(root="ListBucketResult"),
        bucket_page(root='a:ListBucketResult xmlns:a="x"'),
        bucket_page(root='ListVersionsResult xmlns="x"'),
        bucket_page(root="Error"),
        bucket_page(head=""),
        bucket_page(head="\ufeff" + HEAD),
        bucket_page(head=HEAD.replace("UTF-8", "ISO-8859-1")),
        bucket_page(contents("é"), head=HEAD.replace("UTF-8", "ISO-8859-1")),
        bucket_page(contents("é")).decode().encode("latin-1"),
        bucket_page().decode().encode("utf-16"),
        bucket_page(head=HEAD + '<!DOCTYPE a [<!ENTITY b "c">]>'),
        bucket_page(head=HEAD + '<!DOCTYPE a [<!ATTLIST Key a CDATA "b">]>'),
        bucket_page(after=contents("z")),
        bucket_page(before=contents("0") + "<EncodingType>url</EncodingType>"),
        bucket_page(after="<Contents"),
        bucket_page(""),
        bucket_page(contents("a+b%20c"), before=""),
        b"",
    ],
)
def test_odd_pages_of_objects_are_as_a_parser_has_them(odd: bytes) -> None:
    plainly_read(of_s3, odd)


ODD_BLOBS = [
    blob("d/&amp;"),
    blob("d/&lt;Blob&gt;&lt;Name&gt;"),
    blob("<![CDATA[d/a]]>"),
    blob("d/]]>"),
    blob(""),
    blob(MARK),
    blob("d/\x01"),
    blob().replace("<Name>", '<Name Encoded="true">'),
    blob("d%2Fa").replace("<Name>", '<Name Encoded="true">'),
    blob().replace(
        "</Name>", "</Name><VersionId>1</VersionId><IsCurrentVersion>true</IsCurrentVersion>"
    ),
    blob(metadata="<Etag>other</Etag><Name>other</Name><Content-Length>8</Content-Length>"),
    blob(metadata="<Blob>x</Blob>"),
    blob(metadata="<Blob><Name>x</Name></Blob>"),
    blob(metadata="<Name>x</Name>"),
    blob(metadata="<NextMarker>x</NextMarker>"),
    blob(metadata="<a>1</a><a>2</a>"),
    blob(metadata="<a></a><b /><c/>"),
    blob(metadata="<a>1</b>"),
    blob(metadata="<a:b>1</a:b>"),
    blob(metadata="<é>1</é>"),
    blob(metadata="<a>x &amp; y</a>"),
    blob(metadata="<a> x\ty\n</a>"),
    blob(metadata='<a b="c">1</a>'),
    blob(metadata="x<a>1</a>"),
    blob(properties="<Etag>0x2</Etag>"),
    blob(properties="<Content-Length>9</Content-Length>"),
    blob(properties="<Content-MD5>x</Content-MD5>"),
    blob(properties="<AccessTier>Cool</AccessTier>"),
    blob(properties="<ResourceType>directory</ResourceType>"),
    blob(properties="<Nested><a>b</a></Nested>"),
    blob(properties="<a>1</b>"),
    blob(properties="<xml:a>1</xml:a><b:c>2</b:c>"),
    blob().replace("<Etag>0x1</Etag>", ""),
    blob().replace("<Content-Length>7</Content-Length>", ""),
    blob().replace(f"<Content-MD5>{BASE64}</Content-MD5>", ""),
    blob().replace("<Metadata><a>b</a></Metadata><OrMetadata />", ""),
    blob().replace("<Metadata><a>b</a></Metadata>", "<Metadata />"),
    blob().replace("<Metadata><a>b</a></Metadata>", "<Metadata /><Metadata><c>d</c></Metadata>"),
    blob().replace("a/b", "caf\xc3\xa9"),
    blob(size="-1") + blob("b", size="x") + blob("c", size="") + blob("d", size=" 7_0 "),
    blob().replace("Thu, 01 Jan 2026", "Xyz, 99 Foo"),
    blob() + "<!-- -->" + blob("b"),
    blob() + "<BlobPrefix><Name>x</Name></BlobPrefix>" + blob("b"),
    blob() + "<Blob><Deleted>true</Deleted></Blob>",
    "<!--" + blob() + "-->",
    "<![CDATA[" + blob() + "]]>",
    "<?odd " + blob() + "?>",
    "<Other>" + blob() + "</Other>",
]


@pytest.mark.parametrize("inside", ODD_BLOBS)
def test_odd_blobs_are_as_a_parser_has_them(inside: str) -> None:
    plainly_read(of_azure, blobs_page(inside))
    plainly_read(of_azure, blobs_page(blob("0") + inside + blob("z")))


@pytest.mark.parametrize(
    "odd",
    [
        blobs_page(root='EnumerationResults xmlns="x"'),
        blobs_page(root='EnumerationResults ContainerName="bucket"'),
        blobs_page(root="Other"),
        blobs_page(head=""),
        blobs_page(head="\ufeff" + HEAD),
        blobs_page(head=HEAD.replace("UTF-8", "ISO-8859-1")),
        blobs_page(head=HEAD + '<!DOCTYPE a [<!ATTLIST Name Encoded CDATA "true">]>'),
        blobs_page().decode().encode("utf-16"),
        blobs_page(blob("é")).decode().encode("latin-1"),
        blobs_page(after="<NextMarker>again</NextMarker>"),
        blobs_page(after="<NextMarker>x</NextMarker>" + blob()),
        blobs_page(after="<Blob><Name>z</Name></Blob>"),
        blobs_page(""),
        b"",
    ],
)
def test_odd_pages_of_blobs_are_as_a_parser_has_them(odd: bytes) -> None:
    plainly_read(of_azure, odd)


@pytest.mark.parametrize(
    ("read", "page"), [(of_s3, bucket_page()), (of_azure, blobs_page())], ids=["aws", "azure"]
)
def test_a_page_that_breaks_off_anywhere_is_none(
    read: Callable[[bytes], Outcome], page: bytes
) -> None:
    for end in range(len(page)):
        assert not plainly_read(read, page[:end])
        found, wrong = read(page[:end])
        assert (found, wrong) != read(page)


TAGS = (
    b"<Contents>|</Contents>|<Blob>|</Blob>|<Name>|</Name>|<Key>|<a />|<!--|-->|<|</|&|&amp;|&quot;"
)
PIECES = st.one_of(st.binary(max_size=4), st.sampled_from(TAGS.split(b"|")))


@pytest.mark.parametrize(
    ("read", "page"), [(of_s3, bucket_page()), (of_azure, blobs_page())], ids=["aws", "azure"]
)
@settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(start=st.integers(0, 4000), length=st.integers(0, 60), piece=PIECES)
@example(start=0, length=4000, piece=b"")
@example(start=31, length=0, piece=b"-")
def test_a_garbled_page_is_as_a_parser_has_it(
    read: Callable[[bytes], Outcome], page: bytes, start: int, length: int, piece: bytes
) -> None:
    start = start % len(page)
    plainly_read(read, page[:start] + piece + page[start + length :])

"""What headers tell of an object: those of a download, and those of an upload through obstore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import UNKNOWN_TIME, http_date, not_an_answer, size_of
from airflow_multicloud.adapters.attributes import decode_metadata, header_text
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.keys import held_value
from airflow_multicloud.ports.object_store import ObjectAttributes, ObjectMeta, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore import Attributes

_STANDARD = {
    "Content-Type": "content_type",
    "Content-Encoding": "content_encoding",
    "Content-Language": "content_language",
    "Content-Disposition": "content_disposition",
}
_CACHE_CONTROL = "Cache-Control"
_SENT = {**_STANDARD, _CACHE_CONTROL: "cache_control"}
_METADATA = "X-Goog-Meta-"
# Metadata of these names obstore would send as what they name.
_RESERVED = frozenset(map(str.lower, (*_SENT, "Storage-Class")))
# Of a request's own body in S3's dialect, which Cloud Storage's XML interface understands, too.
_FRAMING = "aws-chunked"


def read_length(headers: Mapping[str, str]) -> int:
    """How many bytes a JSON download brings.

    :raises ValueError: when its headers don't tell.
    """
    return size_of(headers["content-length"])


def read_meta(ref: ObjectRef, headers: Mapping[str, str], doing: str) -> ObjectMeta:
    """The object of a JSON download.

    :raises StorageError: kind ``integrity``, when its generation is not told.
    :raises ValueError: when another header has not its form.
    """
    # "bytes 0-9/100": the whole object's size stands behind the slash.
    whole = headers.get("content-range", f"/{read_length(headers)}").rpartition("/")[2]
    generation = known_generation(headers.get("x-goog-generation"), doing)
    modified = headers.get("last-modified")
    return ObjectMeta(
        bucket=ref.bucket,
        key=ref.key,
        size=size_of(whole),
        etag=generation,
        version=generation,
        last_modified=http_date(modified) if modified else UNKNOWN_TIME,
        attributes=told_attributes(_attribute_headers(headers)),
    )


def told_attributes(headers: Mapping[str, str]) -> ObjectAttributes | None:
    """The attributes that a download's headers tell; ``None`` when they don't.

    Those of a private object have a Cache-Control that it does not have itself, and so have those
    of a public one (https://cloud.google.com/storage/docs/metadata#cache-control).

    :param headers: by the names that obstore gives them.
    """
    if _CACHE_CONTROL in headers:
        return None
    named = dict(headers)
    named.pop("Storage-Class", None)
    fields = {field: named.pop(header, None) for header, field in _STANDARD.items()}
    return ObjectAttributes(**fields, metadata=decode_metadata(named))


def obstore_attributes(attributes: ObjectAttributes) -> Attributes | None:
    """Fitted attributes as obstore names them; ``None`` when headers might not keep them.

    The JSON interface takes any text, headers only ASCII
    (https://cloud.google.com/storage/docs/metadata). What is empty, or looks encoded as RFC 2047
    has it, a server may take for something else.
    """
    standard = {header: getattr(attributes, field) for header, field in _SENT.items()}
    sent = {name: text for name, text in standard.items() if text is not None}
    if _FRAMING in sent.get("Content-Encoding", "") or not _RESERVED.isdisjoint(
        attributes.metadata
    ):
        return None
    sent.update(attributes.metadata)
    kept = all(text.isascii() and text == held_value(text) != "" for text in sent.values())
    return sent if kept else None


def known_generation(generation: str | None, doing: str) -> str:
    """The generation that an answer must name: without it nothing pins what is read.

    :raises StorageError: kind ``integrity``.
    """
    if not generation:
        raise not_an_answer(doing, NAME, "no x-goog-generation, so the object read is not known")
    return generation


def _attribute_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a JSON download as obstore names those of an XML one."""
    found = {}
    for name, value in headers.items():
        title = name.title()
        if title in _STANDARD or title == _CACHE_CONTROL:
            found[title] = header_text(value)
        elif title.startswith(_METADATA):
            found[name[len(_METADATA) :].lower()] = header_text(value)
    return found

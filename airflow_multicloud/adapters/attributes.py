"""What the object stores share about attributes: text that HTTP headers can't carry as it is.

A field of a header is visible ASCII, without outer blanks (RFC 9110, 5.5). User metadata beyond
that travels as RFC 2047 has it, which is what S3 itself answers with; a file name in
Content-Disposition as RFC 6266 and RFC 8187 have it. For the other fields there is no such form.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import quote

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import FittedAttributes, ObjectAttributes

_STANDARD = tuple(field.name for field in fields(ObjectAttributes) if field.name != "metadata")
#: What no header's value may have.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: The end of an HTTP header's name in lower case (RFC 9110, section 5.6.2, "token").
METADATA_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
# A parameter of Content-Disposition: its name, and a quoted or a bare value.
_PARAMETER = re.compile(r';\s*([\w!#$&+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)')
_LAST_RESORT = "ascii", "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRules:
    """What one store holds of attributes.

    :param store: its name in messages.
    :param cloud: that of its cloud.
    :param check_name: why it can't hold metadata of a name.
    :param encode: a metadata value as it is sent; ``None`` when it can't be.
    :param most_metadata: bytes of all metadata names and values, as they are sent.
    :param most_standard: bytes of the standard fields' names and values, if there is a limit.
    :param unicode_disposition: whether Content-Disposition is held as it is.
    """

    store: str
    cloud: str
    check_name: Callable[[str], str | None]
    encode: Callable[[str], str | None]
    most_metadata: int
    most_standard: int | None = None
    unicode_disposition: bool = False

    def fit(self, attributes: ObjectAttributes) -> FittedAttributes:
        """The attributes as the store can hold them, and which of them it can't.

        Of metadata that is too much in total the last entries, by name, are left out: the same
        ones each time.
        """
        dropped: list[str] = []
        changed: dict[str, str | None] = {}
        room = self.most_standard
        for name in _STANDARD:
            value = getattr(attributes, name)
            if value is None:
                continue
            fitted = self._standard(name, value)
            size = len(name) + len(fitted or "")
            if fitted is None or (room is not None and size > room):
                dropped.append(name)
                changed[name] = None
                continue
            room = None if room is None else room - size
            if fitted != value:
                changed[name] = fitted
        metadata = self._metadata(attributes.metadata, dropped)
        if not dropped and not changed:
            return FittedAttributes(attributes)
        fit = replace(attributes, metadata=metadata, **changed)
        return FittedAttributes(fit, tuple(dropped))

    def fitted(self, attributes: ObjectAttributes, doing: str) -> ObjectAttributes:
        """The attributes as the store takes them.

        :raises StorageError: kind ``invalid_argument`` when it can't hold some of them.
        """
        fit = self.fit(attributes)
        if fit.not_kept:
            lost = ", ".join(name.replace("metadata:", "metadata ") for name in fit.not_kept)
            raise StorageError(
                f"{doing}: {self.store} can't hold {lost}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=self.cloud,
            )
        return fit.attributes

    def _standard(self, name: str, value: str) -> str | None:
        if _is_plain(value):
            return value
        if name != "content_disposition" or CONTROL.search(value):
            return None
        return value.strip() if self.unicode_disposition else ascii_disposition(value)

    def _metadata(self, metadata: Mapping[str, str], dropped: list[str]) -> dict[str, str]:
        kept: dict[str, str] = {}
        room = self.most_metadata
        for name, value in sorted(metadata.items()):
            sent = None if self.check_name(name) else self.encode(value)
            size = len(name.encode()) + len((sent or "").encode())
            if sent is None or size > room:
                dropped.append(f"metadata:{name}")
                continue
            room -= size
            kept[name] = value
        return kept


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()


def encode_value(value: str) -> str | None:
    """A metadata value as a header carries it; ``None`` for what is no Unicode.

    What HTTP would change (outer blanks, control characters) is encoded, and what looks encoded
    already.
    """
    if _is_plain(value) and not value.startswith("=?"):
        return value
    try:
        return f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="
    except UnicodeEncodeError:
        return None


def encode_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata as headers carry it; what can't be is left out."""
    sent = {name: encode_value(value) for name, value in metadata.items()}
    return {name: value for name, value in sent.items() if value is not None}


def decode_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The reverse of :func:`encode_metadata`; names in lower case."""
    return {name.lower(): decode_value(value) for name, value in metadata.items()}


def decode_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """:func:`decode_metadata` for values that an HTTP client took from headers."""
    return decode_metadata({name: header_text(value) for name, value in metadata.items()})


def decode_value(value: str) -> str:
    """The reverse of :func:`encode_value`; what only looks encoded is left as it is."""
    if not (value.startswith("=?") and value.endswith("?=")):
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def header_text(value: str) -> str:
    """A header's value as it was meant.

    Clients take every byte for a character of Latin-1 (RFC 9110, 5.5), and writers send UTF-8.
    """
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def ascii_disposition(value: str) -> str | None:
    """A Content-Disposition in ASCII, with ``filename*`` beside ``filename`` (RFC 6266, 4.3).

    ``None`` when it is not only the values of parameters that are not ASCII.
    """
    names = {found[1].lower() for found in _PARAMETER.finditer(value)}

    def encoded(found: re.Match[str]) -> str:
        name, given = found[1], found[2].strip()
        if given.isascii():
            return found[0]
        text = re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith('"') else given
        plain = text.encode(*_LAST_RESORT).decode().replace("\\", r"\\").replace('"', r"\"")
        extended = f"; {name}*=UTF-8''{quote(text, safe='')}"
        return f'; {name}="{plain}"' + ("" if f"{name.lower()}*" in names else extended)

    try:
        converted = _PARAMETER.sub(encoded, value.strip())
    except UnicodeEncodeError:  # a lone surrogate
        return None
    return converted if converted.isascii() else None

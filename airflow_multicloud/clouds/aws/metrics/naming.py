r"""Names as CloudWatch takes them: printable ASCII, not empty, of limited length.

Other characters are written as Python writes them in a string (``ü`` is ``\xfc``), and a backslash
that would then look like such an escape is doubled: two names are never made one. What is still
too long ends with a digest of all of it. So a name is found again by what it was before, and most
are turned back when they are read.

"Dimension" and "Metric" in the Amazon CloudWatch API Reference: "must contain only ASCII
characters, must include at least one non-whitespace character, and cannot start with a colon (:).
ASCII control characters are not supported".
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Final

from airflow_multicloud.clouds.aws.metrics.errors import failure
from airflow_multicloud.clouds.aws.metrics.limits import LONGEST_NAMESPACE
from airflow_multicloud.errors import ErrorKind

_ASKS_FOR_ESCAPE = re.compile(r"\\(?=[xuU\\]|[^ -~])|[^ -~]")
_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
#: How an empty value is written, which CloudWatch refuses.
_EMPTY: Final = r"\-"
_DIGITS: Final = 16

#: UCUM (https://ucum.org/ucum) → StandardUnit. CloudWatch's prefixes are powers of ten.
_UNITS: Final = {
    "s": "Seconds",
    "ms": "Milliseconds",
    "us": "Microseconds",
    "By": "Bytes",
    "kBy": "Kilobytes",
    "MBy": "Megabytes",
    "GBy": "Gigabytes",
    "TBy": "Terabytes",
    "bit": "Bits",
    "kbit": "Kilobits",
    "Mbit": "Megabits",
    "Gbit": "Gigabits",
    "Tbit": "Terabits",
    "%": "Percent",
    "By/s": "Bytes/Second",
    "kBy/s": "Kilobytes/Second",
    "MBy/s": "Megabytes/Second",
    "GBy/s": "Gigabytes/Second",
    "TBy/s": "Terabytes/Second",
    "bit/s": "Bits/Second",
    "kbit/s": "Kilobits/Second",
    "Mbit/s": "Megabits/Second",
    "Gbit/s": "Gigabits/Second",
    "Tbit/s": "Terabits/Second",
    # No dimension: as None says.
    "": "None",
    "1": "None",
}
_ANNOTATION = re.compile(r"\{[^{}]*\}(/s)?")
NO_UNIT: Final = "None"


def unit_of(ucum: str) -> tuple[str, bool]:
    """CloudWatch's unit, and whether it says as much."""
    if (known := _UNITS.get(ucum)) is not None:
        return known, True
    if (counted := _ANNOTATION.fullmatch(ucum)) is not None:
        # What is counted ({object}) is not kept.
        return "Count/Second" if counted[1] else "Count", False
    return NO_UNIT, False


@lru_cache(maxsize=4096)
def written(text: str) -> str:
    """A text as CloudWatch takes it, if it is not too long."""
    if text in ("", _EMPTY):
        return _EMPTY if not text else rf"\{_EMPTY}"
    found = _ASKS_FOR_ESCAPE.sub(_escaped, text)
    if found[0] == ":" or not found.strip():
        found = f"\\x{ord(found[0]):02x}{found[1:]}"
    return found


def read(text: str) -> str:
    """The text that was :func:`written`."""
    if text == _EMPTY:
        return ""
    return _ESCAPE.sub(_unescaped, text)


def cut(text: str, longest: int) -> str:
    """A text that was written, short enough: one that is too long ends with its own digest."""
    if len(text) <= longest:
        return text
    digest = sha256(text.encode()).hexdigest()[:_DIGITS]
    return f"{text[: longest - _DIGITS - 1]}~{digest}"


def check_namespace(namespace: str) -> None:
    """Refuse what is no namespace of CloudWatch's.

    "CloudWatch concepts" in the user guide, and "Namespace" of PutMetricData.

    :raises MetricsError: kind ``invalid_argument``.
    """
    if (
        not re.fullmatch(r"[ A-Za-z0-9._/#:-]+", namespace, re.ASCII)
        or len(namespace) > LONGEST_NAMESPACE
        or not namespace.strip()
        or namespace.startswith((":", "AWS/"))
    ):
        raise failure(
            f"namespace: {namespace[:80]!r} given, expected 1 to {LONGEST_NAMESPACE} of the "
            "characters A-Z a-z 0-9 . _ / # : - and the space, of which ':' and 'AWS/' do not "
            "come first",
            ErrorKind.INVALID_ARGUMENT,
        )


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\\":
        return r"\\"
    number = ord(character)
    if number > 0xFFFF:  # noqa: PLR2004 - the last that \u can write
        return f"\\U{number:08x}"
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"  # noqa: PLR2004 - likewise


def _unescaped(found: re.Match[str]) -> str:
    escape = found[1]
    if escape == "\\":
        return escape
    number = int(escape[1:], 16)
    # No character has such a number: somebody else wrote it.
    return chr(number) if number <= 0x10FFFF else found[0]  # noqa: PLR2004 - Unicode's last

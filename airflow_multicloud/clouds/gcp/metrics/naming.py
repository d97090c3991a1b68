"""Names, attributes and units as Cloud Monitoring has them.

A metric's type is ``custom.googleapis.com/<namespace>/<name>``, of letters, digits, ``_``, ``.``
and ``/``; a label's key is of letters, digits and ``_``, and begins with a letter. What does not
fit is replaced by ``_``. A digest of the whole follows in types, in what is cut, and in attributes
where two of a point would share a key. So a name that was exported is found again, which needs
nothing but the name. Two names may still be one: ``cloud.region`` and ``cloud_region``, or one that
is written like another with its digest. Of one export, the first is kept then
(:mod:`airflow_multicloud.adapters.series`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from airflow_multicloud.adapters.tallies import Change
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.metrics.limits import LIMITS, LONGEST_TYPE, PREFIX
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import AttributeValue, attribute_text

_SEGMENT = re.compile(r"[A-Za-z0-9_.]+")
_NOT_IN_SEGMENT = re.compile(r"[^A-Za-z0-9_.]")
_PATH = re.compile(r"[A-Za-z0-9_.]+(?:/[A-Za-z0-9_.]+)*")
_NOT_IN_PATH = re.compile(r"[^A-Za-z0-9_./]|^/|/$|(?<=/)/")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NOT_IN_KEY = re.compile(r"[^A-Za-z0-9_]")
_LONGEST_NAMESPACE = 80
_DIGEST = 8

_ANNOTATION = r"\{[!-z|~]*\}"
_COMPONENT = (
    r"(?:(?:(?:[kMGTPEZYmunpfaz]|[KMGTP]i)?(?:bit|By|s|min|h|d|1)|%)"
    rf"(?:{_ANNOTATION})?|{_ANNOTATION})"
)
#: The grammar in ``google.api.MetricDescriptor``'s description of ``unit``.
_UNIT = re.compile(rf"{_COMPONENT}(?:\.{_COMPONENT})*(?:/{_COMPONENT})*")

_NAME_CHANGED = Change(
    ConversionKind.NAME_CHANGED,
    "metric types and namespaces are of letters, digits, _ and . and of 200 characters in all",
)
_RENAMED = Change(
    ConversionKind.ATTRIBUTE_RENAMED,
    "label keys are of letters, digits and _, begin with a letter and have 100 characters at most",
)
_CUT = Change(ConversionKind.ATTRIBUTE_CUT, "label values have 1,024 characters at most")
_EMPTY = Change(
    ConversionKind.ATTRIBUTE_LOST, "an empty label value is the same as none in Cloud Monitoring"
)
_UNIT_LOST = Change(
    ConversionKind.UNIT_LOST, "the unit is none of the subset of UCUM that Cloud Monitoring knows"
)


def check_namespace(namespace: str) -> None:
    """Refuse one that is empty, or can't be shown.

    :raises MetricsError: kind ``invalid_argument``.
    """
    if not namespace.strip() or not namespace.isprintable():
        raise MetricsError(
            f"namespace: {namespace!r} given, expected a name of characters that show",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )


@lru_cache(maxsize=4096)
def type_of(namespace: str, name: str) -> tuple[str, tuple[Change, ...]]:
    """A metric's type, and what had to be changed."""
    kept = _fitting(namespace, _SEGMENT, _NOT_IN_SEGMENT, _LONGEST_NAMESPACE)
    longest = LONGEST_TYPE - len(PREFIX) - len(kept) - 1
    path = _fitting(name, _PATH, _NOT_IN_PATH, longest)
    changes = () if (kept, path) == (namespace, name) else (_NAME_CHANGED,)
    return f"{PREFIX}{kept}/{path}", changes


def labels_of(
    attributes: Mapping[str, AttributeValue],
) -> tuple[dict[str, str], tuple[Change, ...]]:
    """The labels, and what had to be changed."""
    keys = {name: _key(name) for name in attributes}
    shared = Counter(keys.values())
    labels: dict[str, str] = {}
    changes: list[Change] = []
    for name, value in attributes.items():
        key = keys[name]
        if key != name:
            changes.append(_RENAMED)
            if shared[key] > 1:
                key = _told_apart(name)
        text = attribute_text(value)
        labels[key] = _cut(text)
        if not text:
            changes.append(_EMPTY)
        elif labels[key] != text:
            changes.append(_CUT)
    return labels, tuple(dict.fromkeys(changes))


def has(labels: Mapping[str, str], name: str, value: AttributeValue) -> bool:
    """Whether a series has an attribute of this name and value."""
    key = _key(name)
    if key != name and (apart := _told_apart(name)) in labels:
        key = apart
    return labels.get(key, "") == _cut(attribute_text(value))


def is_kept(name: str) -> bool:
    """Whether an attribute's name is a label's key as it is."""
    return _key(name) == name


def unit_of(unit: str) -> tuple[str, tuple[Change, ...]]:
    """The unit, or none and that it is lost."""
    return (unit, ()) if not unit or _UNIT.fullmatch(unit) else ("", (_UNIT_LOST,))


def _fitting(text: str, fits: re.Pattern[str], bad: re.Pattern[str], longest: int) -> str:
    if len(text) <= longest and fits.fullmatch(text):
        return text
    # Cut first: what is cut off need not be looked at.
    kept = bad.sub("_", text[: longest - _DIGEST - 1])
    return f"{kept}_{_digest(text)}"


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    if len(name) > LIMITS.longest_attribute_name:
        return _told_apart(name)
    return name if _KEY.fullmatch(name) else _begun(_NOT_IN_KEY.sub("_", name))


@lru_cache(maxsize=4096)
def _told_apart(name: str) -> str:
    kept = _begun(_NOT_IN_KEY.sub("_", name[: LIMITS.longest_attribute_name - _DIGEST - 5]))
    return f"{kept}_{_digest(name)}"


def _begun(key: str) -> str:
    kept = key if key[:1].isalpha() else f"key_{key}"
    return kept[: LIMITS.longest_attribute_name]


def _cut(value: str) -> str:
    longest = LIMITS.longest_attribute_value
    if len(value) <= longest:
        return value
    return f"{value[: longest - _DIGEST - 1]}_{_digest(value)}"


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST // 2).hexdigest()

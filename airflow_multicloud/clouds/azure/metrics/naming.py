"""How names, attributes and units stand in Application Insights.

Names may be anything that shows, so they stay as they are. Attributes are an item's properties. A
namespace and a unit have no column in the table that metrics are read from, so they are properties
too, under names of this package's own. What is too long is cut, and ends with a digest of all of
it: two series never become one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.metrics.limits import LIMITS, LONGEST_NAMESPACE
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.metrics import AttributeValue, attribute_text

#: The properties that are no attributes.
NAMESPACE: Final = "multicloud.namespace"
UNIT: Final = "multicloud.unit"
RESERVED: Final = frozenset({NAMESPACE, UNIT})

_DIGEST_BYTES = 8
_MARK = "~"
_DIGEST = re.compile(rf"{_MARK}[0-9a-f]{{{2 * _DIGEST_BYTES}}}$", re.ASCII)


def digest_of(text: str) -> str:
    """What stands for a text that can't be kept."""
    # Half of a surrogate pair is no Unicode, but is told apart as well.
    encoded = text.encode("utf-8", "surrogatepass")
    return blake2b(encoded, digest_size=_DIGEST_BYTES).hexdigest()


def fitted(text: str, most: int) -> str:
    """A text of at most so many characters; one that is longer ends with its digest.

    So does one that could be taken for the replacement of another.
    """
    if len(text) < most or (len(text) == most and not _DIGEST.search(text)):
        return text
    digest = digest_of(text)
    return f"{text[: most - len(_MARK) - len(digest)]}{_MARK}{digest}"


def metric_name(name: str) -> str:
    """A metric's name as it is kept."""
    return fitted(name, LIMITS.longest_name)


def property_name(name: str) -> str:
    """An attribute's name as it is kept."""
    return fitted(name, LIMITS.longest_attribute_name)


def property_value(value: AttributeValue) -> str:
    """An attribute's value as it is kept."""
    return fitted(attribute_text(value), LIMITS.longest_attribute_value)


def attributes_of(properties: Mapping[str, object]) -> dict[str, str]:
    """The attributes among the properties of an item."""
    return {name: str(value) for name, value in properties.items() if name not in RESERVED}


def check_namespace(namespace: str) -> None:
    """Refuse what can't be a namespace.

    :raises MetricsError: kind ``invalid_argument``.
    """
    if namespace.strip() and namespace.isprintable() and len(namespace) <= LONGEST_NAMESPACE:
        return
    raise MetricsError(
        f"namespace: {namespace[:LONGEST_NAMESPACE]!r} given, expected 1 to {LONGEST_NAMESPACE} "
        "characters that show",
        kind=ErrorKind.INVALID_ARGUMENT,
        cloud=NAME,
    )

"""What Cloud SQL allows: names, tiers, settings and filters.

https://cloud.google.com/sql/docs/postgres/instance-settings and, of filters, the parameters'
descriptions in the discovery document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.database.refusals import invalid

REGIONS = ("us-central1", "us-east1")
#: Of many; bytes of memory.
TIERS = {"db-f1-micro": 614 * 2**20, "db-g1-small": 1740 * 2**20}
_CUSTOM = re.compile(r"db-custom-[1-9]\d?-\d{4,6}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,97}")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_MOST_LABELS = 64
_TERM = re.compile(r"([A-Za-z][\w.-]*):(\S+)")
#: What an instance has that nobody asked for otherwise.
_DEFAULTS: Mapping[str, Any] = {
    "activationPolicy": "ALWAYS",
    "availabilityType": "ZONAL",
    "edition": "ENTERPRISE",
    "ipConfiguration": {"ipv4Enabled": True},
}


def check_name(name: str) -> None:
    """Refuse a name that is none.

    :raises Refusal: with what is wrong.
    """
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid instance name ({name})")


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings after a patch.

    :raises Refusal: for what they may not be.
    """
    found = _over(settings, changes)
    tier = found.get("tier", "")
    if tier not in TIERS and not _CUSTOM.fullmatch(tier):
        raise invalid(f"Invalid Tier ({tier}) for (ENTERPRISE) Edition")
    labels = found.get("userLabels", {})
    wrong = [
        key
        for key, value in labels.items()
        if not (_LABEL.fullmatch(key) and _LABEL.fullmatch(value) and key[:1].isalpha())
    ]
    if wrong or len(labels) > _MOST_LABELS:
        raise invalid(f"Invalid user labels ({', '.join(wrong) or len(labels)})")
    version = int(found.get("settingsVersion", "0")) + 1
    return {**found, "settingsVersion": str(version)}


def defaults(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a new instance."""
    return merged(_DEFAULTS, changes)


def terms_of(text: str, known: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """The comparisons of a filter.

    :param known: the fields that there are; all for ``None``.
    :raises Refusal: for what is no such filter.
    """
    found = []
    for part in text.replace(" AND ", " ").split():
        term = _TERM.fullmatch(part)
        if term is None or (known is not None and term[1] not in known):
            raise invalid(f"Invalid filter ({text})")
        found.append((term[1], term[2]))
    return found


def fits(resource: Any, field: str, wanted: str) -> bool:
    """Whether a resource has this value in a field; ``*`` is any."""
    for name in field.split("."):
        if not isinstance(resource, Mapping) or name not in resource:
            return False
        resource = resource[name]
    return wanted == "*" or str(resource) == wanted


def _over(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    found = deepcopy(dict(one))
    for name, value in other.items():
        nested = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = _over(found[name], value) if nested else deepcopy(value)
    return found

"""Links, numbers, fingerprints and times, as Compute Engine writes them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from airflow_multicloud.testing.local_clouds.gcp import PROJECT

_BASE = "https://www.googleapis.com/compute/v1/"
#: RFC 1035, as the document has it for every name.
NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
#: Google's times are of its own place.
_PACIFIC = timezone(timedelta(hours=-8))


def link(path: str) -> str:
    """A resource's link, by its path: ``projects/…``."""
    return f"{_BASE}{path}"


def zone_path(zone: str) -> str:
    """A zone's path in the project."""
    return f"projects/{PROJECT}/zones/{zone}"


def path_of(text: str) -> str:
    """The path that a full or partial link means: ``zones/…`` is one of the project."""
    _, found, rest = text.partition("projects/")
    return f"projects/{rest}" if found else f"projects/{PROJECT}/{text}"


def number_of(*key: object) -> str:
    """A numeric id, as a text: JSON's numbers are too short for it."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return str(int.from_bytes(digest[:8]) | 1 << 60)


def fingerprint_of(value: object) -> str:
    """What changes with the value."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def now() -> str:
    """Now by RFC 3339, with milliseconds and Google's own offset."""
    return datetime.now(_PACIFIC).isoformat(timespec="milliseconds")


def labelled(resource: Mapping[str, object], labels: Mapping[str, str]) -> dict[str, object]:
    """A resource with these labels and their fingerprint; none are left out."""
    found = {name: value for name, value in resource.items() if name != "labels"}
    return {
        **found,
        **({"labels": dict(labels)} if labels else {}),
        "labelFingerprint": fingerprint_of(dict(labels)),
    }

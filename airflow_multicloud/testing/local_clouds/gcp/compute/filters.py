"""The filter expressions that are known here, a part of https://google.aip.dev/160.

The document's words of ``filter`` say more; what this does not know it refuses, so that a test
never passes on a filter that was not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import invalid

_TERM = re.compile(
    r"(?P<field>name|status|labels\.[a-z][\w-]*)\s*(?P<how>=|:)\s*"
    r"""(?P<value>\*|"[^"\\]*"|[\w.-]+)"""
)
_AND = re.compile(r"\s+AND\s+")
_GROUP = re.compile(r"\(([^()]*)\)")

Resource = Mapping[str, Any]


def fitting(resources: Iterable[Resource], text: str | None) -> list[Resource]:
    """The resources that a filter lets through.

    :raises Refusal: for a filter that is not known here.
    """
    checks = _checks(text) if text else []
    return [resource for resource in resources if all(check(resource) for check in checks)]


def _checks(text: str) -> list[Callable[[Resource], bool]]:
    groups = _GROUP.findall(text)
    if groups and not re.sub(r"\s+|\bAND\b", "", _GROUP.sub("", text)):
        return [check for group in groups for check in _checks(group)]
    terms = [_TERM.fullmatch(part.strip()) for part in _AND.split(text)]
    found = [_check(term) for term in terms if term is not None]
    if len(found) < len(terms):
        raise _refused(text)
    return found


def _check(term: re.Match[str]) -> Callable[[Resource], bool]:
    field, how, value = term["field"], term["how"], term["value"]
    _, _, label = field.partition(".")
    if how == ":":
        if not label or value != "*":
            raise _refused(term[0])
        return lambda resource: label in resource.get("labels", {})
    if value == "*":
        raise _refused(term[0])
    wanted = value.strip('"')
    if label:
        return lambda resource: resource.get("labels", {}).get(label) == wanted
    return lambda resource: resource.get(field) == wanted


def _refused(text: str) -> Exception:
    return invalid("filter", text, "Invalid list filter expression.")

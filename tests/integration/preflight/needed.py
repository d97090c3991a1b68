"""Recorded calls beside what the map and the rendered policy have of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_multicloud import api
from airflow_multicloud.core.preflight.granting import calls_of
from airflow_multicloud.core.preflight.operations import needs_of, operations_of
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.permissions import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_multicloud.testing.local_clouds.kit.admin import Admin

    from .vendors import Permissions

#: Tokens are asked for without any permission.
_TOKENS = re.compile(r"/[0-9a-f-]{36}/(oauth2/v2.0/token|v2.0/\.well-known/.*)|/token")
_GRPC = re.compile(r"/(google\.[\w.]+/\w+)")
_LISTED = ("Action", "includedPermissions", "Actions", "DataActions")


def called(admin: Admin, names: Sequence[tuple[re.Pattern[str], str]]) -> set[str]:
    """What a server was asked since it was reset, as its cloud names it.

    :param names: of paths, the first that fits.
    """
    return {name for one in admin.requests() if (name := _name(one, names)) is not None}


def _name(asked: Mapping[str, Any], names: Sequence[tuple[re.Pattern[str], str]]) -> str | None:
    path, action = asked["path"], asked["action"]
    if _TOKENS.fullmatch(path):
        return None
    if action == "sts:":  # Its journal has no more; no other call of STS is served.
        return "sts:GetCallerIdentity"
    if ":" in action:
        return str(action)
    if (method := _GRPC.fullmatch(path)) is not None:
        return method[1]
    for form, name in names:
        if form.fullmatch(path):
            return f"{asked['method']} {form.sub(name, path)}"
    return f"{asked['method']} {path}"


def check_calls(
    cloud: str,
    recorded: set[str],
    operation: Mapping[str, Any],
    what: str,
    vendor: Permissions,
    unseen: frozenset[str] = frozenset(),
) -> None:
    """All that was called is told, and allowed by the policy, which has nothing else.

    :param what: whose needs these are; nobody else's may be of this cloud.
    :param vendor: what calls need, as their cloud says.
    :param unseen: permissions that only a call needs which is not to be had here.
    """
    needs = [need for need in needs_of(operations_of([operation])) if need.what == what]
    told = [one.call for one in calls_of(needs, describe)]
    assert recorded <= {one.call for one in told}, "the map lacks some"
    used = {permission for call in recorded for permission in vendor[call]} | unseen
    assert {permission for one in told for permission in one.permissions} == used
    rendered = [to_document(one) for one in api.render_policy([operation], cloud)]
    assert set(_permissions(rendered)) == used


def _permissions(document: object) -> Iterator[str]:
    """Whatever a policy or a role's definition has."""
    if isinstance(document, list):
        for one in document:
            yield from _permissions(one)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from value if key in _LISTED else _permissions(value)

"""Tokens for a part of what the caller may do in Cloud Storage: Credential Access Boundaries.

https://cloud.google.com/iam/docs/downscoping-short-lived-credentials. No other service of Google's
knows them. A boundary names roles, not permissions, so only such sets of permissions can be had
that predefined roles make up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from google.auth.credentials import AnonymousCredentials
from google.auth.downscoped import (
    AccessBoundaryRule,
    AvailabilityCondition,
    CredentialAccessBoundary,
)
from google.auth.transport.requests import Request
from google.oauth2 import sts

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.permissions import refused, shown
from airflow_multicloud.adapters.plain_http import check_plain_http
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.identity.client import IdentityBase
from airflow_multicloud.clouds.gcp.identity.errors import translated
from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.identity import ScopedToken, TokenScope

_STS: Final = "https://sts.googleapis.com"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - its type
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
#: A token lives as long as the one that it is made of, which Google gives for an hour.
_LIFETIME: Final = timedelta(hours=1)
_MOST_RULES: Final = 10
_RESOURCE = re.compile(
    r"//storage\.googleapis\.com/projects/_/buckets/([^/*\s]+)(?:/objects/([^*]+)(\*)?)?"
)
#: Role → the permissions on objects that it has
#: (https://cloud.google.com/storage/docs/access-control/iam-roles). What they have on buckets and
#: uploads besides is what these need.
_ROLES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "roles/storage.legacyObjectReader": frozenset({"storage.objects.get"}),
        "roles/storage.objectCreator": frozenset({"storage.objects.create"}),
        "roles/storage.legacyBucketReader": frozenset({"storage.objects.list"}),
        "roles/storage.legacyBucketWriter": frozenset(
            {"storage.objects.list", "storage.objects.create", "storage.objects.delete"}
        ),
    }
)
_LIST: Final = "storage.objects.list"
#: https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values
_ESCAPES: Final = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r"})


class DownscopedTokens(IdentityBase):
    """The port's ``scoped_token``."""

    def scoped_token(self, scope: TokenScope) -> ScopedToken:
        """Exchange the connection's token for one that is good for objects of some buckets only.

        :param scope: actions out of ``storage.objects.get``, ``create``, ``list`` and ``delete``
            (the last comes with ``create`` and ``list``). Resources are buckets, or objects in them
            (``…/buckets/b/objects/key``, or ``…/objects/prefix*``), which can't be listed.
            ``valid_for`` is at least an hour: Google gives no shorter tokens.
        :raises CredentialsError: ``permission_denied`` or ``unauthenticated`` when Google refuses;
            ``invalid_argument`` for what can't be narrowed so.
        """
        boundary = _boundary(scope)
        if scope.valid_for < _LIFETIME:
            raise refused(
                "valid_for",
                f"{scope.valid_for} given; Google's tokens are good for up to {_LIFETIME}, which "
                "can't be shortened",
                NAME,
            )
        with translated(f"opening connection {self.gcp_conn_id!r}"):
            credentials = self._session.credentials
            if isinstance(credentials, AnonymousCredentials):
                raise refused(f"connection {self.gcp_conn_id!r}", "it has no token to narrow", NAME)
            endpoint = self._session.endpoint_of("sts") or _STS
        check_plain_http(endpoint, "Google's access token", cloud=NAME)
        with translated("exchanging the connection's token for one with a boundary"):
            self._session.bearer.headers()  # has a token that is good for some minutes
            asked_at = datetime.now(UTC)
            told: dict[str, Any] = sts.Client(f"{endpoint}/v1/token").exchange_token(  # type: ignore[no-untyped-call]
                request=Request(),
                grant_type=_EXCHANGE,
                subject_token=credentials.token,
                subject_token_type=_ACCESS_TOKEN,
                requested_token_type=_ACCESS_TOKEN,
                additional_options=boundary.to_json(),  # type: ignore[no-untyped-call]
            )
        with well_formed("reading Google's token", NAME, area=CredentialsError):
            token = str(told["access_token"])
            mask_value(token.encode())
            expires_at = asked_at + _lifetime(told, credentials.expiry, asked_at)
        if expires_at > datetime.now(UTC) + scope.valid_for:
            raise refused(
                "valid_for",
                f"{scope.valid_for} given; the connection's own token is good until {expires_at}, "
                "and one made of it as long",
                NAME,
            )
        return ScopedToken(credentials={"token": token}, expires_at=expires_at)


def _lifetime(told: Mapping[str, Any], expiry: datetime | None, now: datetime) -> timedelta:
    """How long a token is good: Google may leave it out, since its source's end is its own."""
    if seconds := told.get("expires_in"):
        return timedelta(seconds=int(seconds))
    if expiry is None:
        raise ValueError("no end")
    # google-auth's times are UTC's and say no zone.
    return expiry.replace(tzinfo=UTC) - now


def _boundary(scope: TokenScope) -> CredentialAccessBoundary:
    roles = _roles(scope.actions)
    if not scope.resources:
        raise refused("resources", "none given; expected buckets, or objects in them", NAME)
    if len(scope.resources) > _MOST_RULES:
        raise refused(
            "resources",
            f"{len(scope.resources)} given; a boundary has at most {_MOST_RULES} rules",
            NAME,
        )
    rules = [_rule(resource, roles, scope) for resource in scope.resources]
    return CredentialAccessBoundary(rules)  # type: ignore[no-untyped-call]


def _roles(actions: tuple[str, ...]) -> list[str]:
    """The roles that have these permissions and no others."""
    wanted = frozenset(actions)
    fitting = {role: has for role, has in _ROLES.items() if has <= wanted}
    reached = frozenset().union(*fitting.values())
    if not wanted or wanted != reached:
        lacking = ", ".join(sorted(wanted - reached)) or "none"
        raise refused(
            "actions",
            f"{shown(lacking)} given; a token can be narrowed to storage.objects.get, "
            "storage.objects.create and storage.objects.list, and to storage.objects.delete "
            "together with the last two",
            NAME,
        )
    return sorted(fitting)


def _rule(resource: str, roles: list[str], scope: TokenScope) -> AccessBoundaryRule:
    found = _RESOURCE.fullmatch(resource)
    if found is None:
        raise refused(
            "resources",
            f"{shown(resource)} given; only Cloud Storage narrows tokens: expected "
            "//storage.googleapis.com/projects/_/buckets/NAME, …/objects/KEY or …/objects/PREFIX*",
            NAME,
        )
    bucket, key, is_prefix = found.groups()
    condition = None
    if key:
        if _LIST in scope.actions:
            raise refused(
                "resources",
                f"{shown(resource)} given; {_LIST} is of a whole bucket",
                NAME,
            )
        condition = AvailabilityCondition(_named(bucket, key, is_prefix=bool(is_prefix)))  # type: ignore[no-untyped-call]
    return AccessBoundaryRule(  # type: ignore[no-untyped-call]
        available_resource=f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        available_permissions=[f"inRole:{role}" for role in roles],
        availability_condition=condition,
    )


def _named(bucket: str, key: str, *, is_prefix: bool) -> str:
    """A condition on an object's name, in the Common Expression Language."""
    name = f"projects/_/buckets/{bucket}/objects/{key}".translate(_ESCAPES)
    return f"resource.name.startsWith('{name}')" if is_prefix else f"resource.name == '{name}'"

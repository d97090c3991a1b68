"""Tokens of STS that are good for less: Credential Access Boundaries.

https://cloud.google.com/iam/docs/downscoping-short-lived-credentials. Of conditions there are the
two on objects' names that the page shows; on a bucket as a whole such a rule gives nothing.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.gcp.rest.strict import document
from airflow_multicloud.testing.local_clouds.kit.http import Answer

PATH = "/v1/token"
_LIFETIME_S = 3600
_CONDITION = re.compile(r"resource\.name(?:\.startsWith\('[^']*'\)| == '[^']*')")
#: https://cloud.google.com/storage/docs/access-control/iam-roles, as far as it is about objects and
#: buckets.
_ROLES = {
    "roles/storage.legacyObjectReader": {"storage.objects.get"},
    "roles/storage.objectCreator": {"storage.objects.create"},
    "roles/storage.objectViewer": {"storage.objects.get", "storage.objects.list"},
    "roles/storage.legacyBucketReader": {"storage.buckets.get", "storage.objects.list"},
    "roles/storage.legacyBucketWriter": {
        *("storage.buckets.get", "storage.objects.list"),
        *("storage.objects.create", "storage.objects.delete"),
    },
}


@dataclass(frozen=True, slots=True)
class Boundary:
    """What a token is good for at most: resource → permissions."""

    rules: Sequence[tuple[str, frozenset[str]]]
    ends: float

    def within(self, resource: str, permissions: Sequence[str]) -> list[str]:
        """Those of the permissions that are inside."""
        good = frozenset().union(*(has for name, has in self.rules if name == resource))
        return [permission for permission in permissions if permission in good]


class Boundaries:
    """Gives tokens for tokens, and knows those it gave."""

    def __init__(self) -> None:
        self._given: dict[str, Boundary] = {}

    def of(self, token: str) -> Boundary | None:
        """A token's boundary; ``None`` for one that was not given here, or has ended."""
        found = self._given.get(token)
        return found if found is not None and found.ends > time.monotonic() else None

    def exchange(self, request: Request, is_good: Any) -> Answer:
        """The token endpoint of STS; its errors are OAuth's.

        :param is_good: whether a token is one of the token server's.
        """
        wanted = document("sts.v1")
        form = {_camel(name): value for name, value in request.form.items()}
        if wrong := wanted.violations("GoogleIdentityStsV1ExchangeTokenRequest", form):
            return _error("invalid_request", f"Invalid request: {'; '.join(wrong)}")
        if form.get("grantType") != "urn:ietf:params:oauth:grant-type:token-exchange":
            return _error("unsupported_grant_type", "The grant type is not supported.")
        if not is_good(form.get("subjectToken", "")):
            return _error("invalid_grant", "The subject token is invalid.")
        try:
            # Encoded once more than a form is: "A set of features that Security Token Service
            # supports, … formatted as a serialized JSON", which clients send URL-encoded.
            options = json.loads(unquote(form.get("options", "{}")))
            rules = options["accessBoundary"]["accessBoundaryRules"]
            boundary = Boundary([_rule(rule) for rule in rules], time.monotonic() + _LIFETIME_S)
        except (ValueError, KeyError, TypeError) as err:
            return _error("invalid_request", f"Invalid value for field options: {err}")
        if wrong := wanted.violations("GoogleIdentityStsV1Options", options):
            return _error("invalid_request", f"Invalid value for field options: {wrong}")
        token = secrets.token_urlsafe()
        self._given[token] = boundary
        return Answer(
            body={
                "access_token": token,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": _LIFETIME_S,
            }
        )


def _rule(told: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    resource = told["availableResource"]
    bucket = re.fullmatch(r"//storage\.googleapis\.com/(projects/_/buckets/[^/]+)", resource)
    if bucket is None:
        raise ValueError(f"{resource} is no bucket")
    condition = told.get("availabilityCondition")
    if condition is not None:
        if _CONDITION.fullmatch(condition["expression"]) is None:
            raise ValueError(f"the expression {condition['expression']} is not known")
        return bucket[1], frozenset()
    names = [permission.removeprefix("inRole:") for permission in told["availablePermissions"]]
    return bucket[1], frozenset().union(*(_ROLES[name] for name in names))


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.title() for word in more)


def _error(code: str, text: str) -> Answer:
    body = {"error": code, "error_description": text}
    return Answer(status=HTTPStatus.BAD_REQUEST, body=body)

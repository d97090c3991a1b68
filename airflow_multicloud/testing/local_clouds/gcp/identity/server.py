"""Four APIs behind one port: who asks first, then the discovery documents, then what is granted."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused
from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens
from airflow_multicloud.testing.local_clouds.gcp.identity.boundaries import (
    PATH,
    Boundaries,
    Boundary,
)
from airflow_multicloud.testing.local_clouds.gcp.identity.grants import Grants
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal, Service
from airflow_multicloud.testing.local_clouds.gcp.service_account import TOKEN_PATH
from airflow_multicloud.testing.local_clouds.kit.http import Answer, target_of
from airflow_multicloud.testing.local_clouds.kit.state import State

_BEARER = "Bearer "


class PermissionsServer:
    """Answers requests.

    :param tokens: gives tokens for what the service account has signed.
    """

    def __init__(self, state: State, tokens: Tokens) -> None:
        self._state = state
        self._tokens = tokens
        self._grants = Grants(state)
        self._boundaries = Boundaries()
        self._boundary: ContextVar[Boundary | None] = ContextVar("boundary", default=None)
        self._services = (
            Service(
                "cloudresourcemanager.v3",
                {
                    f"cloudresourcemanager.{kind}.testIamPermissions": self._named
                    for kind in ("projects", "folders", "organizations")
                },
            ),
            Service("storage.v1", {"storage.buckets.testIamPermissions": self._bucket}),
            Service(
                "secretmanager.v1",
                {"secretmanager.projects.secrets.testIamPermissions": self._named},
            ),
            Service("iam.v1", {"iam.projects.serviceAccounts.testIamPermissions": self._named}),
        )

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        answer = self._answer(request)
        self._state.log(request, answer.status)
        return answer

    def _answer(self, request: Request) -> Answer:
        given = (request.method, request.path)
        if (scripted := self._state.scripted(request)) is not None:
            return scripted
        if given == ("POST", TOKEN_PATH):
            return self._tokens.give(request)
        if given == ("POST", PATH):
            return self._boundaries.exchange(request, self._is_good)
        try:
            self._boundary.set(self._let_in(request))
            return Answer(body=self._asked(request))
        except Refusal as refusal:
            return Answer(status=refusal.status, body=refusal.body())

    def _asked(self, request: Request) -> Any:
        target = target_of(request)
        for service in self._services:
            found = service.answer(request.method, target, request.get_data())
            if found is not None:
                return found
        raise Refusal(HTTPStatus.NOT_FOUND, f"The requested URL {target} was not found.")

    def _let_in(self, request: Request) -> Boundary | None:
        """The boundary of the caller's token, if it has one.

        :raises Refusal: 401 without a good token.
        """
        header = request.headers.get("Authorization", "")
        boundary = self._boundaries.of(header.removeprefix(_BEARER))
        if boundary is None:
            try:
                self._tokens.check({"authorization": header})
            except Refused as refused:
                raise Refusal(HTTPStatus.UNAUTHORIZED, str(refused)) from None
        return boundary

    def _is_good(self, token: str) -> bool:
        try:
            self._tokens.check({"authorization": f"{_BEARER}{token}"})
        except Refused:
            return False
        return True

    def _named(self, call: Call) -> dict[str, Any]:
        return self._held(call.parameters["resource"], call.body.get("permissions", ()))

    def _bucket(self, call: Call) -> dict[str, Any]:
        name = f"projects/_/buckets/{call.parameters['bucket']}"
        found = self._held(name, call.parameters["permissions"])
        return {"kind": "storage#testIamPermissionsResponse", **found}

    def _held(self, resource: str, permissions: Sequence[str]) -> dict[str, Any]:
        held = self._grants.held(resource, permissions)
        if (boundary := self._boundary.get()) is not None:
            held = boundary.within(resource, held)
        # As all of Google's: an empty list is left out.
        return {"permissions": held} if held else {}

"""What Azure answers: authentication first, then the route's own checks, then faults."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.azure.arm import AUDIENCE
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal, Route
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond
from airflow_multicloud.testing.local_clouds.kit.state import State


class ChecksCallers(Protocol):
    """Who may ask: Microsoft Entra's tokens, or a service that words its refusals otherwise."""

    def check(self, request: Request, audience: str = AUDIENCE) -> None:
        """That the request bears a token for this audience.

        :raises Refusal: 401.
        """
        ...


def azure(routes: Sequence[Route], tokens: ChecksCallers, state: State) -> Respond:
    """Azure Resource Manager, or another service of Azure, with these operations."""

    def respond(request: Request) -> Answer:
        answer = _answer(request, routes, tokens, state)
        state.log(request, answer.status)
        return replace(answer, headers={"x-ms-request-id": str(uuid.uuid4()), **answer.headers})

    return respond


def _answer(
    request: Request, routes: Sequence[Route], tokens: ChecksCallers, state: State
) -> Answer:
    try:
        route, variables = _routed(request, routes)
        if route is None or not route.public:
            tokens.check(request, AUDIENCE if route is None else route.audience)
        if route is None:
            return _no_route(request).answer
        route.check(request)
        call = Call(request=request, variables=variables)
        return state.scripted(request) or route.handler(call)
    except Refusal as refusal:
        return refusal.answer


def _routed(request: Request, routes: Sequence[Route]) -> tuple[Route | None, Mapping[str, str]]:
    for route in routes:
        found = route.path.fullmatch(request.path)
        if found is not None and route.method == request.method:
            return route, found.groupdict()
    return None, {}


def _no_route(request: Request) -> Refusal:
    return Refusal(
        HTTPStatus.NOT_FOUND,
        "InvalidResourceType",
        f"The resource type could not be found for {request.method} '{request.path}'.",
    )

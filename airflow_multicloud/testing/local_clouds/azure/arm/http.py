"""Calls, routes and refusals; errors in the shape that Azure Resource Manager gives them.

https://learn.microsoft.com/azure/azure-resource-manager/management/common-error-codes
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.azure.arm import AUDIENCE
from airflow_multicloud.testing.local_clouds.azure.arm.strict import violations
from airflow_multicloud.testing.local_clouds.kit.http import Answer, encoded

if TYPE_CHECKING:
    from azure.core.rest import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that was routed.

    :param variables: of its path.
    """

    request: Request
    variables: Mapping[str, str]

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded."""
        return self.request.args.to_dict()

    @property
    def origin(self) -> str:
        """``https://host:port`` as the client names it."""
        return origin_of(self.request)

    @property
    def json(self) -> Any:
        """The body; see :func:`json_of`."""
        return json_of(self.request)


def origin_of(request: Request) -> str:
    """``https://host:port`` as the client names it."""
    return request.host_url.rstrip("/")


def json_of(request: Request) -> Any:
    """A request's body as JSON, or ``None`` when there is none.

    :raises Refusal: 400, when it is not JSON.
    """
    content = request.get_data()
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError as err:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "InvalidRequestContent",
            f"The request content was invalid and could not be deserialized: '{err}'.",
        ) from err


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, no error of this program
    """An answer that is an error of Azure Resource Manager's shape."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        body = {"error": {"code": code, "message": message}}
        self.answer = Answer(status=status, body=body, headers=headers or {})


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of a service.

    :param path: matches the whole path; its named groups become the request's variables.
    :param parameters: the query parameters it takes, ``api-version`` aside.
    :param api_version: the one that is accepted; ``None`` for services without.
    :param body: the SDK's model of the request's body, if it has one.
    :param operation: what the body does: see :func:`.strict.violations`.
    :param public: needs no token.
    :param audience: whom its tokens are for.
    :param binary: has a body that is no JSON; its handler checks it.
    """

    method: str
    path: re.Pattern[str]
    handler: Handler
    parameters: frozenset[str] = frozenset()
    api_version: str | None = None
    body: type | None = None
    operation: str = "create"
    public: bool = False
    audience: str = AUDIENCE
    binary: bool = False

    def check(self, request: Request) -> None:
        """Refuse what the SDK would not send.

        :raises Refusal: 400.
        """
        self._check_api_version(request)
        unknown = set(request.args) - self.parameters - {"api-version"}
        if unknown:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "InvalidQueryParameter",
                f"Unknown query parameters: {', '.join(sorted(unknown))}; known: "
                f"{', '.join(sorted(self.parameters)) or 'none'}.",
            )
        repeated = sorted(name for name, given in request.args.lists() if len(given) > 1)
        if repeated:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "InvalidQueryParameter",
                f"Query parameters given more than once: {', '.join(repeated)}.",
            )
        free = self.public or self.binary
        if self.body is None and request.get_data() and not free:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "InvalidRequestContent", "This operation takes no body."
            )
        if self.body is not None:
            found = violations(self.body, json_of(request), self.operation)
            if found:
                raise Refusal(
                    HTTPStatus.BAD_REQUEST,
                    "InvalidRequestContent",
                    "The request content was invalid and could not be deserialized: "
                    + " ".join(found),
                )

    def _check_api_version(self, request: Request) -> None:
        if self.api_version is None:
            return
        given = request.args.get("api-version")
        if given is None:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        if given != self.api_version:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "InvalidApiVersionParameter",
                f"The api-version '{given}' is invalid. The supported versions are "
                f"'{self.api_version}'.",
            )


def sdk_route(
    request: HttpRequest,
    handler: Handler,
    *,
    body: type | None = None,
    operation: str = "create",
    also: frozenset[str] = frozenset(),
) -> Route:
    """The route of an operation, from a request that the SDK itself builds for it.

    :param request: from the SDK's ``build_…_request``, with ``{name}`` for each part of the
        path (a scope may have slashes) and any value for each query parameter.
    :param also: query parameters that only the service's own links have.
    """
    parts = urlsplit(request.url)
    parameters = dict(parse_qsl(parts.query))
    names = re.split(r"\{(\w+)\}", unquote(parts.path))
    pattern = "".join(
        (f"(?P<{text}>.+)" if text == "scope" else f"(?P<{text}>[^/]+)")
        if index % 2
        else re.escape(text)
        for index, text in enumerate(names)
    )
    return Route(
        method=request.method,
        # Resource Manager's paths are the same in any case.
        path=re.compile(pattern, re.IGNORECASE),
        handler=handler,
        parameters=frozenset(parameters) - {"api-version"} | also,
        api_version=parameters["api-version"],
        body=body,
        operation=operation,
    )


def conforming(model: type, body: object) -> Answer:
    """An answer that the SDK's model describes in full.

    :raises Refusal: 500, when it does not: the mistake is this server's, or its seed's.
    """
    plain = json.loads(encoded(body))
    found = violations(model, plain, "read")
    if found:
        raise Refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "LocalAnswerInvalid",
            f"The local server was to answer what {model.__name__} does not allow: "
            + " ".join(found),
        )
    return Answer(body=plain)

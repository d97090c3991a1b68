"""Requests and answers checked against a discovery document.

Format: https://developers.google.com/discovery/v1/reference/apis
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator

#: https://cloud.google.com/apis/design/errors#handling_errors
_STATUS_NAMES = {
    HTTPStatus.BAD_REQUEST: "INVALID_ARGUMENT",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.CONFLICT: "ALREADY_EXISTS",
    HTTPStatus.TOO_MANY_REQUESTS: "RESOURCE_EXHAUSTED",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
}

_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}
_TEMPLATE = re.compile(r"\{(\+?)([^}]+)\}")


class Refusal(Exception):  # noqa: N818  # an answer of the service, no error of the server
    """What Google answers instead of a result."""

    def __init__(self, status: HTTPStatus, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    def body(self) -> dict[str, Any]:
        """The error in Google's shape."""
        error: dict[str, Any] = {
            "code": self.status.value,
            "message": str(self),
            "status": _STATUS_NAMES.get(self.status, "UNKNOWN"),
        }
        if self.reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": kind, "reason": self.reason, "domain": "googleapis.com"}]
        return {"error": error}


@dataclass(frozen=True, slots=True)
class Call:
    """A request that fits the document.

    :param method: its id, ``recommender.projects.locations.list``.
    :param parameters: from path and query; repeated ones are lists.
    """

    method: str
    parameters: Mapping[str, Any]
    body: Any


@dataclass(frozen=True, slots=True)
class Service:
    """One API.

    :param document: its discovery document's name, ``recommender.v1``.
    :param handlers: method id → what answers it; it may raise :class:`Refusal`. A method of
        the document that is not here is refused as not implemented.
    """

    document: str
    handlers: Mapping[str, Callable[[Call], Any]]

    def answer(self, verb: str, target: str, body: bytes) -> Any | None:
        """The answer to a request; ``None`` when the path is not of this service.

        :raises Refusal: when the request does not fit the document.
        """
        return _answer(self, verb, target, body)


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a document."""

    id: str
    verb: str
    path: re.Pattern[str]
    spec: Mapping[str, Any]


class Document:
    """One discovery document."""

    def __init__(self, name: str) -> None:
        folder = files("googleapiclient.discovery_cache.documents")
        self._spec: dict[str, Any] = json.loads(folder.joinpath(f"{name}.json").read_text())
        self._schemas = {key: _schema(spec) for key, spec in self._spec["schemas"].items()}
        self._common: dict[str, Any] = self._spec.get("parameters", {})
        base = "/" + self._spec["servicePath"].strip("/")
        self.methods = tuple(
            Method(spec["id"], spec["httpMethod"], _path(base, spec), spec)
            for spec in _methods(self._spec)
        )

    @property
    def revision(self) -> str:
        """When Google made it: ``20261106``."""
        return str(self._spec["revision"])

    def violations(self, schema: str, value: Any) -> list[str]:
        """In what a value does not fit one of the document's types."""
        whole = {"$ref": f"#/$defs/{schema}", "$defs": self._schemas}
        errors = Draft202012Validator(whole).iter_errors(value)
        return [f"{e.json_path.removeprefix('$.')}: {e.message}" for e in errors]

    def parameters(self, method: Method, path: Mapping[str, str], query: str) -> dict[str, Any]:
        """The request's parameters in their types.

        :raises Refusal: for one that is unknown, missing, or has a value it may not have.
        """
        known: Mapping[str, Any] = method.spec.get("parameters", {})
        found: dict[str, Any] = {}
        for name, text in [*path.items(), *parse_qsl(query, keep_blank_values=True)]:
            # "$alt" is another spelling of "alt".
            spec = known.get(name) or self._common.get(name) or self._common.get(name.lstrip("$"))
            if spec is None:
                raise _invalid(
                    f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query '
                    f"parameter. Field '{name}' could not be found in request message."
                )
            if name not in known:
                # "json;enum-encoding=int" is "json", with an option.
                _typed(name, text.partition(";")[0], spec)
                continue
            value = _typed(name, text, spec)
            if spec.get("repeated"):
                found.setdefault(name, []).append(value)
            elif name in found:
                raise _invalid(f"Invalid value at '{name}': it is given twice")
            else:
                found[name] = value
        for name, spec in known.items():
            if spec.get("required") and name not in found:
                raise _invalid(f"Missing required field: {name}")
        return found


@cache
def document(name: str) -> Document:
    """A document, read once."""
    return Document(name)


def _answer(service: Service, verb: str, target: str, body: bytes) -> Any | None:
    described = document(service.document)
    url = urlsplit(target)
    for method in described.methods:
        match = method.path.fullmatch(url.path)
        if match is None or method.verb != verb:
            continue
        path = {
            _TEMPLATE.findall(_template(method.spec))[n][1]: unquote(text)
            for n, text in enumerate(match.groups())
        }
        if not all(_fits(method.spec["parameters"][name], text) for name, text in path.items()):
            continue
        parameters = described.parameters(method, path, url.query)
        call = Call(method.id, parameters, _body(described, method, body))
        handler = service.handlers.get(method.id)
        if handler is None:
            raise Refusal(HTTPStatus.NOT_IMPLEMENTED, f"{method.id} is not simulated")
        found = handler(call)
        schema = method.spec.get("response", {}).get("$ref")
        if schema and (wrong := described.violations(schema, found)):
            raise Refusal(
                HTTPStatus.INTERNAL_SERVER_ERROR, f"the seeded answer is no {schema}: {wrong}"
            )
        return found
    return None


def _body(described: Document, method: Method, body: bytes) -> Any:
    schema = method.spec.get("request", {}).get("$ref")
    if schema is None:
        if body:
            raise _invalid("Request body is not allowed for this method.")
        return None
    try:
        value = json.loads(body or b"{}")
    except ValueError as err:
        raise _invalid(f"Invalid JSON payload received. {err}") from err
    if wrong := described.violations(schema, value):
        raise _invalid(f"Invalid JSON payload received. {'; '.join(wrong)}")
    return value


def _methods(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from spec.get("methods", {}).values()
    for resource in spec.get("resources", {}).values():
        yield from _methods(resource)


def _template(spec: Mapping[str, Any]) -> str:
    # "path" has the parameters' own names; "flatPath" splits them.
    return str(spec["path"])


def _path(base: str, spec: Mapping[str, Any]) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    template = _template(spec)
    for found in _TEMPLATE.finditer(template):
        parts += [re.escape(template[end : found.start()]), "(.+)" if found[1] else "([^/]+)"]
        end = found.end()
    return re.compile(base.rstrip("/") + "/" + "".join(parts) + re.escape(template[end:]))


def _fits(spec: Mapping[str, Any], text: str) -> bool:
    return re.fullmatch(spec.get("pattern", ".*"), text) is not None


def _typed(name: str, text: str, spec: Mapping[str, Any]) -> Any:
    kind = spec.get("type")
    if "enum" in spec and text not in spec["enum"]:
        raise _invalid(f"Invalid value at '{name}', \"{text}\"")
    if kind == "boolean":
        if text not in ("true", "false"):
            raise _invalid(f"Invalid value at '{name}' (TYPE_BOOL), \"{text}\"")
        return text == "true"
    if kind == "integer":
        low, high = _INTEGERS[spec["format"]]
        if not re.fullmatch(r"-?\d+", text) or not low <= int(text) <= high:
            raise _invalid(f"Invalid value at '{name}' (TYPE_INT32), \"{text}\"")
        return int(text)
    return text


def _schema(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A type of the document as JSON Schema; unknown fields are not allowed."""
    if "$ref" in spec:
        return {"$ref": f"#/$defs/{spec['$ref']}"}
    kind = spec.get("type", "any")
    if kind == "any":
        return {}
    found: dict[str, Any] = {"type": kind}
    if kind == "object":
        fields = spec.get("properties", {})
        found["properties"] = {name: _schema(field) for name, field in fields.items()}
        more = spec.get("additionalProperties")
        found["additionalProperties"] = _schema(more) if more is not None else False
    elif kind == "array":
        found["items"] = _schema(spec["items"])
    if "enum" in spec:
        found["enum"] = spec["enum"]
    if "pattern" in spec:
        found["pattern"] = spec["pattern"]
    if spec.get("format") in ("int64", "uint64") and kind == "string":
        found["pattern"] = r"^-?\d+$"
    return found


def _invalid(message: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, message)

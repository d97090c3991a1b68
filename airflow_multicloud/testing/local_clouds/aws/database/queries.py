"""Requests of the query protocol, read by botocore's model of a service and by nothing else.

Names with a dot for each level, lists numbered from 1
(https://smithy.io/2.0/aws/protocols/aws-query-protocol.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from airflow_multicloud.testing.local_clouds.aws.database.answers import Refusal
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit, check
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, model_of

SERVICE = "rds"


def action_of(body: bytes) -> str:
    """The action that a request names."""
    return dict(parse_qsl(body.decode(errors="replace"))).get("Action", "")


def read(body: bytes, region: str) -> Call:
    """A request's body.

    :raises Refusal: for what the model does not know.
    """
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    action, version = form.pop("Action", ""), form.pop("Version", "")
    model = model_of(SERVICE)
    if action not in model.operation_names or version != model.metadata["apiVersion"]:
        raise Refusal("InvalidAction", f"The action {action} is not valid for this endpoint.")
    shape = model.operation_model(action).input_shape
    try:
        given = {} if shape is None else _value(_tree(form), shape, "")
        if shape is not None:
            check(given, shape)
    except Unfit as unfit:
        code = "MissingParameter" if unfit.missing else "InvalidParameterValue"
        raise Refusal(code, str(unfit)) from None
    return Call(operation=action, region=region, given=given, size=len(body))


def _tree(form: Mapping[str, str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, text in form.items():
        *path, last = name.split(".")
        level: Any = root
        for step in path:
            level = level.setdefault(step, {})
            if not isinstance(level, dict):
                raise Unfit(f"{name} is not known")
        level[last] = text
    return root


def _value(tree: Any, shape: Any, path: str) -> Any:
    if shape.type_name == "structure" and isinstance(tree, dict):
        return {
            name: _value(part, shape.members[name], f"{path}.{name}")
            if name in shape.members
            else part
            for name, part in tree.items()
        }
    if shape.type_name == "list":
        # An empty list is sent as an empty text.
        return [] if tree == "" else _list(tree, shape, path)
    return _leaf(tree, shape.type_name, path) if isinstance(tree, str) else tree


def _list(tree: Any, shape: Any, path: str) -> list[Any]:
    name = shape.member.serialization.get("name", "member")
    steps = tree.get(name) if isinstance(tree, dict) and set(tree) == {name} else None
    if not isinstance(steps, dict) or sorted(map(_number, steps)) != [*range(1, len(steps) + 1)]:
        raise Unfit(f"{path.removeprefix('.')}: expected {name}.1, {name}.2 …")
    return [_value(steps[step], shape.member, path) for step in sorted(steps, key=_number)]


def _number(step: str) -> int:
    return int(step) if step.isdecimal() else 0


def _leaf(text: str, kind: str, path: str) -> object:
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "timestamp":
            return datetime.fromisoformat(text)
    except ValueError:
        raise Unfit(f"{path.removeprefix('.')}: expected {kind}") from None
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise Unfit(f"{path.removeprefix('.')}: expected boolean")
        return text.lower() == "true"
    return text

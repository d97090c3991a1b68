"""Requests to EC2, read by botocore's model of it and by nothing else.

The wire form is the EC2 query protocol (smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html):
names with a dot for each level, lists numbered from 1. Codes: "Common client error codes" in "Error
codes for the Amazon EC2 API".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from airflow_multicloud.testing.local_clouds.aws.compute.answers import Refusal

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

_Tree = dict[str, Any]
# Its unknown values are refused in each action's own words.
_OPEN = frozenset({"InstanceType"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to EC2.

    :param form: as it was sent.
    :param given: the same by the model's names.
    """

    action: str
    region: str
    form: Mapping[str, str]
    given: Mapping[str, Any]


@cache
def model() -> ServiceModel:
    """The description of EC2 that botocore has."""
    import botocore.session

    return botocore.session.get_session().get_service_model("ec2")


def read(body: bytes, region: str) -> Call:
    """A request's body.

    :raises Refusal: for what EC2's model does not know.
    """
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    rest = dict(form)
    action, version = rest.pop("Action", ""), rest.pop("Version", "")
    known = action in model().operation_names
    shape = model().operation_model(action).input_shape if known else None
    if shape is None or version != model().metadata["apiVersion"]:
        raise Refusal("InvalidAction", f"The action {action} is not valid for this web service.")
    return Call(action=action, region=region, form=form, given=_value(_tree(rest), shape, ""))


def _tree(form: Mapping[str, str]) -> _Tree:
    root: _Tree = {}
    for name, text in form.items():
        *path, last = name.split(".")
        level = root
        for step in path:
            level = level.setdefault(step, {})
            if not isinstance(level, dict):
                raise _unknown(name)
        if last in level:
            raise _unknown(name)
        level[last] = text
    return root


def _value(tree: Any, shape: Shape, path: str) -> Any:
    if shape.type_name == "structure":
        return _structure(tree, shape, path)
    if shape.type_name == "list":
        return _list(tree, shape, path)
    if not isinstance(tree, str):
        raise _unknown(path)
    return _leaf(tree, shape, path)


def _structure(tree: Any, shape: Any, path: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise _unknown(path)
    names = {_wire_name(name, member): name for name, member in shape.members.items()}
    if unknown := sorted(set(tree) - set(names)):
        raise _unknown(_joined(path, unknown[0]))
    found = {
        names[wire]: _value(part, shape.members[names[wire]], _joined(path, wire))
        for wire, part in tree.items()
    }
    for wire, name in names.items():
        if name in shape.required_members and name not in found:
            raise Refusal(
                "MissingParameter",
                f"The request must contain the parameter {_joined(path, wire)}",
            )
    return found


def _list(tree: Any, shape: Any, path: str) -> list[Any]:
    if not isinstance(tree, dict) or not all(step.isdecimal() for step in tree):
        raise _unknown(path)
    return [_value(tree[step], shape.member, _joined(path, step)) for step in sorted(tree, key=int)]


def _leaf(text: str, shape: Shape, path: str) -> object:
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "blob":
            return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise _invalid(text, path) from None
    if kind == "boolean":
        if text not in ("true", "false"):
            raise _invalid(text, path)
        return text == "true"
    allowed = getattr(shape, "enum", ())
    if allowed and shape.name not in _OPEN and text not in allowed:
        raise _invalid(text, path)
    return text


def _wire_name(name: str, shape: Shape) -> str:
    """As botocore's EC2Serializer names a member."""
    known = shape.serialization
    if "queryName" in known:
        return str(known["queryName"])
    location = str(known.get("name", name))
    return location[0].upper() + location[1:] if "name" in known else name


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _unknown(name: str) -> Refusal:
    return Refusal("UnknownParameter", f"The parameter {name} is not recognized")


def _invalid(text: str, path: str) -> Refusal:
    return Refusal("InvalidParameterValue", f"Invalid value '{text}' for {path}.")

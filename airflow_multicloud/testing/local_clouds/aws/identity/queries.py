"""Requests and answers of AWS's query protocol, read and written by botocore's models.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html. EC2's is another.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from airflow_multicloud.testing.local_clouds.aws.compute.answers import XmlAnswer
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit, check
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import model_of

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

_XML = "text/xml"


class Refused(Exception):  # noqa: N818 - an answer of the protocol, no error of this program
    """A request that a service refuses."""

    def __init__(
        self, code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.answer = XmlAnswer(
            status=status,
            content_type=_XML,
            body=(
                "<ErrorResponse><Error><Type>Sender</Type>"
                f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
                f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
            ),
        )


def read(service: str, body: bytes) -> tuple[OperationModel, dict[str, Any]]:
    """The operation and its members.

    :param service: as boto3 names it.
    :raises Refused: for what the model does not know.
    """
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    model = model_of(service)
    action, version = form.pop("Action", ""), form.pop("Version", "")
    if action not in model.operation_names or version != model.metadata["apiVersion"]:
        raise Refused("InvalidAction", f"Could not find operation {action} for version {version}")
    operation = model.operation_model(action)
    try:
        tree = _tree(form)
        given: dict[str, Any] = _value(tree, operation.input_shape, "") if tree else {}
        if operation.input_shape is not None:
            check(given, operation.input_shape)
    except Unfit as unfit:
        raise Refused("ValidationError", str(unfit)) from None
    return operation, given


def answer_of(operation: OperationModel, members: Mapping[str, Any]) -> XmlAnswer:
    """An operation's answer, checked by the model like a request.

    :raises Unfit: when it does not fit: a mistake of this server's.
    """
    root = ET.Element(
        f"{operation.name}Response", xmlns=operation.service_model.metadata["xmlNamespace"]
    )
    shape: Any = operation.output_shape
    if shape is not None:
        check(dict(members), shape)
        result = ET.SubElement(
            root, shape.serialization.get("resultWrapper", f"{operation.name}Result")
        )
        _write(result, members, shape)
    metadata = ET.SubElement(root, "ResponseMetadata")
    ET.SubElement(metadata, "RequestId").text = str(uuid.uuid4())
    return XmlAnswer(body=ET.tostring(root, encoding="utf-8"), content_type=_XML)


def _tree(form: Mapping[str, str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, text in form.items():
        *path, last = name.split(".")
        level = root
        for step in path:
            level = level.setdefault(step, {})
            if not isinstance(level, dict):
                raise Unfit(f"{name} is not known")
        level[last] = text
    return root


def _value(tree: Any, shape: Any, path: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(tree, dict):
            raise Unfit(f"{path}: expected structure")
        if unknown := sorted(set(tree) - set(shape.members)):
            raise Unfit(f"{path or 'request'}: {unknown[0]} is not known")
        return {
            name: _value(part, shape.members[name], f"{path}.{name}".lstrip("."))
            for name, part in tree.items()
        }
    if kind == "list":
        members = tree.get("member") if isinstance(tree, dict) else None
        if not isinstance(members, dict) or set(tree) != {"member"}:
            raise Unfit(f"{path}: expected list")
        return [_value(members[at], shape.member, path) for at in sorted(members, key=int)]
    if not isinstance(tree, str):
        raise Unfit(f"{path}: expected {kind}")
    try:
        return _READ.get(kind, str)(tree)
    except (ValueError, KeyError):
        raise Unfit(f"{path}: expected {kind}") from None


_READ: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def _write(parent: ET.Element, value: Any, shape: Any) -> None:
    if shape.type_name == "structure":
        for name, member in value.items():
            if member is not None:
                _write(ET.SubElement(parent, name), member, shape.members[name])
    elif shape.type_name == "list":
        for member in value:
            _write(ET.SubElement(parent, "member"), member, shape.member)
    elif shape.type_name == "map":
        for key, member in value.items():
            entry = ET.SubElement(parent, "entry")
            ET.SubElement(entry, "key").text = key
            _write(ET.SubElement(entry, "value"), member, shape.value)
    else:
        parent.text = _text(value, shape)


def _text(value: Any, shape: Shape) -> str:
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)

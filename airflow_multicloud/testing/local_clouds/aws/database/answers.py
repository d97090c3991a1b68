"""Answers of the query protocol: XML by botocore's model, also for what is refused."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree as ET

from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import check
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import model_of
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_SERVICE = "rds"


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, no error of this program
    """A request that RDS refuses."""

    def __init__(self, code: str, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    @property
    def answer(self) -> Answer:
        """As it is sent."""
        root = _root("ErrorResponse")
        error = ET.SubElement(root, "Error")
        sender = self.status < HTTPStatus.INTERNAL_SERVER_ERROR
        told = {
            "Type": "Sender" if sender else "Receiver",
            "Code": self.code,
            "Message": self.message,
        }
        for name, text in told.items():
            ET.SubElement(error, name).text = text
        ET.SubElement(root, "RequestId").text = str(uuid.uuid4())
        return _sent(root, self.status)


def answer_of(operation: str, members: Mapping[str, Any]) -> Answer:
    """An operation's answer.

    :raises Unfit: when the members are none of the model's, a mistake of this server.
    """
    shape: Any = model_of(_SERVICE).operation_model(operation).output_shape
    root = _root(f"{operation}Response")
    if shape is not None:
        check(members, shape)
        _fill(ET.SubElement(root, shape.serialization["resultWrapper"]), members, shape)
    metadata = ET.SubElement(root, "ResponseMetadata")
    ET.SubElement(metadata, "RequestId").text = str(uuid.uuid4())
    return _sent(root, HTTPStatus.OK)


def _fill(element: ET.Element, members: Mapping[str, Any], shape: Any) -> None:
    for name, value in members.items():
        if value is None:
            continue
        member = shape.members[name]
        _put(ET.SubElement(element, member.serialization.get("name", name)), value, member)


def _put(element: ET.Element, value: Any, shape: Any) -> None:
    if shape.type_name == "structure":
        _fill(element, value, shape)
    elif shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        for one in value:
            _put(ET.SubElement(element, name), one, shape.member)
    else:
        element.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


def _root(name: str) -> ET.Element:
    return ET.Element(name, {"xmlns": str(model_of(_SERVICE).metadata["xmlNamespace"])})


def _sent(root: ET.Element, status: int) -> Answer:
    return Answer(
        status=status,
        body=ET.tostring(root, encoding="utf-8", xml_declaration=True),
        headers={"content-type": "text/xml"},
    )

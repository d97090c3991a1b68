"""Answers as EC2 sends them: XML, also for what is refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from werkzeug import Response

from airflow_multicloud.testing.local_clouds.kit.http import Answer

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlAnswer(Answer):
    """An answer whose body is XML, as text or bytes, or what moto sent."""

    content_type: str = "text/xml;charset=UTF-8"

    def response(self) -> Response:
        """The answer on the wire."""
        body = self.body if isinstance(self.body, bytes) else str(self.body).encode()
        found = Response(body, self.status, content_type=self.content_type)
        found.headers.update(self.headers)
        return found


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, no error of this program
    """A request that EC2 refuses.

    Form: "Example of an error response" in "Error codes for the Amazon EC2 API".
    """

    def __init__(self, code: str, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.answer = XmlAnswer(
            status=status,
            body=(
                '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
                f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
                f"</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
            ),
        )


def parsed(body: bytes) -> ET.Element:
    """An answer of moto's, with plain names."""
    root = ET.fromstring(body)  # noqa: S314 - moto's own
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def answer_of(root: ET.Element) -> XmlAnswer:
    """An answer out of a document with plain names."""
    root.set("xmlns", _NAMESPACE)
    return XmlAnswer(body=ET.tostring(root, encoding="utf-8", xml_declaration=True))


def named_root(action: str) -> ET.Element:
    """The empty answer of an action."""
    root = ET.Element(f"{action}Response")
    ET.SubElement(root, "requestId").text = str(uuid.uuid4())
    return root


def state_changes(action: str, changes: Iterable[tuple[str, str, str]]) -> XmlAnswer:
    """The answer of starting, stopping and terminating.

    :param changes: instance id, state before, state now.
    """
    root = named_root(action)
    found = ET.SubElement(root, "instancesSet")
    for instance_id, before, now in changes:
        item = ET.SubElement(found, "item")
        ET.SubElement(item, "instanceId").text = instance_id
        for name, state in (("currentState", now), ("previousState", before)):
            element = ET.SubElement(item, name)
            ET.SubElement(element, "code").text = str(STATE_CODES[state])
            ET.SubElement(element, "name").text = state
    return answer_of(root)


#: "InstanceState" in the Amazon EC2 API reference.
STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}

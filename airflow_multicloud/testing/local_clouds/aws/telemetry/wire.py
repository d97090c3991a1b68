"""Requests and answers of AWS's RPC protocols, read and written by botocore's model of a service.

AWS JSON 1.0 and 1.1, which boto3 speaks
(https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html), and Smithy RPC v2 CBOR
(https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html).
"""

from __future__ import annotations

import gzip
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.model import DenormalizedStructureBuilder
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from airflow_multicloud.testing.local_clouds.kit.http import Answer

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape
    from werkzeug import Request

_CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")
_CBOR = "application/cbor"
_ERROR = (
    DenormalizedStructureBuilder()
    .with_members({"__type": {"type": "string"}, "message": {"type": "string"}})
    .build_model()
)


class Refused(Exception):  # noqa: N818 - an answer of the protocol, no error of this program
    """A request that the service refuses.

    :param code: as it is told to a client.
    """

    def __init__(
        self, code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request.

    :param given: its members, by the model's names; times are aware.
    :param size: of its body, not compressed.
    """

    operation: str
    region: str
    given: Mapping[str, Any]
    size: int


@cache
def model_of(service: str) -> ServiceModel:
    """The description of a service that botocore has."""
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def operation_of(request: Request) -> str:
    """The operation that a request names; empty where it names none in a known way."""
    if (found := _CBOR_PATH.fullmatch(request.path)) is not None:
        return found[1]
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2]


def body_of(request: Request) -> bytes:
    """A request's body, not compressed.

    :raises OSError: when it is not what it says to be.
    """
    body = request.get_data()
    return gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body


def members_of(request: Request, body: bytes) -> Any:
    """What a request's body holds.

    :raises ValueError: when it can't be read.
    """
    if request.mimetype == _CBOR:
        return _CborParser().read(body)
    return json.loads(body or b"{}")


def typed(value: Any, shape: Shape) -> Any:
    """A value with its times as such: JSON has them as seconds."""
    if shape.type_name == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if shape.type_name == "structure":
        return {
            name: typed(member, shape.members[name])
            for name, member in value.items()
            if member is not None
        }
    return [typed(one, shape.member) for one in value] if shape.type_name == "list" else value


def answer_of(request: Request, operation: OperationModel, members: Mapping[str, Any]) -> Answer:
    """An operation's answer, in the protocol of the request."""
    shape = operation.output_shape
    if request.mimetype == _CBOR:
        body = b"" if shape is None else _CborWriter().written(members, shape)
        return _answer(request, body)
    return _answer(request, json.dumps(members, default=_seconds).encode())


def refusal_of(request: Request, refused: Refused) -> Answer:
    """A refusal, in the protocol of the request."""
    told = {"__type": refused.code, "message": refused.message}
    cbor = request.mimetype == _CBOR
    body = _CborWriter().written(told, _ERROR) if cbor else json.dumps(told).encode()
    fault = "Sender" if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
    # CloudWatch's codes are those of its former protocol: "awsQueryCompatible" in its model.
    former = request.headers.get("x-amzn-query-mode") == "true"
    headers = {"x-amzn-query-error": f"{refused.code};{fault}"} if former else {}
    return _answer(request, body, refused.status, headers)


def _answer(
    request: Request,
    body: bytes,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Answer:
    cbor = request.mimetype == _CBOR
    return Answer(
        status=status,
        body=body,
        headers={
            "content-type": _CBOR if cbor else "application/x-amz-json-1.1",
            "x-amzn-requestid": str(uuid.uuid4()),
            **({"smithy-protocol": "rpc-v2-cbor"} if cbor else {}),
            **headers,
        },
    )


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} is not JSON")


class _CborParser(RpcV2CBORParser):  # type: ignore[misc] # botocore has no types
    """botocore's parser of answers, for requests."""

    def __init__(self) -> None:
        super().__init__(timestamp_parser=lambda value: datetime.fromtimestamp(value, UTC))

    def read(self, body: bytes) -> Any:
        """What a body holds."""
        return self._initial_body_parse(body) or {}


class _CborWriter(RpcV2CBORSerializer):  # type: ignore[misc] # botocore has no types
    """botocore's writer of requests, for answers."""

    def written(self, members: Mapping[str, Any], shape: Any) -> bytes:
        """A structure as CBOR."""
        body = bytearray()
        self._serialize_data_item(body, members, shape)
        return bytes(body)

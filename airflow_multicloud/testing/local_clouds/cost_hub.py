"""``python -m airflow_multicloud.testing.local_clouds.cost_hub``: AWS Cost Optimization Hub.

Simulated, for moto has none: requests and answers are checked against botocore's model of the
service, nothing was compared with AWS. ``POST /seed`` takes a JSON array of recommendations as
``ListRecommendations`` answers them.
"""

from __future__ import annotations

import argparse
import json
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader  # noqa: TID253 - only this process loads it
from botocore.model import ServiceModel  # noqa: TID253
from botocore.validate import ParamValidator  # noqa: TID253

from airflow_multicloud.testing.local_clouds.sockets import LOOPBACK

if TYPE_CHECKING:
    from botocore.model import Shape

_SERVICE = "cost-optimization-hub"
#: In whose account the Hub is switched on.
_ENROLLED = {"accountId": "111122223333", "status": "Active"}
_PAGE = 100


class CostOptimizationHub(ThreadingHTTPServer):
    """The operations that this package asks for, over AWS's JSON protocol."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.items: list[dict[str, Any]] = []
        self._listed = {
            "ListRecommendations": self.items,
            "ListEnrollmentStatuses": [_ENROLLED],
        }

    @cached_property
    def _model(self) -> ServiceModel:
        return ServiceModel(Loader().load_service_model(_SERVICE, "service-2"), _SERVICE)

    def answer(self, target: str, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
        """Status and answer to one request of AWS."""
        service, _, name = target.rpartition(".")
        if service != self._model.metadata["targetPrefix"] or name not in self._listed:
            return _refusal("UnknownOperationException", f"{target} is not simulated")
        operation, all_ = self._model.operation_model(name), self._listed[name]
        asked = json.loads(body or b"{}")
        if wrong := _violations(asked, operation.input_shape):
            return _refusal("ValidationException", wrong)
        first, size = int(asked.get("nextToken", 0)), asked.get("maxResults", _PAGE)
        found: dict[str, Any] = {"items": all_[first : first + size]}
        if first + size < len(all_):
            found["nextToken"] = str(first + size)
        if wrong := _violations(found, operation.output_shape):
            return _refusal("InternalServerException", f"the seeded answer is none: {wrong}")
        return HTTPStatus.OK, found


def _violations(value: Any, shape: Shape | None) -> str:
    report = ParamValidator().validate(value, shape)
    return str(report.generate_report())


def _refusal(kind: str, message: str) -> tuple[HTTPStatus, dict[str, Any]]:
    return HTTPStatus.BAD_REQUEST, {"__type": kind, "message": message}


class _Handler(BaseHTTPRequestHandler):
    server: CostOptimizationHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say that the server is there."""
        self._send(HTTPStatus.OK, {})

    def do_POST(self) -> None:
        """Seed, or answer AWS's client."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/seed":
            self.server.items.extend(json.loads(body))
            self._send(HTTPStatus.OK, {})
            return
        self._send(*self.server.answer(self.headers.get("x-amz-target", ""), body))

    def _send(self, status: HTTPStatus, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
        """Be quiet."""


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="cost_hub", description="Cost Optimization Hub")
    parser.add_argument("--port", type=int, required=True)
    with CostOptimizationHub(parser.parse_args().port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()

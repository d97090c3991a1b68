"""AWS Cost Optimization Hub, over AWS's JSON protocol.

Simulated, for moto has none: requests and answers are checked against botocore's model of the
service, nothing was compared with AWS.
"""

from __future__ import annotations

import json
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader  # noqa: TID253 - only the server's process loads it
from botocore.model import ServiceModel  # noqa: TID253 - likewise
from botocore.validate import ParamValidator  # noqa: TID253 - likewise
from werkzeug import Request

from airflow_multicloud.testing.local_clouds.kit.http import Answer

if TYPE_CHECKING:
    from botocore.model import Shape

_SERVICE = "cost-optimization-hub"
#: In whose account the Hub is switched on.
_ENROLLED = {"accountId": "111122223333", "status": "Active"}
_PAGE = 100
_HEADERS = {"content-type": "application/x-amz-json-1.0"}


class CostOptimizationHub:
    """The operations that this package asks for."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._listed = {
            "ListRecommendations": self.items,
            "ListEnrollmentStatuses": [_ENROLLED],
        }

    @cached_property
    def _model(self) -> ServiceModel:
        return ServiceModel(Loader().load_service_model(_SERVICE, "service-2"), _SERVICE)

    def answer(self, request: Request) -> Answer:
        """The answer to one request of AWS's clients."""
        target = request.headers.get("x-amz-target", "")
        service, _, name = target.rpartition(".")
        if service != self._model.metadata["targetPrefix"] or name not in self._listed:
            return _refusal("UnknownOperationException", f"{target} is not simulated")
        operation, all_ = self._model.operation_model(name), self._listed[name]
        asked = json.loads(request.get_data() or b"{}")
        if wrong := _violations(asked, operation.input_shape):
            return _refusal("ValidationException", wrong)
        first, size = int(asked.get("nextToken", 0)), asked.get("maxResults", _PAGE)
        found: dict[str, Any] = {"items": all_[first : first + size]}
        if first + size < len(all_):
            found["nextToken"] = str(first + size)
        if wrong := _violations(found, operation.output_shape):
            return _refusal("InternalServerException", f"the seeded answer is none: {wrong}")
        return Answer(body=found, headers=_HEADERS)


def _violations(value: Any, shape: Shape | None) -> str:
    report = ParamValidator().validate(value, shape)
    return str(report.generate_report())


def _refusal(kind: str, message: str) -> Answer:
    body = {"__type": kind, "message": message}
    return Answer(status=HTTPStatus.BAD_REQUEST, body=body, headers=_HEADERS)

"""CloudWatch's answer to how far replicas are behind: measured when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws.database.world import World
from airflow_multicloud.testing.local_clouds.aws.metrics import words
from airflow_multicloud.testing.local_clouds.aws.metrics.questions import (
    MOST_POINTS,
    get_metric_data,
)
from airflow_multicloud.testing.local_clouds.aws.metrics.series import Region, Sample, Series
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit, check
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import (
    Call,
    Refused,
    answer_of,
    body_of,
    members_of,
    model_of,
    operation_of,
    refusal_of,
    typed,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_BOTO_NAME, _OPERATION = "cloudwatch", "GetMetricData"


def answer(world: World, request: Request, region: str) -> Answer:
    """The answer to a request that is signed for CloudWatch."""
    name = operation_of(request)
    if name != _OPERATION:
        told = f"{name} is not offered by this local CloudWatch."
        return refusal_of(request, Refused("InvalidAction", told))
    try:
        found = get_metric_data(_read(request, region), _measured(world, region), most=MOST_POINTS)
    except Refused as refused:
        return refusal_of(request, refused)
    return answer_of(request, model_of(_BOTO_NAME).operation_model(name), found)


def _read(request: Request, region: str) -> Call:
    body = body_of(request)
    given: Mapping[str, Any] = members_of(request, body)
    shape = model_of(_BOTO_NAME).operation_model(_OPERATION).input_shape
    try:
        if shape is not None:
            check(given, shape)
            given = typed(given, shape)
    except Unfit as unfit:
        raise words.unfit(unfit) from None
    return Call(operation=_OPERATION, region=region, given=given, size=len(body))


def _measured(world: World, region: str) -> Region:
    """The series of all replicas that run, each with one sample."""
    found = Region()
    with world.lock:
        replicas = [
            one
            for (where, _), one in world.instances.items()
            if where == region and one.source is not None and one.status == "available"
        ]
    for one in replicas:
        if one.server is None or not one.server.running:
            continue
        seconds = one.server.lag().total_seconds()
        sample = Sample(
            second=int(datetime.now(UTC).timestamp()),
            resolution=60,
            unit="Seconds",
            count=1,
            total=seconds,
            minimum=seconds,
            maximum=seconds,
        )
        key = ("AWS/RDS", "ReplicaLag", frozenset({("DBInstanceIdentifier", one.identifier)}))
        found.series[key] = Series(samples=[sample])
    return found

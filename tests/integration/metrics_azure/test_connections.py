"""Which connections lead to Azure Monitor, and what of them is shown."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.azure.metrics import MonitorMetricsHook
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.testing.local_clouds.azure.telemetry import INSTRUMENTATION_KEY
from tests.integration.metrics_azure.conftest import CONN_ID, Lab

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

Connect = Callable[[Mapping[str, Any]], str]
_STRING = "application_insights_connection_string"
_OTHER_KEY = "99999999-9999-4999-8999-999999999999"


def _without(connection: Mapping[str, Any], *names: str) -> dict[str, Any]:
    extra = {name: value for name, value in connection["extra"].items() if name not in names}
    return {**connection, "extra": extra}


def test_a_key_alone_does_where_nobody_is_named(
    lab: Lab, connection: dict[str, Any], connect: Connect
) -> None:
    alone = {"conn_type": "azure", "extra": connection["extra"]}
    hook = MonitorMetricsHook(connect(alone))
    assert hook.export_points([lab.point()], namespace=lab.namespace).accepted == 1
    asked = lab.admin.requests()
    assert [one["path"] for one in asked] == ["/v2.1/track"]
    assert len(lab.read()) == 1


def test_a_wrong_key_ends_the_sending(
    lab: Lab, connection: dict[str, Any], connect: Connect
) -> None:
    wrong = connection["extra"][_STRING].replace(INSTRUMENTATION_KEY, _OTHER_KEY)
    other = {**connection, "extra": {**connection["extra"], _STRING: wrong}}
    hook = MonitorMetricsHook(connect(other))
    points = [lab.point(f"m{number}") for number in range(501)]
    told = hook.export_points(points, namespace=lab.namespace)
    assert (told.rejected, told.dropped, told.requests) == (500, 1, 1)
    assert {one.kind for one in told.refusals} == {ErrorKind.UNAUTHENTICATED}
    assert _OTHER_KEY not in repr(told)


def test_a_wrong_secret_is_found_before_anything_is_sent(
    lab: Lab, connection: dict[str, Any], connect: Connect
) -> None:
    hook = MonitorMetricsHook(connect({**connection, "password": "canary-secret"}))
    with pytest.raises(CredentialsError) as caught:
        hook.export_points([lab.point()], namespace=lab.namespace)
    assert "canary-secret" not in str(caught.value)
    assert lab.tracked() == []


def test_nobody_who_grants_tokens_is_no_loss_of_points(
    lab: Lab, connection: dict[str, Any], connect: Connect
) -> None:
    """Nothing was sent, so nothing is unknown: it is an error that a retry may find gone."""
    extra = {**connection["extra"], "authority": "https://127.0.0.1:1"}
    hook = MonitorMetricsHook(connect({**connection, "extra": extra}))
    with pytest.raises(CredentialsError) as caught:
        hook.export_points([lab.point()], namespace=lab.namespace)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert lab.tracked() == []


@pytest.mark.parametrize(
    "text",
    [
        "InstrumentationKey=canary-key;IngestionEndpoint=https://127.0.0.1",
        f"InstrumentationKey={_OTHER_KEY}",
        f"InstrumentationKey={_OTHER_KEY};IngestionEndpoint=http://127.0.0.1",
        f"InstrumentationKey={_OTHER_KEY};IngestionEndpoint=127.0.0.1",
        f"InstrumentationKey={_OTHER_KEY}\n;IngestionEndpoint=https://127.0.0.1",
        "IngestionEndpoint=https://127.0.0.1",
        "canary-key",
        ";;=;",
        ["canary-key"],
    ],
)
def test_a_bad_connection_string_is_refused_unseen(
    connection: dict[str, Any], connect: Connect, text: object
) -> None:
    conn_id = connect({**connection, "extra": {**connection["extra"], _STRING: text}})
    with pytest.raises(CredentialsError) as caught:
        MonitorMetricsHook(conn_id)
    assert _STRING in str(caught.value)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "canary-key" not in str(caught.value)
    assert _OTHER_KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        (_STRING, lambda hook, lab: hook.export_points([], namespace="n")),
        (_STRING, lambda hook, lab: hook.check_points([], namespace="n")),
        ("logs_workspace_id", lambda hook, lab: hook.read_points(lab.query())),
        ("otlp_metrics_endpoint", lambda hook, lab: hook.otlp_metrics_target()),
    ],
)
def test_what_is_missing_is_named_when_it_is_needed(
    lab: Lab, connection: dict[str, Any], connect: Connect, name: str, use: Callable[..., object]
) -> None:
    hook = MonitorMetricsHook(connect(_without(connection, name)))
    with pytest.raises(CredentialsError, match=f"has no {name}; set it in its extra"):
        use(hook, lab)


def test_neither_logs_nor_reprs_show_the_key(
    lab: Lab, local_azure_telemetry: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = lab.export(lab.point())
    shown = caplog.text + repr(told) + repr(lab.hook.__dict__) + repr(lab.hook._monitor)
    assert os.environ[f"AIRFLOW_CONN_{CONN_ID.upper()}"].count(INSTRUMENTATION_KEY) == 1
    assert INSTRUMENTATION_KEY not in shown

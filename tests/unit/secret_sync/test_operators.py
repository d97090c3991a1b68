"""The operator, the sensor and the functions, over connections of the memory cloud."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk.exceptions import TaskDeferred

from airflow_multicloud import api
from airflow_multicloud.errors import CloudError, ErrorKind, SecretsError
from airflow_multicloud.operators import SyncSecretsOperator
from airflow_multicloud.sensors import SecretDriftSensor
from airflow_multicloud.testing.memory_cloud.secrets.space import NAMES
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind
from airflow_multicloud.triggers.poll import look
from tests.unit.operators.test_base import Context

from .lab import HOME, ONE, PREFIX, TWO, A, B, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

CANARY = "cAnArY-Value-91f2"
OTHERS = "oTherCanary-77ab"


@pytest.fixture(autouse=True)
def _accounts(memory_account: Callable[[str, str], str], world: World) -> None:
    for conn_id in (HOME, ONE, TWO):
        memory_account(conn_id, "lab")


def _operator(**options: Any) -> SyncSecretsOperator:
    given = {"source": HOME, "destinations": [ONE, TWO], "prefix": PREFIX, **options}
    return SyncSecretsOperator(task_id="sync", **given)


def _sensor(**options: Any) -> SecretDriftSensor:
    given = {"source": HOME, "destinations": [ONE], "prefix": PREFIX, **options}
    return SecretDriftSensor(task_id="equal", **given)


def test_the_report_is_returned_and_in_xcom(world: World) -> None:
    world.write(HOME, A, b"a")
    context: Any = Context()
    found = _operator().execute(context)
    assert found["succeeded"]
    assert [one["created"] for one in found["destinations"]] == [1, 1]
    assert context.pushed == {"secrets_report": found}
    assert world.values(ONE) == world.values(TWO) == {A: b"a"}


def test_a_conflict_fails_for_good_with_the_report_in_xcom(world: World) -> None:
    world.write(HOME, A, b"a")
    world.write(ONE, A, b"x")
    context: Any = Context()
    with pytest.raises(AirflowFailException, match="precondition_failed: 1 secrets are not"):
        _operator().execute(context)
    assert context.pushed["secrets_report"]["destinations"][0]["conflict"] == 1
    assert world.values(TWO) == {A: b"a"}


def test_what_passes_by_is_left_to_retries(world: World) -> None:
    world.write(HOME, A, b"a")
    world.space(ONE).faults.plant([SecretFault(kind=SecretFaultKind.REFUSE)])
    with pytest.raises(api.SyncFailedError) as err:
        _operator().execute(Context())  # type: ignore[arg-type]
    assert err.value.retryable
    _operator().execute(Context())  # type: ignore[arg-type]


def test_a_dry_run_is_a_plan(world: World) -> None:
    world.write(HOME, A, b"a")
    context: Any = Context()
    found = _operator(dry_run=True).execute(context)
    assert found["dry_run"]
    assert found["destinations"][0]["created"] == 1
    assert context.pushed == {}
    assert world.values(ONE) == {}


def test_parameters_may_be_texts_of_templates(world: World) -> None:
    world.write(HOME, A, b"a")
    world.write(HOME, B, b"b")
    operator = _operator(
        names=f"['{A}']", prefix="None", max_replace="3", max_remove="0", accounts="None"
    )
    assert operator.execute(Context())["destinations"][0]["created"] == 1  # type: ignore[arg-type]
    assert world.values(ONE) == {A: b"a"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": [], "prefix": None}, "names: an empty list given"),
        ({"prefix": ""}, "names, prefix: neither given"),
        ({"on_conflict": "merge"}, "on_conflict: 'merge' given, expected one of fail, keep"),
        ({"deletion_policy": "x"}, "deletion_policy: 'x' given, expected one of retain, remove"),
        ({"max_replace": "many"}, "max_replace: 'many' given"),
        ({"source": ""}, "source: nothing given"),
        ({"destinations": [HOME]}, "destinations: memory_home given, which is the source"),
        ({"accounts": {ONE: 5}}, "accounts: expected a mapping"),
        ({"accounts": {ONE: "elsewhere"}}, "accounts: connection 'memory_one' leads to"),
    ],
)
def test_what_is_wrong_is_named(world: World, options: dict[str, Any], message: str) -> None:
    world.write(HOME, A, b"a")
    with pytest.raises(AirflowFailException, match=message):
        _operator(**options).execute(Context())  # type: ignore[arg-type]
    assert world.values(ONE) == {}


def test_the_sensor_waits_until_all_is_equal(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.write(HOME, A, b"a")
    sensor = _sensor()
    with caplog.at_level(logging.INFO):
        assert not sensor.poke(Context()).is_done  # type: ignore[arg-type]
    assert "not yet: memory_one: 1 created" in caplog.text
    api.sync_secrets(HOME, [ONE], prefix=PREFIX)
    found = sensor.poke(Context())  # type: ignore[arg-type]
    assert found.is_done
    assert found.xcom_value["in_sync"]
    assert world.space(ONE).kept[NAMES.encode(A)].versions[-1].value == b"a"


def test_the_sensor_fails_on_a_conflict_unless_told_otherwise(world: World) -> None:
    world.write(HOME, A, b"a")
    world.write(ONE, A, b"x")
    with pytest.raises(AirflowFailException, match="unknown_value"):
        _sensor().poke(Context())  # type: ignore[arg-type]
    assert not _sensor(fail_on="nothing").poke(Context()).is_done  # type: ignore[arg-type]
    with pytest.raises(AirflowFailException, match="fail_on: 'x' given"):
        _sensor(fail_on="x").poke(Context())  # type: ignore[arg-type]


def test_the_sensor_waits_or_fails_while_a_secret_is_disabled(world: World) -> None:
    world.write(HOME, A, b"a")
    world.write(ONE, A, b"x")
    world.disable(HOME, A)
    assert not _sensor().poke(Context()).is_done  # type: ignore[arg-type]
    with pytest.raises(AirflowFailException, match="disabled: memory_one: app/a"):
        _sensor(on_disabled="fail").poke(Context())  # type: ignore[arg-type]
    with pytest.raises(AirflowFailException, match="on_disabled: 'x' given"):
        _sensor(on_disabled="x").poke(Context())  # type: ignore[arg-type]


def test_the_sensor_looks_again_where_a_store_is_out_for_a_while(world: World) -> None:
    world.write(HOME, A, b"a")
    fault = SecretFault(kind=SecretFaultKind.REFUSE, call=SecretCall.DESCRIBE)
    world.space(ONE).faults.plant([fault])
    assert not _sensor().poke(Context()).is_done  # type: ignore[arg-type]


def test_the_sensor_defers_with_arguments_that_are_json(world: World) -> None:
    world.write(HOME, A, b"a")
    with pytest.raises(TaskDeferred) as deferred:
        _sensor(deferrable=True, accounts={ONE: "memory_one"}).execute(Context())  # type: ignore[arg-type]
    trigger: Any = deferred.value.trigger
    arguments = json.loads(json.dumps(trigger.arguments))
    api.sync_secrets(HOME, [ONE], prefix=PREFIX)
    from airflow_multicloud.opening.secrets import check_drift

    found = look(check_drift, arguments)
    assert found.facts is not None
    assert found.facts["in_sync"]


def test_drift_and_lists_change_nothing(world: World) -> None:
    world.write(HOME, A, b"a")
    world.write(HOME, B, b"b")
    world.write(ONE, B, b"x")
    report = api.secret_drift(HOME, [ONE], prefix=PREFIX)
    assert not report.in_sync
    assert (report.destinations[0].created, report.destinations[0].conflict) == (1, 1)
    assert world.values(ONE) == {B: b"x"}
    assert [one.name for one in api.list_secrets(HOME, prefix=PREFIX)] == [A, B]
    with pytest.raises(SecretsError) as err:
        api.secret_drift(HOME, [ONE], names=["app/nothing"])
    assert err.value.kind is ErrorKind.NOT_FOUND


def test_no_value_and_no_digest_is_in_anything(
    world: World,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Canaries that are copied, conflict, are refused and fail; with what they are compared by."""
    from airflow_multicloud.core.secret_sync.looking import Comparer

    digests: list[bytes] = []
    digest = Comparer.digest

    def kept(self: Comparer, value: bytes) -> bytes:
        digests.append(digest(self, value))
        return digests[-1]

    monkeypatch.setattr(Comparer, "digest", kept)
    heard: list[str] = []
    world.write(HOME, A, CANARY.encode())
    world.write(HOME, B, b"x" * 20_001)
    world.write(ONE, A, OTHERS.encode())
    world.space(TWO).faults.plant([SecretFault(kind=SecretFaultKind.REFUSE)])
    caplog.set_level(logging.DEBUG)
    for options in ({}, {"on_conflict": "overwrite"}, {"dry_run": True}, {"max_replace": 0}):
        context: Any = Context()
        operator = _operator(**options)
        try:
            heard.append(repr(operator.execute(context)))
        except Exception as err:  # noqa: BLE001 - whichever it is
            cause = err.__cause__ if isinstance(err.__cause__, CloudError) else err
            heard += [repr(err), "".join(traceback.format_exception(err)), repr(vars(cause))]
            heard.append(repr(pickle.dumps(cause)))
        heard += [repr(context.pushed), repr({n: getattr(operator, n) for n in _TEMPLATES})]
        world.write(ONE, A, OTHERS.encode())
    heard.append(repr(api.secret_drift(HOME, [ONE, TWO], prefix=PREFIX)))
    heard.append(caplog.text)
    heard += [repr(record.__dict__) for record in caplog.records]
    heard += [span.to_json() for span in spans.get_finished_spans()]
    assert digests
    assert "unknown_value" in "".join(heard)
    for text in heard:
        assert CANARY not in text
        assert OTHERS not in text
        for one in digests:
            assert one.hex() not in text
            assert repr(one)[2:-1] not in text


_TEMPLATES = SyncSecretsOperator.template_fields


def test_the_spans_are_of_each_destination(world: World, spans: InMemorySpanExporter) -> None:
    world.write(HOME, A, b"a")
    world.space(ONE).faults.plant([SecretFault(kind=SecretFaultKind.REFUSE)])
    with pytest.raises(api.SyncFailedError):
        api.sync_secrets(HOME, [ONE, TWO], prefix=PREFIX)
    found = spans.get_finished_spans()
    written = [one for one in found if one.name == "multicloud.secrets.sync.destination"]
    outcomes = {
        (one.attributes or {})["multicloud.conn_id"]: (one.attributes or {})["multicloud.outcome"]
        for one in written
    }
    assert outcomes == {ONE: "unavailable", TWO: "ok"}
    (root,) = (one for one in found if one.name == "multicloud.secrets.sync")
    assert root.parent is None
    attributes = root.attributes or {}
    assert attributes["multicloud.secrets.created"] == 1
    assert attributes["multicloud.secrets.failed"] == 1

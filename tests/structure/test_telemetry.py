"""Telemetry of the whole package: threads keep their caller's span, whoever acts opens one."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow.configuration import conf
from airflow.sdk import BaseOperator
from opentelemetry.sdk import environment_variables
from opentelemetry.semconv._incubating.attributes import cloud_attributes
from opentelemetry.semconv.attributes import error_attributes, exception_attributes

import airflow_multicloud
from airflow_multicloud.cli import commands
from airflow_multicloud.cli.definition import get_cli_commands
from airflow_multicloud.get_provider_info import get_provider_info
from airflow_multicloud.operators.base import CloudOperator
from airflow_multicloud.operators.params import CheckParamsOperator
from airflow_multicloud.sensors.base import PollingSensor

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(airflow_multicloud.__file__).parent
#: What runs in whoever uses the package; the local clouds are servers of their own.
SOURCES = {
    path.relative_to(PACKAGE).as_posix(): path.read_text()
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] != "testing"
}
TREES = {name: ast.parse(text) for name, text in SOURCES.items()}
#: The only modules that hand work to a pool themselves.
SUBMITTING = ("core/telemetry.py", "adapters/pools.py", "clouds/aws/object_store/copying.py")
#: Threads that have no work: module, and what they run → why.
IDLE = {("core/cancellation.py", "made.shutdown"): "it waits for threads, and does nothing itself"}
CONVENTIONS = {
    value
    for module in (cloud_attributes, error_attributes, exception_attributes)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str)
}


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else ast.unparse(called)
            if name in names:
                yield node


def carries(call: ast.Call) -> bool:
    """Whether what is called is run under a copy of the caller's context."""
    first = ast.unparse(call.args[0]) if call.args else ""
    return first in ("copy_context().run", "in_context(work)")


def test_pools_carry_the_context() -> None:
    found = []
    for module, tree in TREES.items():
        for call in calls(tree, "submit"):
            if not isinstance(call.func, ast.Attribute):
                continue  # A function that was handed over: where that is made is seen there.
            found.append(module)
            assert carries(call), f"{module}:{call.lineno}: use submit_in_context"
        for call in calls(tree, "map"):
            of = ast.unparse(call.func)
            assert of == "map" or "pool" not in of, f"{module}:{call.lineno}: use map_in_context"
        for name in ("to_thread", "run_in_executor", "Timer", "ProcessPoolExecutor", "Process"):
            assert not [*calls(tree, name)], f"{module}: {name}"
    assert sorted(found) == sorted(SUBMITTING)


def test_threads_carry_the_context() -> None:
    found = 0
    for module, tree in TREES.items():
        for call in calls(tree, "Thread"):
            found += 1
            (target,) = (k.value for k in call.keywords if k.arg == "target")
            if (module, ast.unparse(target)) in IDLE:
                continue
            if isinstance(target, ast.Name):
                (target,) = (
                    node.value
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Assign)
                    and ast.unparse(node.targets[0]) == target.id
                    and "in_context" in ast.unparse(node.value)
                )
            assert "in_context(" in ast.unparse(target), f"{module}:{call.lineno}"
    assert found >= 4


def test_no_provider_is_installed() -> None:
    """Nor one made: the process has one, or none."""
    forbidden = re.compile(
        r"set_(?:tracer|meter|logger)_provider|\b(?:Tracer|Meter|Logger)Provider\(|"
        r"BatchSpanProcessor|PeriodicExportingMetricReader|configure_otel"
    )
    assert not {name for name, text in SOURCES.items() if forbidden.search(text)}


def test_attributes_have_conventional_names() -> None:
    """Either OpenTelemetry's, or under a prefix of our own."""
    seen = set()
    for module, tree in TREES.items():
        for call in calls(tree, "operation"):
            if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) != "telemetry":
                continue
            seen |= {(module, k.arg.replace("__", ".")) for k in call.keywords if k.arg}
        for call in calls(tree, "set_attribute"):
            first = call.args[0]
            if isinstance(first, ast.JoinedStr):
                assert isinstance(first.values[0], ast.Constant)
                first = first.values[0]
            assert isinstance(first, ast.Constant), ast.unparse(call)
            seen.add((module, str(first.value)))
    odd = {
        (module, name)
        for module, name in seen
        if not name.startswith("multicloud.") and name not in CONVENTIONS
    }
    assert not odd
    assert len(seen) > 50
    written = re.findall(r"\"((?:cloud|error|exception)\.[\w.]+)\"", SOURCES["core/telemetry.py"])
    assert {*written} <= CONVENTIONS
    assert {"error.type", "cloud.provider", "exception.message"} <= {*written}


def of_provider_info(kind: str) -> Iterator[Any]:
    for integration in get_provider_info()[kind]:
        for name in integration["python-modules"]:
            module = importlib.import_module(name)
            for _, member in inspect.getmembers(module, inspect.isclass):
                if member.__module__ == name and issubclass(member, BaseOperator):
                    yield member


def test_every_operator_works_within_a_span() -> None:
    """By its base, which opens it in ``at_work``, and which nothing goes around."""
    operators = [*of_provider_info("operators")]
    assert len(operators) > 25
    for operator in operators:
        executing = inspect.getsource(operator.execute)
        if operator is CheckParamsOperator:
            assert '@operation("operator"' in executing
            continue
        assert issubclass(operator, CloudOperator), operator
        assert operator.at_work is CloudOperator.at_work, operator
        through = ("self.at_work(context)", "self._go(context", "super().execute(context)")
        assert any(way in executing for way in through), operator
    assert "operation(" in inspect.getsource(CloudOperator.at_work)
    for sensor in of_provider_info("sensors"):
        assert sensor.poke is PollingSensor.poke, sensor
        assert sensor.execute is PollingSensor.execute, sensor
    assert "operation(" in inspect.getsource(PollingSensor.poke)


def test_every_command_works_within_a_span() -> None:
    (group,) = get_cli_commands()
    servers = {"local"}  # runs servers until it is stopped, and asks no cloud
    names = {command.name for command in group.subcommands} - servers
    assert len(names) > 20
    decorated = set()
    for found in pkgutil.walk_packages(commands.__path__, f"{commands.__name__}."):
        tree = ast.parse(Path(importlib.import_module(found.name).__file__ or "").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(one).startswith("command(") for one in node.decorator_list
            ):
                decorated.add(found.name.rpartition(".")[2])
    missing = {name for name in names if name.replace("-", "_") not in decorated}
    assert not missing
    assert "operation(" in inspect.getsource(
        importlib.import_module("airflow_multicloud.cli.running")
    )


@pytest.mark.parametrize("module", ["core/telemetry.py"])
def test_what_is_recorded_of_errors_is_cleaned(module: str) -> None:
    """OpenTelemetry's own recording has messages as they are: it is switched off."""
    opening = [*calls(TREES[module], "start_as_current_span")]
    assert len(opening) == 1
    switched = {k.arg: ast.unparse(k.value) for k in opening[0].keywords}
    assert switched["record_exception"] == switched["set_status_on_exception"] == "False"
    for name, tree in TREES.items():
        assert not [*calls(tree, "record_exception")], name
        if name != module:
            assert not [*calls(tree, "start_as_current_span", "start_span")], name


def test_the_how_to() -> None:
    """Its collector's pipelines have their parts, and its variables are known to who reads them."""
    page = (PACKAGE.parent / "docs" / "how-to" / "collector.md").read_text()
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    collector = yaml.safe_load(text)
    pipelines = collector["service"]["pipelines"]
    assert pipelines.keys() == {"traces", "metrics"}
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in pipelines.values() for name in pipeline[kind]}
        assert used == collector[kind].keys(), kind
    variables = dict(re.findall(r"^export (\w+)=(.+)$", page, re.MULTILINE))
    port = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"].endswith(f":{port}")
    exporters = {one.name for one in entry_points(group="opentelemetry_traces_exporter")}
    assert variables["OTEL_TRACES_EXPORTER"] in exporters
    for name in variables:
        if name.startswith("AIRFLOW__"):
            section, option = name.removeprefix("AIRFLOW__").lower().split("__")
            assert conf.get_default_value(section, option) is not None, name
        else:
            assert name == "OTEL_TRACES_EXPORTER" or name in vars(environment_variables), name
    # The short form on the other page says the same.
    short = (PACKAGE.parent / "docs" / "telemetry.md").read_text()
    said = dict(re.findall(r"^export (\w+)=(.+)$", short, re.MULTILINE))
    assert said.items() <= variables.items()

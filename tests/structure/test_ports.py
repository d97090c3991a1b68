from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_multicloud
import airflow_multicloud.ports

PACKAGE = Path(airflow_multicloud.__file__).parent
#: Values that several ports share, and no port.
SHARED = {"accounting", "calls", "windows"}
PORTS = sorted(
    {module.name for module in pkgutil.iter_modules(airflow_multicloud.ports.__path__)} - SHARED
)
CLOUDS = ("aws", "azure", "gcp")
SDKS = ("airflow.providers", "azure", "boto3", "botocore", "google.cloud", "obstore")
MOST_VERBS = 6  # more than that is another protocol


def _protocols(port):
    name = f"airflow_multicloud.ports.{port}"
    return [
        value
        for value in vars(importlib.import_module(name)).values()
        if getattr(value, "_is_protocol", False) and f"{value.__module__}.".startswith(f"{name}.")
    ]


def _files(port):
    """A port is a module, or a package of some."""
    module = PACKAGE / "ports" / f"{port}.py"
    return [module] if module.exists() else sorted((PACKAGE / "ports" / port).glob("*.py"))


def _verbs(protocol):
    return {
        name
        for name, value in vars(protocol).items()
        if not name.startswith("_") and callable(value)
    }


@pytest.mark.parametrize("port", PORTS)
def test_protocols_are_small(port):
    assert _protocols(port)
    assert {
        p.__name__: len(_verbs(p)) for p in _protocols(port) if len(_verbs(p)) > MOST_VERBS
    } == {}


def test_a_ports_face_shows_every_protocol():
    """What a package keeps from its face is in no check here, nor in any contract."""
    hidden = {
        f"{file.parent.name}.{file.stem}.{node.name}"
        for port in PORTS
        for file in _files(port)
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef)
        and "Protocol" in map(ast.unparse, node.bases)
        and node.name not in {protocol.__name__ for protocol in _protocols(port)}
    }
    assert hidden == set()


@pytest.mark.parametrize(
    "file", [pytest.param(file, id=file.stem) for port in PORTS for file in _files(port)]
)
def test_ports_import_the_standard_library_only(file):
    tree = ast.parse(file.read_text())
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            roots = {(node.module or "").partition(".")[0]}
        else:
            continue
        allowed = {*sys.stdlib_module_names, "airflow_multicloud"}
        if node in typing_only:
            allowed.add("typing_extensions")
        assert roots <= allowed, ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and roots == {"airflow_multicloud"}:
            assert (node.module or "").startswith(
                ("airflow_multicloud.ports", "airflow_multicloud.errors")
            ), ast.unparse(node)


HOOKS = [
    pytest.param(cloud, port, id=f"{cloud}-{port}")
    for cloud in CLOUDS
    for port in PORTS
    if (PACKAGE / "clouds" / cloud / port).is_dir()
    or (PACKAGE / "clouds" / cloud / f"{port}.py").exists()
]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_cloud_has_hooks_to_be_checked(cloud):
    """None found would be a mistake of this file: the tests below would check nothing."""
    assert {"object_store", "cost", "identity"} <= {
        port for of, port in (hook.values for hook in HOOKS) if of == cloud
    }


# Overridden on purpose: (cloud, port, name) → why.
OVERRIDDEN = {
    ("gcp", "cost", "get_client_options"): (
        "the official hook's own seam for another endpoint; only adds the extra bigquery.endpoint"
    ),
    ("gcp", "cost", "default_conn_name"): "the base hook's own; BigQuery's default is another",
    ("aws", "object_store", "_get_caller"): (
        "same answer; the official one reads the sources of the whole stack, 0.2 s a client"
    ),
    ("aws", "cost", "_get_caller"): "as in aws object_store",
    ("aws", "identity", "_get_caller"): "as in aws object_store",
    ("aws", "compute", "_get_caller"): "as in aws object_store",
    ("aws", "metrics", "_get_caller"): "as in aws object_store",
    ("aws", "logs", "_get_caller"): "as in aws object_store",
    ("aws", "secrets", "_get_caller"): "as in aws object_store",
    ("aws", "database", "_get_caller"): "as in aws object_store",
    ("aws", "object_store", "get_connection"): "the same one, read once in a session",
    ("aws", "cost", "get_connection"): "the same one, read once in a session",
    ("aws", "identity", "get_connection"): "the same one, read once in a session",
    ("aws", "compute", "get_connection"): "the same one, read once in a session",
    ("aws", "metrics", "get_connection"): "the same one, read once in a session",
    ("aws", "logs", "get_connection"): "the same one, read once in a session",
    ("aws", "secrets", "get_connection"): "the same one, read once in a session",
    ("aws", "database", "get_connection"): "the same one, read once in a session",
    **{
        ("gcp", port, name): reason
        for port in (
            *("object_store", "cost", "identity", "compute", "metrics", "logs"),
            *("secrets", "database"),
        )
        for name, reason in (
            ("get_connection", "the session's connection, read once"),
            ("get_credentials_and_project_id", "the session's, so that clients share one token"),
        )
    },
    ("gcp", "object_store", "get_client_options"): (
        "the official hook's own seam for another endpoint; only adds the extra gcs.endpoint"
    ),
    ("gcp", "compute", "get_client_options"): (
        "the official hook's own seam for another endpoint; only adds the extra compute.endpoint"
    ),
    ("gcp", "compute", "default_conn_name"): "the base hook's own",
    ("gcp", "database", "default_conn_name"): "the base hook's own; Cloud SQL's is for SQL",
    ("gcp", "secrets", "client"): (
        "the session's, so that the extra secretmanager.endpoint is heeded by the official verbs"
    ),
}


def _official_and_own(cloud, port):
    hook = importlib.import_module(f"airflow_multicloud.clouds.{cloud}.{port}").Hook
    official = [c for c in hook.__mro__ if c.__module__.startswith("airflow.")]
    assert official, "the hook is none of Airflow's"
    own = [c for c in hook.__mro__ if c.__module__.startswith("airflow_multicloud.")]
    return official, own


@pytest.mark.parametrize(("cloud", "port"), HOOKS)
def test_no_verb_shadows_an_official_hook(cloud, port):
    official, _ = _official_and_own(cloud, port)
    verbs = {verb for protocol in _protocols(port) for verb in vars(protocol) if verb[0] != "_"}
    clashes = {f"{c.__name__}.{verb}" for c in official for verb in verbs & {*vars(c)}}
    assert clashes == set()


@pytest.mark.parametrize(("cloud", "port"), HOOKS)
def test_helpers_shadow_only_on_purpose(cloud, port):
    """Private names too: an upgrade of a provider must not call ours for its own."""
    official, own = _official_and_own(cloud, port)
    names = {name for c in own for name in vars(c) if not name.startswith("__")}
    clashes = names & {name for c in official for name in vars(c)}
    assert clashes == {name for *hook, name in OVERRIDDEN if hook == [cloud, port]}


def _loaded_by(modules):
    code = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(json.dumps([m for m in sys.modules if m.startswith({SDKS!r})]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = json.loads(ran.stdout.splitlines()[-1])
    return sorted(m for m in loaded if any(m == sdk or m.startswith(f"{sdk}.") for sdk in SDKS))


def _modules_in(*packages):
    found = []
    for package in packages:
        folder = PACKAGE / package
        found += [
            ".".join(("airflow_multicloud", *path.relative_to(PACKAGE).with_suffix("").parts))
            for path in sorted(folder.rglob("*.py"))
        ]
    return [name.removesuffix(".__init__") for name in found]


# The interpreter may load a namespace package (google.cloud) by itself, from a .pth file, and
# Airflow what its own distribution brings.
def test_cloud_constants_load_no_sdk():
    modules = [f"airflow_multicloud.clouds.{cloud}" for cloud in CLOUDS]
    assert _loaded_by(modules) == _loaded_by([])


def test_the_registry_loads_no_sdk():
    modules = ["airflow_multicloud.registry", *_modules_in("ports", "testing/memory_cloud")]
    assert _loaded_by(modules) == _loaded_by([])


def test_operators_load_no_sdk():
    modules = _modules_in("operators", "sensors")
    ours = set(_loaded_by(modules)) - set(_loaded_by(["airflow.sdk"]))
    # Names of Airflow's own, wherever the installed version has them.
    compat = "airflow.providers.common.compat"
    assert {name for name in ours if name != compat and not name.startswith(f"{compat}.")} == set()

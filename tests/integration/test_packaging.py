"""What is installed: the wheel's contents, its entry points and what Airflow reads of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from configparser import ConfigParser
from email import message_from_bytes
from importlib import import_module
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING
from zipfile import ZipFile

import jsonschema
import pytest

import airflow_multicloud
from airflow_multicloud import registry
from airflow_multicloud.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

CHECKOUT = Path(__file__).parents[2]
DISTRIBUTION = "airflow-multicloud"
ENTRY_POINTS = {
    "airflow.plugins": {"multicloud": "airflow_multicloud.plugins.ui:MultiCloudPlugin"},
    "apache_airflow_provider": {
        "provider_info": "airflow_multicloud.get_provider_info:get_provider_info"
    },
    "airflow_multicloud.clouds": {
        name: f"airflow_multicloud.clouds.{name}" for name in ("aws", "azure", "gcp")
    },
}
#: Files that are no Python, without which the package fails only once it is installed.
DATA = (
    "core/cost/report/report.html.jinja",
    "core/drill/evidence.html.jinja",
    "core/pages/page.css",
    "core/rollout/summary.html.jinja",
    "plugins/page/base.html.jinja",
    "plugins/page/costs.html.jinja",
    "plugins/page/deployments.html.jinja",
    "plugins/page/drills.html.jinja",
    "plugins/page/error.html.jinja",
    "plugins/page/macros.jinja",
    "plugins/page/metrics.html.jinja",
    "plugins/page/replicas.html.jinja",
    "plugins/page/task.html.jinja",
    "plugins/page/ui.css",
    "py.typed",
    "testing/local_clouds/azure/object_store/azurite/package-lock.json",
    "testing/local_clouds/azure/object_store/azurite/package.json",
    "testing/local_clouds/aws/object_store/ministack/requirements.txt",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel of this checkout, by the build backend itself: a build front end would download."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, the build backend, is not installed")
    directory = tmp_path_factory.mktemp("wheel")
    build = "import sys, hatchling.build; hatchling.build.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(directory)], cwd=CHECKOUT, check=True)
    (built,) = directory.glob("*.whl")
    return ZipFile(built)


class TestWheel:
    def test_it_holds_every_source_file_and_nothing_else(self, wheel: ZipFile) -> None:
        tracked = {
            path.relative_to(CHECKOUT).as_posix()
            for path in (CHECKOUT / "airflow_multicloud").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        dags = {f"airflow_multicloud/example_dags/{p.name}" for p in CHECKOUT.glob("dags/*.py")}
        assert dags
        assert {f"airflow_multicloud/{name}" for name in DATA} <= tracked
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert held == tracked | dags

    def test_its_files_are_the_checkouts(self, wheel: ZipFile) -> None:
        for path in CHECKOUT.glob("dags/*.py"):
            held = wheel.read(f"airflow_multicloud/example_dags/{path.name}")
            assert held == path.read_bytes()
        for name in DATA:
            held = wheel.read(f"airflow_multicloud/{name}")
            assert held == (CHECKOUT / "airflow_multicloud" / name).read_bytes()

    def test_its_metadata(self, wheel: ZipFile) -> None:
        metadata = message_from_bytes(_dist_info(wheel, "METADATA"))
        assert metadata["Name"] == get_provider_info()["package-name"] == DISTRIBUTION
        assert metadata["Version"] == airflow_multicloud.__version__
        assert metadata["License-Expression"] == "Apache-2.0"
        assert _dist_info(wheel, "licenses/LICENSE") == (CHECKOUT / "LICENSE").read_bytes()
        extras = set(metadata.get_all("Provides-Extra", []))
        assert {cloud.requirement for cloud in registry.list_providers() if _ours(cloud)} <= {
            f"{DISTRIBUTION}[{extra}]" for extra in extras
        }
        assert _unconditional(metadata) >= {"apache-airflow", "jinja2", "opentelemetry-api"}

    def test_its_addresses(self, wheel: ZipFile) -> None:
        metadata = message_from_bytes(_dist_info(wheel, "METADATA"))
        urls = dict(url.split(", ", 1) for url in metadata.get_all("Project-URL", []))
        assert {"Homepage", "Documentation", "Source", "Changelog"} <= urls.keys()
        (integration,) = get_provider_info()["integrations"]
        assert integration["external-doc-url"] == urls["Documentation"]
        assert metadata["Description-Content-Type"] == "text/markdown"
        readme = metadata.get_payload()
        assert isinstance(readme, str)
        links = re.findall(r"\]\(([^)\s]+)\)", readme)
        assert f"{urls['Source']}/blob/main/docs/tutorial.md" in links
        for link in links:
            assert link.startswith(("https://", "#")), link
            if (name := link.partition("/blob/main/")[2]) and link.startswith(urls["Source"]):
                assert (CHECKOUT / name.partition("#")[0]).is_file(), link

    def test_its_entry_points(self, wheel: ZipFile) -> None:
        parser = ConfigParser(delimiters=["="])
        parser.read_string(_dist_info(wheel, "entry_points.txt").decode())
        assert {group: dict(parser[group]) for group in parser.sections()} == ENTRY_POINTS


def _dist_info(wheel: ZipFile, name: str) -> bytes:
    return wheel.read(f"airflow_multicloud-{airflow_multicloud.__version__}.dist-info/{name}")


def _ours(cloud: registry.Cloud) -> bool:
    return cloud.module.startswith("airflow_multicloud.clouds.")


def _unconditional(metadata: Message) -> set[str]:
    requirements: list[str] = metadata.get_all("Requires-Dist", [])
    return {r.partition(">")[0].strip() for r in requirements if "extra ==" not in r}


class TestInstalled:
    def test_the_entry_points(self) -> None:
        found: dict[str, dict[str, str]] = {}
        for entry in distribution(DISTRIBUTION).entry_points:
            found.setdefault(entry.group, {})[entry.name] = entry.value
        assert found == ENTRY_POINTS

    @pytest.mark.parametrize("group", ENTRY_POINTS)
    def test_each_can_be_loaded(self, group: str) -> None:
        ours = [e for e in entry_points(group=group) if e.dist and e.dist.name == DISTRIBUTION]
        assert len(ours) == len(ENTRY_POINTS[group])
        for entry in ours:
            entry.load()

    @pytest.mark.parametrize("name", DATA)
    def test_data_is_where_the_code_looks(self, name: str) -> None:
        assert files(airflow_multicloud).joinpath(name).is_file()


#: What modules of a kind define, and bases of it that are used by no DAG itself.
KINDS = {
    "operators": ("airflow.sdk.BaseOperator", {"base", "destinations", "replication"}),
    "sensors": ("airflow.sdk.BaseSensorOperator", {"base"}),
    "triggers": ("airflow.triggers.base.BaseTrigger", set[str]()),
}


def _with_classes(kind: str, base: str, abstract: set[str]) -> Iterator[str]:
    """Modules of a kind, in whatever folder, that define what a DAG can use."""
    package = import_module(f"airflow_multicloud.{kind}")
    (wanted,) = (getattr(import_module(m), name) for m, _, name in (base.rpartition("."),))
    for found in walk_packages(package.__path__, f"{package.__name__}."):
        here = vars(import_module(found.name)).values()
        classes = [c for c in here if isinstance(c, type) and issubclass(c, wanted)]
        own = any(c.__module__ == found.name for c in classes)
        if own and found.name.rpartition(".")[2] not in abstract:
            yield found.name


class TestProviderInfo:
    def test_it_fits_the_schema_of_airflow(self) -> None:
        schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
        jsonschema.validate(get_provider_info(), schema)

    def test_airflow_knows_the_provider_by_its_distribution(self) -> None:
        from airflow.providers_manager import ProvidersManager

        provider = ProvidersManager().providers[DISTRIBUTION]
        assert provider.version == airflow_multicloud.__version__
        assert provider.data["package-name"] == DISTRIBUTION

    @pytest.mark.parametrize("kind", ["operators", "sensors", "triggers"])
    def test_it_lists_every_public_module(self, kind: str) -> None:
        info = get_provider_info()
        integrations = {one["integration-name"] for one in info["integrations"]}
        assert {one["integration-name"] for one in info[kind]} <= integrations
        listed = [module for one in info[kind] for module in one["python-modules"]]
        assert listed == sorted(_with_classes(kind, *KINDS[kind]))

    def test_no_connection_type_is_registered_twice(self) -> None:
        assert "connection-types" not in get_provider_info()

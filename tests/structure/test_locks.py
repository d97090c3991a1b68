"""The lock files pin content, not where it comes from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from airflow_multicloud.testing.local_clouds.aws.object_store import MINISTACK_VERSION
from airflow_multicloud.testing.local_clouds.azure.object_store import AZURITE_VERSION

CHECKOUT = Path(__file__).parents[2]
LOCAL_CLOUDS = CHECKOUT / "airflow_multicloud" / "testing" / "local_clouds"
PYTHON_LOCKS = [
    CHECKOUT / "constraints.txt",
    LOCAL_CLOUDS / "aws" / "object_store" / "ministack" / "requirements.txt",
    CHECKOUT / "tests" / "integration" / "compute_azure" / "recordings.txt",
    CHECKOUT / "tests" / "scale" / "requirements.txt",
]


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda path: path.name)
def test_python_locks(lock: Path) -> None:
    text = lock.read_text().replace(" \\\n", " ")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\w.-]+==\S+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", line), line
    assert not re.search(r"://|index|find-links|^-e|\.\./|/home|/tmp", text)


def test_npm_lock() -> None:
    lock = json.loads(
        (LOCAL_CLOUDS / "azure" / "object_store" / "azurite" / "package-lock.json").read_text()
    )
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/azurite"]["version"] == AZURITE_VERSION
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name


def test_ministack_version() -> None:
    assert f"ministack=={MINISTACK_VERSION} " in PYTHON_LOCKS[1].read_text()


def test_what_both_environments_have_is_of_one_version() -> None:
    """That of ``make scale`` has all that the first one has, and more."""
    pinned, added = (_versions(lock) for lock in (PYTHON_LOCKS[0], PYTHON_LOCKS[-1]))
    assert added["celery"]
    assert {name: added[name] for name in added if name in pinned} == {
        name: pinned[name] for name in added if name in pinned
    }


def _versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_what_builds_the_checkout_is_pinned() -> None:
    """The editable install takes nothing from the index but by hash."""
    pins = (CHECKOUT / "constraints.txt").read_text()
    for name in ("hatchling", "editables", "uv"):
        assert re.search(rf"^{name}==", pins, re.MULTILINE), name
    text = (CHECKOUT / "Makefile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip (?:install|sync)[^;\n]*", text)
    assert len(installs) == 5
    for install_line in installs:
        assert re.search(r"--require-hashes|--no-deps --no-build-isolation", install_line)

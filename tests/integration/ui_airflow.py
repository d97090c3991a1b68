"""An API server of Airflow's with users of two teams, over runs that :mod:`.ui_runs` records."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from airflow_multicloud.testing.local_clouds.kit.process import tethered

from .running_airflow import running_airflow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .browser import Page

#: What the recording says once the server can start.
TEAMS_ARE_THERE = "teams are there"
#: Bundles of DAGs, each of a team of the same name.
BLUE, RED = "blue", "red"
#: Users: an administrator, a viewer of the team of most DAGs, and one of another team.
ADMIN, VIEWER, OTHER = "ada", "vera", "otto"
_USERS = f"{ADMIN}:ADMIN,{VIEWER}:VIEWER:{BLUE},{OTHER}:VIEWER:{RED}"
_PASSWORD = "only in tests"


@dataclass(frozen=True)
class Ui:
    """The server, and who asks."""

    url: str
    home: Path
    tokens: dict[str, str]

    def get(self, path: str, user: str | None = VIEWER) -> requests.Response:
        """A page below ``/multicloud``."""
        headers = {} if user is None else {"Authorization": f"Bearer {self.tokens[user]}"}
        return requests.get(
            f"{self.url}/multicloud{path}", headers=headers, timeout=60, allow_redirects=False
        )

    def api(self, path: str, user: str = VIEWER) -> dict[str, Any]:
        """An answer of Airflow's own API."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        answer = requests.get(f"{self.url}/api/v2/{path}", headers=headers, timeout=60)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def run_id(self, dag_id: str) -> str:
        """The run of a DAG, of which each has one."""
        (run,) = self.api(f"dags/{dag_id}/dagRuns", ADMIN)["dag_runs"]
        return str(run["dag_run_id"])

    def task(self, dag_id: str, task_id: str, map_index: int = -1) -> str:
        """The end of the paths of a task instance."""
        return f"/{dag_id}/{quote(self.run_id(dag_id), safe='')}/{task_id}/{map_index}"

    def open(self, page: Page, path: str, user: str = VIEWER) -> None:
        """Open a page in a browser, as somebody who is signed in."""
        page.problems.clear()
        page.open(f"{self.url}{path}", cookie=("_token", self.tokens[user]))

    def page(self, path: str, user: str = VIEWER) -> str:
        """The text of one that is there."""
        answer = self.get(path, user)
        assert answer.status_code == 200, answer.text
        return answer.text


@contextmanager
def ui_airflow(home: Path, dags: Path, bucket: str) -> Iterator[Ui]:
    """The server, once everything is recorded."""
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps(dict.fromkeys((ADMIN, VIEWER, OTHER), _PASSWORD)))
    bundles = [
        {
            "name": name,
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(dags)},
            "team_name": name,
        }
        for name in (BLUE, RED)
    ]
    more = {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__CORE__MULTI_TEAM": True,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": None,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": _USERS,
    }
    recording: list[subprocess.Popen[str]] = []

    def record(environment: Mapping[str, str]) -> None:
        """Begin to: the server starts meanwhile, but not before there are teams."""
        command = tethered([sys.executable, "-m", "tests.integration.ui_runs", bucket])
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        recording.append(process)
        assert process.stdout is not None
        assert any(line.strip() == TEAMS_ARE_THERE for line in process.stdout)

    components = {"api-server": ("api-server",)}
    with running_airflow(home, dags, more, components=components, prepare=record) as airflow:
        assert recording[0].communicate(timeout=560)
        assert recording[0].returncode == 0
        tokens = {
            name: requests.post(
                f"{airflow.url}/auth/token",
                json={"username": name, "password": _PASSWORD},
                timeout=60,
            ).json()["access_token"]
            for name in (ADMIN, VIEWER, OTHER)
        }
        yield Ui(airflow.url, home, tokens)

"""The pages in Airflow's UI: who sees what, and which files are opened; over a real API server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests

from airflow_multicloud.core.drill.records import key_of

from .browser import browser, chromium
from .lab import Lab, at, put
from .ui_airflow import ADMIN, OTHER, VIEWER, Ui, ui_airflow
from .ui_browser import tab_through, ways_to_look
from .ui_runs import DRILL, HOSTILE, OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds

    from .browser import Page

_PROGRAM = chromium()
PAGES = ("replicas", "drills", "deployments", "costs", "metrics")


@pytest.fixture(scope="module")
def lab_of_ui(local_clouds: LocalClouds) -> Lab:
    return Lab.new()


@pytest.fixture(scope="module")
def ui(lab_of_ui: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    with ui_airflow(home, dags, lab_of_ui.bucket) as started:
        yield started


class TestWhoSeesWhat:
    def test_nobody_without_signing_in(self, ui: Ui) -> None:
        judge = ui.task(DRILL, "judge")
        paths = ["/", *(f"/{page}" for page in PAGES), f"/task{judge}", f"/file{judge}/0"]
        for path in [*paths, "/nothing", "/nothing/at/all", "/openapi.json", "/docs"]:
            answer = ui.get(path, None)
            assert answer.status_code == 401, path
            assert "Sign in to Airflow" in answer.text
            assert DRILL not in answer.text
        forged = requests.get(
            f"{ui.url}/multicloud/drills", headers={"Authorization": "Bearer e30.e30."}, timeout=60
        )
        assert forged.status_code in (401, 403)

    def test_a_viewer_what_the_team_has(self, ui: Ui, lab_of_ui: Lab) -> None:
        replicas = ui.page("/replicas")
        assert all(uri in replicas for uri in lab_of_ui.replicas)
        assert "within 1 h" in replicas
        drills = ui.page("/drills")
        assert drills.count("<figure>") == 2
        assert drills.count('class="over"') == 1
        for path in PAGES:
            assert "secret" not in ui.page(f"/{path}")
        assert ui.get("/nothing").status_code == 404
        assert ui.get("/drills?days=0").status_code == 422
        assert "drill_0" not in ui.page("/drills?days=7")

    def test_another_team_nothing_of_it(self, ui: Ui) -> None:
        drills = ui.page("/drills", OTHER)
        assert "secret finding of red" in drills
        assert DRILL not in drills
        assert "No costs were reported" in ui.page("/costs", OTHER)
        judge = ui.task(DRILL, "judge")
        for path in (f"/task{judge}", f"/file{judge}/0", f"/task{judge}?dag_id={OTHERS}"):
            assert ui.get(path, OTHER).status_code == 403
        assert ui.get(f"/task{ui.task(OTHERS, 'judge')}", VIEWER).status_code == 403
        # Nor by a path that Airflow takes for all DAGs.
        assert ui.get(f"/task{judge}".replace(DRILL, "~"), OTHER).status_code == 404

    def test_an_administrator_everything(self, ui: Ui, lab_of_ui: Lab) -> None:
        drills = ui.page("/drills", ADMIN)
        assert DRILL in drills
        assert "secret finding of red" in drills


class TestWhatIsShown:
    def test_deployments_costs_exports(self, ui: Ui) -> None:
        deployments = ui.page("/deployments")
        assert "rolled_back" in deployments
        assert "its health check failed: 503" in deployments
        costs = ui.page("/costs")
        assert "8,412.07 of 10,000.00 USD a month" in costs
        assert "at least 8,702.07" in costs
        metrics = ui.page("/metrics")
        assert re.search(r">gcp</th>.*?>40<.*?>30<.*?>4<.*?>1<.*?>5<", metrics, re.DOTALL)

    def test_one_bad_report_costs_itself(self, ui: Ui) -> None:
        drills = ui.page("/drills", OTHER)
        listed = drills.partition('id="unread"')[2]
        for task_id, why in {
            "text": "it is a text and no report",
            "nothing": "missing required field `verdict`",
            "huge": "characters; more than 262,144 are not read",
            "endless": "can&#39;t be read",
        }.items():
            assert re.search(f"wrong {task_id}</a>, [^<]*{re.escape(why)}", listed), listed
        assert "which no bill has" in ui.page("/costs", OTHER)
        # It is shown, as text.
        assert HOSTILE not in drills
        assert "&lt;img src=x onerror=alert(1)&gt;\\u202e\\x1b[2J" in drills

    def test_a_browser_may_do_nothing_else_with_them(self, ui: Ui) -> None:
        judge = ui.task(DRILL, "judge")
        for path in (*(f"/{page}" for page in PAGES), f"/task{judge}", "/nothing"):
            headers = ui.get(path).headers
            policy = headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "unsafe" not in policy
            assert "script" not in policy
            assert "frame-ancestors 'self'" in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"] == "no-store"

    def test_airflow_leads_there(self, ui: Ui, lab_of_ui: Lab) -> None:
        run = f"dags/{DRILL}/dagRuns/{quote(ui.run_id(DRILL))}/taskInstances"
        links = ui.api(f"{run}/judge/links")["extra_links"]
        assert ui.get(links["Evidence"].removeprefix("/multicloud")).status_code == 200
        page = ui.page(links["Multi-cloud report"].removeprefix("/multicloud"))
        assert "DrillReportOperator" in page
        mapped = ui.api(f"{run}/verify/listMapped")["task_instances"]
        assert {one["rendered_map_index"] for one in mapped} == {*lab_of_ui.replicas}
        assert ui.api("plugins/importErrors", ADMIN)["import_errors"] == []


class TestFiles:
    def test_what_the_drill_has_written(self, ui: Ui, lab_of_ui: Lab) -> None:
        judge = ui.task(DRILL, "judge")
        page = ui.page(f"/task{judge}")
        assert f'<iframe src="/multicloud/file{judge}/0" title="evidence" sandbox' in page
        # Airflow's UI leaves the placeholder where a task is not mapped.
        assert ui.page(f"/task{judge.removesuffix('-1')}{{MAP_INDEX}}").count("<iframe") == 1
        for number, suffix in ((0, "html"), (1, "html"), (2, "json"), (3, "json")):
            answer = ui.get(f"/file{judge}/{number}")
            end = at(lab_of_ui.replicas[number % 2])
            kept = b"".join(end.store.get_object(end.ref(key_of(1, suffix))))
            assert answer.content == kept
            media = "text/html" if suffix == "html" else "text/plain"
            assert answer.headers["Content-Type"] == f"{media}; charset=utf-8"
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'; ")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for number in ("4", "-1", "x", "0?uri=s3://aws_local@other/key", "0/../1"):
            answer = ui.get(f"/file{judge}/{number}")
            assert answer.status_code in (200, 404, 422)
            if answer.status_code == 200:
                assert b"<title>Drill " in answer.content

    @pytest.mark.parametrize(
        ("dag_id", "task_id", "user", "status", "why"),
        [
            ("shop", "pretends", VIEWER, 403, "another class of the same name"),
            ("shop", "costs", VIEWER, 409, "on the file system of the worker"),
            ("wrong", "of_a_team", OTHER, 403, "of the team &#39;red&#39;"),
            ("wrong", "of_the_machine", OTHER, 409, "is not a location"),
            ("wrong", "of_the_network", OTHER, 409, "no cloud has the scheme http://"),
            ("wrong", "of_no_digest", OTHER, 409, "does not say what its bytes are"),
        ],
    )
    def test_others_are_not_opened(
        self, ui: Ui, dag_id: str, task_id: str, user: str, status: int, why: str
    ) -> None:
        path = ui.task(dag_id, task_id)
        assert "<iframe" not in ui.page(f"/task{path}", user) or status == 403
        answer = ui.get(f"/file{path}/0", user)
        assert answer.status_code == status
        assert why in answer.text
        assert "alpha" not in answer.text

    def test_nor_what_was_replaced_since(self, ui: Ui, lab_of_ui: Lab) -> None:
        judge = ui.task(DRILL, "judge")
        end = at(lab_of_ui.azure)
        key = key_of(1, "html")
        before = b"".join(end.store.get_object(end.ref(key)))
        put(str(end.location.with_key(key)), b"<script>alert(1)</script>")
        try:
            answer = ui.get(f"/file{judge}/1")
        finally:
            put(str(end.location.with_key(key)), before)
        assert answer.status_code == 409
        assert "is not what this task has written" in answer.text
        assert "alert" not in answer.text
        end.store.delete_object(end.ref(key))
        try:
            answer = ui.get(f"/file{judge}/1")
        finally:
            put(str(end.location.with_key(key)), before)
        assert answer.status_code == 502
        assert "could not be read by this server" in answer.text


@pytest.fixture(scope="module")
def opened(ui: Ui, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    assert _PROGRAM is not None
    with browser(_PROGRAM, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.mark.skipif(
    _PROGRAM is None, reason="no chromium, chromium-browser or google-chrome is on PATH"
)
class TestInABrowser:
    @pytest.mark.parametrize("name", [*PAGES, "task", "mapped task", "file not shown"])
    def test_every_page(self, ui: Ui, opened: Page, name: str) -> None:
        paths = {
            "task": f"/task{ui.task(DRILL, 'judge')}",
            "mapped task": f"/task{ui.task(DRILL, 'verify', 0)}",
            "file not shown": f"/file{ui.task('shop', 'costs')}/0",
        }
        ui.open(opened, f"/multicloud{paths.get(name, f'/{name}')}")
        ways_to_look(opened, name)
        tab_through(opened)
        # A file that is not shown is a 409, which a browser's log has.
        assert opened.problems == [] or name == "file not shown"
        assert len(opened.requests) == (2 if name == "task" else 1)

    def test_what_others_wrote_is_text(self, ui: Ui, opened: Page) -> None:
        for path in ("/drills", "/replicas", f"/task{ui.task('wrong', 'hostile')}"):
            ui.open(opened, f"/multicloud{path}", OTHER)
            assert opened.evaluate("document.querySelectorAll('img, script').length") == 0
            assert opened.evaluate("document.body.textContent.includes('<img src=x')")
            assert opened.problems == []

    def test_within_airflow(self, ui: Ui, opened: Page) -> None:
        run = quote(ui.run_id(DRILL))
        for path, heading in (
            ("/plugin/multicloud", "Replicas"),
            (f"/dags/{DRILL}/runs/{run}/tasks/judge/plugin/multicloud_task", "judge"),
        ):
            ui.open(opened, path)
            inner = "document.querySelector('iframe')?.contentDocument?.querySelector('h1')"
            opened.until(f"{inner}?.textContent === {heading!r}")

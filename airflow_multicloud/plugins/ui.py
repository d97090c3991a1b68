"""The plugin that shows this package's work in Airflow's UI.

Airflow imports it in each of its processes, also in workers, so that this imports next to
nothing. What makes the pages is loaded when one is first asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from airflow_multicloud.links.pages import PREFIX, base_path

_log = logging.getLogger(__name__)

#: How the tab of a task reaches what the task has reported.
TASK_PATH = "/task/{DAG_ID}/{RUN_ID}/{TASK_ID}/{MAP_INDEX}"

Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[Message]]
_Send = Callable[[Message], Awaitable[None]]


class Pages:
    """The application of the pages (ASGI), which is made when it is first asked.

    It is made of modules of Airflow's that no version promises to keep. Where one is missing, the
    pages say so, the log says it once, and all the rest of the package works.
    """

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Message, receive: _Receive, send: _Send) -> None:
        """Answer a request."""
        if self._app is None:
            self._app = _made()
        await self._app(scope, receive, send)


def _made() -> Any:
    try:
        from airflow_multicloud.plugins.page.app import make_app
    except ImportError as err:
        _log.warning("this Airflow can't show the pages of airflow-multicloud: %s", err)
        return _without
    return make_app()


async def _without(scope: Message, _receive: _Receive, send: _Send) -> None:
    """The answer where this Airflow lacks what the pages are made of."""
    if scope["type"] != "http":
        return
    text = b"This version of Airflow can't show this page; see docs/ui.md of airflow-multicloud.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 501, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class MultiCloudPlugin(AirflowPlugin):
    """The pages of this package, in Airflow's navigation and beside its tasks."""

    name = "multicloud"
    fastapi_apps = [{"app": Pages(), "url_prefix": PREFIX, "name": "Multi-cloud"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012 - as Airflow's own class has it
        {
            "name": "Multi-cloud",
            "href": f"{base_path()}{PREFIX}/replicas",
            "destination": "nav",
            "url_route": "multicloud",
            "nav_top_level": True,
        },
        {
            "name": "Multi-cloud",
            "href": f"{base_path()}{PREFIX}{TASK_PATH}",
            "destination": "task_instance",
            "url_route": "multicloud_task",
        },
    ]

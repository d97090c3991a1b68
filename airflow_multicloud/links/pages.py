"""Links from a task to what this package's pages in Airflow's UI show of it.

The pages are of the same server as the UI, so that a link is a path: what the task is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.providers.common.compat.sdk import BaseOperatorLink, conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

#: Below it are the pages, after the path of Airflow's own address.
PREFIX = "/multicloud"


def base_path() -> str:
    """The path below which this Airflow is served; empty where it has its host for itself."""
    url = conf.get("api", "base_url", fallback=None) or ""
    return urlsplit(url).path.rstrip("/")


def path_of_task(task: Any, *, of: str = "task") -> str:
    """The path of a task instance below the pages.

    :param task: what has ``dag_id``, ``run_id``, ``task_id`` and ``map_index``.
    :param of: what of it: ``task``, its page; ``file``, before the number of a file.
    """
    parts = (task.dag_id, task.run_id, task.task_id, str(task.map_index))
    return "/".join(("", of, *(quote(part, safe="") for part in parts)))


class ReportLink(BaseOperatorLink):
    """A link to the page of a task: what it has reported, and the files it has written."""

    name = "Multi-cloud report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The page's path."""
        return f"{base_path()}{PREFIX}{path_of_task(ti_key)}"


class _FileLink(BaseOperatorLink):
    """A link to the first file that a task has written, which is a page."""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The file's path."""
        return f"{base_path()}{PREFIX}{path_of_task(ti_key, of='file')}/0"


class EvidenceLink(_FileLink):
    """A link from a drill to its evidence."""

    name = "Evidence"


class CostReportLink(_FileLink):
    """A link from a task to the report of costs that it has written."""

    name = "Cost report"


#: For ``operator_extra_links`` of an operator whose reports the pages show.
REPORT_LINKS = (ReportLink(),)
EVIDENCE_LINKS = (ReportLink(), EvidenceLink())
COST_REPORT_LINKS = (ReportLink(), CostReportLink())

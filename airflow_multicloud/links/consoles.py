"""Links from a task to the consoles of the clouds that it has worked in.

A task hands on names and URLs, the most useful of each cloud first. They go through XCom, which
other tasks and users can write, so that only pages of a cloud's own console become links.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context
    from airflow.sdk.types import TaskInstanceKey

#: The key in XCom: name → URL.
XCOM_KEY = "console_links"
_LONGEST = 2048


class ConsoleLink(BaseOperatorLink):
    """A link to the console of one cloud."""

    #: The console's hosts; what is below them is its own too.
    hosts: ClassVar[tuple[str, ...]]

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The first page of this cloud that the task names; empty when there is none."""
        from airflow.providers.common.compat.sdk import XCom
        from airflow.sdk.exceptions import AirflowRuntimeError

        try:
            return self.first(XCom.get_value(key=XCOM_KEY, ti_key=ti_key))
        except AirflowRuntimeError:
            return ""  # Airflow 3.1 asks for it as a task ends, whose own end this must not spoil.

    def first(self, links: object) -> str:
        """The first URL that is a page of this console; empty when there is none."""
        urls = links.values() if isinstance(links, Mapping) else ()
        return next((url for url in urls if self.why_not_ours(url) is None), "")

    def why_not_ours(self, url: object) -> str | None:
        """Why this is no page of this console; ``None`` when it is one."""
        if not isinstance(url, str) or len(url) > _LONGEST:
            return f"it is no text of at most {_LONGEST} characters"
        # Browsers drop line feeds and tabs, and take a backslash for a slash.
        if not url.isascii() or not url.isprintable() or {" ", "\\"} & {*url}:
            return "it has characters that no URL has"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as err:
            return str(err)
        if parts.scheme != "https" or port is not None or "@" in parts.netloc:
            return "it is not https://<host>/…"
        host = parts.hostname or ""
        if not any(host == ours or host.endswith(f".{ours}") for ours in self.hosts):
            return f"its host is {host!r}"
        return None


class AwsConsoleLink(ConsoleLink):
    """A link to the AWS Management Console, also to those of its other partitions."""

    name = "AWS console"
    hosts = (
        "console.aws.amazon.com",
        "console.amazonaws.cn",
        "console.amazonaws-us-gov.com",
    )


class GcpConsoleLink(ConsoleLink):
    """A link to the Google Cloud console."""

    name = "Google Cloud console"
    hosts = ("console.cloud.google.com",)


class AzureConsoleLink(ConsoleLink):
    """A link to the Azure portal, also to those of its other clouds."""

    name = "Azure portal"
    hosts = ("portal.azure.com", "portal.azure.us", "portal.azure.cn")


#: For ``operator_extra_links`` of an operator that works in any cloud.
CONSOLE_LINKS = (AwsConsoleLink(), GcpConsoleLink(), AzureConsoleLink())


def push_console_links(context: Context, links: Mapping[str, str]) -> None:
    """Hand on where a task's work is to be seen; from now on, not only when the task has ended.

    :param links: name → URL; the most useful of each cloud first.
    """
    ti = context["ti"]
    ti.xcom_push(key=XCOM_KEY, value=dict(links))
    for link in CONSOLE_LINKS:
        if url := link.first(links):
            ti.xcom_push(key=link.xcom_key, value=url)

"""Tasks for a running Airflow: they wait for files, which any process can see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.links.consoles import CONSOLE_LINKS, push_console_links
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.operations import OperationOperator, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

CONSOLE = "https://console.cloud.google.com/compute/instances"


class WaitForFiles(OperationOperator):
    """Wait for the files 1 and 2 of a directory, one after the other."""

    template_fields: Sequence[str] = ("directory",)
    operator_extra_links = CONSOLE_LINKS
    report_key = "report"

    def __init__(self, *, directory: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.directory = directory

    def begin(self, context: Context) -> Wait:
        push_console_links(context, {"instance": CONSOLE, "other": "https://evil.test/"})
        return self._wait(1, [])

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        found = [*state["found"], facts["number"]]
        return Outcome({"found": found}) if len(found) == 2 else self._wait(2, found)

    def _wait(self, number: int, found: list[int]) -> Wait:
        write(self.directory, "steps")
        return Wait(
            check=check_file,
            arguments={"directory": self.directory, "number": number},
            state={"found": found},
            on_cancel=cancel_file,
        )


def write(directory: str, name: str) -> None:
    with (Path(directory) / name).open("a") as opened:
        opened.write(f"{os.getpid()}\n")


def check_file(*, directory: str, number: int) -> dict[str, Any] | None:
    write(directory, "looks")
    if (Path(directory) / "denied").exists():
        raise DeploymentError("not yours", kind=ErrorKind.PERMISSION_DENIED)
    if (Path(directory) / "away").exists():
        raise DeploymentError("not now", kind=ErrorKind.UNAVAILABLE)
    return {"number": number} if (Path(directory) / str(number)).exists() else None


def cancel_file(*, directory: str, number: int) -> None:
    write(directory, f"cancelled-{number}")

"""Parameters that are given, of which a template or another task may make nothing.

What guards a task (an approval, a digest, the regions of a teardown) must not fall away because an
XCom is missing: left out by the DAG's author is one thing, empty in a run another.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, Final

from airflow_multicloud.errors import DeploymentError, ErrorKind


class LeftOut(Enum):
    """The default of a parameter for which ``None`` is no value."""

    LEFT_OUT = auto()

    def __repr__(self) -> str:
        """As documentation shows it."""
        return self.name


LEFT_OUT: Final = LeftOut.LEFT_OUT


def check_not_empty(parameter: str, rendered: object) -> None:
    """Refuse a parameter that was given and is nothing in this run.

    :param rendered: its value; a template of nothing renders to the text ``None`` where it may not
        render to an object.
    :raises DeploymentError: ``invalid_argument``.
    """
    text = rendered.strip() if isinstance(rendered, str) else rendered
    if not text or text == "None":
        raise DeploymentError(
            f"{parameter}: given, and nothing in this run ({rendered!r}): has the task that it "
            "comes from been skipped, or not returned it? Give it, or leave the parameter out of "
            "the DAG",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def none_if_left_out(given: Any) -> Any:
    """What a template field holds."""
    return None if given is LEFT_OUT else given

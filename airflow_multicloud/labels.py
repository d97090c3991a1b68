"""Labels that say in a cloud's bill which DAG, task and run something was made for.

They go with the work, as a trace does, and no call has to hand them on: in a task of Airflow
they are read from the variables that Airflow sets there (``AIRFLOW_CTX_DAG_ID``, …; a process
that the task starts has them too), and :func:`working_for` says it where there are none. Every
store and service of this package labels what it makes with :func:`current_work`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

#: The labels, with the names that Airflow's Google provider gives BigQuery jobs.
DAG, TASK, RUN = "airflow-dag", "airflow-task", "airflow-run"
#: The label of what belongs to a deployment.
DEPLOYMENT_LABEL = "multicloud-deployment"

_WORDS = re.compile(r"[\W_]+")
_SHORTENED = re.compile(r"(?:(.*)-)?([0-9a-f]{8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRules:
    """What a cloud allows as a label's value.

    :param illegal: a regular expression of the characters that it refuses.
    :param longest: characters at most.
    :param most_bytes: bytes of UTF-8 at most, where the cloud counts these too.
    :param lower: whether it refuses capital letters.
    """

    illegal: str
    longest: int
    most_bytes: int | None = None
    lower: bool = False

    def legal(self, value: str) -> str:
        """The value as the cloud allows it: lower case, hyphens for what it refuses.

        One that is too long ends with eight digits of its SHA-256, so that two ids with the
        same beginning stay apart and :class:`KnownIds` finds it.
        """
        text = re.sub(self.illegal, "-", value.lower() if self.lower else value)
        if self._holds(text):
            return text
        end = f"-{_mark(value)}"
        while not self._holds(text + end):
            text = text[:-1]
        return text + end

    def _holds(self, text: str) -> bool:
        size = len(text.encode())
        return len(text) <= self.longest and (self.most_bytes is None or size <= self.most_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What something is made for; empty texts outside of Airflow.

    :param map_index: -1 for a task that is not mapped; ``None``: unknown.
    :param try_number: from 1; ``None``: unknown.
    """

    dag_id: str = ""
    task_id: str = ""
    run_id: str = ""
    map_index: int | None = None
    try_number: int | None = None

    def lasting(self) -> Work:
        """The same without the run: for what is there, and costs, longer than one run."""
        return Work(dag_id=self.dag_id, task_id=self.task_id)

    def labels(self, rules: LabelRules) -> dict[str, str]:
        """The labels with values that a cloud allows; none for what is not known."""
        known = {DAG: self.dag_id, TASK: self.task_id, RUN: self.run_id}
        return {name: rules.legal(value) for name, value in known.items() if value}


_WORK: ContextVar[Work | None] = ContextVar("airflow_multicloud_work", default=None)


def current_work() -> Work:
    """What is being worked for: what :func:`working_for` said, else the task of Airflow."""
    said = _WORK.get()
    if said is not None:
        return said
    tried = os.environ.get("AIRFLOW_CTX_TRY_NUMBER", "")
    return Work(
        dag_id=os.environ.get("AIRFLOW_CTX_DAG_ID", ""),
        task_id=os.environ.get("AIRFLOW_CTX_TASK_ID", ""),
        run_id=os.environ.get("AIRFLOW_CTX_DAG_RUN_ID", ""),
        try_number=int(tried) if tried.isdecimal() else None,
    )


@contextmanager
def working_for(work: Work) -> Iterator[None]:
    """Label what is made inside with this; in this thread, and those that copy its context."""
    token = _WORK.set(work)
    try:
        yield
    finally:
        _WORK.reset(token)


class KnownIds:
    """Real ids, found again by what labels made of them.

    :param ids: DAG ids, say; more than one that a label fits are not told apart.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        distinct = set(ids)
        number = Counter(comparable(known) for known in distinct)
        self._whole = {
            comparable(known): known for known in distinct if number[comparable(known)] == 1
        }
        self._shortened = {_mark(known): known for known in distinct}

    def named(self, label: str) -> str:
        """The only id that the label fits, else the label."""
        text = comparable(label)
        if (whole := self._whole.get(text)) is not None:
            return whole
        cut = _SHORTENED.fullmatch(text)
        known = self._shortened.get(cut[2]) if cut else None
        return known if cut and known and comparable(known).startswith(cut[1] or "") else label


def comparable(text: str) -> str:
    """A label or id without what clouds change: lower case, one hyphen between words."""
    return _WORDS.sub("-", text.lower()).strip("-")


def _mark(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:8]

"""What a run may choose among, where a DAG takes connections and places from its params."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseOperator, Variable

from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.text import given_text, kind_text, printable

if TYPE_CHECKING:
    from airflow.sdk import Context


class CheckParamsOperator(BaseOperator):
    """Fail a run whose params name what the DAG's author did not list.

    Who may trigger a DAG need not be allowed to use each of its connections, or to write to any
    directory of a worker. Make it the first task; nothing is read or written before it, and a
    retry does not help.

    :param allowed: param → what may be chosen for it. A param that is a list may have any of
        them, one that is ``None`` chooses nothing. What is not named here is not looked at.
    :param variable: an Airflow Variable that replaces the lists of single params, as JSON:
        ``{"param": ["…"]}``. It is read when the task runs.
    """

    def __init__(
        self,
        *,
        allowed: Mapping[str, Sequence[str]],
        variable: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"retries": 0, **kwargs})
        self.allowed = allowed
        self.variable = variable

    @operation("operator", multicloud__operator="CheckParamsOperator")
    def execute(self, context: Context) -> None:
        """Check."""
        problems = []
        for name, listed in self._allowed().items():
            given = context["params"][name]
            chosen = given if isinstance(given, list) else [] if given is None else [given]
            for value in chosen:
                if value not in listed:
                    among = ", ".join(map(repr, listed)) or "nothing"
                    problems.append(f"{name}: {given_text(value)} is not allowed, only {among}")
        if problems:
            where = "in the DAG's file"
            if self.variable:
                where += f' or in the Airflow Variable {self.variable} (JSON: {{"param": ["…"]}})'
            text = "; ".join(map(printable, problems))
            raise AirflowFailException(f"params: {text}. Who deploys this DAG may add it {where}.")

    def _allowed(self) -> dict[str, list[str]]:
        allowed = {name: list(listed) for name, listed in self.allowed.items()}
        text = Variable.get(self.variable, default=None) if self.variable else None
        if text is None:
            return allowed
        try:
            replaced = json.loads(text)
        except (ValueError, RecursionError) as err:
            raise self._refused(f"it is no JSON: {err}") from None
        if not isinstance(replaced, dict):
            raise self._refused("it is no JSON object")
        for name, listed in replaced.items():
            if name not in allowed:
                raise self._refused(f"there is no param {name!r}; allowed: {', '.join(allowed)}")
            if not isinstance(listed, list) or not all(isinstance(v, str) for v in listed):
                raise self._refused(f"{name} is no list of texts")
            allowed[name] = listed
        return allowed

    def _refused(self, why: str) -> AirflowFailException:
        return AirflowFailException(
            f"Airflow Variable {self.variable}: {printable(why)}; expected a JSON object that maps "
            'a param to a list, like {"param": ["…"]}'
        )


def chosen_targets(
    param: str,
    names: Sequence[str] | None,
    listed: Sequence[Mapping[str, Any]],
    *,
    variable: str | None = None,
) -> list[dict[str, Any]]:
    """The targets that a run's param names, in its order.

    :param param: its name, for errors.
    :param names: what it says; ``None``: all.
    :param listed: targets, each a mapping with a ``name`` of its own.
    :param variable: an Airflow Variable that has other ones, as a JSON list. It is read when the
        task runs.
    :raises AirflowFailException: for a name that is not listed, and a list that is none.
    """
    text = Variable.get(variable, default=None) if variable else None
    where = "in its file" + (f" or in the Airflow Variable {variable}" if variable else "")
    targets = listed if text is None else _targets_in(text, f"Airflow Variable {variable}")
    known = {one["name"]: one for one in targets}
    if unknown := [name for name in names or () if name not in known]:
        told = ", ".join(map(given_text, unknown))
        raise AirflowFailException(
            f"params: {param}: {told} not known; known: {printable(', '.join(known)) or 'none'}. "
            f"Who deploys this DAG may add some {where}"
        )
    return [dict(known[name]) for name in (known if names is None else names)]


def _targets_in(text: str, what: str) -> Sequence[Mapping[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as err:
        why = f"it is no JSON: {printable(str(err))}"
    else:
        if not isinstance(found, list):
            why = f"{kind_text(found)} given"
        elif bad := [one for one in found if not isinstance(one, dict) or "name" not in one]:
            why = f"a target is {kind_text(bad[0])}"
        elif any(not isinstance(one["name"], str) for one in found):
            why = "the name of a target is no text"
        elif len({one["name"] for one in found}) < len(found):
            why = "two targets have the same name"
        else:
            return found
    raise AirflowFailException(
        f"{what}: {why}; expected a JSON list of targets, each with a name of its own"
    )

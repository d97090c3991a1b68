"""What a server was told: seeded records, scripted faults, and a log of what was asked.

:func:`administration` is the owner's way to it over HTTP; :class:`~.admin.Admin` asks it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.kit.http import Answer, Respond, Routes


@dataclass(slots=True, kw_only=True)
class _Script:
    """Answers for the next requests whose path contains a text; ``None`` lets one through."""

    path: str
    answers: deque[Mapping[str, Any] | None]


@dataclass(slots=True)
class State:
    """Shared by all requests.

    :param records: service → what was seeded for it, in its own form.
    """

    records: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    _scripts: list[_Script] = field(default_factory=list)
    _asked: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def seed(self, service: str, records: list[Mapping[str, Any]]) -> None:
        """Add to a service's records."""
        with self._lock:
            self.records.setdefault(service, []).extend(records)

    def seeded(self, service: str) -> list[Mapping[str, Any]]:
        """A service's records, in the order they came."""
        with self._lock:
            return list(self.records.get(service, ()))

    def script(self, path: str, answers: list[Mapping[str, Any] | None]) -> None:
        """Answer the next requests to a path so, in order."""
        with self._lock:
            self._scripts.append(_Script(path=path, answers=deque(answers)))

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self.records.clear()
            self._scripts.clear()
            self._asked.clear()

    def scripted(self, request: Request) -> Answer | None:
        """The fault that is due for a request, if any."""
        with self._lock:
            for script in self._scripts:
                if script.answers and script.path.casefold() in request.path.casefold():
                    told = script.answers.popleft()
                    return None if told is None else Answer(**told)
            return None

    def log(
        self,
        request: Request,
        status: int,
        *,
        action: str = "",
        about: Sequence[Mapping[str, object]] = (),
    ) -> None:
        """Note a request, without what may be secret in it.

        :param action: its name, where only its body has it.
        :param about: likewise the resources that it is about, as they were before.
        """
        self.note(
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            headers=dict(request.headers.items()),
            status=status,
            action=action,
            about=about,
        )

    def note(
        self,
        *,
        method: str,
        path: str,
        headers: Mapping[str, str],
        status: int,
        query: Mapping[str, str] = MappingProxyType({}),
        action: str = "",
        about: Sequence[Mapping[str, object]] = (),
    ) -> None:
        """The same, for what is no request of werkzeug's."""
        kept = {name.casefold(): value for name, value in headers.items()}
        kept.pop("authorization", None)
        with self._lock:
            self._asked.append(
                {
                    "method": method,
                    "path": path,
                    "query": dict(query),
                    "headers": kept,
                    "status": status,
                    "action": action,
                    **({"about": list(about)} if about else {}),
                }
            )

    def asked(self) -> list[dict[str, Any]]:
        """Every request so far, oldest first."""
        with self._lock:
            return list(self._asked)


def administration(state: State) -> Respond:
    """What the server's owner may do; see :class:`~.admin.Admin`, which asks it."""

    def seed(request: Request) -> Answer:
        told: Any = request.get_json(force=True)
        state.seed(told["service"], told["records"])
        return _DONE

    def script(request: Request) -> Answer:
        told: Any = request.get_json(force=True)
        state.script(told["path"], told["answers"])
        return _DONE

    def reset(_request: Request) -> Answer:
        state.reset()
        return _DONE

    return Routes(
        (
            ("GET", "/", lambda _: Answer(body={"status": "ready"})),
            ("GET", "/requests", lambda _: Answer(body=state.asked())),
            ("POST", "/seed", seed),
            ("POST", "/script", script),
            ("POST", "/reset", reset),
        )
    )


_DONE = Answer(status=HTTPStatus.NO_CONTENT)

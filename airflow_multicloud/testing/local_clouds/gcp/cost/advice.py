"""Recommender: locations (v1beta1) and recommendations (v1), from seeded data."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.rest.paging import page_of
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal, Service

_STATE = re.compile(r"stateInfo\.state\s*=\s*(\w+)")
_PAGE = 100


class Recommender:
    """Seeded recommendations.

    :param page_size: what a page holds at most.
    """

    def __init__(self, *, page_size: int = _PAGE) -> None:
        self._page_size = page_size
        self._found: dict[str, list[dict[str, Any]]] = {}
        self._refused: dict[str, Refusal] = {}
        self._locations: dict[str, list[str]] = {}

    @property
    def services(self) -> tuple[Service, ...]:
        """Both versions of the API."""
        return (
            Service(
                "recommender.v1",
                {
                    "recommender.projects.locations.recommenders.recommendations.list": (
                        self._recommendations
                    )
                },
            ),
            Service(
                "recommender.v1beta1", {"recommender.projects.locations.list": self._list_locations}
            ),
        )

    def add(
        self, project: str, location: str, recommender: str, recommendation: dict[str, Any]
    ) -> str:
        """Seed one recommendation (``Recommendation`` of the API, without its name)."""
        self.add_location(project, location)
        parent = f"projects/{project}/locations/{location}/recommenders/{recommender}"
        held = self._found.setdefault(parent, [])
        name = f"{parent}/recommendations/{len(held) + 1}"
        held.append({"name": name, **recommendation})
        return name

    def add_location(self, project: str, location: str) -> None:
        """Have a project list a location."""
        held = self._locations.setdefault(f"projects/{project}", [])
        if location not in held:
            held.append(location)

    def refuse(self, parent: str, refusal: Refusal) -> None:
        """Have requests below ``parent`` refused."""
        self._refused[parent] = refusal

    def _check(self, name: str) -> None:
        for parent, refusal in self._refused.items():
            if name == parent or name.startswith(f"{parent}/"):
                raise refusal

    def _list_locations(self, call: Call) -> dict[str, Any]:
        project = call.parameters["name"]
        self._check(f"{project}/locations")
        found = [
            {"name": f"{project}/locations/{location}", "locationId": location}
            for location in self._locations.get(project, ())
        ]
        return page_of(call, "locations", found, self._page_size)

    def _recommendations(self, call: Call) -> dict[str, Any]:
        parent = call.parameters["parent"]
        self._check(parent)
        found = self._found.get(parent, [])
        if text := call.parameters.get("filter"):
            match = _STATE.fullmatch(text)
            if match is None:
                raise Refusal(HTTPStatus.BAD_REQUEST, f"filter {text!r} is not simulated")
            found = [r for r in found if r["stateInfo"]["state"] == match[1]]
        return page_of(call, "recommendations", found, self._page_size)

"""What the clouds' machines were asked, as the clouds themselves call it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from airflow_multicloud import api
from airflow_multicloud.core.preflight.granting import NeededCall, calls_of
from airflow_multicloud.core.preflight.operations import needs_of, operations_of
from airflow_multicloud.opening.permissions import describe
from airflow_multicloud.ports.calls import ACCOUNT, PolicyDocument
from airflow_multicloud.testing.local_clouds.aws.identity.policies import Layer
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from tests.integration.preflight.machines import COMPUTE, LAUNCHED_WITH
from tests.integration.preflight.naming import _methods
from tests.integration.preflight.reading import READERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from airflow_multicloud.testing.local_clouds import LocalServer
    from tests.integration.preflight.vendors import Permissions

_MOTOS_ACCOUNT = "123456789012"
_PROVIDER = re.compile(r".*/providers/([\w.]+)/(.+)")


class AskedMachines:
    """The servers of machines, from some moment on."""

    def __init__(self, servers: Mapping[str, LocalServer]) -> None:
        self._admins = {cloud: Admin(server.endpoint) for cloud, server in servers.items()}
        self._before: dict[str, int] = {}
        self.forget()

    def forget(self) -> None:
        """What was asked so far; what the servers keep stays."""
        self._before = {cloud: len(one.requests()) for cloud, one in self._admins.items()}

    def calls(self, cloud: str) -> set[str]:
        """What was asked since, without tokens, and what is no part of the API."""
        return {name for one in self.requests(cloud) if (name := _NAMES[cloud](one)) is not None}

    def requests(self, cloud: str) -> list[dict[str, Any]]:
        """The same as the server has noted them."""
        return self._admins[cloud].requests()[self._before[cloud] :]


def check_machines(
    cloud: str,
    recorded: set[str],
    operation: Mapping[str, Any],
    conn_id: str,
    more: Collection[str] = (),
) -> None:
    """All that was called is told, and allowed by the policy, which has nothing else.

    :param more: what instances were asked for with, as the vendors' pages have it.
    """
    told = {one.call.call for one in machines_of(operation, conn_id)}
    lacking, unused = sorted(recorded - told), sorted(told - recorded)
    assert not lacking + unused, f"the map lacks {lacking}, and has {unused} for nothing"
    used = {one for call in recorded for one in _vendor(cloud, more)[call]}
    rendered = [
        PolicyDocument(document=one.document, granted_on=one.granted_on)
        for one in api.render_policy([operation], cloud)
        if one.conn_id == conn_id
    ]
    granted = {grant.permission for one in rendered for grant in READERS[cloud](one)}
    assert not granted ^ used, f"granted or used only: {sorted(granted ^ used)}"


def refused_on_aws(
    requests: Iterable[Mapping[str, Any]], operation: Mapping[str, Any], conn_id: str
) -> list[str]:
    """What IAM would refuse of requests that EC2 got, of whoever has the rendered policy only.

    Each is judged on all of its resources, with the tags that these had, and that it asked for.
    """
    policies = [
        (one.conn_id, json.loads(json.dumps(one.document).replace(ACCOUNT, _MOTOS_ACCOUNT)))
        for one in api.render_policy([operation], "aws")
        if one.conn_id == conn_id
    ]
    layer = Layer.of(policies)
    return [
        f"{action} on {one['arn']} with {context}"
        for asked in requests
        for one in asked.get("about", ())
        for action, context in _judged(asked["action"], one)
        if layer.evaluate(action, one["arn"], context).decision != "allowed"
    ]


def _judged(action: str, one: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """An action with what IAM knows of the request; a launch that labels takes another."""
    held = {f"aws:ResourceTag/{key}": value for key, value in one["held"].items()}
    context = held | {f"aws:RequestTag/{key}": value for key, value in one["wanted"].items()}
    yield action, context
    if action == "ec2:RunInstances" and one["wanted"]:
        yield "ec2:CreateTags", {**context, "ec2:CreateAction": "RunInstances"}


def machines_of(operation: Mapping[str, Any], conn_id: str) -> list[NeededCall]:
    """What one connection's machines are asked for an operation; for whom is left out."""
    needs = [need for need in needs_of(operations_of([operation])) if need.conn_id == conn_id]
    return [replace(one, what=()) for one in calls_of(needs, describe)]


def _vendor(cloud: str, more: Collection[str]) -> Permissions:
    found = dict(COMPUTE[cloud])
    for what in more:
        if what in LAUNCHED_WITH[cloud]:
            call, needed = LAUNCHED_WITH[cloud][what]
            found[call] |= needed
    return found


def _ec2(asked: Mapping[str, Any]) -> str | None:
    return str(asked["action"]) or None


def _compute_engine(asked: Mapping[str, Any]) -> str | None:
    for name, verb, path in _compute_methods():
        if verb == asked["method"] and path.fullmatch(asked["path"]):
            return name
    return None


@cache
def _compute_methods() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    documents = files("googleapiclient.discovery_cache").joinpath("documents")
    document = json.loads(documents.joinpath("compute.v1.json").read_text())
    return tuple(_methods(document, document["servicePath"]))


def _resource_manager(asked: Mapping[str, Any]) -> str | None:
    """The method, and the types of the path: every second name in it."""
    found = _PROVIDER.fullmatch(asked["path"])
    if found is None:
        return None
    provider, rest = found.groups()
    return f"{asked['method']} {provider}/{'/'.join(rest.split('/')[::2])}"


_NAMES = {"aws": _ec2, "gcp": _compute_engine, "azure": _resource_manager}

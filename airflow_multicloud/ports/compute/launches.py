"""What decides which calls a launch takes: told alike to a plan and to a preflight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from airflow_multicloud.ports.calls import ApiCall, CallTable
from airflow_multicloud.ports.compute.requests import LaunchRequest

_YES = "yes"

#: What an instance takes from its plan to its end, as uses of a cloud's ``compute.calls``.
LIFE = (
    *("resolve_launch", "launch_instance", "describe_operation:launch", "describe_instance"),
    *("list_instances", "label_instance", "power_instance:on", "power_instance:off"),
    *("describe_operation", "read_console", "terminate_instance", "describe_operation:terminate"),
)


def facts_of(request: LaunchRequest) -> Iterator[Mapping[str, str]]:
    """Facts of a request, once for each subnet with each security group.

    ``region`` and ``architecture``; as far as they are given ``size`` or else ``size_need``,
    ``zone``, ``image``, ``identity``, ``public_address``, ``group`` (a resource group), ``subnet``
    and ``security_group``.
    """
    network = request.network
    by_need = not isinstance(request.size, str)
    given = {
        "region": request.region,
        "architecture": str(request.architecture),
        "size_need" if by_need else "size": _YES if by_need else str(request.size),
        "zone": request.zone,
        "image": request.image,
        "identity": request.identity,
        "public_address": _YES if network.public_address else None,
        "group": request.resource_group,
    }
    for subnet, security_group in product(network.subnets, network.security_groups or (None,)):
        every = {**given, "subnet": subnet, "security_group": security_group}
        yield {name: value for name, value in every.items() if value is not None}


def calls_of(table: CallTable, request: LaunchRequest) -> tuple[ApiCall, ...]:
    """The calls of one instance, each once with all that it needs: those of :data:`LIFE`."""
    needed: dict[str, dict[str, None]] = {}
    for facts in facts_of(request):
        for use in LIFE:
            for one in table.made(use, facts):
                needed.setdefault(one.call, {}).update(dict.fromkeys(one.permissions))
    return tuple(
        ApiCall(call=name, permissions=tuple(permissions)) for name, permissions in needed.items()
    )

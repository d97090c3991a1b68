"""What must be there before a launch: subnet, network security group, resource group, identity."""

from __future__ import annotations

import re
from typing import NamedTuple

from airflow_multicloud.clouds.azure.compute.client import ComputeBase
from airflow_multicloud.clouds.azure.compute.errors import failure, if_there
from airflow_multicloud.clouds.azure.compute.fields import parsed, region_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import LaunchRequest

_SUBNET = re.compile(
    r"(?P<network>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/"
    r"Microsoft\.Network/virtualNetworks/[^/]+)/subnets/(?P<name>[^/]+)",
    re.IGNORECASE,
)
_NETWORK = "microsoft.network/virtualnetworks"
_SECURITY_GROUP = "microsoft.network/networksecuritygroups"
_IDENTITY = "microsoft.managedidentity/userassignedidentities"


def network_of(subnet: str) -> str:
    """The resource id of a subnet's virtual network; empty for what is no subnet's id."""
    found = _SUBNET.fullmatch(subnet)
    return found["network"] if found else ""


class FoundNetwork(NamedTuple):
    """The subnet's resource id, and the resource group that it lies in."""

    subnet: str
    group: str


class Networks(ComputeBase):
    """Finding what an instance is attached to."""

    def _found_subnet(self, request: LaunchRequest) -> FoundNetwork:
        """The subnet; its virtual network tells the region.

        :raises DeploymentError: ``not_found`` or ``invalid_argument``, naming ``subnets``.
        """
        given = request.network.subnets
        if len(given) != 1:
            raise failure(f"subnets: {len(given)} given, expected exactly one on Azure")
        found = _SUBNET.fullmatch(given[0])
        network = parsed(found["network"]) if found else None
        if found is None or network is None or network.type != _NETWORK:
            raise failure(
                f"subnets: {given[0]!r} given, expected a subnet's resource id: /subscriptions/…/"
                "resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…/subnets/…"
            )
        self._check_subscription("subnets", given[0], network.subscription)
        seen = if_there(
            f"looking for the subnet {given[0]}",
            lambda: self._network.virtual_networks.get(network.group, network.name),
        )
        subnets = (seen.properties.subnets if seen and seen.properties else None) or ()
        actual = next((s for s in subnets if (s.name or "").lower() == found["name"].lower()), None)
        if seen is None or actual is None:
            raise failure(f"subnets: {given[0]!r} given, which is not there", ErrorKind.NOT_FOUND)
        _check_region("subnets", given[0], seen.location, request.region)
        return FoundNetwork(given[0], network.group)

    def _check_security_groups(self, request: LaunchRequest) -> None:
        """Refuse network security groups that can't be used.

        :raises DeploymentError: ``not_found`` or ``invalid_argument``, naming ``security_groups``.
        """
        given = request.network.security_groups
        if len(given) > 1:
            raise failure(f"security_groups: {len(given)} given, expected at most one on Azure")
        for id_ in given:
            found = parsed(id_)
            if found is None or found.type != _SECURITY_GROUP:
                raise failure(
                    f"security_groups: {id_!r} given, expected the resource id of a network "
                    "security group (…/Microsoft.Network/networkSecurityGroups/…)"
                )
            self._check_subscription("security_groups", id_, found.subscription)
            group, name = found.group, found.name
            seen = if_there(
                f"looking for the network security group {id_}",
                lambda group=group, name=name: self._network.network_security_groups.get(  # type: ignore[misc]
                    group, name
                ),
            )
            if seen is None:
                raise failure(
                    f"security_groups: {id_!r} given, which is not there", ErrorKind.NOT_FOUND
                )
            _check_region("security_groups", id_, seen.location, request.region)

    def _found_group(self, request: LaunchRequest, default: str) -> str:
        """The resource group in which all is made.

        A group that is named is asked for its interfaces, which a launch may read anyway.

        :param default: the subnet's.
        :raises DeploymentError: ``not_found``, naming ``resource_group``.
        """
        given = request.resource_group
        if given is None or given.lower() == default:
            return default
        if not re.fullmatch(r"[\w.()-]{0,89}[\w()-]", given):
            raise failure(f"resource_group: {given!r} given, expected the name of one")
        listed = if_there(
            f"looking for the resource group {given}",
            lambda: next(iter(self._network.network_interfaces.list(given).by_page()), ()),
        )
        if listed is None:
            raise failure(
                f"resource_group: {given!r} given, which is not there", ErrorKind.NOT_FOUND
            )
        return given.lower()

    def _check_identity(self, request: LaunchRequest) -> None:
        """Refuse what is not the id of an identity; the launch fails if there is none.

        :raises DeploymentError: ``invalid_argument``, naming ``identity``.
        """
        found = parsed(request.identity) if request.identity is not None else None
        if request.identity is not None and (found is None or found.type != _IDENTITY):
            raise failure(
                f"identity: {request.identity!r} given, expected the resource id of a "
                "user-assigned managed identity (…/userAssignedIdentities/…)"
            )

    def _check_subscription(self, parameter: str, given: str, subscription: str) -> None:
        if subscription.lower() != self.subscription.lower():
            raise failure(
                f"{parameter}: {given!r} is not in the connection's subscription, "
                f"{self.subscription}"
            )


def _check_region(parameter: str, given: str, actual: str | None, region: str) -> None:
    if region_of(actual) != region:
        raise failure(f"{parameter}: {given!r} is in {region_of(actual)}, expected {region}")

"""moto's EC2 in this process: asked as a server, and looked into where its API is too little.

What is reached of moto without being documented is in this module.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2 import utils as moto_utils
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response

from airflow_multicloud.testing.local_clouds.aws.compute import security_group_of, subnet_of
from airflow_multicloud.testing.local_clouds.aws.compute.answers import (
    STATE_CODES,
    Refusal,
    parsed,
)
from airflow_multicloud.testing.local_clouds.aws.compute.queries import model

# A filter of EC2's that moto has not, by the instance's attribute.
moto_utils.filter_dict_attribute_mapping.setdefault("client-token", "client_token")


class Account:
    """The one account of this server."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def forward(self, request: Request, form: Mapping[str, str] | None = None) -> Response:
        """The answer that moto gives to a request.

        :param form: another body than the request's, of the same caller.
        """
        body = request.get_data() if form is None else urlencode(form).encode()
        environ = dict(request.environ)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return Response.from_app(self._app, environ, buffered=True)

    def ask(self, request: Request, action: str, **form: str) -> ET.Element:
        """The answer that moto gives to another EC2 request of the same caller, read.

        :raises Refusal: what moto refuses.
        """
        version = str(model().metadata["apiVersion"])
        response = self.forward(request, {"Action": action, "Version": version, **form})
        root = parsed(response.get_data())
        if (code := root.findtext(".//Code")) is not None:
            raise Refusal(code, root.findtext(".//Message") or "", response.status_code)
        return root

    def region(self, region: str) -> Any:
        """EC2 of a region; its default subnets have the ids that the connection names."""
        backend: Any = ec2_backends[DEFAULT_ACCOUNT_ID][region]
        with self._lock:
            if region not in self._known:
                self._known.add(region)
                _name_defaults(backend, region)
        return backend

    def instance(self, region: str, instance_id: str) -> Any:
        """An instance, as moto keeps it.

        :raises Refusal: when there is none.
        """
        try:
            return self.region(region).get_instance(instance_id)
        except EC2ClientError:
            raise Refusal(
                "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist"
            ) from None

    def tags(self, region: str, resource_id: str) -> dict[str, str]:
        """The tags of anything; none of what is not there."""
        return dict(self.region(region).tags.get(resource_id, {}))

    def zone_of(self, region: str, subnet_id: str) -> str:
        """A subnet's zone.

        :raises Refusal: when there is no such subnet.
        """
        return str(self.subnet(region, subnet_id).availability_zone)

    def subnet(self, region: str, subnet_id: str) -> Any:
        """A subnet.

        :raises Refusal: when there is none.
        """
        try:
            return self.region(region).get_subnet(subnet_id)
        except EC2ClientError:
            raise Refusal(
                "InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist"
            ) from None


def set_state(instance: Any, state: str, *, code: str = "", message: str = "") -> None:
    """Put an instance into a state.

    :param code: of its StateReason, likewise the message.
    """
    instance.instance_state.name = state
    instance.instance_state.code = STATE_CODES[state]
    instance.state_reason.code, instance.state_reason.message = code, message


def state_of(instance: Any) -> str:
    """The name of the state that an instance is in."""
    return str(instance.instance_state.name)


def set_address(instance: Any, address: str) -> None:
    """Give an instance's first interface a private address."""
    interface = instance.nics[0]
    for known in interface.private_ip_addresses:
        if known.get("PrivateIpAddress") == interface.private_ip_address:
            known["PrivateIpAddress"] = address
    interface.private_ip_address = address


def tag_interfaces(instance: Any, tags: Mapping[str, str]) -> None:
    """Tag the interfaces of a new instance, which moto does not do."""
    for interface in instance.nics.values():
        interface.add_tags(dict(tags))


def _name_defaults(backend: Any, region: str) -> None:
    for zone, subnets in backend.subnets.items():
        for old, subnet in list(subnets.items()):
            subnet.id = subnet_of(zone)
            subnets[subnet.id] = subnets.pop(old)
    for groups in backend.groups.values():
        for old, group in list(groups.items()):
            if group.is_default:
                group.id = group.group_id = security_group_of(region)
                groups[group.id] = groups.pop(old)

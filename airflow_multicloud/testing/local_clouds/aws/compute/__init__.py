"""A local EC2: moto in memory behind stricter checks, and machines that really boot.

moto keeps instances, volumes, interfaces, images and sizes; SSM's public parameters, STS and IAM
are moto's as they are. In front of it:

- every request to EC2 is read by botocore's own model of it: an unknown action or parameter, one
  of another type, and one that is required and missing are refused (:mod:`.queries`);
- ``RunInstances`` keeps client tokens by EC2's rules, and refuses images, sizes, zones and security
  groups that are not there or do not go together (:mod:`.launches`);
- a launched instance boots: its user data, as the API gives it, runs **with the rights of the user
  who runs the server**, in a scratch directory; its private address is one of loopback, where its
  service answers, and its state follows the process (:mod:`.boots`). EC2 runs user data at the
  first boot only, and what comes up at later ones is the machine's own affair (a unit of systemd,
  say); here there is no such thing, so the script is run at every start;
- :class:`~airflow_multicloud.testing.machine_faults.MachineFault` can be planted, seeded as
  ``machine_faults``; a record ``{"clear": true}`` takes all away. ``FAIL_LATER`` with
  ``unsupported`` is refused at once, as no reason of EC2's for a later failure says it;
- a record ``{"looks": n}`` seeded as ``unseen`` keeps the next instance out of the next *n* answers
  of ``DescribeInstances``, which EC2's eventual consistency allows.

What this does not prove: permissions (every caller may do all), EC2's own limits and throttling,
how long it keeps what is terminated, what it checks beyond botocore's model and the rules named
here, and anything that an image would do at its boot. It has been compared with EC2's
documentation, not with EC2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from airflow_multicloud.testing.local_clouds.aws import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at

#: Region that the account uses → the zones that are named in the connection's ``local_subnets``.
REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "us-east-1": ("us-east-1a", "us-east-1b", "us-east-1c"),
        "us-west-2": ("us-west-2a", "us-west-2b"),
        "eu-central-1": ("eu-central-1a", "eu-central-1b"),
    }
)


def ec2(data_dir: Path, *, port: int | None = None, admin_port: int | None = None) -> ServerSpec:
    """EC2, with what of SSM, STS and IAM it needs, in memory; connection ``aws_compute_local``.

    The server's own endpoint is its administration.

    :param port: of the APIs.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    return ServerSpec(
        name="aws-compute",
        port=admin_port,
        command=python_command(
            __name__,
            *("--port", str(port)),
            *("--admin-port", str(admin_port)),
            *("--directory", str(data_dir / "aws-compute")),
        ),
        ready_path="/",
        connections={"aws_compute_local": _connection(port, admin_port)},
    )


def subnet_of(zone: str) -> str:
    """The id of a zone's default subnet, the same in every local EC2."""
    return f"subnet-{_hexadecimal(zone)}"


def security_group_of(region: str) -> str:
    """The id of the default security group of a region's default network, likewise."""
    return f"sg-{_hexadecimal(region)}"


def _hexadecimal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:17]


def _connection(port: int, admin_port: int) -> dict[str, object]:
    endpoint = url_at(port)
    return connection(
        endpoint_url=endpoint,
        # Airflow's AWS hook ignores endpoint_url for STS.
        service_config={"sts": {"endpoint_url": endpoint}},
        local_admin=url_at(admin_port),
        local_subnets={zone: subnet_of(zone) for zones in REGIONS.values() for zone in zones},
        local_security_groups={region: security_group_of(region) for region in REGIONS},
    )

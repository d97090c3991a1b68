"""Three local clouds whose machines boot, and what tests of rollouts do with them."""

from __future__ import annotations

import http.client
import re
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from airflow_multicloud import api
from airflow_multicloud.documents import to_document
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.targets import local_target
from airflow_multicloud.testing.sample_app import Behaviour, write_sample_app

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult, TargetResult
    from airflow_multicloud.core.rollout.standing import StandingInstance
    from airflow_multicloud.core.rollout.teardown_progress import TeardownResult
    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.machine_faults import MachineFault
    from tests.integration.lab import Lab

#: Cloud → the connection to its machines in these tests.
CONNECTIONS = {"aws": "rollout_aws", "gcp": "rollout_gcp", "azure": "rollout_azure"}
POLL = timedelta(seconds=0.1)
POLICY = {
    "canary": 0,
    "healthy_checks": 1,
    "poll_interval_seconds": POLL.total_seconds(),
    "boot_timeout_seconds": 40,
    "health_timeout_seconds": 20,
}
PORT = 18080
#: The parameter of a signed URL without which it is worth nothing, in each cloud.
_SIGNATURES = frozenset({"x-amz-signature", "x-goog-signature", "signature", "sig"})


@dataclass
class Landscape:
    """One deployment's view of the clouds.

    :param servers: of machines, by cloud.
    :param folders: where these keep their machines.
    :param scratch: for artifacts.
    """

    servers: Mapping[str, LocalServer]
    folders: Mapping[str, Path]
    lab: Lab
    scratch: Path
    deployment_id: str
    connections: Mapping[str, str] = field(default_factory=lambda: dict(CONNECTIONS))

    @property
    def places(self) -> dict[str, str]:
        """Cloud → the prefix near it."""
        return {
            "aws": f"s3://aws_local@{self.lab.bucket}/apps/",
            "gcp": f"gs://rollout_signing@{self.lab.bucket}/apps/",
            "azure": f"abfs://wasb_local@{self.lab.bucket}/apps/",
        }

    def app(
        self,
        note: str = "",
        *,
        behaviour: Behaviour = Behaviour.HEALTHY,
        where: str = "",
    ) -> Path:
        """The sample application; another note makes another revision."""
        folder = self.scratch / f"{note}-{behaviour}"
        folder.mkdir(exist_ok=True)
        return write_sample_app(folder / "app.tar.gz", behaviour=behaviour, where=where, note=note)

    def targets(self, **changed: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One in each cloud; ``aws=…`` says what is another there."""
        return [
            local_target(
                cloud,
                **{
                    "artifacts": place,
                    "conn_id": self.connections[cloud],
                    **changed.get(cloud, {}),
                },
            )
            for cloud, place in self.places.items()
        ]

    def document(self, artifact: Path | str, **given: Any) -> dict[str, Any]:
        """A deployment of plain values."""
        policy = {**POLICY, **given.pop("policy", {})}
        return {
            "deployment_id": self.deployment_id,
            "artifact": str(artifact),
            "targets": self.targets(),
            "port": PORT,
            "health": {"port": PORT, "path": "/", "expect": "{revision}", "timeout_seconds": 2},
            "policy": policy,
            **given,
        }

    def deploy(self, artifact: Path | str, **given: Any) -> MultiCloudDeploymentResult:
        """Plan, deliver and roll out."""
        return api.deploy_multicloud(self.document(artifact, **given))

    def plant(self, cloud: str, *faults: MachineFault) -> None:
        """Plant faults in place of those that are left."""
        told = [to_document(fault) for fault in faults]
        Admin(self.servers[cloud].endpoint).seed("machine_faults", [{"clear": True}, *told])

    def requests(self, cloud: str) -> int:
        """How many the server of a cloud's machines has answered."""
        return len(Admin(self.servers[cloud].endpoint).requests())

    def instances(self) -> list[StandingInstance]:
        """All of the deployment that is not on its way out, by a listing of every cloud."""
        report = api.list_deployments(
            list(self.connections.values()), deployment_id=self.deployment_id
        )
        assert report.complete, report.unreachable
        assert not report.unreadable
        return [
            instance
            for target in report.deployment(self.deployment_id).targets
            for slot in target.slots
            for instance in slot.instances
            if not instance.is_going
        ]

    def by_cloud(self) -> dict[str, StandingInstance]:
        """The one instance of each cloud."""
        found = self.instances()
        assert len({one.cloud for one in found}) == len(found), found
        return {one.cloud: one for one in found}

    def tear_down(self) -> TeardownResult:
        """Remove it everywhere."""
        return api.tear_down_deployment(
            self.deployment_id,
            list(self.connections.values()),
            timeout=timedelta(seconds=60),
            poll_interval=POLL,
            confirm_after=timedelta(),
        )

    def processes(self) -> list[str]:
        """The command lines of what runs on the machines, and of what keeps these."""
        roots = [f"MULTICLOUD_ROOT={folder}/".encode() for folder in self.folders.values()]
        found = []
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                environment = (process / "environ").read_bytes()
                if any(root in environment for root in roots):
                    found.append((process / "cmdline").read_bytes().decode().replace("\0", " "))
        return found

    def left_on_disk(self) -> list[Path]:
        """What machines have left in their clouds' folders."""
        return [scratch for folder in self.folders.values() for scratch in folder.glob("*/scratch")]

    def signatures(self) -> list[str]:
        """Of the signed URLs in the machines' startup scripts, the part that makes them work."""
        found = []
        for folder in self.folders.values():
            for script in folder.glob("*/script"):
                url = re.search(r"^url='?(http[^'\n]*)", script.read_text(), re.MULTILINE)
                assert url is not None
                asked = parse_qs(urlsplit(url[1]).query)
                (signature,) = [
                    value[0] for name, value in asked.items() if name.lower() in _SIGNATURES
                ]
                found.append(quote(signature, safe=""))
        return found

    def check_nothing_is_left(self) -> None:
        """Neither an instance, nor a process, nor a directory."""
        assert self.instances() == []
        assert self.processes() == []
        assert self.left_on_disk() == []


def outcomes(result: MultiCloudDeploymentResult) -> dict[str, str]:
    """Target → outcome."""
    return {target.name: target.outcome.value for target in result.targets}


def target(result: MultiCloudDeploymentResult, name: str) -> TargetResult:
    """What came of one target."""
    return next(one for one in result.targets if one.name == name)


def answers(instances: Sequence[StandingInstance]) -> dict[str, str]:
    """Cloud → the revision that its instance answers with."""
    return {one.cloud: _get(one.address or "") for one in instances}


def _get(address: str) -> str:
    with closing(http.client.HTTPConnection(address, PORT, timeout=5)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


def network_of(address: str | None) -> str:
    """What the addresses of all machines of its cloud begin with."""
    assert address is not None
    return f"{address.rpartition('.')[0]}."

"""A deployment as it is given: an artifact, its targets, and how its rollout goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self, TypeVar

import msgspec

from airflow_multicloud.core.rollout.health import HealthCheck, HealthCheckKind
from airflow_multicloud.core.rollout.inputs import (
    duration,
    fields_of,
    refused,
    text,
    whole_number,
)
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.core.rollout.places import check_artifact, check_revision, file_name_of
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.quorum import check_quorum
from airflow_multicloud.core.rollout.script import check_archive, check_command
from airflow_multicloud.core.rollout.targets import Target, read_targets
from airflow_multicloud.errors import DeploymentError, ErrorKind

T = TypeVar("T")

_LAST_PORT = 65535
_MOST_INSTANCES = 10_000
#: Of what S3 and Cloud Storage sign: docs.aws.amazon.com/AmazonS3/latest/API/
#: sigv4-query-string-auth.html (X-Amz-Expires), cloud.google.com/storage/docs/access-control/
#: signed-urls.
_LONGEST_URL = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is to run where.

    :param deployment_id: of this deployment, for good: what it makes is found again by it.
    :param artifact: the URI or local path of one file: an archive, or what is run itself.
    :param revision: its name, for people; the first 12 digits of the artifact's SHA-256 when left
        out.
    :param command: that is run where the artifact was unpacked.
    :param port: that the command is told to listen at.
    :param health: how an instance is asked whether it is well; when left out, its cloud is.
    :param policy: how the rollout goes.
    :param url_lifetime: of the signed URL that an instance fetches the artifact by. It lies in the
        instance's metadata, and is worth nothing after this.
    :param max_instances: more are refused; of the revision that is being replaced as many again may
        run meanwhile.
    """

    deployment_id: str
    artifact: str
    targets: tuple[Target, ...]
    revision: str | None = None
    command: str = "./run"
    port: int = 8080
    health: HealthCheck | None = None
    policy: RolloutPolicy = RolloutPolicy()
    url_lifetime: timedelta = timedelta(hours=1)
    max_instances: int = 50

    def __post_init__(self) -> None:
        """Take plain values as they are given, and refuse what can't be deployed.

        :raises DeploymentError: ``invalid_argument``, naming the parameter.
        """
        check_id(text("deployment_id", self.deployment_id), "deployment_id")
        if self.revision is not None:
            check_revision(self.revision, "revision")
        check_command(text("command", self.command))
        whole_number("port", self.port, 1, _LAST_PORT)
        whole_number("max_instances", self.max_instances, 1, _MOST_INSTANCES)
        lifetime = duration("url_lifetime", self.url_lifetime, most=_LONGEST_URL)
        artifact = check_artifact(self.artifact, "artifact")
        check_archive(file_name_of(artifact), "artifact: file name")
        object.__setattr__(self, "artifact", artifact)
        object.__setattr__(self, "targets", read_targets(self.targets))
        object.__setattr__(self, "policy", _policy(self.policy))
        object.__setattr__(self, "health", read_health(self.health))
        object.__setattr__(self, "url_lifetime", lifetime)
        self._check_together()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """A deployment from a document of plain values: this class's fields by name.

        :raises DeploymentError: ``invalid_argument``, naming what is unknown, missing or wrong.
        """
        return cls(**fields_of(cls, given, "deployment"))

    def _check_together(self) -> None:
        if not self.targets:
            raise refused("targets", None, "at least one")
        names = [target.name for target in self.targets]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise refused("targets", f"two targets named {', '.join(twice)}", "a name of its own")
        if (instances := sum(target.count for target in self.targets)) > self.max_instances:
            raise refused(
                "max_instances",
                f"{instances} instances in all targets",
                f"at most {self.max_instances}; raise it, or lower the targets' count",
            )
        policy = self.policy
        check_quorum(policy.min_success, len(self.targets))
        if self.url_lifetime <= policy.boot_timeout:
            raise refused(
                "url_lifetime",
                self.url_lifetime,
                f"more than boot_timeout ({policy.boot_timeout}): an instance that boots slowly "
                "must still be able to fetch the artifact",
            )
        if self.health is not None and self.health.public:
            for target in self.targets:
                if not all(one.request.network.public_address for one in target.prospects()):
                    raise refused(
                        f"target {target.name}: network: public_address",
                        False,
                        "True, as the health check is public",
                    )


def read_health(given: object) -> HealthCheck | None:
    """A health check as it is given: one, a document of its fields, or none.

    :raises DeploymentError: ``invalid_argument``, naming what is unknown, missing or wrong.
    """
    if given is None:
        return None
    check = given if isinstance(given, HealthCheck) else _read(HealthCheck, given, "health")
    path = text("health: path", check.path)
    if not path.isascii() or " " in path or "#" in path:
        raise refused("health: path", path, "ASCII without spaces and '#'; percent-encode them")
    if check.expect is not None:
        text("health: expect", check.expect)
    if check.kind is HealthCheckKind.TCP and (path != "/" or check.expect is not None):
        raise refused("health: kind", "tcp", "'http', as path or expect is set")
    return check


def _policy(given: object) -> RolloutPolicy:
    return given if isinstance(given, RolloutPolicy) else _read(RolloutPolicy, given, "policy")


def _read(cls: type[T], given: object, parameter: str) -> T:
    try:
        return msgspec.convert(fields_of(cls, given, parameter), cls)
    except msgspec.ValidationError as err:
        raise DeploymentError(f"{parameter}: {err}", kind=ErrorKind.INVALID_ARGUMENT) from err

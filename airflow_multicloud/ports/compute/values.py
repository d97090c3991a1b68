"""What there is: images, sizes, instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from airflow_multicloud.errors import ErrorKind


class Architecture(StrEnum):
    """Of processors, as Linux calls them."""

    X86_64 = "x86_64"
    ARM64 = "arm64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A disk image that instances start from.

    :param id: what the cloud starts it by: an AMI id, a Compute Engine image (with its project,
        never a family), a marketplace reference with its exact version.
    :param name: for people.
    """

    id: str
    name: str
    architecture: Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A machine type.

    :param name: ``t3.small``, ``e2-small``, ``Standard_B1ms``.
    :param memory_bytes: of its main memory.
    """

    name: str
    vcpus: int
    memory_bytes: int
    architecture: Architecture


class InstanceState(StrEnum):
    """How an instance is."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    TERMINATING = "terminating"
    #: Gone; a cloud may still tell of it for a while.
    TERMINATED = "terminated"
    #: It could not be made, and lies there.
    FAILED = "failed"
    #: Only parts are there: an interface or a disk without its machine.
    INCOMPLETE = "incomplete"

    @property
    def is_live(self) -> bool:
        """Whether it is a machine that works, may become one, or can be started again."""
        return self in _LIVE

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left to terminate."""
        return self is InstanceState.TERMINATED


_LIVE = frozenset(
    {
        InstanceState.PENDING,
        InstanceState.RUNNING,
        InstanceState.STOPPING,
        InstanceState.STOPPED,
    }
)


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """Which instance.

    :param id: as its cloud writes it: ``i-0abc…``; ``projects/…/zones/…/instances/…``;
        ``/subscriptions/…``.
    :param region: in which it is.
    """

    id: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A virtual machine with all that was made for it: its interfaces and disks.

    :param name: its name, which the launch gave it.
    :param zone: in which it is, where it is in one.
    :param labels: labels or tags, all of them.
    :param account_id: in which it is: AWS account, Google project, Azure subscription.
    :param address: its private address; the public one is ``public_address``.
    :param created_at: when the cloud says that it was made.
    :param error_kind: why it failed, or is stopped without having been asked to, where known.
    :param error: what the cloud says of that.
    :param console_url: of its page in the cloud's console.
    """

    ref: InstanceRef
    name: str
    state: InstanceState
    account_id: str
    size: str
    image: str
    zone: str | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    address: str | None = None
    public_address: str | None = None
    created_at: datetime | None = None
    error_kind: ErrorKind | None = None
    error: str | None = None
    console_url: str | None = None

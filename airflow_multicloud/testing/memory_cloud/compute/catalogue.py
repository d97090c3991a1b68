"""What the memory cloud offers: regions, sizes, images, and what must be there before a launch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import (
    ApiCall,
    Architecture,
    Image,
    LaunchRequest,
    LaunchSpec,
    Size,
    SizeNeed,
)

GIB = 2**30

#: Region → its zones.
REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"mem-1": ("mem-1a", "mem-1b", "mem-1c"), "mem-2": ("mem-2a", "mem-2b")}
)
_X86, _ARM = Architecture.X86_64, Architecture.ARM64
SIZES = (
    Size(name="tiny", vcpus=1, memory_bytes=GIB, architecture=_X86),
    Size(name="small", vcpus=2, memory_bytes=4 * GIB, architecture=_X86),
    Size(name="large", vcpus=8, memory_bytes=32 * GIB, architecture=_X86),
    Size(name="small-arm", vcpus=2, memory_bytes=4 * GIB, architecture=_ARM),
)
IMAGES = (
    Image(id="linux-1", name="Linux", architecture=_X86),
    Image(id="linux-1-arm", name="Linux", architecture=_ARM),
)
#: One in each region.
SUBNETS: Mapping[str, str] = MappingProxyType({"net-1": "mem-1", "net-2": "mem-2"})
SECURITY_GROUPS = frozenset({"web"})
IDENTITIES = frozenset({"runner"})

_CALLS = (
    ApiCall(call="memory.launch", permissions=("memory.instances.launch",)),
    ApiCall(call="memory.terminate", permissions=("memory.instances.terminate",)),
)


def resolve(request: LaunchRequest, account_id: str) -> LaunchSpec:
    """What a request comes to.

    :raises DeploymentError: naming the parameter at fault.
    """
    _check_there("region", request.region, REGIONS)
    zones = REGIONS[request.region]
    zone = zones[0] if request.zone is None else request.zone
    _check_there("zone", zone, zones)
    if request.resource_group is not None:
        raise _wrong("resource_group", f"{request.resource_group!r} given, expected none here")
    if len(request.network.subnets) != 1:
        raise _wrong("subnets", f"{len(request.network.subnets)} given, expected exactly one")
    (subnet,) = request.network.subnets
    _check_there("subnets", subnet, [s for s, where in SUBNETS.items() if where == request.region])
    for group in request.network.security_groups:
        _check_there("security_groups", group, SECURITY_GROUPS)
    if request.identity is not None:
        _check_there("identity", request.identity, IDENTITIES)
    size, image = _size(request), _image(request)
    if image.architecture is not size.architecture:
        raise _wrong(
            "image",
            f"{image.id} is for {image.architecture}, the size {size.name} for "
            f"{size.architecture}; expected one architecture",
        )
    return LaunchSpec(
        account_id=account_id,
        region=request.region,
        zone=zone,
        size=size,
        image=image,
        subnet=subnet,
        security_groups=request.network.security_groups,
        public_address=request.network.public_address,
        identity=request.identity,
        disk_bytes=request.disk_bytes,
        calls=_CALLS,
    )


def _size(request: LaunchRequest) -> Size:
    wanted = request.size
    if isinstance(wanted, SizeNeed):
        enough = [
            size
            for size in SIZES
            if size.vcpus >= wanted.vcpus
            and size.memory_bytes >= wanted.memory_bytes
            and size.architecture is request.architecture
        ]
        if not enough:
            raise _wrong(
                "size",
                f"no size has {wanted.vcpus} vCPUs and {wanted.memory_bytes} bytes of memory "
                f"({request.architecture})",
            )
        return min(enough, key=lambda size: (size.vcpus, size.memory_bytes, size.name))
    _check_there("size", wanted, [size.name for size in SIZES])
    return next(size for size in SIZES if size.name == wanted)


def _image(request: LaunchRequest) -> Image:
    if request.image is None:
        return next(image for image in IMAGES if image.architecture is request.architecture)
    _check_there("image", request.image, [image.id for image in IMAGES])
    return next(image for image in IMAGES if image.id == request.image)


def _check_there(parameter: str, given: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if given not in names:
        raise DeploymentError(
            f"{parameter}: {given!r} given, which is not there; known: {', '.join(names)}",
            kind=ErrorKind.NOT_FOUND,
            cloud="memory",
        )


def _wrong(parameter: str, why: str) -> DeploymentError:
    return DeploymentError(f"{parameter}: {why}", kind=ErrorKind.INVALID_ARGUMENT, cloud="memory")

"""What RDS checks beyond botocore's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from airflow_multicloud.testing.local_clouds.aws.database import (
    CLASSES,
    ENGINE_VERSIONS,
    PARAMETER_GROUPS,
    SECURITY_GROUPS,
    SUBNET_GROUPS,
)
from airflow_multicloud.testing.local_clouds.aws.database.answers import Refusal
from airflow_multicloud.testing.local_clouds.aws.database.words import contradictory, invalid

T = TypeVar("T")
_MOST_TAGS, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256
_FEWEST, _MOST = 20, 100
_MOST_DAYS = 35


def tags_of(given: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a request.

    :raises Refusal: for what is no tag ("Tagging Amazon RDS resources" of the user guide).
    """
    tags = given.get("Tags", [])
    found = {one.get("Key", ""): one.get("Value", "") for one in tags}
    for key, value in found.items():
        if not 0 < len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise invalid(f"The tag {key!r} is too long, or has no key.")
        if key.lower().startswith(("aws:", "rds:")):
            raise invalid("Tag keys must not begin with aws: or rds:.")
    if len(found) < len(tags) or len(found) > _MOST_TAGS:
        raise invalid("Tag keys must be unique, at most 50.")
    return found


def network_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Where a new instance is: RDS's defaults for what is left out, never the source's.

    :raises Refusal: for what is not there, or does not go together.
    """
    group = given.get("DBSubnetGroupName", "default")
    if group not in SUBNET_GROUPS:
        raise Refusal("DBSubnetGroupNotFoundFault", f"DB subnet group '{group}' not found.", 404)
    vpc = SUBNET_GROUPS[group]
    default = next(one for one, of in SECURITY_GROUPS.items() if of == vpc)
    wanted = given.get("VpcSecurityGroupIds") or [default]
    if strange := [one for one in wanted if SECURITY_GROUPS.get(one) != vpc]:
        raise invalid(f"Invalid security group , groupId= {', '.join(strange)}, groupName=.")
    return {
        "subnet_group": group,
        "security_groups": list(wanted),
        "public": bool(given.get("PubliclyAccessible", False)),
    }


def engine_of(given: Mapping[str, Any], usual: str) -> dict[str, Any]:
    """The engine's version and the parameter group of a request: RDS's default of that version.

    :raises Refusal: for what is not there, or of different families.
    """
    version = str(given.get("EngineVersion", usual))
    if version not in ENGINE_VERSIONS:
        raise contradictory(f"Cannot find version {version} for postgres")
    family = f"postgres{version.partition('.')[0]}"
    group = given.get("DBParameterGroupName", f"default.{family}")
    if group not in PARAMETER_GROUPS:
        raise Refusal("DBParameterGroupNotFound", f"DBParameterGroup not found: {group}", 404)
    if PARAMETER_GROUPS[group] != family:
        raise contradictory(
            f"The parameter group {group} with DBParameterGroupFamily {PARAMETER_GROUPS[group]} "
            "can't be used for this instance. Use a parameter group with DBParameterGroupFamily "
            f"{family}."
        )
    return {"engine_version": version, "parameter_group": group}


def class_of(given: Mapping[str, Any], usual: str) -> str:
    """The instance class of a request.

    :raises Refusal: for one that there is not.
    """
    found = str(given.get("DBInstanceClass", usual))
    if found not in CLASSES:
        raise invalid(f"Invalid DB Instance class: {found}")
    return found


def days_of(given: Mapping[str, Any], usual: int) -> int:
    """For how many days backups are kept.

    :raises Refusal: for another number than is allowed.
    """
    days = int(given.get("BackupRetentionPeriod", usual))
    if not 0 <= days <= _MOST_DAYS:
        raise invalid(f"Invalid backup retention period: {days}. Must be between 0 and 35.")
    return days


def page_of(
    given: Mapping[str, Any], known: list[T], *, most: int | None
) -> tuple[list[T], dict[str, str]]:
    """The page of a listing that a request asks for, and the marker of the next.

    :param most: what a page holds at most; less than is asked for is allowed.

    :raises Refusal: for a size or a marker that is not allowed.
    """
    size, marker = int(given.get("MaxRecords", _MOST)), str(given.get("Marker", "after-0"))
    if not _FEWEST <= size <= _MOST:
        raise invalid(f"Invalid value {size} for MaxRecords. Must be between 20 and 100")
    place = marker.removeprefix("after-")
    if not place.isdecimal():
        raise invalid("The Marker is invalid.")
    first, size = int(place), min(size, most or size)
    more = first + size < len(known)
    return known[first : first + size], {"Marker": f"after-{first + size}"} if more else {}


def check_moment_given(given: Mapping[str, Any]) -> None:
    """That a point-in-time restore has one of two parameters.

    :raises Refusal: when it has both or none.
    """
    if bool(given.get("UseLatestRestorableTime")) == ("RestoreTime" in given):
        raise contradictory(
            "Either RestoreTime or UseLatestRestorableTime must be specified, and not both."
        )

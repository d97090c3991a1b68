"""Amazon Resource Names, and the actions that are done to what they name.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from airflow_multicloud.adapters.permissions import checked_actions, refused, shown
from airflow_multicloud.clouds.aws import NAME

#: Any resource: what an action that can't be limited to one is asked of.
EVERYTHING: Final = "*"
#: A machine's may be of every region: its region is named wherever one is meant.
_ARN = re.compile(
    r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*|(?<=:ec2:)\*):(\d{12}|aws|):(.+)", re.DOTALL
)
#: What :mod:`~airflow_multicloud.clouds.aws.identity.facts` makes where nothing names a region.
_NO_REGION = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:\*:")
_SPECIAL = re.compile(r"[*?$]")
_ESCAPED = re.compile(r"\$\{([*?$])\}")
_LONGEST = 2048  # ResourceNameType of IAM's model
#: ActionNameType of IAM's model, of which the simulator takes no pattern.
_ACTION = re.compile(r"(?=.{3,128}\Z)[a-z0-9-]+:[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """The parts of one.

    :param account: empty where it names none, as S3's do.
    :param rest: ``role/path/name``, ``bucket/key``…
    """

    text: str
    partition: str
    service: str
    region: str
    account: str
    rest: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The parts of a text; ``None`` when it is no ARN."""
        found = _ARN.fullmatch(text)
        if found is None or len(text) > _LONGEST:
            return None
        partition, service, region, account, rest = found.groups()
        return cls(
            text=text,
            partition=partition,
            service=service,
            region=region,
            account=account,
            rest=rest,
        )


def escaped(name: str) -> str:
    """A name whose characters stand for themselves in policies.

    "IAM policy elements: Variables and tags" has ``${*}``, ``${?}`` and ``${$}`` for that.
    """
    return _SPECIAL.sub(r"${\g<0>}", name)


def unescaped(resource: str) -> str:
    """A resource as requests name it, which policies are judged by."""
    return _ESCAPED.sub(r"\1", resource)


def without_escapes(resource: str) -> str:
    """A resource without the characters that stand for themselves: what is left has a meaning."""
    return _ESCAPED.sub("", resource)


def checked_resource(resource: str, parameter: str = "resource") -> Arn | None:
    """The resource that actions are asked of; ``None`` for every resource (``*``).

    :param parameter: for the message.
    :raises CredentialsError: kind ``invalid_argument``.
    """
    if resource == EVERYTHING:
        return None
    arn = Arn.read(resource) if isinstance(resource, str) else None
    if arn is None:
        if isinstance(resource, str) and _NO_REGION.match(resource):
            raise refused(
                parameter,
                f"{shown(resource)} given; it names no region, and neither does the connection: "
                "its extra region_name, the environment or the profile can",
                NAME,
            )
        raise refused(
            parameter,
            f"{shown(resource)} given; expected an ARN (arn:aws:s3:::bucket), or '*' for an "
            "action that can't be limited to a resource",
            NAME,
        )
    return arn


def checked(actions: Sequence[str]) -> tuple[str, ...]:
    """The actions, by IAM's names.

    :raises CredentialsError: kind ``invalid_argument``.
    """
    expected = "service:Action, as s3:PutObject, without wildcards"
    return checked_actions(actions, _ACTION, expected=expected, cloud=NAME)

"""Identity: the port that says whom a connection's credentials belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a cloud takes the caller for.

    :param account_id: AWS account id, Google Cloud project id, Azure subscription id.
    :param principal: AWS ARN, Google service account or user e-mail, Microsoft Entra object
        or client id.
    :param region: the connection's default region, where it has one.
    """

    account_id: str
    principal: str
    region: str | None = None


class Identity(Protocol):
    """What every cloud can say of the caller."""

    def who_am_i(self) -> Principal:
        """The account and principal of the connection's own credentials, asked of the cloud.

        :raises CredentialsError: when there are no credentials or the cloud refuses them.
        """
        ...

"""The clients of an AWS connection that machines need, and whose account it is."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.ec2 import EC2Hook
from botocore.config import Config

from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.clouds.aws.session import SessionHook
from airflow_multicloud.errors import ErrorKind

# Any region can tell of the others; this one is in every account of the partition.
_FIRST_REGION = "us-east-1"

# Refusals for lack of capacity have the HTTP status 500, which botocore would try again at once,
# and again: the next zone is then reached later, and the quota for such calls is small.
_ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})


class _ClientHook(EC2Hook):
    """The official hook with its arguments in the order of the others."""

    def __init__(self, aws_conn_id: str | None, **kwargs: Any) -> None:
        kwargs.pop("client_type", None)
        super().__init__("client_type", aws_conn_id=aws_conn_id, **kwargs)


class ComputeBase(SessionHook, _ClientHook):
    """What the verbs stand on: the official EC2 hook and one opened connection."""

    def _client_of(self, service: str, region: str | None = None) -> Any:
        """The client of a service, made once for each region."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            home = self._session.region or _FIRST_REGION
            return self._session.client(service, region=region or home)

    def _launcher_of(self, region: str) -> Any:
        """EC2's client without retries of its own, for the call that launches."""
        with translated(f"opening connection {self.aws_conn_id!r}"):
            return self._session.once(
                ("launcher", region),
                lambda: self._session.new_client("ec2", region=region, config=_ONCE),
            )

    def _own_account(self) -> str:
        """The account that instances are made in; asked once."""

        def ask() -> str:
            return str(self._client_of("sts").get_caller_identity()["Account"])

        with translated(f"connection {self.aws_conn_id!r}: asking STS whose account it is"):
            return self._session.once("account", ask)

    def _check_region(self, region: str) -> None:
        """That the account may use a region; asked once.

        :raises DeploymentError: ``not_found``.
        """

        def ask() -> dict[str, str]:
            found = self._client_of("ec2").describe_regions(AllRegions=True)["Regions"]
            return {one["RegionName"]: one.get("OptInStatus", "") for one in found}

        with translated("region: asking EC2 for the account's regions"):
            known = self._session.once("regions", ask)
        if region not in known:
            raise failure(f"region: there is no {region!r} for this account", ErrorKind.NOT_FOUND)
        if known[region] == "not-opted-in":
            raise failure(
                f"region: the account has not opted in to {region!r}; enable it in the account's "
                "settings first",
                ErrorKind.NOT_FOUND,
            )

    def _usable_regions(self) -> list[str]:
        """The regions that the account uses."""
        with translated(f"connection {self.aws_conn_id!r}: asking EC2 for the account's regions"):
            found = self._client_of("ec2").describe_regions()["Regions"]
        return sorted(str(one["RegionName"]) for one in found)

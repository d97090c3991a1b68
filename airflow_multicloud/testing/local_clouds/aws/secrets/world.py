"""All secrets, by region and name, and what was seeded for them."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_multicloud.testing.local_clouds.aws.secrets.store import Kept
from airflow_multicloud.testing.local_clouds.aws.secrets.words import missing, wrong_state
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call
from airflow_multicloud.testing.local_clouds.kit.state import State

_SERVICE = "secrets"


class World:
    """The secrets of all regions; its owner has a lock."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.kept: dict[tuple[str, str], Kept] = {}

    def page(self, most: int) -> int:
        """How many items a page has.

        :param most: that were asked for.
        """
        told = [record["page"] for record in self._state.seeded(_SERVICE) if "page" in record]
        return min(most, told[-1]) if told else most

    def make(self, region: str, name: str) -> Kept:
        """A new secret without versions."""
        now = datetime.now(UTC)
        secret = Kept(name=name, region=region, created=now, changed=now, tags={})
        self.kept[region, name] = secret
        return secret

    def find(self, region: str, secret_id: str) -> Kept | None:
        """A secret by its name or its ARN."""
        for secret in self.kept.values():
            if secret.region == region and secret_id in (secret.name, secret.arn):
                self._seed(secret)
                return secret
        return None

    def seed_all(self) -> None:
        """Give all secrets what was seeded for them."""
        for secret in self.kept.values():
            self._seed(secret)

    def found(self, call: Call, *, deleted: bool = False) -> Kept:
        """The secret that a request names.

        :param deleted: whether it may be marked for deletion.
        :raises Refused: when it is not there, or is and may not.
        """
        secret = self.find(call.region, call.given["SecretId"])
        if secret is None:
            raise missing()
        if secret.deleted is not None and not deleted:
            raise wrong_state(
                "You can't perform this operation on the secret because it was marked for deletion."
            )
        return secret

    def _seed(self, secret: Kept) -> None:
        for record in self._state.seeded(_SERVICE):
            if record.get("name") == secret.name:
                secret.primary_region = record.get("primary_region", secret.primary_region)
                secret.owning_service = record.get("owning_service", secret.owning_service)
                secret.tags.update(record.get("tags", {}))

"""Labels of an instance and its parts: tags."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.clouds.aws.compute.fields import is_instance, state_of
from airflow_multicloud.clouds.aws.compute.listing import Listings
from airflow_multicloud.clouds.aws.tagging import tag_list
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef


class Labels(Listings):
    """The port's ``label_instance``."""

    def label_instance(self, ref: InstanceRef, labels: Mapping[str, str]) -> None:
        """Add labels to an instance and its parts, or change them; see the port."""
        resources = [ref.id]
        if is_instance(ref):
            item, _ = self._described(ref)
            with well_formed(f"describing {ref.id}", NAME, area=DeploymentError):
                state = state_of(item)
            if not state.is_live:
                raise failure(f"labelling {ref.id}: it is {state}", ErrorKind.NOT_FOUND)
            resources += self._attached(item, ref.region)
        with translated(f"labelling {ref.id} in {ref.region}"):
            client = self._client_of("ec2", ref.region)
            client.create_tags(Resources=resources, Tags=tag_list(labels))

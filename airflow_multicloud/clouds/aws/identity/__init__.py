"""AWS identity: whom the connection's credentials belong to, as STS sees it."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.identity.client import StsIdentityHook
from airflow_multicloud.ports.identity import Identity

Hook: type[Identity] = StsIdentityHook

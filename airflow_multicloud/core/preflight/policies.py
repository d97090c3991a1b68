"""What has to be granted for operations, as documents that each cloud takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPolicy:
    """A policy or role for whom one connection has credentials of.

    :param conn_id: the connection.
    :param granted_on: the resources that it is to be granted on, and no others; empty where the
        document names them itself, as an IAM policy does.
    :param document: an IAM policy, a custom role or a role definition.
    """

    cloud: str
    conn_id: str
    granted_on: tuple[str, ...]
    document: Mapping[str, Any]

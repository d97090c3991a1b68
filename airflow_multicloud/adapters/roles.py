"""Permissions for clouds whose roles say what is allowed, and not on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from airflow_multicloud.ports.calls import Grant


def permissions_by_resources(
    grants: Iterable[Grant],
) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Resources that need the same → the permissions that each of them needs: a role's."""
    needed: dict[str, list[str]] = {}
    for grant in sorted(set(grants), key=lambda one: (one.resource, one.permission)):
        needed.setdefault(grant.resource, []).append(grant.permission)
    alike: dict[tuple[str, ...], list[str]] = {}
    for resource, permissions in needed.items():
        alike.setdefault(tuple(permissions), []).append(resource)
    return {tuple(resources): permissions for permissions, resources in alike.items()}

"""What operations need to be allowed: looked up in the clouds' tables, and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from airflow_multicloud import registry
from airflow_multicloud.core import telemetry
from airflow_multicloud.core.preflight.checking import Asked, check_connection_calls
from airflow_multicloud.core.preflight.granting import Described, calls_of, grants_of
from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.core.preflight.operations import needs_of, operations_of
from airflow_multicloud.core.preflight.policies import RenderedPolicy
from airflow_multicloud.core.preflight.report import (
    CheckedPermission,
    OnUnknown,
    PreflightReport,
    report_of,
)
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind
from airflow_multicloud.known_clouds import Cloud, get_provider
from airflow_multicloud.ports.identity import Decision, Identity
from airflow_multicloud.registry import session

_TITLE = "airflow-multicloud"


@session()
def check_operations_allowed(
    operations: object, *, on_unknown: OnUnknown = OnUnknown.FAIL
) -> PreflightReport:
    """Ask each connection's cloud whether all that the operations need is allowed.

    Nothing is changed by asking. A connection or a cloud that can't be asked costs only its own
    permissions: they are ``unknown``.

    :raises CloudError: kind ``invalid_argument`` for what is no operation, naming it.
    """
    needs = needs_of(operations_of(operations))
    with telemetry.operation("preflight") as span:
        by_connection: dict[tuple[str, str], list[Need]] = {}
        for need in needs:
            by_connection.setdefault((need.conn_id, need.service), []).append(need)
        report = report_of(
            (one for some in by_connection.values() for one in _checked(some)), on_unknown
        )
        for decision in Decision:
            span.set_attribute(f"multicloud.{decision}", report.count(decision))
    return report


def policies_for(operations: object, cloud: str) -> tuple[RenderedPolicy, ...]:
    """The smallest policies or roles of a cloud that allow what the operations need there.

    Of each connection its own, as each has credentials of its own. Connections need no credentials,
    and those that a URI names need not be there: what they would tell stands in braces then
    (``{subscription}``).

    :param cloud: ``aws``: an IAM policy for each connection. ``gcp``: custom roles, ``azure``: role
        definitions, one for each set of permissions that some of the connection's resources need.
    :raises CloudError: as :func:`check_operations_allowed`; kind ``unsupported`` for a cloud that
        has none of this, ``invalid_argument`` when the operations need nothing of it.
    """
    named = get_provider(cloud)
    writer = registry.part_of(named, "identity.policies")
    if writer is None:
        raise CredentialsError(
            f"cloud: {named.title} has no policies here", kind=ErrorKind.UNSUPPORTED, cloud=cloud
        )
    by_connection: dict[str, list[Need]] = {}
    for need in needs_of(operations_of(operations)):
        if _cloud_of(need).name == cloud:
            by_connection.setdefault(need.conn_id, []).append(need)
    if not by_connection:
        raise CredentialsError(
            f"cloud: the operations need nothing of {named.title}", kind=ErrorKind.INVALID_ARGUMENT
        )
    return tuple(
        RenderedPolicy(
            cloud=cloud, conn_id=conn_id, granted_on=one.granted_on, document=one.document
        )
        for conn_id, needs in by_connection.items()
        for one in writer.policies_of(
            grants_of(calls_of(needs, describe)), title=f"{_TITLE} {conn_id}"
        )
    )


def _checked(needs: Sequence[Need]) -> Iterable[CheckedPermission]:
    """Of one service of one connection."""
    first = needs[0]
    try:
        cloud = registry.cloud_of(first.conn_id)
        for need in needs:
            _check_cloud(need, cloud)
        calls = calls_of(needs, describe)
    except CloudError as err:
        return [_unreachable(first, err)]
    identity: Identity | CloudError
    try:
        identity = registry.resolve(Identity, first.conn_id)
    except CloudError as err:
        identity = err
    asked = Asked(conn_id=first.conn_id, cloud=cloud.name, identity=identity)
    return check_connection_calls(asked, calls)


def _check_cloud(need: Need, cloud: Cloud) -> None:
    if need.cloud is not None and need.cloud != cloud.name:
        raise CredentialsError(
            f"connection {need.conn_id!r} belongs to {cloud.title}, and the URI that names it to "
            f"{get_provider(need.cloud).title}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=cloud.name,
        )


def _unreachable(need: Need, err: CloudError) -> CheckedPermission:
    """Of a connection that can't be used at all: what it needs is not even named."""
    return CheckedPermission(
        cloud=need.cloud or "",
        conn_id=need.conn_id,
        permission="",
        resource="",
        decision=Decision.UNKNOWN,
        reason=f"could not be asked: {err.kind}: {err}",
        calls=(),
        operations=(need.what,),
        kind=err.kind,
    )


def _cloud_of(need: Need) -> Cloud:
    return registry.cloud_of(need.conn_id) if need.cloud is None else get_provider(need.cloud)


def describe(need: Need) -> Described:
    """What a need's service calls, and what its connection says of where it leads.

    :raises CredentialsError: kind ``unsupported`` when its cloud does not tell.
    """
    cloud = _cloud_of(need)
    module = registry.part_of(cloud, f"{need.service}.calls")
    if module is None:
        raise CredentialsError(
            f"{cloud.title} does not tell what its {need.service} calls",
            kind=ErrorKind.UNSUPPORTED,
            cloud=cloud.name,
        )
    return module.TABLE, _facts(cloud, need.conn_id)


def _facts(cloud: Cloud, conn_id: str) -> Mapping[str, str]:
    module = registry.part_of(cloud, "identity.facts")
    if module is None:
        return {}
    try:
        connection = registry.read_connection(conn_id)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        connection = None
    found: Mapping[str, str] = module.facts_of(connection)
    return found

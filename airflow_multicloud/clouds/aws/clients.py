"""The two clients of a service whose requests must not be counted twice: one asks, one sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_multicloud.clouds.aws.seams import SEND_ONCE, refuse_pages, resend_throttled

if TYPE_CHECKING:
    from airflow_multicloud.adapters.errors import ErrorTable
    from airflow_multicloud.clouds.aws.session import Session


def asking_client(service: str, session: Session) -> Any:
    """A client for what may be asked again, as often as botocore likes.

    :param service: as boto3 names it; it speaks JSON or CBOR.
    """
    client = session.new_client(service)
    refuse_pages(client)
    return client


def sending_client(service: str, operation: str, session: Session, table: ErrorTable) -> Any:
    """A client for what the service would count twice.

    A request whose answer is lost is not sent again; one that was throttled is, since nothing of it
    was carried out.

    :param service: as of :func:`asking_client`.
    :param operation: the one that is called.
    :param table: what the service's codes mean.
    """
    client = session.new_client(service, config=SEND_ONCE)
    resend_throttled(client, operation, table)
    refuse_pages(client)
    return client

"""Where replicas and uploads go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.lists import elements
from airflow_multicloud.locations import check_template
from airflow_multicloud.opening.endpoints import open_endpoint


@dataclass(slots=True)
class Destination:
    """Where replicas go, with what is to hold for them; each may be a template.

    Not frozen: Airflow renders the ``template_fields`` of what an argument holds in place.

    :param storage_class: the store's own name (S3 ``STANDARD_IA``, GCS ``NEARLINE``, Azure
        tier ``Cool``).
    :param encryption_key: S3: KMS key id or ARN; GCS: Cloud KMS key; Azure: encryption scope.
    """

    uri: str
    storage_class: str | None = None
    encryption_key: str | None = None

    template_fields: ClassVar[tuple[str, ...]] = ("uri", "storage_class", "encryption_key")


def open_destinations(
    given: Sequence[str | Destination], *, parameter: str
) -> tuple[Endpoint, ...]:
    """The stores of several destinations; see :func:`open_destination`.

    :raises CloudError: kind ``invalid_argument`` for what is no list; see
        :func:`~airflow_multicloud.lists.elements`.
    """
    listed: tuple[str | Destination, ...] = elements(
        given, parameter, str, Destination, what="URIs"
    )
    return tuple(
        open_destination(one, parameter=f"{parameter}[{n}]") for n, one in enumerate(listed)
    )


def open_destination(given: str | Destination, *, parameter: str) -> Endpoint:
    """Find the store of a destination.

    :param parameter: the parameter it was given for, for errors.
    :raises CloudError: naming the parameter that is wrong.
    """
    wanted = Destination(given) if isinstance(given, str) else given
    for name in ("storage_class", "encryption_key"):
        check_template(getattr(wanted, name) or "", parameter=f"{parameter}: {name}")
    return open_endpoint(
        wanted.uri,
        parameter=parameter,
        storage_class=wanted.storage_class,
        encryption_key=wanted.encryption_key,
    )

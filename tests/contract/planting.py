"""How the rigs of metrics and logs plant faults in a local server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.delivery_faults import DeliveryFault
    from airflow_multicloud.testing.local_clouds import LocalServer


def planting(
    fixture: str, service: str
) -> Callable[[pytest.FixtureRequest, Sequence[DeliveryFault]], None]:
    """Plants faults in ``metrics`` or ``logs``.

    :param fixture: of the server.
    """

    def planted(request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
        server: LocalServer = request.getfixturevalue(fixture)
        plant(server.endpoint, service, faults)

    return planted

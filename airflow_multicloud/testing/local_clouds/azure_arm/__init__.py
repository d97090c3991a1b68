"""A local Azure Resource Manager: TLS, Entra tokens, and the services tests need so far.

Simulated, and strict where a simulation can be: every request is checked against the SDK's own
description of it (path, method, ``api-version``, query parameters, and the body's fields:
unknown, read-only, missing, of another type), and every answer against the model that the SDK
reads it with. That is the client's view of the service, not the service's: what passes here may
still be refused by Azure, but what is refused here is not what the SDK would send.

Served: Microsoft Entra's token endpoint (client secret), Cost Management's Query, Advisor's
recommendations, and the Azure Retail Prices API. A service more is a module with ``routes``,
named in :mod:`.__main__`.

Run by :func:`airflow_multicloud.testing.local_clouds.azure.resource_manager`; seeded and told
to fail through :class:`~airflow_multicloud.testing.local_clouds.azure_arm.admin.Admin`.
"""

from __future__ import annotations

# All made up, none a secret of anything.
TENANT_ID = "11111111-1111-4111-8111-111111111111"
CLIENT_ID = "22222222-2222-4222-8222-222222222222"
CLIENT_SECRET = "local-client-secret"  # noqa: S105 - opens nothing but this server
SUBSCRIPTION_ID = "33333333-3333-4333-8333-333333333333"

#: The audience of Azure Resource Manager's tokens, whatever host it is reached by.
AUDIENCE = "https://management.azure.com"

"""Compute Engine on loopback, whose instances really boot.

Simulated: never compared with Google's servers, and nothing here was tested on Google. What it
promises is that every request, and every answer but errors, fits Google's own discovery document
``compute.v1`` (of the revision that :func:`~.server.revision` reads from it); what the document
does not say is told after Google's pages, which the modules name.

One project, ``local``, with two regions, some machine types, Debian's images and a subnetwork
``default`` in each region. Names, labels, fingerprints, filters, pages, operations that take two
looks or some time, and request ids are as Google has them. Of filters it knows ``labels.k=v``,
``labels.k:*``, ``name=`` and ``status=``, joined by AND, and refuses all others.

An instance runs its ``startup-script`` at each start, with the rights of the user who runs this
server, in a scratch directory; see :mod:`airflow_multicloud.testing.local_clouds.kit.machines`.

Seeds (:class:`~airflow_multicloud.testing.local_clouds.kit.admin.Admin`): ``machine_faults``, in
the form of :class:`~airflow_multicloud.testing.machine_faults.MachineFault`, and
``unreachable_zones``, each ``{"zone": "us-central1-b"}``; ``{"clear": true}`` takes all away.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.gcp import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at


def compute_engine(
    data_dir: Path, *, port: int | None = None, admin_port: int | None = None
) -> ServerSpec:
    """Compute Engine by this package, in memory; its machines' directories are below ``data_dir``.

    The server's own endpoint is its administration; connection ``compute_local`` leads to
    Compute Engine.

    :param port: of Compute Engine.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    extra = {"compute.endpoint": url_at(port), "local_admin": url_at(admin_port)}
    # Permissions are not told here, and Google is not asked about what is local.
    extra |= dict.fromkeys(("cloudresourcemanager.endpoint", "iam.endpoint"), url_at(admin_port))
    return ServerSpec(
        name="compute-engine",
        port=admin_port,
        command=python_command(
            __name__,
            *("--port", str(port)),
            *("--admin-port", str(admin_port)),
            *("--directory", str(data_dir / "compute-engine")),
        ),
        ready_path="/",
        connections={"compute_local": connection(**extra)},
    )

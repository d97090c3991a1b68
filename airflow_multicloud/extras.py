"""What has to be installed, and how, where something optional is missing."""

from __future__ import annotations

from importlib.util import find_spec

from airflow_multicloud import __version__
from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError

_DISTRIBUTION = "airflow-multicloud"


def how_to_install(requirement: str) -> str:
    """A command that exists: this package is on no index, so it is named as it can be had.

    :param requirement: of this package (``airflow-multicloud[gcp]``), or of a cloud's own one.
    """
    name, bracket, extras = requirement.partition("[")
    if name != _DISTRIBUTION:
        return f"pip install '{requirement}'"
    wheel = f"airflow_multicloud-{__version__}-py3-none-any.whl"
    return (
        f"pip install '.{bracket}{extras}' in a checkout of {_DISTRIBUTION}, or "
        f"pip install '{wheel}{bracket}{extras}' where its wheel is"
    )


def require_extra(module: str, extra: str, *, why: str = "") -> None:
    """Refuse to go on without an optional dependency.

    :param why: what needs it, a clause: a parameter, and what was given.
    :raises ProviderNotAvailableError: kind ``unsupported``, naming what to install.
    """
    try:
        found = find_spec(module)
    except ModuleNotFoundError:  # not even the package that it lies in is there
        found = None
    if found is None:
        raise ProviderNotAvailableError(
            f"{why}{', and ' if why else ''}{module} is not installed: "
            f"{how_to_install(f'{_DISTRIBUTION}[{extra}]')}",
            kind=ErrorKind.UNSUPPORTED,
        )

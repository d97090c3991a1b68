"""Pages of the AWS Management Console."""

from __future__ import annotations

# Beginning of a region's name → the console of its partition.
_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}


def console_page(service: str, region: str, fragment: str) -> str:
    """The address of a page.

    :param service: its folder there: ``ec2``, ``rds``.
    :param fragment: what the service shows.
    """
    host = next(
        (host for start, host in _CONSOLES.items() if region.startswith(start)),
        "console.aws.amazon.com",
    )
    return f"https://{region}.{host}/{service}/home?region={region}#{fragment}"

"""Where instances are to be seen in the consoles: a page of each, and of all that have a label.

The pages of lists are what people's bookmarks hold; AWS, Google and Microsoft document none of
their addresses. One that has changed shows more instances than are meant, or an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlsplit

from airflow_multicloud.ports.compute import Instance


def links_to_instances(
    instances: Mapping[str, Sequence[Instance]], label: tuple[str, str]
) -> dict[str, str]:
    """Name → URL, for :func:`~airflow_multicloud.links.consoles.push_console_links`.

    Where a cloud has several instances (AWS: several in a region), a list of them comes before the
    pages of each.

    :param instances: cloud → its instances.
    :param label: key and value that they have in common, and other instances lack.
    """
    links: dict[str, str] = {}
    for cloud, there in instances.items():
        listed = _lists(cloud, there, label)
        links |= {f"{cloud}: all of {place}": url for place, url in listed.items()}
    for cloud, there in instances.items():
        for one in there:
            if one.console_url is not None:
                links[f"{cloud}: {one.name or one.ref.id}"] = one.console_url
    return links


def _lists(cloud: str, there: Sequence[Instance], label: tuple[str, str]) -> dict[str, str]:
    """Place → the page that lists what is there, where that is several instances."""
    page = _PAGES.get(cloud)
    places: dict[str, list[str]] = {}
    for one in there:
        if page is not None and one.console_url is not None:
            place = one.ref.region if cloud == "aws" else one.account_id
            places.setdefault(place, []).append(one.console_url)
    key, value = (quote(text, safe="") for text in label)
    return {
        place: page(f"https://{urlsplit(urls[0]).hostname}", quote(place, safe=""), key, value)
        for place, urls in places.items()
        if page is not None and len(urls) > 1
    }


def _aws(console: str, region: str, key: str, value: str) -> str:
    return f"{console}/ec2/home?region={region}#Instances:tag:{key}={value}"


def _gcp(console: str, project: str, _key: str, _value: str) -> str:
    # Its filter is written in a form that has changed more than once.
    return f"{console}/compute/instances?project={project}"


def _azure(console: str, _subscription: str, key: str, value: str) -> str:
    return f"{console}/#view/HubsExtension/BrowseResourcesWithTag/tagName/{key}/tagValue/{value}"


_PAGES = {"aws": _aws, "gcp": _gcp, "azure": _azure}

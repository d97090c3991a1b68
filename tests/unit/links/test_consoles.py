"""Links to the consoles of clouds, and what never becomes one."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_multicloud.get_provider_info import get_provider_info
from airflow_multicloud.links.consoles import (
    CONSOLE_LINKS,
    AwsConsoleLink,
    AzureConsoleLink,
    ConsoleLink,
    GcpConsoleLink,
    push_console_links,
)
from tests.unit.operators.test_base import Context

AWS, GCP, AZURE = AwsConsoleLink(), GcpConsoleLink(), AzureConsoleLink()
PAGES = {
    "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:search=a": AWS,
    "https://console.aws.amazon.com/ec2/home": AWS,
    "https://cn-north-1.console.amazonaws.cn/ec2/home": AWS,
    "https://us-gov-west-1.console.amazonaws-us-gov.com/ec2/home": AWS,
    "https://console.cloud.google.com/compute/instances?project=p": GCP,
    "https://portal.azure.com/#@/resource/subscriptions/s": AZURE,
    "https://portal.azure.us/#home": AZURE,
    "https://portal.azure.cn/#home": AZURE,
}
HOSTILE = [
    "javascript:alert(1)//https://portal.azure.com/",
    "data:text/html,https://portal.azure.com/",
    "http://portal.azure.com/",
    "//portal.azure.com/",
    "https:portal.azure.com/",
    "https://evil.test/https://portal.azure.com/",
    "https://evil.test/?portal.azure.com",
    "https://evil.test#.portal.azure.com",
    "https://portal.azure.com.evil.test/",
    "https://evilportal.azure.com/",
    "https://portal.azure.com@evil.test/",
    "https://evil.test@portal.azure.com/",
    "https://:@portal.azure.com/",
    "https://portal.azure.com:8443/",
    "https://portal.azure.com:x/",
    "https://evil.test\\.portal.azure.com/",
    "https://evil.test\\@portal.azure.com/",
    "https://portal.azure.com/\n",
    "java\nscript:alert(1)",
    " https://portal.azure.com/",
    "https://portal.azure.com/ x",
    "https://portal.azure.c\u043em/",
    "https://\u202eportal.azure.com/",
    "https://[portal.azure.com/",
    "https://portal.azure.com/" + "x" * 3000,
    "",
    None,
    7,
    ["https://portal.azure.com/"],
    {"url": "https://portal.azure.com/"},
]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_is_a_link_of_its_own_console_only(url: str) -> None:
    for link in CONSOLE_LINKS:
        assert link.first({"name": url}) == (url if link is _same(PAGES[url]) else "")


def _same(link: ConsoleLink) -> ConsoleLink:
    (found,) = [one for one in CONSOLE_LINKS if type(one) is type(link)]
    return found


@pytest.mark.parametrize("url", HOSTILE)
def test_what_is_hostile_is_no_link(url: Any) -> None:
    for link in CONSOLE_LINKS:
        assert link.first({"name": url}) == ""
        assert link.why_not_ours(url)


@pytest.mark.parametrize("value", [None, "https://portal.azure.com/", ["https://x"], 7, {}])
def test_what_is_no_list_of_links_is_none(value: object) -> None:
    assert AZURE.first(value) == ""


def test_the_first_of_each_cloud_is_shown_from_the_beginning() -> None:
    links = {
        "evil": "https://evil.test/",
        "list": "https://portal.azure.com/#list",
        "one": "https://portal.azure.com/#one",
        "gcp": "https://console.cloud.google.com/",
    }
    context: Any = Context()
    push_console_links(context, links)
    assert context.pushed == {
        "console_links": links,
        AZURE.xcom_key: links["list"],
        GCP.xcom_key: links["gcp"],
    }


def test_airflow_knows_the_links() -> None:
    classes = [f"{type(link).__module__}.{type(link).__qualname__}" for link in CONSOLE_LINKS]
    assert {*classes} <= {*get_provider_info()["extra-links"]}

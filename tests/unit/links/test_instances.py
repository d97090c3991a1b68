"""Links to instances: lists where there are several, then each of them."""

from __future__ import annotations

from airflow_multicloud.links.consoles import AwsConsoleLink, AzureConsoleLink, GcpConsoleLink
from airflow_multicloud.links.instances import links_to_instances
from airflow_multicloud.ports.compute import Instance, InstanceRef, InstanceState

LABEL = ("airflow-deployment", "web site")


def instance(name: str, url: str | None, region: str = "r", account: str = "a") -> Instance:
    return Instance(
        ref=InstanceRef(f"id-{name}", region),
        name=name,
        state=InstanceState.RUNNING,
        account_id=account,
        size="",
        image="",
        console_url=url,
    )


def aws(name: str, region: str) -> Instance:
    return instance(name, f"https://{region}.console.aws.amazon.com/ec2/home#{name}", region)


def gcp(name: str) -> Instance:
    return instance(name, f"https://console.cloud.google.com/{name}", account="project")


def azure(name: str) -> Instance:
    return instance(name, f"https://portal.azure.us/#{name}", account="subscription")


def test_several_are_a_list_first() -> None:
    links = links_to_instances(
        {
            "aws": [aws("a1", "eu-west-1"), aws("a2", "eu-west-1"), aws("a3", "us-east-1")],
            "gcp": [gcp("g1"), gcp("g2")],
            "azure": [azure("z1"), azure("z2")],
        },
        LABEL,
    )
    assert list(links.items())[:3] == [
        (
            "aws: all of eu-west-1",
            "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1"
            "#Instances:tag:airflow-deployment=web%20site",
        ),
        (
            "gcp: all of project",
            "https://console.cloud.google.com/compute/instances?project=project",
        ),
        (
            "azure: all of subscription",
            "https://portal.azure.us/#view/HubsExtension/BrowseResourcesWithTag/tagName/"
            "airflow-deployment/tagValue/web%20site",
        ),
    ]
    assert {*links} >= {"aws: a1", "aws: a3", "gcp: g2", "azure: z2"}
    assert len(links) == 3 + 7
    assert AwsConsoleLink().first(links) == links["aws: all of eu-west-1"]
    assert GcpConsoleLink().first(links) == links["gcp: all of project"]
    assert AzureConsoleLink().first(links) == links["azure: all of subscription"]


def test_one_is_its_own_page() -> None:
    links = links_to_instances({"aws": [aws("a1", "eu-west-1")], "gcp": [], "azure": []}, LABEL)
    assert links == {"aws: a1": "https://eu-west-1.console.aws.amazon.com/ec2/home#a1"}


def test_what_has_no_page_has_no_link() -> None:
    unknown = [instance("x", None), instance("", "https://console.memory.test/1")]
    assert links_to_instances({"memory": unknown, "aws": [instance("y", None)] * 2}, LABEL) == {
        "memory: id-": "https://console.memory.test/1"
    }

"""Tags as AWS's services take them."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.labels import LabelRules

#: "Tag naming limits and requirements" of the Tag Editor's user guide
#: (docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html).
TAG_RULES = LabelRules(illegal=r"[^\w +\-=.:/@]", longest=256)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as an argument."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]

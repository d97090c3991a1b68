"""Tags as Azure's services take them.

"Use tags to organize your Azure resources"
(https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources).
"""

from __future__ import annotations

from typing import Final

from airflow_multicloud.labels import LabelRules

TAG_RULES = LabelRules(illegal=r"[\x00-\x1f\x7f]", longest=256)
#: Of one resource.
MOST_TAGS: Final = 50
#: Characters of a tag's value.
LONGEST_VALUE: Final = 256

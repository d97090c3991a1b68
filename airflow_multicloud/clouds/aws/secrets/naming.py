"""Names of secrets as Secrets Manager has them, and what it takes.

Names: "The secret name can contain ASCII letters, numbers, and the following characters:
/_+=.@-", at most 512 of them (CreateSecret in the AWS Secrets Manager API Reference).
"""

from __future__ import annotations

import re
from typing import Final

from airflow_multicloud.adapters.secret_names import SecretNames
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.labels import LabelRules
from airflow_multicloud.ports.secrets import SecretRules

NAMES: Final = SecretNames(
    cloud=NAME,
    allowed="[0-9a-zA-Z/_+=.@-]",
    mark="==",
    longest=512,
    source="CreateSecret in the AWS Secrets Manager API Reference",
)

#: "AWS Secrets Manager quotas" (docs.aws.amazon.com/secretsmanager/latest/userguide/
#: reference_limits.html): values of 65,536 bytes; versions without a staging label may go once
#: there are more than 100, so only the previous one, which has one, is certain. Tags: "Tag naming
#: limits and requirements" of the Tag Editor's user guide.
RULES: Final = SecretRules(value_bytes=65_536, tag_count=50, remembers_versions=1)

#: The characters of tags, the same as of every service's.
TAG_VALUES: Final = LabelRules(illegal=r"[^\w +\-=.:/@]", longest=256)
TAG_KEY: Final = re.compile(r"[\w +\-=.:/@]{1,128}")
TAG_VALUE: Final = re.compile(r"[\w +\-=.:/@]{0,256}")
#: Tags that begin so are AWS's own: nobody may write them, and they count for no limit.
SYSTEM_TAGS: Final = "aws:"

# What encode() leaves as it is wherever it stands: all but the mark's character.
_LITERAL = re.compile("[0-9a-zA-Z/_+.@-]*")


def literal_beginning(prefix: str) -> str:
    """The beginning that every name with a prefix has in the cloud, too; may be empty."""
    found = _LITERAL.match(prefix)
    return found[0] if found else ""

"""What every object store must do; the stores it runs against are its rigs.

All contract classes can be imported from here; ``rigs`` has the rest.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "attributes",
            "buckets",
            "conditions",
            "copying",
            "keys",
            "listing",
            "objects",
            "parts",
            "plain",
            "reading",
            "signing",
            "tags",
            "uploads",
            "versions",
            "writing",
        )
    )
)

# After the line above: what is imported before it is not rewritten.
from airflow_multicloud.testing.contracts.object_store.attributes import (  # noqa: E402
    AttributeReadsContract,
    AttributeRulesContract,
    MetadataRulesContract,
)
from airflow_multicloud.testing.contracts.object_store.buckets import (  # noqa: E402
    BucketCreationContract,
    BucketListingContract,
    StoreNameContract,
)
from airflow_multicloud.testing.contracts.object_store.conditions import (  # noqa: E402
    ConditionalPartsContract,
    ConditionalWritesContract,
)
from airflow_multicloud.testing.contracts.object_store.copying import (  # noqa: E402
    ConditionalCopyContract,
    CopyVersionContract,
    ServerSideCopyContract,
)
from airflow_multicloud.testing.contracts.object_store.keys import (  # noqa: E402
    AwkwardKeysContract,
    KeyRulesContract,
)
from airflow_multicloud.testing.contracts.object_store.objects import (  # noqa: E402
    ObjectStoreContract,
)
from airflow_multicloud.testing.contracts.object_store.pages import (  # noqa: E402
    PagedListingsContract,
)
from airflow_multicloud.testing.contracts.object_store.parts import (  # noqa: E402
    PartUploadsContract,
)
from airflow_multicloud.testing.contracts.object_store.plain import (  # noqa: E402
    PlainObjectsContract,
)
from airflow_multicloud.testing.contracts.object_store.reading import (  # noqa: E402
    CheckedReadsContract,
)
from airflow_multicloud.testing.contracts.object_store.signing import (  # noqa: E402
    SignedUrlsContract,
)
from airflow_multicloud.testing.contracts.object_store.tags import (  # noqa: E402
    ObjectTagsContract,
    TagRulesContract,
)
from airflow_multicloud.testing.contracts.object_store.uploads import (  # noqa: E402
    UploadResumptionContract,
)
from airflow_multicloud.testing.contracts.object_store.versions import (  # noqa: E402
    ObjectVersionsContract,
)

__all__ = [
    "AttributeReadsContract",
    "AttributeRulesContract",
    "AwkwardKeysContract",
    "BucketCreationContract",
    "BucketListingContract",
    "CheckedReadsContract",
    "ConditionalCopyContract",
    "ConditionalPartsContract",
    "ConditionalWritesContract",
    "CopyVersionContract",
    "KeyRulesContract",
    "MetadataRulesContract",
    "ObjectStoreContract",
    "ObjectTagsContract",
    "ObjectVersionsContract",
    "PagedListingsContract",
    "PartUploadsContract",
    "PlainObjectsContract",
    "ServerSideCopyContract",
    "SignedUrlsContract",
    "StoreNameContract",
    "TagRulesContract",
    "UploadResumptionContract",
]

"""The plan of the house: the same job lies under the same path, for every cloud and service."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import airflow_multicloud

PACKAGE = Path(airflow_multicloud.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
CLOUDS = ("aws", "azure", "gcp")
SERVICES = (
    "object_store",
    "cost",
    "identity",
    "metrics",
    "logs",
    "secrets",
    "compute",
    "database",
)
MOST_LINES = 300

#: Service → the files of its folder in every cloud, each one job.
PLAN = {
    "object_store": {
        "client",
        "keys",
        "fields",
        "listing",
        "reading",
        "writing",
        "parts",
        "plain",
        "copying",
        "buckets",
        "tags",
        "signing",
        "calls",
        "errors",
    },
    "cost": {"client", "exports", "queries", "advice", "prices", "errors"},
    "identity": {"client", "permissions", "tokens", "calls", "facts", "policies", "errors"},
    "compute": {
        "client",
        "fields",
        "images",
        "sizes",
        "networks",
        "resolving",
        "calls",
        "launching",
        "operations",
        "listing",
        "labelling",
        "terminating",
        "power",
        "console",
        "errors",
    },
    "metrics": {
        "client",
        "limits",
        "naming",
        "converting",
        "exporting",
        "reading",
        "otlp",
        "calls",
        "errors",
    },
    "logs": {
        "client",
        "limits",
        "converting",
        "writing",
        "filters",
        "querying",
        "calls",
        "errors",
    },
    "secrets": {
        "client",
        "naming",
        "fields",
        "listing",
        "reading",
        "writing",
        "tagging",
        "removing",
        "calls",
        "errors",
    },
    "database": {
        "client",
        "fields",
        "describing",
        "listing",
        "lag",
        "snapshots",
        "restoring",
        "promoting",
        "power",
        "removing",
        "operations",
        "calls",
        "errors",
    },
}

# What a cloud does not have: (cloud, service, file) → why.
LACKING = {
    ("gcp", "object_store", "tags"): "Cloud Storage has no tags on objects",
    ("azure", "identity", "tokens"): "Microsoft Entra gives no tokens for less than all of a role",
    ("gcp", "cost", "queries"): "Google answers no question about costs but by its BigQuery export",
}

# What only this cloud has: (cloud, service, file) → which job that is.
OF_ITS_OWN = {
    ("aws", "object_store", "addresses"): "S3 is spoken by other stores, with buckets of their own",
    ("aws", "object_store", "bodies"): "boto3 takes a body to send in its own way",
    ("aws", "object_store", "pages"): "its listings are parsed faster than botocore does",
    ("aws", "object_store", "stores"): "obstore on boto3's credentials, at the same place",
    ("aws", "object_store", "terms"): "only S3 asks who must own a bucket, and who pays",
    ("aws", "object_store", "upload_records"): "S3 does not tell what an upload was begun with",
    ("aws", "cost", "explorer_advice"): "Cost Explorer is one of three sources of advice",
    ("aws", "cost", "optimizer_advice"): "Compute Optimizer is another",
    ("aws", "cost", "figures"): "what the three sources of advice share",
    ("azure", "object_store", "blocks"): "ids of blocks, which say whose upload they are of",
    ("azure", "object_store", "other_types"): "append and page blobs take no blocks",
    ("azure", "object_store", "plain_blobs"): "its pages are large, and parsers slow",
    ("aws", "identity", "arns"): "the grammar of its names of resources and actions",
    ("aws", "identity", "sources"): "policies are a user's or role's, not a session's",
    ("aws", "identity", "documents"): "the simulator does not see all that policies say",
    ("aws", "identity", "caller_policies"): "and the caller's own can be read",
    ("aws", "identity", "buckets"): "a bucket's policy grants and denies by itself",
    ("aws", "identity", "verdicts"): "only AWS tells which layer of policies decides",
    ("aws", "identity", "dry_runs"): "EC2 alone can be asked without doing it",
    ("azure", "identity", "principals"): "a storage account's key is no principal",
    ("azure", "identity", "roles"): "Azure says what roles grant, and judges no action",
    ("azure", "identity", "deny_assignments"): "and apart from these what is denied",
    ("azure", "identity", "operations"): "names do not tell which operations are on data",
    ("azure", "identity", "storage"): "keys and signatures have no roles",
    ("gcp", "identity", "resources"): "each kind of resource is asked by its own service",
    ("azure", "metrics", "custom"): "metrics of an Azure resource are another service",
    ("azure", "metrics", "custom_reading"): "and are read by another, by their definitions",
    ("azure", "metrics", "answers"): "its ingestion tells of each item of a request",
    ("gcp", "object_store", "composing"): "parts are objects of their own, which are composed",
    ("gcp", "object_store", "headers"): "a download's headers tell what a stat does",
    ("gcp", "object_store", "json_api"): "requests that the client library spoils",
    ("gcp", "metrics", "confirming"): "what is refused for its time may be there already",
    ("gcp", "metrics", "distributions"): "histograms are messages of their own, with buckets",
    ("gcp", "cost", "focus"): "one of the two forms of an export",
    ("gcp", "cost", "standard"): "the other form of an export",
    ("gcp", "cost", "tables"): "an export is a table in BigQuery, and no files",
    ("gcp", "cost", "rows"): "an export is no files, so they are written here",
    ("gcp", "cost", "services"): "exports of the other form have no service category",
    ("gcp", "cost", "machine_types"): "a machine type is priced by its cores and memory",
    ("gcp", "logs", "payloads"): "other writers' entries have payloads of several forms",
    ("gcp", "database", "claims"): "a clone carries the labels of what it was made of",
    ("gcp", "database", "completing"): "a clone can't be given labels in one request",
    ("gcp", "database", "descriptions"): "backups have no name, token or labels of their own",
    ("gcp", "secrets", "annotations"): "tags are labels and annotations, and notes stand there",
    ("gcp", "secrets", "claims"): "versions are added on no condition; a note says who may",
    ("azure", "secrets", "states"): "versions are disabled and enabled one by one",
    ("azure", "database", "backup_tags"): "backups have no labels: they are tags of the server",
    ("azure", "database", "locks"): "servers have no protection of their own, but locks",
    ("azure", "database", "kinds"): "two services, told apart by the type in an id",
    ("azure", "database", "handles"): "both of them name their operations in the same way",
    ("gcp", "secrets", "states"): "versions are disabled and enabled one by one",
    ("gcp", "cost", "recommenders"): "advice is asked for by recommender and place",
}

#: What each cloud's services share.
SHARED = {"session", "errors"}

# Beside these: (cloud, file) → why it is no service's.
SHARED_TOO = {
    ("aws", "clients"): "two for each service that would count a request twice",
    ("aws", "consoles"): "pages of the console, which several services link to",
    ("aws", "tagging"): "what several services make has tags of one form",
    ("aws", "seams"): "what is reached of boto3 and botocore that is not public",
    ("azure", "seams"): "what is reached of Azure's SDK that is not public",
    ("gcp", "seams"): "what is reached of Google's SDK that is not public",
    ("azure", "credentials"): "many kinds of credentials, as the SDK and obstore want them",
    ("azure", "resource_manager"): "where Resource Manager is, for other clouds of Azure's too",
    ("azure", "kql"): "quoting in queries, of metrics and of logs",
    ("azure", "resending"): "metrics and logs are added: only what was refused is sent again",
    ("azure", "tagging"): "what several services make has tags of one form",
    ("azure", "log_analytics"): "metrics and logs are read by the same queries",
    ("azure", "monitor"): "where metrics and logs go, and are read; one connection names both",
    ("azure", "storage_account"): "an account's client, its pipeline and its obstores",
    ("gcp", "extras"): "the extras of a connection are checked once for all services",
    ("gcp", "rest"): "requests to services that have no client library here",
    ("gcp", "bearer"): "a token's headers, for what no client library authenticates",
    ("gcp", "tries"): "what may be sent again, and what became of the tries before",
    ("gcp", "grpc_channels"): "services whose clients speak gRPC, on the connection's credentials",
}

# Modules that are longer: path → why they are not split.
LONG = {}

# Names that begin with a service's: path → why.
PREFIXED = {
    "secrets_backend.py": "Airflow's word for what it is; there is no other file beside it",
    "cli/commands/cost/cost_store.py": "a command's module is named as the command",
}

FOURTH_CLOUD = Path(__file__).parents[1] / "fourth_cloud" / "localdisk_multicloud"
#: What an author of a cloud needs, and all that a cloud outside the package may import.
FOR_AUTHORS = ("ports", "adapters", "errors", "testing")


FOLDERS = [
    pytest.param(cloud, service, id=f"{cloud}-{service}")
    for cloud in CLOUDS
    for service in SERVICES
    if (PACKAGE / "clouds" / cloud / service).is_dir()
]


def _files(folder):
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


def _of(table, *where):
    return {name for *at, name in table if at == [*where]}


@pytest.mark.parametrize(("cloud", "service"), FOLDERS)
def test_a_service_has_the_same_files_in_every_cloud(cloud, service):
    """A newcomer finds a job by its path; what differs has its reason above."""
    found = _files(PACKAGE / "clouds" / cloud / service)
    expected = PLAN[service] - _of(LACKING, cloud, service) | _of(OF_ITS_OWN, cloud, service)
    assert found == expected


# What a second service behind a port does not need, as the first has it: the folder → files.
SECOND = {("azure", "database", "sql"): {"errors"}}


@pytest.mark.parametrize(("cloud", "service", "folder"), SECOND)
def test_a_second_service_behind_a_port_has_the_same_files(cloud, service, folder):
    found = _files(PACKAGE / "clouds" / cloud / service / folder)
    assert found == PLAN[service] - SECOND[cloud, service, folder]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_the_services_of_a_cloud_share_lies_beside_them(cloud):
    folder = PACKAGE / "clouds" / cloud
    assert {path.name for path in folder.iterdir() if path.is_dir()} - {"__pycache__"} <= {
        *SERVICES
    }
    assert _files(folder) == SHARED | _of(SHARED_TOO, cloud)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_service_with_a_port_has_a_plan_and_a_folder(cloud):
    # "operations", "accounting", "windows" and "calls" are what several services share.
    ports = {path.stem for path in (PACKAGE / "ports").iterdir()} - {
        "__init__",
        "__pycache__",
        "operations",
        "accounting",
        "windows",
        "calls",
    }
    assert ports == {*PLAN}
    assert {service for service in PLAN if (PACKAGE / "clouds" / cloud / service).is_dir()} == ports


@pytest.mark.parametrize(("cloud", "service"), FOLDERS)
def test_a_services_face_has_its_hook_and_nothing_else_to_do(cloud, service):
    """The face composes what the files of the folder do: it has no function of its own."""
    tree = ast.parse((PACKAGE / "clouds" / cloud / service / "__init__.py").read_text())
    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert functions == []


def test_no_file_is_told_apart_by_a_prefix():
    """Folders do that: ``operators/cost/ingest.py``, not ``operators/cost_ingest.py``."""
    prefixed = {
        module
        for module in MODULES
        if (stem := Path(module).stem) not in {"__init__", "__main__"}
        and stem.startswith(("_", *(f"{service}_" for service in SERVICES)))
    }
    assert prefixed == {module for module in PREFIXED if module in MODULES}


def test_no_module_is_too_long_without_a_reason():
    long = {
        module
        for module in MODULES
        if len((PACKAGE / module).read_text().splitlines()) > MOST_LINES
    }
    assert long == {*LONG}


def test_another_distributions_cloud_needs_only_what_is_meant_for_it():
    files = sorted(FOURTH_CLOUD.rglob("*.py"))
    assert files
    foreign = {
        (file.relative_to(FOURTH_CLOUD).as_posix(), name)
        for file in files
        for name in _imported(ast.parse(file.read_text()))
        if name.split(".")[0] == "airflow_multicloud"
        and not any(
            f"{name}.".startswith(f"airflow_multicloud.{allowed}.") for allowed in FOR_AUTHORS
        )
    }
    assert foreign == set()


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            # `from airflow_multicloud import errors` names a module as well as `import` does.
            base = node.module or ""
            if base == "airflow_multicloud":
                yield from (f"{base}.{alias.name}" for alias in node.names)
            else:
                yield base

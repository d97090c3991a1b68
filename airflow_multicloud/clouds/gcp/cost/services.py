"""FOCUS's category of Google Cloud's services, for exports that don't state one.

The names are those of ``service.description`` in the billing export
(https://cloud.google.com/skus); the categories are FOCUS 1.2's. A service that is not here is
``Other``.
"""

from __future__ import annotations

_SERVICES = {
    "AI and Machine Learning": (
        "Cloud Document AI API",
        "Cloud Natural Language API",
        "Cloud Speech API",
        "Cloud Text-to-Speech API",
        "Cloud Vision API",
        "Gemini API",
        "Translate",
        "Vertex AI",
    ),
    "Analytics": (
        "BigQuery",
        "BigQuery BI Engine",
        "BigQuery Data Transfer Service",
        "BigQuery Reservation API",
        "BigQuery Storage API",
        "Cloud Composer",
        "Cloud Data Fusion",
        "Cloud Dataflow",
        "Cloud Dataproc",
        "Dataplex",
        "Looker Studio",
    ),
    "Compute": (
        "App Engine",
        "Cloud Functions",
        "Cloud Run",
        "Cloud Run Functions",
        "Compute Engine",
        "Kubernetes Engine",
        "VMware Engine",
    ),
    "Databases": (
        "AlloyDB",
        "Cloud Bigtable",
        "Cloud Datastore",
        "Cloud Firestore",
        "Cloud Memorystore for Memcached",
        "Cloud Memorystore for Redis",
        "Cloud SQL",
        "Cloud Spanner",
    ),
    "Developer Tools": ("Artifact Registry", "Cloud Build", "Cloud Source Repositories"),
    "Integration": ("Cloud Pub/Sub", "Cloud Scheduler", "Cloud Tasks", "Workflows"),
    "Management and Governance": (
        "Cloud Logging",
        "Cloud Monitoring",
        "Cloud Trace",
        "Stackdriver Logging",
        "Stackdriver Monitoring",
    ),
    "Media": ("Transcoder API",),
    "Migration": ("Database Migration", "Storage Transfer Service"),
    "Networking": (
        "Cloud DNS",
        "Cloud Domains",
        "Cloud Load Balancing",
        "Networking",
        "Service Directory",
    ),
    "Security": (
        "Certificate Authority Service",
        "Cloud Armor",
        "Cloud Key Management Service (KMS)",
        "Secret Manager",
        "Security Command Center",
    ),
    "Storage": ("Backup for GKE", "Cloud Filestore", "Cloud Storage"),
}


def category_sql(service: str) -> str:
    """The category of the service that an expression names, as SQL."""
    cases = " ".join(
        f"WHEN {service} IN ({', '.join(_text(name) for name in names)}) THEN {_text(category)}"
        for category, names in _SERVICES.items()
    )
    return f"CASE {cases} ELSE 'Other' END"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

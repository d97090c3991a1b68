"""A directory on this machine as a cloud: constants only, so that importing this is cheap."""

NAME = "localdisk"
TITLE = "Local disk"
REQUIREMENT = "localdisk-multicloud"
CONN_TYPES = ("local_disk",)
#: URI scheme → the connection used when the URI names none.
URI_SCHEMES = {"disk": "local_disk_default"}

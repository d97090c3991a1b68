"""Cloud Monitoring and the Telemetry API, over their sockets."""

"""Google's gRPC services on loopback, for those that no other local server has.

A service is described by what Google's own client library calls: its transport says each method's
path, request and answer. Requests are read and answers written as those messages, and a method that
has no handler is unimplemented. What a service does is a function from one message to another::

    def service(state: State) -> Service:
        store = Store(SeededDeliveryFaults(state, "logs"))
        return Service(
            transport=LoggingServiceV2GrpcTransport,
            methods={
                "write_log_entries": Method(store.write, DeliveryCall.WRITE),
                "list_log_entries": Method(store.list, DeliveryCall.READ),
            },
            faults=store.faults,
        )

Methods are named as the transport's Python attributes. A handler gets the plain protobuf message
(proto-plus's ``Request.pb()``) and returns one; it raises :class:`~.services.Refused` for an error
in Google's form, with details if it likes. Whole requests that a planted fault meets are refused or
lost here, before or after the handler; single records (``REJECT``) are the handler's to refuse, by
``faults.rejects(name)``. A service with faults of another kind meets them itself, and raises
:class:`~.services.AnswerLostError` for an answer that is to be lost. Who calls is checked here,
too.

Services are put together in :mod:`airflow_multicloud.testing.local_clouds.gcp.telemetry` and
:mod:`airflow_multicloud.testing.local_clouds.gcp.secrets`, the processes that serve them.
Simulated: nothing here was compared with Google's servers.
"""

"""Google's REST services on loopback, for those that no other local server has.

Each request is checked against Google's own published discovery document (they come with
``google-api-python-client``): method, path, parameters and body. What does not fit is refused
as Google refuses it. What a service answers is seeded by the test and checked the same way::

    recommender = Recommender()
    with GoogleRestServer(*recommender.services) as server:
        recommender.add(…)
        connection = {…, "extra": {"recommender.endpoint": server.endpoint}}

One module per API, in the package of the service that it belongs to (``gcp.cost``). Simulated:
nothing here was compared with Google's servers.
"""

"""From URIs and connection ids to what core works on.

Core receives endpoints that are open; here, and in the registry below, is all that reads Airflow's
connections for it. No request is made but where a function says so.
"""

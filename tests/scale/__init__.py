"""``make scale``: a sharded replication on the engine that users have.

Airflow's CeleryExecutor with a broker, a PostgreSQL and three workers, of which one is killed and
one is slow; the broker is restarted, too. In an environment of its own (``requirements.in``).
"""

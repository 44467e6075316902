"""`make ha`: haru as it is deployed, on machines that are network namespaces, and what becomes of it under faults.

Every program is the real one, with the configuration of deploy/ as it stands: HAProxy, three servers, PgBouncer,
PostgreSQL, and Prometheus with its alerts. Players play through all of it without a pause.
"""

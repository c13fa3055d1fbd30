"""Peer (c): FastAPI, a plain Dramatiq chain on Redis in which each actor sends the next, SQL by psycopg."""

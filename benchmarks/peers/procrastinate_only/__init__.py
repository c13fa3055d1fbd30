"""Peer (d): FastAPI and procrastinate, Postgres for everything; a job is stored with the rows it is about."""

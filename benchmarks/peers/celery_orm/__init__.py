"""Peer (b): FastAPI, Celery on Redis, an ORM session per task, the stages as a chain of tasks."""

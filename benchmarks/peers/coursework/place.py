"""Where the servers are: the same variables as Gradeline's own processes get."""

import os

DATABASE_URL = os.environ["GRADELINE_DATABASE_URL"]
SQLALCHEMY_URL = DATABASE_URL.replace("postgresql://", "postgresql+psycopg://", 1)
REDIS_URL = os.environ["GRADELINE_REDIS_URL"]
API_KEY = os.environ.get("PEER_API_KEY", "a-key-for-measuring")

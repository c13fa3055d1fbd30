"""Stands in for the API: says that it is ready, or ends at once where told to."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    if os.environ.get("STAND_IN") == "api fails":
        sys.exit("the stand-in was told to fail")
    HTTPServer((os.environ["GRADELINE_HOST"], int(os.environ["GRADELINE_PORT"])), Ready).serve_forever()

"""Somebody abroad who is told by webhook: every message is written down with the true time at which it arrived.

    python -I -S tests/lab/replay/ear.py ADDRESS PORT MOVED FILE

MOVED holds how far the Internet's clocks are ahead of this host's, in seconds; FILE gets one line of JSON a message.
"""

import http.server
import json
import sys
import time
from pathlib import Path


def main(address: str, port: str, moved: str, heard: str) -> None:
    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at_us = time.time_ns() // 1000 + round(float(Path(moved).read_text()) * 1e6)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with Path(heard).open("a") as file:
                file.write(json.dumps({"at_us": at_us, "body": body}) + "\n")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """What was heard is in the file."""

    http.server.ThreadingHTTPServer((address, int(port)), Ear).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

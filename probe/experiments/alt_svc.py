"""Whether a site says that it has HTTP/3, and on which port (RFC 7838 §3). Pure; whatever the header is, nothing raises."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 4096
_ONE = re.compile(r'(?:^|[,\s])(?P<protocol>[A-Za-z0-9%_.+-]{1,32})\s*=\s*"(?P<host>[^":]{0,255}):(?P<port>\d{1,5})"')


def http3_port(headers: Iterable[tuple[str, str]], host: str) -> int | None:
    """The UDP port on which *host* itself says that it has HTTP/3; ``None`` where no header says so.

    Another host that serves the same pages is another place, and drafts of HTTP/3 (``h3-29``) have another version of QUIC.
    """
    for name, value in headers:
        if name.lower() != "alt-svc":
            continue
        for found in _ONE.finditer(value[:_LONGEST]):
            port = int(found["port"])
            if found["protocol"] == "h3" and found["host"].lower() in ("", host.lower()) and 0 < port < 65536:
                return port
    return None

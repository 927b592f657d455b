"""What a resolver says without asking anybody, as unbound's lines."""

from __future__ import annotations


def local_data(addresses: dict[str, tuple[str, ...]], lies: dict[str, str]) -> str:
    """unbound's lines for what is true, and for what is said instead. The name ``*`` lies about everything."""
    kinds = {
        "nxdomain": "always_nxdomain",
        "refused": "always_refuse",
        "silence": "always_deny",
        "empty": "always_nodata",
    }
    lines, broken = [], []
    for name, true in addresses.items():
        said = lies.get(name, lies.get("*", ",".join(true)))
        if said in kinds:
            lines.append(f'  local-zone: "{name}." {kinds[said]}')
        elif said == "servfail":
            # A zone whose only server is this host itself, which unbound never asks.
            lines.append(f'  local-zone: "{name}." always_transparent')
            broken.append(f'forward-zone:\n  name: "{name}."\n  forward-addr: 127.0.0.1')
        else:
            lines += [f'  local-data: "{name}. 300 IN {_kind(address)} {address}"' for address in said.split(",")]
    return "\n".join((*lines, *broken))


def _kind(address: str) -> str:
    return "AAAA" if ":" in address else "A"

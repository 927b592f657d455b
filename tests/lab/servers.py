"""Real servers for a ``World``: the configuration files of nginx and unbound, and the processes.

One nginx serves every site on its own address (TLS 1.2 and 1.3, HTTP/1.1 and 2); one unbound answers as the public
resolvers (udp, tcp, DoT; DoH through nginx), another as the provider's. Neither asks anybody: what DNS says is local data.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.lab import dual, packets, recursion, shelf
from tests.lab.authority import Authority, authority
from tests.lab.local_data import local_data
from tests.lab.namespaces import LabError, Namespace, tool
from tests.lab.net import CONTROL, REPOSITORY, RESOLVER, Net
from tests.lab.world import PUBLIC_RESOLVERS, PUBLIC_RESOLVERS6, WEBSOCKET_BEHIND, Nameserver, Site, World

HTTPS_BEHIND, HTTP_BEHIND = 8443, 8080
"""Ports of a site's web server where a front end stands on its own ones."""

PORTAL = "92.47.151.80"
PROXY_PORT = 8443
_DOH_PORT = 8053
_DATED_PORT = 8054

_NGINX = """\
daemon off;
user root;
pid {directory}/nginx.pid;
error_log {directory}/nginx.error.log warn;
worker_processes 2;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  server_tokens off;
  types {{ text/html html; }}
  default_type text/html;
  client_body_temp_path {directory}/tmp1; proxy_temp_path {directory}/tmp2; fastcgi_temp_path {directory}/tmp3;
  uwsgi_temp_path {directory}/tmp4; scgi_temp_path {directory}/tmp5;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:s:4m;
  server_names_hash_bucket_size 128;
  map_hash_bucket_size 128;
  limit_req_zone $binary_remote_addr zone=visitors:64k rate=6r/m;
  map $scheme $root {{ default ""; }}
  map $scheme:$server_name $alternative {{ default ""; {alternatives}}}
  keepalive_timeout 60s;
  proxy_pass_header Date;
  proxy_set_header Host $host;
  proxy_set_header X-Scheme $scheme;
  proxy_http_version 1.1;
  add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;
  add_header Content-Security-Policy "default-src 'self' data: blob:; script-src 'self' 'nonce-r4nd0m'; frame-ancestors 'none'; upgrade-insecure-requests" always;
  add_header X-Content-Type-Options nosniff always;
  add_header Alt-Svc $alternative always;
  add_header Set-Cookie "sid=5f1c9a7be02d4c33a6b1; Max-Age=31536000; Path=/; Secure; HttpOnly; SameSite=Lax" always;
{servers}}}
"""

_UNBOUND = """\
server:
  directory: "{directory}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-daemonize: no
  verbosity: 1
  num-threads: 1
  do-ip6: no
  module-config: "iterator"
  access-control: 0.0.0.0/0 allow
  hide-identity: yes
  outgoing-range: 64
  num-queries-per-thread: 64
  incoming-num-tcp: 256
{interfaces}
  local-zone: "." static
  local-data: ". 3600 IN SOA a.root-servers.net. nstld.verisign-grs.com. 2026112100 1800 900 604800 86400"
{data}
remote-control:
  control-enable: no
"""


def stop(net: Net) -> None:
    """End every server, so that others can be started in their place; the machines and the router go on."""
    for process in net.sandbox.servers:
        # What we started is nsenter, which waits for the server; it ends when the server does.
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
    for process in net.sandbox.servers:
        process.wait(10)
    net.sandbox.servers.clear()


def start(net: Net, world: World) -> Authority:
    """Configure and start every server; returns when all of them listen. ``LabError`` with what they said if they do not."""
    issuer = authority(world.shift_days)
    (net.directory / "root.pem").write_bytes(issuer.root_pem)
    _start_resolvers(net, world, issuer)
    listening = _start_web(net, world, issuer) + _start_services(net, world)
    _start_fronts(net, world)
    _start_quic(net, world)
    _start_doq(net, world, issuer)
    expected = {("tcp", address, port) for address, port in listening}
    expected |= {("udp", address, 53) for address in PUBLIC_RESOLVERS} | {
        ("udp", address, 123) for address in world.clocks
    }
    expected |= {("tcp", address, 853) for address in PUBLIC_RESOLVERS}
    expected |= {("udp", address, port) for address, port, manner in world.stuns if manner != "closed"}
    expected |= {("udp", address, 853) for address, manner in world.doq if manner != "closed"}
    expected |= {("udp", address, 443) for site in _with_quic(world) for address in site.served_at}
    expected |= {("udp", address, port) for address, port, manner in world.vpns if not manner.endswith("-tcp")}
    near = {("udp", RESOLVER, 53), ("tcp", RESOLVER, 53)} if world.resolver_runs else set()
    near |= {("tcp", PORTAL, 80)} if world.portal else set()
    near |= {("tcp", PORTAL, PROXY_PORT)} if world.proxy else set()
    household: set[_Socket] = set()
    stubs: set[_Socket] = set()
    by_machine = {"household": household, "probe": stubs, "provider": near, "world": expected}
    for server in world.nameservers:
        sockets = by_machine[server.machine]
        sockets |= {("udp", server.address, 53)} | ({("tcp", server.address, 53)} if server.tcp else set())
    if world.recursion is not None:
        expected |= {(kind, address, 53) for address in world.recursion.addresses() for kind in ("udp", "tcp")}
        near |= {("udp", "127.0.0.1", 53)} if world.recursion.behind else set()
    _wait(net, {"world": expected, "provider": near, "probe": stubs} | ({"household": household} if household else {}))
    if world.recursion is not None:
        recursion.warm(net, world.recursion)
    return issuer


# ---------------------------------------------------------------------------------------------------------------------
# the web


def _start_web(net: Net, world: World, issuer: Authority) -> list[tuple[str, int]]:
    blocks: list[str] = []
    listening: list[tuple[str, int]] = []
    abroad = {site.name: site for site in world.elsewhere}
    for site in world.sites.values():
        if not site.listening or not site.present:
            continue
        files = shelf.of(issuer, net.directory, site)
        if site.front or site.quic or "{directory}" in site.https + site.http:
            files.copy(net.directory, site.name)
        its_abroad = _for_control(net.directory, abroad.get(site.name))
        blocks.append(
            _site_block(net.directory, site, files, its_abroad, shifted=bool(world.shift_days) or world.moves)
        )
        listening += [(address, port) for address in site.served_at for port in (443, 80)]
    for address, names in PUBLIC_RESOLVERS.items():
        blocks.append(_resolver_block(address, shelf.certificate(issuer, address, names)))
        listening.append((address, 443))
    configuration = net.directory / "nginx.conf"
    configuration.write_text(
        _NGINX.format(directory=net.directory, servers="".join(blocks), alternatives=_alternatives(world))
    )
    # -e and -p: nothing of this host's nginx is touched.
    command = [
        tool("nginx"),
        "-p",
        str(net.directory),
        "-e",
        str(net.directory / "nginx.error.log"),
        "-c",
        str(configuration),
    ]
    net["world"].spawn(command, log=str(net.directory / "nginx.log"))
    return listening


def _alternatives(world: World) -> str:
    """Which sites say that they have HTTP/3 (RFC 7838), for nginx's map."""
    names = (site.name for site in world.sites.values() if site.quic)
    return " ".join(f"'https:{name}' 'h3=\":443\"; ma=86400';" for name in names)


def _for_control(directory: Path, site: Site | None) -> tuple[str, str]:
    """Directives of a site's two servers, of port 443 and of port 80, that answer the control as *site* says."""
    if site is None:
        return "", ""
    (directory / "abroad").mkdir(exist_ok=True)
    (directory / "abroad" / f"{site.name}.html").write_bytes(shelf.page(site))
    page = f"root {directory}/abroad; try_files /{site.name}.html =404;"
    if site.status != 200:
        page = f'return {site.status} "<html><title>{site.status}</title></html>";'
    its = CONTROL.address.partition("/")[0]
    one, other = (
        f"""
    error_page 418 = @abroad;
    if ($remote_addr = {its}) {{ return 418; }}
    location @abroad {{ {answer} }}"""
        for answer in (page, "return 301 https://$host$request_uri;")
    )
    return one, other


def _site_block(directory: Path, site: Site, files: shelf.Files, abroad: tuple[str, str], *, shifted: bool) -> str:
    page = f"root {files.pages}; try_files /{site.name}.html =404;"
    other = "return 301 https://$host$request_uri;"
    plain = "".join(f"    location = {path} {{ {_plain(status, body)} }}\n" for path, status, body in site.plain)
    if shifted:
        page = other = f"proxy_pass http://127.0.0.1:{_DATED_PORT};"
        plain = ""
    if site.status != 200:
        page = f'return {site.status} "<html><title>{site.status}</title></html>";'
    secure, open_port = (HTTPS_BEHIND, HTTP_BEHIND) if site.front else (443, 80)
    ssl = "ssl http2" if site.http2 else "ssl"
    at = [f"    listen {_bracketed(address)}:{secure} {ssl} default_server;\n" for address in site.served_at]
    at_open = [f"    listen {_bracketed(address)}:{open_port} default_server;\n" for address in site.served_at]
    return f"""\
  server {{
{"".join(at)}    server_name {site.name};
    ssl_protocols {site.protocols};
    {_certificate(files)}
    {site.https.replace("{directory}", str(directory)) or f"location / {{ {page} }}"}{abroad[0]}
  }}
  server {{
{"".join(at_open)}    server_name {site.name};
{plain}    {site.http.replace("{directory}", str(directory)) or f"location / {{ {other} }}"}{abroad[1]}
  }}
"""


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _plain(status: int, body: str) -> str:
    return f"return {status};" if status == 204 else f"return {status} '{body}';"


def _certificate(files: shelf.Files) -> str:
    """A name with a variable in it is read when a handshake asks for it, so that a start need not read them all."""
    return f"ssl_certificate $root{files.chain}; ssl_certificate_key $root{files.key};"


def _resolver_block(address: str, files: shelf.Files) -> str:
    return f"""\
  server {{
    listen {address}:443 ssl http2 default_server;
    {_certificate(files)}
    location = /dns-query {{ proxy_pass http://127.0.0.1:{_DOH_PORT}; }}
    location / {{ return 200 "<html><title>{address}</title></html>"; }}
  }}
"""


# ---------------------------------------------------------------------------------------------------------------------
# DNS


def _start_resolvers(net: Net, world: World, issuer: Authority) -> None:
    names = tuple(name for names in PUBLIC_RESOLVERS.values() for name in names)
    issued = issuer.issue(*names)
    (net.directory / "dot.pem").write_bytes(issued.chain)
    (net.directory / "dot.key").write_bytes(issued.key)
    interfaces = [f"  interface: {address}\n" for address in PUBLIC_RESOLVERS]
    # unbound takes the port for datagrams as well.
    interfaces += [f"  interface: {address}@853\n" for address in PUBLIC_RESOLVERS if address not in dict(world.doq)]
    tls = (
        f'  tls-port: 853\n  tls-service-pem: "{net.directory}/dot.pem"\n  tls-service-key: "{net.directory}/dot.key"\n'
    )
    if world.recursion is not None:
        recursion.start(net, world, "".join(interfaces) + tls + _said_to_control(world))
    else:
        view, data = _said_to_control(world), local_data(world.records(), world.abroad)
        view = _on_ipv6(world, *PUBLIC_RESOLVERS6) + view
        _start_unbound(net, net["world"], "public", "".join(interfaces) + tls + view, data)
        if world.resolver_runs:
            data = local_data(*dual.provider_says(world))
            own = f"  interface: {RESOLVER}\n" + _on_ipv6(world, dual.RESOLVER6)
            _start_unbound(net, net["provider"], "provider", own, data)
    for server in world.nameservers:
        _start_nameserver(net, world, server)


def _on_ipv6(world: World, *addresses: str) -> str:
    """unbound's lines for listening at IPv6 addresses too, where there is IPv6."""
    if not world.ipv6:
        return ""
    return (
        "".join(f"  interface: {address}\n" for address in addresses) + "  do-ip6: yes\n  access-control: ::0/0 allow\n"
    )


def _said_to_control(world: World) -> str:
    """unbound's lines for a client that hears something else about some names (unbound.conf(5), "View Options")."""
    if not world.said_elsewhere:
        return ""
    names = {name: world.records()[name] for name in world.said_elsewhere}
    return (
        f"  access-control-view: {CONTROL.address.partition('/')[0]}/32 abroad\nview:\n  name: abroad\n  view-first: yes\n"
        f"{local_data(names, world.said_elsewhere)}\nserver:\n"
    )


def _start_nameserver(net: Net, world: World, server: Nameserver) -> None:
    """One of the small resolvers, on the machine that has its address."""
    configuration: dict[str, object] = {**dataclasses.asdict(server), "names": world.records()}
    _spawn_services(net, net[server.machine], configuration, module="tests.lab.resolver")


def _start_unbound(net: Net, machine: Namespace, label: str, interfaces: str, data: str) -> None:
    configuration = net.directory / f"unbound.{label}.conf"
    configuration.write_text(_UNBOUND.format(directory=net.directory, interfaces=interfaces, data=data))
    command = [tool("unbound"), "-d", "-p", "-c", str(configuration)]
    machine.spawn(command, log=str(net.directory / f"unbound.{label}.log"))


# ---------------------------------------------------------------------------------------------------------------------
# the small ones


def _start_services(net: Net, world: World) -> list[tuple[str, int]]:
    open_ports = [port for port in world.ports if port not in world.closed_ports]
    configuration = {
        "clocks": world.clocks,
        "shift_s": world.shift_days * 86400,
        "moved": str(net.directory / "moved"),
        "ports": open_ports,
        "doh": _DOH_PORT,
        "doh_resolver": next(iter(PUBLIC_RESOLVERS)),
        "dated": _DATED_PORT,
        "pages": {
            site.name + path: [status, body] for site in world.sites.values() for path, status, body in site.plain
        },
    }
    _spawn_services(net, net["world"], configuration)
    if world.portal:
        _spawn_services(net, net["provider"], {"portal": PORTAL, "portal_says": world.portal_says})
    if world.proxy:
        proxy: dict[str, object] = {"address": PORTAL, "port": PROXY_PORT, "names": world.addresses()}
        _spawn_services(net, net["provider"], proxy, module="tests.lab.proxy")
    if stuns := [place for place in world.stuns if place[2] != "closed"]:
        _spawn_services(net, net["world"], {"places": stuns}, "tests.lab.stun", "serve")
    if world.centres:
        centres = [place for place in world.centres if place[2] != "closed" and place[:2] not in world.closed_ports]
        centres.append(("127.0.0.1", WEBSOCKET_BEHIND, f"ws:{world.websockets}"))
        _spawn_services(net, net["world"], {"places": centres}, "tests.lab.mtproto", "serve")
        open_ports += [(address, port) for address, port, _ in centres]
    if world.vpns:
        _spawn_services(net, net["world"], {"places": list(world.vpns)}, "tests.lab.vpn", "serve")
        open_ports += [(address, port) for address, port, manner in world.vpns if manner.endswith("-tcp")]
    return [*open_ports, ("127.0.0.1", _DOH_PORT), ("127.0.0.1", _DATED_PORT)]


def _start_fronts(net: Net, world: World) -> None:
    """One process for all front ends of a module; each stands on ports 443 and 80 of its site."""
    by_module: dict[str, list[dict[str, object]]] = {}
    for site in world.sites.values():
        if site.front is None or not site.listening or not site.present:
            continue
        front: dict[str, object] = {
            "addresses": site.served_at,
            "ways": dict(site.front.ways),
            "other": site.front.other,
            "plain": site.front.plain,
            "abroad": {CONTROL.address.partition("/")[0]: site.front.abroad} if site.front.abroad else {},
            "certificate": [f"{net.directory}/{site.name}.pem", f"{net.directory}/{site.name}.key"],
        }
        by_module.setdefault(site.front.by, []).append(front)
    for module, fronts in by_module.items():
        configuration: dict[str, object] = {"fronts": fronts, "https": HTTPS_BEHIND, "http": HTTP_BEHIND}
        _spawn_services(net, net["world"], configuration, module=module)


def _with_quic(world: World) -> list[Site]:
    """The sites where somebody listens on the port of HTTP/3."""
    return [s for s in world.sites.values() if s.quic not in ("", "announced") and s.listening and s.present]


def _start_quic(net: Net, world: World) -> None:
    """One process for all of HTTP/3."""
    sites = [
        {
            "addresses": site.served_at,
            "page": f"{net.directory}/{site.name}.html",
            "chain": f"{net.directory}/{site.name}.pem",
            "key": f"{net.directory}/{site.name}.key",
            "manner": site.quic,
        }
        for site in _with_quic(world)
    ]
    if sites:
        _spawn_services(net, net["world"], {"sites": sites}, "tests.lab.quic", "serve")


def _start_doq(net: Net, world: World, issuer: Authority) -> None:
    """DNS over QUIC: one process for all resolvers that have it, and for their DNS over TLS."""
    places = []
    for address, manner in world.doq:
        its = shelf.certificate(issuer, address, PUBLIC_RESOLVERS[address])
        shown = shelf.certificate(issuer, "stranger", ("www.example.net",)) if manner == "stranger" else its
        places.append([address, manner, *(str(path) for path in (its.chain, its.key, shown.chain, shown.key))])
    if places:
        _spawn_services(net, net["world"], {"places": places}, "tests.lab.doq", "serve")


def _spawn_services(
    net: Net,
    machine: Namespace,
    configuration: dict[str, object],
    module: str = "tests.lab.services",
    *words: str,
) -> None:
    command = [sys.executable, "-S", "-m", module, *words, json.dumps(configuration)]
    machine.spawn(
        ["env", "--chdir", str(REPOSITORY), *command],
        log=str(net.directory / f"{module}.log"),
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )


# ---------------------------------------------------------------------------------------------------------------------

_Socket = tuple[str, str, int]


def _wait(net: Net, expected: dict[str, set[_Socket]], timeout: float = 20) -> None:
    """Until everybody listens where they should."""
    deadline = time.monotonic() + timeout
    for machine, sockets in expected.items():
        while missing := sockets - _open(net[machine], sockets):
            dead = [server for server in net.sandbox.servers if server.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise LabError(f"{machine}: nobody listens on {sorted(missing)[:5]}: {_said(net, dead)}")
            time.sleep(0.03)


def _open(machine: Namespace, wanted: Iterable[_Socket]) -> set[_Socket]:
    """The listening TCP and bound UDP sockets of a machine, from /proc/PID/net."""
    found: set[_Socket] = set()
    for table, state in (("tcp", "0A"), ("udp", "07"), ("tcp6", "0A"), ("udp6", "07")):
        for line in Path(f"/proc/{machine.pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, its_state, *_ = line.split()
            if its_state == state:
                address, _, port = local.partition(":")
                found.add((table.removesuffix("6"), _told(address), int(port, 16)))
    return found & set(wanted)


def _told(address: str) -> str:
    """An address as /proc/net has it: words of four bytes, each in this machine's order."""
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    return packets.text(b"".join(words))


def _said(net: Net, dead: list[subprocess.Popen[bytes]]) -> str:
    logs = [path.read_text(errors="replace")[-600:] for path in sorted(net.directory.glob("*.log"))]
    return f"{len(dead)} servers ended; " + " | ".join(log.strip() for log in logs if log.strip())

"""Questions put to the network. A new experiment is one file and one line in ``EXPERIMENTS``.

``--only`` and ``--skip`` take these names. ``website`` and ``network`` always run: without them nothing can be judged.
"""

EXPERIMENTS: tuple[tuple[str, str], ...] = (
    ("website", "the baseline: names, connections, handshakes and pages as an ordinary browser asks for them"),
    ("network", "your own side: link, DNS, captive portals, canaries, clock"),
    ("retry", "the same again from fresh ports"),
    ("dns_answers", "who says what about the name, and which of the answers is right"),
    ("neutral_pair", "this name against an innocuous one, at two addresses that have nothing to do with it"),
    ("neutral_chain", "whether a certificate in this name is shown where only somebody on the way can have made it"),
    ("own_pair", "this name against an innocuous one, at its own address"),
    ("path_mtu", "whether only large packets are lost"),
    ("siblings", "other addresses of the same name, and its other web port"),
    ("neighbours", "other names in the same network"),
    ("locate", "where on the way it is stopped: between which routers"),
    ("behind", "whether the real answer arrives behind a reset, with packets from elsewhere ignored"),
    (
        "packets",
        "what the packets look like that break off (only where packets may be listened to: CAP_NET_RAW, scapy)",
    ),
    ("residual", "what a device remembers of a forbidden name, and for how long (--deep)"),
    ("split", "whether a device puts a greeting in pieces together (--deep)"),
    (
        "control_pair",
        "this name against an innocuous one, at a server of yours elsewhere, and what arrived there (--control)",
    ),
    ("throttling", "whether this name is slower than an innocuous one, at places that have nothing to do with it"),
    (
        "protocol_pair",
        "a VPN's packets against random ones of the same sizes, at a server of yours elsewhere (--control)",
    ),
    ("ech", "whether greetings that hide a name inside another pass (--deep, or --only ech)"),
    ("quic", "whether the site's newer kind of connection (QUIC) works as well (needs dalel[quic])"),
    ("vendor_sign", "whether the vendor itself says that it has an outage, where it says so by DNS (Signal)"),
    ("udp_here", "whether datagrams pass here at all, where an app's get no answer"),
    ("control", "what a server of yours elsewhere sees of the same site (--control)"),
)

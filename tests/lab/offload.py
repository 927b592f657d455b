"""Turn off on veths what would make their packets not real ones: partial checksums and segments larger than the MTU.

``ethtool -K`` through its ioctl (linux/ethtool.h), so that ethtool need not be installed. Run inside the namespace as
``offload.py INTERFACE …``. What a kernel does not know it cannot do wrong: EOPNOTSUPP is passed over.
"""

import array
import errno
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
SWITCHES = {
    "receive checksum": 0x15,
    "transmit checksum": 0x17,
    "scatter and gather": 0x19,
    "TCP segmentation": 0x1F,
    "generic segmentation": 0x24,
    "generic receive": 0x2C,
}


def switch_off(sock: socket.socket, interface: str) -> None:
    for command in SWITCHES.values():
        value = array.array("B", struct.pack("=II", command, 0))
        address, _ = value.buffer_info()
        request = struct.pack("16sP", interface.encode(), address).ljust(40, b"\0")
        try:
            fcntl.ioctl(sock.fileno(), SIOCETHTOOL, request)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for interface in sys.argv[1:]:
            switch_off(sock, interface)


if __name__ == "__main__":
    main()

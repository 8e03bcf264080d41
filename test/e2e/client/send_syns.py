# A pod with NET_RAW: `send_syns.py SOURCE TARGET COUNT` sends TCP SYNs to port 80, with whatever source address it likes.
import socket
import struct
import sys
import time

source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in target else socket.AF_INET
addresses = socket.inet_pton(family, source) + socket.inet_pton(family, target)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(port):
    def header(check):
        return struct.pack("!HHIIBBHHH", port, 80, 1, 0, 5 << 4, 2, 64240, check, 0)

    # Protocol and length, in the order of IPv4's pseudo-header; the sum is the same in IPv6's.
    pseudo = addresses + struct.pack("!BBH", 0, 6, 20)
    return header(checksum(pseudo + header(0)))


def ip(payload):
    if family == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, len(payload), 6, 64) + addresses + payload
    # The kernel fills in length, identification and checksum (raw(7)).
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, 64, 6, 0) + addresses + payload


raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
for i in range(count):
    raw.sendto(ip(syn(20000 + i)), (target, 0))
    time.sleep(0.02)

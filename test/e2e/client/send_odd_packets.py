# A pod with NET_RAW: `send_odd_packets.py SOURCE NODE ADDRESS...` sends to each metadata address what no client sends: ICMP,
# unknown protocols, TCP segments of no connection, fragments, and packets for the node that ask to be sent on (LSRR, RFC 791).
import socket
import struct
import sys

source, node, addresses = sys.argv[1], sys.argv[2], sys.argv[3:]


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(target, protocol, payload, fragment=0, options=b""):
    length = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | length, 0, 0, 4711, fragment, 64, protocol, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(target) + options + payload


def tcp(target, flags, port=80):
    def header(check):
        return struct.pack("!HHIIBBHHH", 4321, port, 7, 7, 5 << 4, flags, 64240, check, 0)

    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, 20)
    return header(checksum(pseudo + header(0)))


def udp(port):
    return struct.pack("!HHHH", 4321, port, 12, 0) + b"odd!"


ECHO = struct.pack("!BBHHH", 8, 0, checksum(struct.pack("!BBHHH", 8, 0, 0, 1, 1)), 1, 1)
SYN, RST, ACK, PSH = 2, 4, 16, 8

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for address in addresses:
    if ":" in address:
        for protocol, payload in ((58, struct.pack("!BBHHH", 128, 0, 0, 1, 1)), (253, b"odd!"), (132, b"\0" * 12)):
            six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol)
            six.sendto(payload, (address, 0))
        continue
    route = b"\x83\x07\x04" + socket.inet_aton(address) + b"\0"
    packets = [
        ip(address, 1, ECHO),
        ip(address, 253, b"odd!"),
        ip(address, 132, b"\0" * 12),
        ip(address, 41, b"\x60" + b"\0" * 39),
        ip(address, 6, tcp(address, ACK | PSH)),
        ip(address, 6, tcp(address, RST)),
        ip(address, 6, tcp(address, 0)),
        ip(address, 6, tcp(address, SYN | RST | ACK)),
        ip(address, 17, udp(80)),
        # The second piece alone, and a first one so short that the ports' flags are in the next.
        ip(address, 6, b"\0" * 16, fragment=3),
        ip(address, 6, tcp(address, SYN)[:8], fragment=0x2000),
    ]
    for packet in packets:
        raw.sendto(packet, (address, 0))
    raw.sendto(ip(node, 6, tcp(address, SYN), options=route), (node, 0))
    raw.sendto(ip(node, 17, udp(53), options=route), (node, 0))

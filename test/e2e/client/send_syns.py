# A pod with NET_RAW: `send_syns.py SOURCE TARGET COUNT` sends TCP SYNs to port 80, with whatever source address it likes.
import socket
import struct
import sys
import time

source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(port):
    def header(check):
        return struct.pack("!HHIIBBHHH", port, 80, 1, 0, 5 << 4, 2, 64240, check, 0)

    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, 20)
    return header(checksum(pseudo + header(0)))


def ip(payload):
    # The kernel fills in length, identification and checksum (raw(7)).
    head = struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, 64, 6, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(target) + payload


raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for i in range(count):
    raw.sendto(ip(syn(20000 + i)), (target, 0))
    time.sleep(0.02)

# A pod with NET_RAW: `overhear.py SECONDS TEXT` counts the frames that pass its interface and hold the text.
import socket
import sys
import time

text = sys.argv[2].encode()
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
raw.settimeout(0.2)
until = time.monotonic() + float(sys.argv[1])
count = 0
while time.monotonic() < until:
    try:
        frame, (_, _, kind, _, _) = raw.recvfrom(65535)
    except TimeoutError:
        continue
    # What the pod sends on is not counted again (PACKET_OUTGOING).
    if kind != 4 and text in frame:
        count += 1
print(count)

# A pod that was there before the rules: `stay_connected.py ADDRESS SECONDS` keeps one connection to port 80 and one UDP socket
# to port 53 of the address, asks on both five times a second, and prints a line for each answer, and `turns` when it has read all
# that had come.
import socket
import sys
import time

address, seconds = sys.argv[1], float(sys.argv[2])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
tcp = socket.create_connection((address, 80), 60)
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.connect((address, 53))
tcp.setblocking(False)
udp.setblocking(False)
until = time.monotonic() + seconds


def attempt(act):
    try:
        return act()
    except OSError:
        return b""


while time.monotonic() < until:
    attempt(lambda: tcp.send(b"GET / HTTP/1.1\r\nHost: raw\r\n\r\n"))
    attempt(lambda: udp.send(b"question"))
    time.sleep(0.2)
    for name, one in (("tcp", tcp), ("udp", udp)):
        while attempt(lambda: one.recv(65536)):
            print(name)
    print("turns", flush=True)

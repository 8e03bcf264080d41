"""A pod's program: does what one JSON line a time on its standard input says, and answers each with a line."""

import json
import socket
import sys

kept = []


def connect(order):
    """Dials and sends nothing but a question; the answer is what the daemon's side takes the caller for."""
    family = socket.AF_INET6 if ":" in order["to"] or order.get("dualStack") else socket.AF_INET
    dialled = socket.socket(family, socket.SOCK_STREAM)
    # For what hangs: no answer here is late on purpose.
    dialled.settimeout(120)
    dialled.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    mapped = "::ffff:" if order.get("dualStack") else ""
    if "from" in order or "port" in order:
        dialled.bind((mapped + order.get("from", "::" if ":" in order["to"] else ""), order.get("port", 0)))
    dialled.connect((mapped + order["to"], 80))
    dialled.sendall(b"who\n")
    if order.get("forged"):
        kept.append(dialled)
        return "forged"
    answer = dialled.makefile().readline().strip()
    if order.get("keep"):
        kept.append(dialled)
    else:
        dialled.close()
    return answer


def listen(order):
    """Plays the metadata address inside a namespace of the pod's own."""
    listener = socket.create_server((order["at"], 80))
    kept.append(listener)
    return "listening"


def flood(order):
    """Connects again and again, `times` times, and tells how often it was answered as whom."""
    answers = {}
    for _ in range(order["times"]):
        answer = connect(order)
        answers[answer] = answers.get(answer, 0) + 1
    return answers


for line in sys.stdin:
    order = json.loads(line)
    try:
        result = {"connect": connect, "listen": listen, "flood": flood}[order["do"]](order)
    except Exception as error:  # noqa: BLE001: told to the test, which expects something else
        result = "failed: " + repr(error)
    print(json.dumps(result), flush=True)

#!/usr/bin/python3
"""A host written from docs/protocol.md alone, without libraries.

    minimal_host.py HOST PORT [--exit-after N]

Runs tasks of the type py.reverse: {"text": "abc"} becomes {"text": "cba"}. With --exit-after it says goodbye when N
results have been acknowledged. One connection only: it ends when the connection does.
"""
import argparse
import base64
import hashlib
import json
import os
import secrets
import select
import socket
import struct
import sys
import time

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class WebSocket:
    """The client's side of RFC 6455, for text messages."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.buffer = b""
        self.fragments = b""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        name = f"[{host}]" if ":" in host else host
        self.socket.sendall("\r\n".join([
            "GET /v1/host HTTP/1.1", f"Host: {name}:{port}", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Protocol: distributo.host.v1", "", ""]).encode())
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        proof = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if b" 101 " not in head.split(b"\r\n")[0] or proof not in head:
            raise ConnectionError(f"refused: {head.decode()}")

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data

    def send(self, payload, opcode=TEXT):
        size = len(payload)
        head = bytes([0x80 | opcode])
        head += (bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0x80 | 126, size) if size < 65536
                 else struct.pack("!BQ", 0x80 | 127, size))
        mask = secrets.token_bytes(4)
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        masked = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
        self.socket.sendall(head + mask + masked)

    def frame(self):
        """(final, opcode, payload) of the next frame, or None when it is not complete yet."""
        size = self.buffer[1] & 127 if len(self.buffer) > 1 else 0
        start = {126: 4, 127: 10}.get(size, 2)
        if start > 2 and len(self.buffer) >= start:
            size = int.from_bytes(self.buffer[2:start], "big")
        if len(self.buffer) < start + size:
            return None
        first, payload = self.buffer[0], self.buffer[start:start + size]
        self.buffer = self.buffer[start + size:]
        return first & 0x80, first & 15, payload

    def messages(self, timeout):
        """Waits at most that long for bytes; the complete messages that have arrived."""
        if select.select([self.socket], [], [], timeout)[0]:
            self.fill()
        while frame := self.frame():
            final, opcode, payload = frame
            if opcode == PING:
                self.send(payload, PONG)
            elif opcode == CLOSE:
                self.send(payload[:2], CLOSE)
                raise ConnectionError(f"closed by the coordinator: {payload[2:].decode()}")
            elif opcode != PONG:
                self.fragments += payload
                if final:
                    message, self.fragments = self.fragments, b""
                    yield json.loads(message)


def run(task):
    """The outcome of one task, as an entry of `result`."""
    begin = time.monotonic()
    outcome = {"token": task["token"]}
    text = task["payload"].get("text") if isinstance(task["payload"], dict) else None
    if isinstance(text, str):
        outcome |= {"status": "ok", "result": {"text": text[::-1]}}
    else:
        outcome |= {"status": "permanent", "message": "payload.text: expected a string"}
    return outcome | {"us": [0, 0, 0, int((time.monotonic() - begin) * 1e6)]}


def serve(connection, exit_after):
    def send(op, **members):
        connection.send(json.dumps({"op": op, **members}, separators=(",", ":"), ensure_ascii=False).encode())
        return time.monotonic()

    last_sent = send("hello", protocol=[1, 1], host_id=secrets.token_hex(16), boot_id=secrets.token_hex(4),
                     name=f"minimal-{os.getpid()}", version="1", slots=1)
    heartbeat, sent, acknowledged, draining = 5.0, 0, 0, False
    while not (draining and sent == acknowledged or exit_after and acknowledged >= exit_after):
        for message in connection.messages(max(0.0, last_sent + heartbeat - time.monotonic())):
            op = message["op"]
            if op == "welcome":
                heartbeat = message["heartbeat_ms"] / 1000
                schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
                last_sent = send("capabilities", sequence=1, types=[
                    {"type": "py.reverse", "plugin": "minimal_host.py", "version": "1", "credit": 256,
                     "summary": "Reverses a text", "payload_schema": schema}])
            elif op == "assign":
                sent += len(message["tasks"])
                last_sent = send("result", results=[run(task) for task in message["tasks"]])
            elif op == "ack":
                acknowledged += len(message.get("recorded", [])) + len(message.get("stale", []))
            elif op == "drain":
                draining, last_sent = True, send("draining")
            elif op == "error":
                raise ConnectionError(message["message"])
            elif op not in ("cancel", "unsupported"):
                last_sent = send("unsupported", unknown=op)
        if time.monotonic() >= last_sent + heartbeat:
            last_sent = send("heartbeat")
    send("bye", reason="drained" if draining else "done")
    connection.send(struct.pack("!H", 1000), CLOSE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--exit-after", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    try:
        serve(WebSocket(arguments.host, arguments.port), arguments.exit_after)
    except (ConnectionError, OSError) as failure:
        sys.exit(f"error: {failure}")


if __name__ == "__main__":
    main()

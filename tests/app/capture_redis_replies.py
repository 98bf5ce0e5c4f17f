#!/usr/bin/env python3
"""Asks a real redis-server every line of redis_requests.txt and prints the rows of redis_replies.inc.

    redis-server --port 7991 --save '' --appendonly no &
    ./capture_redis_replies.py 7991 < redis_requests.txt > redis_replies.inc

A request is a line of C escapes (`\\r\\n` is added to one that does not begin with `*`). All go over one connection, in
order; a request that ends it is followed by a new one.
"""
import socket
import sys


def literal(data):
    out = '"'
    for byte in data:
        char = chr(byte)
        if char in '"\\':
            out += "\\" + char
        elif 32 <= byte < 127:
            out += char
        else:
            out += "\\%03o" % byte
    return out + '"sv'


def ask(connection, request):
    connection.sendall(request)
    connection.settimeout(0.15)
    reply = b""
    try:
        while True:
            part = connection.recv(65536)
            if not part:
                return reply, True
            reply += part
    except TimeoutError:
        return reply, False


def main():
    address = ("127.0.0.1", int(sys.argv[1]))
    connection = socket.create_connection(address)
    for line in sys.stdin:
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        request = line.encode().decode("unicode_escape").encode("latin-1")
        if not request.startswith(b"*"):
            request += b"\r\n"
        reply, ended = ask(connection, request)
        print("{%s, %s, %s}," % (literal(request), literal(reply), "true" if ended else "false"))
        if ended:
            connection = socket.create_connection(address)


main()

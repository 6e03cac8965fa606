"""The attacks of `server`: each gets a started server and seconds, and says what went wrong, or None."""

import gzip
import http.client
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time
import zlib

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Atrous.Tests/Imaging/fixtures"
REFUSED = (400, 413, 415, 503, 504)

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width, height):
    return struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


def png(width, height):
    """A sound PNG of one colour: few bytes, many pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width * 3)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header(width, height)) + chunk(b"IDAT", rows)
            + chunk(b"IEND", b""))


def noisy_png(width, height):
    """One that packs to no less than its pixels, and neither does its overlay."""
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header(width, height)) + chunk(
        b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def closed(connection, seconds):
    """Whether the server closes within the time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
        return True
    except ConnectionError:
        return True
    except OSError:
        return False


def together(count, action):
    results = [None] * count
    def one(i):
        results[i] = action()
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def slow_gzip(server, seconds):
    """Eight bodies that unpack to 60 MB, and then drip."""
    packed = gzip.compress(b"\x89PNG" + bytes(60_000_000), 9)
    connections = []
    for _ in range(8):
        connection = server.connect()
        try:
            connection.sendall(
                b"POST /v1/segment HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
                % (len(packed) + 100_000) + packed[:-200])
        except OSError:
            continue
        connections.append(connection)
    return drip(server, seconds, connections, b"\0")


def idle(server, seconds):
    """Connections that send nothing."""
    connections = []
    for _ in range(600):
        try:
            connections.append(server.connect())
        except OSError:
            break
    time.sleep(1)
    # From another address: Linux has all of 127/8.
    other = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30, source_address=("127.0.0.9", 0))
    try:
        other.request("GET", "/livez")
        status = other.getresponse().status
    except OSError as e:
        return f"another client is not served: {e}"
    finally:
        other.close()
    left = [connection for connection in connections if not closed(connection, max(seconds, 15))]
    for connection in connections:
        connection.close()
    return f"status {status} for another client" if status != 200 else f"{len(left)} stay open" if left else None


def slow_headers(server, seconds):
    """Headers that never end."""
    connections = [server.connect() for _ in range(50)]
    for connection in connections:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    left = [connection for connection in connections if not closed(connection, 30)]
    return f"{len(left)} stay open" if left else None


def chunks(server, seconds):
    """Chunk sizes that no number holds, and those that the client ends in: 400, or a body that is cut off is no answer."""
    sizes = {b"FFFFFFFFFFFFFFFFF": True, b"80000000": False, b"7FFFFFFFFFFFFFFF": True, b"-1": True, b"zz": True}
    for size, is_wrong in sizes.items():
        connection = server.connect()
        connection.sendall(
            b"POST /v1/segment HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabc\r\n")
        if not is_wrong:
            connection.shutdown(socket.SHUT_WR)
        try:
            answer = connection.recv(100)
        except ConnectionError:
            answer = b""
        connection.close()
        # Where the client has closed it is closed too, with 400 or without a word.
        if not answer.startswith(b"HTTP/1.1 400") and (is_wrong or answer):
            return f"{size.decode()}: {answer[:40]!r}"
    return None


def large_pictures(server, seconds):
    """Small files of many pixels at once: served, made to wait, or refused."""
    file = png(5600, 5600)
    statuses = together(4, lambda: server.ask("POST", "/v1/segment", file, timeout=300))
    return None if all(status in (200, 413, 503, 504) for status in statuses) else f"statuses {statuses}"


def odd_shapes(server, seconds):
    """Pictures of one row or column."""
    for width, height in ((31_000_000, 1), (1_000_000, 1), (1, 1_000_000), (30_000, 1)):
        status = server.ask("POST", "/v1/segment", png(width, height), timeout=300)
        if status not in (200, 400, 413, 503):
            return f"{width}x{height}: status {status}"
    return None


def admin(server, seconds):
    """A web page that loads models."""
    path, failures = "/v2/repository/index", []
    for headers, expected in (
            ({"Origin": "http://evil.example"}, 403), ({"Content-Type": "text/plain"}, 415),
            ({"Content-Type": "application/csp-report"}, 415), ({"Host": "evil.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Content-Type": "application/json"}, 200)):
        status = server.ask("POST", path, b"{}", headers)
        if status != expected:
            failures.append(f"{headers}: {status}")
    return "; ".join(failures) or None


def noise(server, seconds):
    """Bytes that are no HTTP, and bodies that are no pictures."""
    for i in range(100):
        connection = server.connect()
        try:
            connection.sendall(os.urandom(1 + i * 17) + b"\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(100)
        except OSError:
            answer = b""
        connection.close()
        if answer and not answer.startswith(b"HTTP/1.1 400"):
            return f"noise: {answer[:40]!r}"
        status = server.ask("POST", "/v1/segment", b"\x89PNG" + os.urandom(i * 31))
        if status not in (400, 413, 415):
            return f"a body of noise: status {status}"
    return None


def drip(server, seconds, connections, data=b"-"):
    """Sends a byte to each connection in turn for some time, while others have to be served."""
    end, served = time.time() + seconds, 0
    while time.time() < end:
        for connection in list(connections):
            try:
                connection.sendall(data)
            except OSError:
                connections.remove(connection)
        if not server.serves():
            return f"others are not served ({served} times before)"
        served += 1
        time.sleep(0.2)
    for connection in connections:
        connection.close()
    return None


def slow_readers(server, seconds):
    """Answers of megabytes that are read by the kilobyte: of every form that is a file."""
    photo, connections = noisy_png(1600, 1200), []
    for i in range(12):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        form = ("overlay", "png", "overlay&encoding=jpeg&quality=100")[i % 3]
        try:
            connection.sendall(
                b"POST /v1/segment?format=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
                % (form.encode(), len(photo)) + photo)
        except OSError:
            continue
        connections.append(connection)
    end = time.time() + seconds
    while time.time() < end:
        for connection in list(connections):
            connection.settimeout(0.05)
            try:
                if not connection.recv(1024):
                    connections.remove(connection)
            except TimeoutError:
                pass
            except OSError:
                connections.remove(connection)
        if not server.serves():
            return "others are not served"
    for connection in connections:
        connection.close()
    return None


def slow_forms(server, seconds):
    """Parts of a form that never end."""
    connections = [server.connect() for _ in range(8)]
    head = b"--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n" + server.photo[:40]
    for connection in connections:
        connection.sendall(
            b"POST /v1/segment HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: 50000000\r\n\r\n" + head)
    return drip(server, seconds, connections)


def frame(kind, flags, stream, payload):
    """Of HTTP/2."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def slow_messages(server, seconds):
    """Calls of gRPC whose message of 40 MB comes by the byte."""
    def text(value):
        return bytes([len(value)]) + value
    headers = b"".join(b"\0" + text(name) + text(value) for name, value in (
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/inference.GRPCInferenceService/ModelInfer"),
        (b":authority", b"127.0.0.1"), (b"content-type", b"application/grpc"), (b"te", b"trailers")))
    connections = []
    for _ in range(8):
        connection = socket.create_connection(("127.0.0.1", server.grpc_port), timeout=60)
        connection.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, headers)
            + frame(0, 0, 1, b"\0" + struct.pack(">I", 40_000_000)))
        connections.append(connection)
    return drip(server, seconds, connections, frame(0, 0, 1, b"\x0a"))


def progressive(server, seconds):
    """JPEGs of some hundred bytes whose coefficients would be 25 million pixels'."""
    file = bytearray((FIXTURES / "progressive.jpg").read_bytes())
    at = file.index(b"\xff\xc2")
    file[at + 5:at + 9] = struct.pack(">HH", 5000, 5000)
    statuses = together(8, lambda: server.ask("POST", "/v1/segment", bytes(file), timeout=300))
    return None if all(status in (200, *REFUSED) for status in statuses) else f"statuses {statuses}"


def large_crf(server, seconds):
    """The CRF of a photo of 24 million pixels: within 1.5 GB, and the pictures' own memory."""
    before = server.sample()[0]
    server.reset_peak()
    file = noisy_png(4000, 3000) if seconds > 30 else png(6000, 4000)
    status = server.ask("POST", "/v1/segment?crf=deeplabv2", file, timeout=900)
    peak = server.peak() - before
    if status not in (200, *REFUSED):
        return f"status {status}"
    return f"it took {peak:.0f} MB" if peak > 2200 else None


def end_while_loading(server, seconds):
    """SIGTERM as soon as a server of many models listens, which loads them meanwhile."""
    many = [word for i in range(40) for word in ("--model", f"m{i}=atrous-street")]
    other = server.another(*many, "--drain-delay", "0", "--drain", "10")
    start = time.time()
    other.process.send_signal(signal.SIGTERM)
    try:
        code = other.process.wait(60)
    except subprocess.TimeoutExpired:
        other.process.kill()
        return "it did not end"
    # 10 s of draining, and the 5 s after which it ends whatever happens.
    late = time.time() - start
    return f"exit code {code}" if code != 0 else f"it took {late:.0f} s" if late > 20 else None


ATTACKS = [
    slow_gzip, idle, slow_headers, chunks, large_pictures, odd_shapes, admin, noise, slow_readers, slow_forms,
    slow_messages, progressive, large_crf, end_while_loading,
]

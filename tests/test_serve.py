"""Serving a web bundle: what browsers get, and what nobody gets."""

import asyncio
import concurrent.futures
import contextlib
import errno
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import unittest.mock

import pytest

import kerasgan.serve
from kerasgan.serve import serve, server
from kerasgan.serving import answers, connections
from kerasgan.serving import bundle as bundles

CDN = "https://cdn.example.org/npm/"
PAGE = b'<!doctype html><script type="importmap">{"imports": {}}</script><script type="module" src="app.js"></script>'
WASM = b"\0asm" + bytes(300_000)
SCRIPT = "console.log('\u00e9');\n" * 200


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path)


def write_bundle(parent):
    folder = parent / "bundle"
    (folder / "models").mkdir(parents=True)
    (folder / "litert" / "wasm").mkdir(parents=True)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "app.js").write_text(SCRIPT, encoding="utf-8")
    (folder / "style.css").write_text("body { margin: 0 }")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "icon-192.png").write_bytes(b"\x89PNG" + bytes(5000))
    (folder / "models" / "faces.tflite").write_bytes(random.Random(0).randbytes(200_000))
    (folder / "models" / "faces.json").write_text('{"name": "faces"}')
    (folder / "litert" / "wasm" / "litert.wasm").write_bytes(WASM)
    write_zoo(folder)
    (parent / "secret.json").write_text("secret")
    return folder


def write_zoo(folder, runtime=None, models=("models/faces.tflite",), **others):
    runtime = runtime or {"core": "litert/core/index.js", "wasm": "litert/wasm/"}
    zoo = {"runtime": runtime, "models": [{"file": file} for file in models], **others}
    (folder / "zoo.json").write_text(json.dumps(zoo))


@contextlib.contextmanager
def running(folder, **arguments):
    with server(folder, **arguments) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield web
        finally:
            web.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """One for all tests that only ask."""
    with running(write_bundle(tmp_path_factory.mktemp("served"))) as web:
        yield web


def get(web, path, method="GET", **headers):
    """(status, headers, body) of a request as it stands: nothing is tidied up or decoded on the way."""
    connection = http.client.HTTPConnection("127.0.0.1", web.server_port, timeout=60)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def raw(web, request):
    """Everything that comes back for these bytes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", web.server_port), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        answer = b""
        while data := connection.recv(65536):
            answer += data
    return answer


def status(answer):
    return int(answer.split(b" ", 2)[1])


# What browsers get ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, file, kind",
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/app.js", "app.js", "text/javascript; charset=utf-8"),
        ("/app.js?v=3", "app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "style.css", "text/css; charset=utf-8"),
        ("/zoo.json", "zoo.json", "application/json"),
        ("/manifest.webmanifest", "manifest.webmanifest", "application/manifest+json"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
        ("/icon-192.png", "icon-192.png", "image/png"),
        ("/models/faces.tflite", "models/faces.tflite", "application/octet-stream"),
        ("/litert/wasm/litert.wasm", "litert/wasm/litert.wasm", "application/wasm"),
    ],
)
def test_files_with_their_types(web, bundle, path, file, kind):
    code, headers, body = get(web, path)
    assert code == 200 and body == (bundle / file).read_bytes()
    assert headers["Content-Type"] == kind and headers["Content-Length"] == str(len(body))
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-cache" and headers["Server"] == "kerasgan"
    assert "Content-Encoding" not in headers and "Last-Modified" not in headers


def test_head_says_the_same_without_content(web):
    for path, code in (("/litert/wasm/litert.wasm", 200), ("/none", 404)):
        head, content = get(web, path, "HEAD"), get(web, path)
        assert head[0] == content[0] == code and head[2] == b"" and content[2]
        assert [pair for pair in head[1].items() if pair[0] != "Date"] == [
            pair for pair in content[1].items() if pair[0] != "Date"
        ]


def test_compressed_where_it_helps_and_is_asked_for(web, bundle):
    for path in ("/litert/wasm/litert.wasm", "/app.js"):
        code, headers, body = get(web, path, Accept_Encoding="br;q=1, GZip;q=0.8")
        assert code == 200 and headers["Content-Encoding"] == "gzip" and headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(body) == (bundle / path[1:]).read_bytes()
        assert len(body) == int(headers["Content-Length"]) < len(gzip.decompress(body)) / 5
    for path in ("/models/faces.tflite", "/icon-192.png", "/style.css"):  # noise, compressed already, too short
        assert "Content-Encoding" not in get(web, path, Accept_Encoding="gzip")[1]
    for refusal in ("identity", "gzip;q=0", "gzip; q=0.00, br", ""):
        assert "Content-Encoding" not in get(web, "/app.js", Accept_Encoding=refusal)[1], refusal


def test_compressed_once(bundle, monkeypatch):
    calls = []
    compress = gzip.compress

    def slow(*given, **named):
        calls.append(1)
        time.sleep(0.1)
        return compress(*given, **named)

    monkeypatch.setattr(gzip, "compress", slow)
    with running(bundle) as web, concurrent.futures.ThreadPoolExecutor(20) as pool:
        ask = lambda _: get(web, "/litert/wasm/litert.wasm", Accept_Encoding="gzip")[2]  # noqa: E731
        bodies = set(pool.map(ask, range(20)))
    assert len(calls) == 1 and len(bodies) == 1 and gzip.decompress(bodies.pop()) == WASM


def test_known_content_is_not_sent_again(web, bundle):
    etag = get(web, "/app.js")[1]["ETag"]
    assert hashlib.sha256(SCRIPT.encode()).hexdigest()[:32] in etag
    for known in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
        code, headers, body = get(web, "/app.js", If_None_Match=known, Accept_Encoding="gzip")
        assert code == 304 and body == b"" and headers["ETag"] == etag and "Content-Security-Policy" in headers
    assert get(web, "/app.js", If_None_Match='"other"')[0] == 200
    assert get(web, "/style.css", If_None_Match=etag)[0] == 200


def test_many_requests_on_one_connection(web, bundle):
    connection = http.client.HTTPConnection("127.0.0.1", web.server_port, timeout=60)
    connection.connect()
    opened = connection.sock
    for path in ("/", "/app.js", "/models/faces.tflite"):
        connection.request("GET", path)
        assert connection.getresponse().read() and connection.sock is opened
    connection.close()


def test_twenty_at_once(web, bundle):
    expected = (bundle / "models" / "faces.tflite").read_bytes()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: get(web, "/models/faces.tflite"), range(60)))
    assert all(code == 200 and body == expected for code, _, body in answers)


def test_policy_admits_the_runtime_and_nothing_else(bundle):
    def policy():
        with running(bundle) as web:
            found = get(web, "/")[1]["Content-Security-Policy"]
        return {name: values for name, *values in (part.split() for part in found.split(";"))}

    local = policy()
    assert local["default-src"] == ["'none'"] and local["connect-src"] == ["'self'"]
    assert local["script-src"][:2] == ["'self'", "'wasm-unsafe-eval'"]
    # The import map is written into the page: it is known by its hash.
    assert local["script-src"][2:] == ["'sha256-" + _base64_sha256(b'{"imports": {}}') + "'"]
    folders = [f"{CDN}core@2.5.3/dist/", f"{CDN}core@2.5.3/wasm/"]
    write_zoo(bundle, {"core": f"{CDN}core@2.5.3/dist/index.js", "wasm": f"{CDN}core@2.5.3/wasm/", "bytes": 3})
    remote = policy()
    assert remote["connect-src"] == ["'self'", *folders] and remote["script-src"][3:] == folders
    write_zoo(bundle, {"core": "https://a.org/x; script-src *\r\nX: y/", "wasm": "http://a.org/", "wasm_utils": "//a"})
    assert policy() == local


def _base64_sha256(text):
    import base64

    return base64.b64encode(hashlib.sha256(text).digest()).decode()


def test_inline_scripts_are_known_by_their_hashes():
    page = (
        b'<SCRIPT type="importmap">{}</Script > <script src="a.js"></script><script\n>one</script><scripts>no</scripts>'
        b"<script/x>two<script>three</script><script>never closed"
    )
    assert list(bundles._inline_scripts(page)) == [b"{}", b"one", b"two<script>three"]
    assert list(bundles._inline_scripts(b"<script")) == list(bundles._inline_scripts(b"")) == []


class Searched(bytes):
    """A page that counts the bytes in which something was searched."""

    count = 0

    def lower(self):
        return type(self)(bytes.lower(self))

    def find(self, part, start=0):
        found = bytes.find(self, part, start)
        Searched.count += (len(self) if found < 0 else found) - start
        return found


@pytest.mark.parametrize(
    "part", [b"<script>", b"<script", b"<script ", b"<script></script", b"<scripts>", b"<script>a</script>"]
)
def test_hostile_pages_take_no_longer_than_their_length(monkeypatch, part):
    monkeypatch.setattr(Searched, "count", 0)
    page = Searched(part * (320_000 // len(part)))
    assert len(list(bundles._inline_scripts(page))) == (len(page) // len(part) if b"a" in part else 0)
    assert Searched.count <= 2 * len(page)


# What nobody gets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.json",
        "/models/../../secret.json",
        "/models/../index.html",
        "/%2e%2e/secret.json",
        "/%2e%2e%2fsecret.json",
        "/..%2fsecret.json",
        "/%252e%252e/secret.json",
        "/..\\secret.json",
        "/..%5csecret.json",
        "/%c0%ae%c0%ae/secret.json",
        "/....//secret.json",
        "/./index.html",
        "/models//faces.json",
        "/index.html%00.png",
        "/index.html/",
        "/INDEX.HTML",
        "/%69ndex.html",
        "/index.html;x",
        "/etc/passwd",
        "//etc/passwd",
        "///etc/passwd",
        "/file:///etc/passwd",
        "/C:/windows/win.ini",
        "/models",
        "/models/",
        "/.hidden.json",
        "/.git/config.json",
        "/notes.txt",
        "/link.json",
        "/linked/secret.json",
        "secret.json",
        "http://127.0.0.1/index.html",
        "*",
        "/?../../secret.json/../../none",
    ],
)
def test_only_files_of_the_bundle(bundle, path):
    (bundle / ".hidden.json").write_text("secret")
    (bundle / ".git").mkdir()
    (bundle / ".git" / "config.json").write_text("secret")
    (bundle / "notes.txt").write_text("secret")
    (bundle / "link.json").symlink_to(bundle.parent / "secret.json")
    (bundle / "linked").symlink_to(bundle.parent)
    with running(bundle) as web:
        answer = raw(web, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    if path.startswith("/?"):  # the page, and a question that nobody reads
        assert status(answer) == 200 and answer.endswith(PAGE)
        return
    assert status(answer) == 404 and answer.endswith(b"404: the bundle has no such file.\n")
    assert b"secret" not in answer and str(bundle).encode() not in answer


def test_only_files_that_the_bundle_lists(bundle):
    (bundle / "other.js").write_text("other")
    (bundle / "a name (1).js").write_text("listed")
    write_zoo(bundle, files=["index.html", "app.js", "a name (1).js", "models/faces.tflite"])
    with running(bundle) as web:
        for path in ("/", "/index.html", "/app.js", "/zoo.json", "/a%20name%20(1).js", "/models/faces.tflite"):
            assert get(web, path)[0] == 200, path
        assert get(web, "/other.js")[0] == get(web, "/style.css")[0] == 404


def test_a_raw_nul_and_other_bytes_that_no_address_has(web):
    for path in (b"/\x00", b"/index.html\x00", b"/\xff\xfe", b"/\x1b[2J"):
        assert status(raw(web, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == 400


def test_files_that_change_later_are_not_looked_at(bundle):
    with running(bundle) as web:
        (bundle / "app.js").unlink()
        (bundle / "app.js").symlink_to(bundle.parent / "secret.json")
        (bundle / "new.js").write_text("new")
        assert get(web, "/app.js")[2] == SCRIPT.encode() and get(web, "/new.js")[0] == 404


@pytest.mark.parametrize(
    "method",
    ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND", "get", "__class__", "X" * 99],
)
def test_other_methods(web, method):
    answer = raw(web, f"{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert status(answer) == 405 and b"\r\nallow: GET, HEAD\r\n" in answer
    assert answer.endswith(b"\r\n\r\n405: this server knows GET and HEAD only.\n")


@pytest.mark.parametrize(
    "request_, code",
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /" + b"a" * 2_000_000, 400),
        (b"A" * 100_000, 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 400_000, 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 50_000 + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n" + b"a" * 300_000, 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n" + b"a" * 300_000, 405),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon here\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        (b"GET / HTTP/banana\r\n\r\n", 400),
        (b"GET / of many words HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # https
    ],
)
def test_odd_requests_get_a_plain_line(web, request_, code):
    answer = raw(web, request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    head = head.lower()  # as names of headers may be written
    assert status(answer) == code and b"content-type: text/plain" in head and b"connection: close" in head
    assert (
        body.startswith(f"{code}: ".encode()) and body.count(b"\n") == 1
    )  # and nothing was taken for a second request
    assert b"Python" not in answer and b"aaaa" not in answer and b"evil" not in answer
    assert get(web, "/")[0] == 200


@pytest.mark.parametrize(
    "headers, code",
    [
        (b"Content-Length: 0\r\nContent-Length: 43\r\n", 400),
        (b"Content-Length: 43\r\nContent-Length: 0\r\n", 400),
        (b"Content-Length: 0, 43\r\n", 400),
        (b"Content-Length: 0\r\ncontent-length: 43\r\n", 400),
        (b"Content-Length: +0\r\n", 400),
        (b"Content-Length: 0x0\r\n", 400),
        (b"Content-Length: 0_0\r\n", 400),
        (b"Content-Length: \xb2\r\n", 400),  # a digit, but not one of ASCII
        (b"Content-Length:\r\n", 400),
        (b"Content-Length : 43\r\n", 400),
        (b"Content-Length\x0b: 43\r\n", 400),
        (b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 43\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400),
        (b"Transfer-Encoding: identity\r\n", 400),
        (b"Transfer-Encoding: chunked, gzip\r\n", 400),
        (b"Transfer-Encoding: \x0bchunked\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n", 413),
        (b"Transfer-Encoding: Chunked\r\n", 413),
        (b"Content-Length: 43\r\n", 413),
        (b"Content-Length: " + b"9" * 9000 + b"\r\n", 400),
        (b"Host: localhost\r\n", 400),
        (b"host: evil.example\r\n", 400),
        (b"X: a\r\n Content-Length: 43\r\n", 400),  # folded
        (b"X: a\r\n\tb\r\n", 400),
        (b" X: a\r\n", 400),
        (b"X: a\nContent-Length: 43\r\n", 400),
        (b"X: a\n\r\n", 400),
        (b"X: a\rContent-Length: 43\r\n", 400),
        (b"X: a\0b\r\n", 400),
        (b": a\r\n", 400),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_request_has_one_answer_whoever_reads_it(web, headers, code):
    """What another reader, such as a proxy, could take for the content of a request is not answered as a second one."""
    hidden = b"GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = raw(web, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n" + hidden)
    assert status(answer) == code and answer.count(b"HTTP/1.1 ") == 1 and b"connection: close" in answer.lower()
    assert answer.endswith(b"\n") and b"console.log" not in answer


@pytest.mark.parametrize(
    "request_, code",
    [
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\n", 400),
        (b"GET / HTTP/1.1\rHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    ],
)
def test_other_ends_of_lines_and_other_targets(web, request_, code):
    answer = raw(web, request_ + b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status(answer) == code and answer.count(b"HTTP/1.1 ") == 1 and b"connection: close" in answer.lower()


def test_half_a_request_is_none(web):
    for half in (b"GET / HTTP/1.1", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"GET / HTTP/1.1\r\nHost: local"):
        with socket.create_connection(("127.0.0.1", web.server_port), timeout=60) as connection:
            connection.sendall(half)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(65536) == b""  # and no answer


def test_no_content_said_in_so_many_words_is_fine(web):
    """And the last of its connection: nobody can take another request for its content, nor its content for one."""
    for zero in (b"0", b"00", b" 0 ", b"0\r\nContent-Length: 0"):
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length:" + zero + b"\r\n\r\n"
        answer = raw(web, request * 2)
        assert status(answer) == 200 and answer.count(b"HTTP/1.1 ") == 1 and b"connection: close" in answer.lower()


def test_a_client_that_is_still_sending_gets_its_answer(web):
    with socket.create_connection(("127.0.0.1", web.server_port), timeout=60) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n")
        for _ in range(3):
            time.sleep(0.1)  # the answer is on its way; a closed connection would refuse the rest and lose it
            connection.sendall(bytes(100_000))
        assert status(connection.recv(65536)) == 405


def test_names_that_lead_here_by_force(web):
    def ask(host):
        return status(raw(web, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()))

    port = web.server_port
    for host in ("localhost", f"localhost:{port}", "LOCALHOST", f"127.0.0.1:{port}", "[::1]", f"[::1]:{port}"):
        assert ask(host) == 200, host
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "localhost.evil.example",
        "evil.example/localhost",
        "localhost@evil.example",
        "evil.example#localhost",
        "192.168.0.7",  # not on loopback
        "127.0.0.1.evil.example",
        "",
        "localhost:port",
        "[localhost]",
    ):
        assert ask(host) == 421, host


def test_names_on_a_network(bundle):
    with server(bundle, host="0.0.0.0") as web:
        for host in ("192.168.0.7:8000", "localhost", "10.1.2.3", "[fe80::1]:8000", socket.gethostname()):
            assert web.goes_by(host), host
        for host in ("evil.example", "192.168.0.7.evil.example", "999.1.1.1"):
            assert not web.goes_by(host), host
        assert web.url == f"http://127.0.0.1:{web.server_port}/"


# Clients that come, stay and go --------------------------------------------------------------------------------------


def until(condition):
    """Waits for a condition. The limit is for a test that fails; one that passes may run on a machine of any speed."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def open_connections(web, stack, count, client="127.0.0.1", said=b"", size=None):
    """Connections of a client, which have their places; `size` is that of the buffer for what they receive."""
    opened = []
    for _ in range(count):
        connection = stack.enter_context(socket.socket())
        connection.settimeout(60)
        if size:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        connection.bind((client, 0))
        connection.connect(("127.0.0.1", web.server_port))
        name = connection.getsockname()
        until(lambda name=name: any(place.client == name for place in list(web.places._places)))
        connection.sendall(said)
        opened.append(connection)
    return opened


def without_place(web, opened):
    """Those that have had to give up their places."""
    served = {place.client for place in list(web.places._places)}
    return [connection for connection in opened if connection.getsockname() not in served]


def is_closed(connection):
    """Whether the server has closed a connection, after all that it has sent."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(2**20):
            pass
    return True


class Clock:
    """The loop and the transport of a connection whose time passes when the test says so."""

    def __init__(self):
        self.now, self.timers, self.open, self.said = 0.0, [], True, b""

    def call_later(self, seconds, function):
        timer = [self.now + seconds, function]
        self.timers.append(timer)
        return types.SimpleNamespace(cancel=lambda: timer in self.timers and self.timers.remove(timer))

    def create_task(self, coroutine):
        coroutine.close()
        return unittest.mock.Mock()

    def passes(self, seconds):
        self.now += seconds
        for timer in [timer for timer in self.timers if timer[0] <= self.now]:
            self.timers.remove(timer)
            timer[1]()

    def get_extra_info(self, name):
        return {"sockname": ("127.0.0.1", 8000), "peername": ("127.0.0.1", 50000)}.get(name)

    def is_closing(self):
        return not self.open

    def pause_reading(self):
        pass

    def abort(self):
        self.open = False

    def write(self, data):
        self.said += data


def connected(web):
    clock, state = Clock(), type(web._loop.server_state)()
    ours = {"places": connections.Places(), "say": print}
    made = connections.Connection(web._loop.config, state, app_state={}, _loop=clock, **ours)
    made.connection_made(clock)
    return clock, made


@pytest.mark.parametrize("seconds, arrived", [(0.1, 50), (1.0, 5), (4.0, 2)])
def test_a_request_has_its_time_however_its_bytes_come(web, seconds, arrived):
    """Each byte within the time, the whole not."""
    clock, connection = connected(web)
    clock.passes(19.9)  # a request may take its time to begin
    assert clock.open
    letters = iter(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 99)
    given = 0
    while clock.open:
        connection.data_received(bytes([next(letters)]))
        clock.passes(seconds)
        given += 1
    assert abs(given - arrived) <= 1 and clock.now <= 19.9 + seconds + 5.1 and not clock.said


def test_a_connection_without_a_request_ends(web):
    clock, _ = connected(web)
    clock.passes(20.1)
    assert not clock.open


def test_a_request_in_time_is_whole_and_its_answer_has_a_time_of_its_own(web):
    text = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    clock, connection = connected(web)
    for letter in text:
        connection.data_received(bytes([letter]))
        clock.passes(4.9 / len(text))
    assert clock.open and connection.cycle.scope["path"] == "/"
    clock.passes(19)
    connection.resume_writing()  # a piece of the answer has gone
    clock.passes(19)
    assert clock.open
    connection.data_received(b"G")  # what comes meanwhile is no reason to wait
    clock.passes(1.1)
    assert not clock.open


@pytest.mark.parametrize("cut", range(1, 8))
def test_what_is_ambiguous_is_found_wherever_packets_end(web, cut):
    for odd in (b"X: a\nY: b", b"X: a\rY: b", b"X: a\r\n Y: b", b"X: a\0b\r\n"):
        clock, connection = connected(web)
        clock.write_eof = clock.resume_reading = lambda: None
        connection.data_received(b"GET / HTTP/1.1\r\n" + odd[:cut])
        connection.data_received(odd[cut:])
        assert clock.said.startswith(b"HTTP/1.1 400 ") and connection.cycle is None


def test_slow_clients_are_let_go(bundle, monkeypatch, capfd):
    """However slow the machine is: each is known by the end of its connection, never by the time."""
    take, taken = connections.Places.take, []
    monkeypatch.setattr(connections.Places, "take", lambda *given: take(*given) and not taken.append(given))
    with running(bundle) as web, contextlib.ExitStack() as stack:

        def client(said=b""):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(60)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", web.server_port))
            with contextlib.suppress(ConnectionError):
                connection.sendall(said)
            return connection

        with monkeypatch.context() as patch:
            patch.setattr(connections, "PATIENCE", 0.5)
            assert is_closed(client())
            # Byte after byte: a request that never ends would take 400 seconds here to be too long.
            slow, sent = client(), 0
            with contextlib.suppress(ConnectionError):
                while sent < 2000:
                    slow.sendall(b"G")
                    sent += 1
                    time.sleep(0.05)
            assert sent < 2000
            # Asks for much and reads nothing.
            client(b"GET /litert/wasm/litert.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
            until(lambda: len(taken) == 3 and not len(web.places))
        assert get(web, "/")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_phones_that_walk_away_leave_no_trace(web, capfd):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", web.server_port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closes with a reset
            connection.sendall(b"GET /models/faces.tflite HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
            connection.recv(1)
    until(lambda: not len(web.places))
    assert get(web, "/")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_more_connections_than_places(bundle, monkeypatch):
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(connections, "GRACE", 1000)
    with running(bundle) as web, contextlib.ExitStack() as stack:
        open_connections(web, stack, 3)
        assert b" 503 " in raw(web, b"")
        stack.close()
        until(lambda: not len(web.places))
        assert get(web, "/")[0] == 200


def test_a_client_that_takes_all_places_keeps_nobody_out(bundle, monkeypatch):
    """Neither by requests that do not end nor by answers that it does not read."""
    (bundle / "large.js").write_bytes(os.urandom(2**24))
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 8)
    monkeypatch.setattr(connections, "GRACE", 1000)
    asked = b"GET /large.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with running(bundle) as web, contextlib.ExitStack() as stack:
        for said in (b"GET / HT", asked):
            greedy = open_connections(web, stack, 8, said=said, size=4096)
            if said == asked:
                until(lambda: not any(place.waits for place in list(web.places._places.values())))
            mine = open_connections(web, stack, 4, client="127.0.0.2")  # half of them, and nobody gets more
            gone = without_place(web, greedy)
            assert len(gone) == 4 and all(is_closed(connection) for connection in gone)
            clients = sorted(place.client for place in list(web.places._places.values()))
            assert clients == ["127.0.0.1"] * 4 + ["127.0.0.2"] * 4
            refused = open_late(stack, web, "127.0.0.2")
            assert b" 503 " in refused.recv(65536)
            for connection in mine:  # whoever was there is served still
                connection.sendall(b"GET /app.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert status(connection.recv(65536)) == 200
            for connection in [*greedy, *mine]:
                connection.close()
            until(lambda: not len(web.places))


def open_late(stack, web, client):
    connection = stack.enter_context(socket.socket())
    connection.settimeout(60)
    connection.bind((client, 0))
    connection.connect(("127.0.0.1", web.server_port))
    return connection


def test_who_gives_up_a_place_to_whom(monkeypatch):
    class Connection:
        @property
        def transport(self):
            return self

        def abort(self):
            left.append(self)

    left, places, now = [], connections.Places(), [0.0]
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(connections, "GRACE", 1)
    monkeypatch.setattr(connections.time, "monotonic", lambda: now[0])
    a, b, c, d, e = (Connection() for _ in range(5))
    assert places.take(a, "first") and places.take(b, "second") and places.take(c, "third")
    assert not places.take(d, "fourth") and not places.take(d, "first")  # all may be about to ask
    now[0] = 2.0
    places.goes_on(a)  # it is answered
    assert not places.take(d, "first")  # and has no other one to give up
    assert places.take(d, "fourth") and left == [b]  # nobody goes before one that waits, whoever it is
    places.release(a)
    assert places.take(a, "fourth")
    places.goes_on(a)
    assert places.take(e, "fifth") and left == [b, d]  # of the client with two: the one that waits
    assert len(places) == 3


def test_a_client_in_need_gives_up_what_it_lets_wait(bundle, monkeypatch):
    """128 slow connections and a browser on one machine, or behind one proxy."""
    monkeypatch.setattr(connections, "GRACE", 0)
    with running(bundle) as web, contextlib.ExitStack() as stack:
        slow = open_connections(web, stack, connections.MOST_CONNECTIONS, said=b"GET / HT")
        for _ in range(3):
            assert get(web, "/")[0] == 200
        gone = without_place(web, slow)
        assert gone and all(is_closed(connection) for connection in gone)
        assert len(web.places) <= connections.MOST_CONNECTIONS


def test_errors_of_ours_are_shown(web, monkeypatch, caplog):
    monkeypatch.setattr(answers, "_refused", lambda *given: 1 / 0)
    assert get(web, "/")[0] == 500
    assert "ZeroDivisionError" in caplog.text  # to the standard error, where nobody has set up logging


def test_a_line_for_each_request_only_when_asked(bundle, capfd):
    with running(bundle, verbose=True) as web:
        get(web, "/app.js")
        raw(web, b"GET /\x1b[2J HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2 and '"GET /app.js HTTP/1.1" 200' in lines[0]
    assert "400" in lines[1] and "\x1b" not in lines[1]


# Starting and stopping -----------------------------------------------------------------------------------------------


def test_folders_that_are_no_bundle(bundle, tmp_path):
    for folder, error, message in (
        (tmp_path / "none", FileNotFoundError, "there is no such folder"),
        (tmp_path / "secret.json", NotADirectoryError, "is a file"),
        (tmp_path, FileNotFoundError, r"has no zoo\.json. Make one with kerasgan\.export\.web"),
    ):
        with pytest.raises(error, match=message):
            server(folder)
        with pytest.raises(error, match=message):
            serve(folder)
    write_zoo(bundle, models=["models/faces.tflite", "models/gone.tflite"])
    with pytest.raises(ValueError, match=r"lacks 'models/gone\.tflite'"):
        server(bundle)
    for text in ("{", "[]", '{"models": [{}]}', '{"models": 3}', '{"models": [], "runtime": 3}'):
        (bundle / "zoo.json").write_text(text)
        with pytest.raises(ValueError, match=r"zoo\.json' is not a bundle's"):
            server(bundle)
    write_zoo(bundle, files=["index.html", "gone.js", "NOTICE"])  # NOTICE is not served, so it need not be there
    with pytest.raises(ValueError, match=r"lacks 'gone\.js'"):
        server(bundle)
    write_zoo(bundle)
    (bundle / "index.html").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no index\.html"):
        server(bundle)
    (bundle / "index.html").symlink_to(bundle / "app.js")
    with pytest.raises(FileNotFoundError, match=r"has no index\.html"):
        server(bundle)


def test_a_port_that_is_taken(bundle, monkeypatch):
    with server(bundle) as first:
        with pytest.raises(OSError, match=f"port={first.server_port} .* --port") as error:
            serve(bundle, port=first.server_port)
        assert error.value.errno == errno.EADDRINUSE
        with server(bundle) as second:
            taken = [first.server_port, second.server_port]
            monkeypatch.setattr(kerasgan.serve, "_PORTS", taken)
            with pytest.raises(OSError, match="all taken; give another with --port"):
                serve(bundle)
            monkeypatch.setattr(kerasgan.serve, "_PORTS", [*taken, 0])  # the next free one, where none is asked for
            with pytest.raises(_Stop):
                serve(bundle, ready=_stop)


class _Stop(Exception):
    pass


def _stop(url):
    raise _Stop(url)


@pytest.mark.parametrize("port", [-1, 65536, "8000", 80.0, True])
def test_ports_that_are_none(bundle, port):
    with pytest.raises(ValueError, match=f"port={port!r}: expected a whole number"):
        serve(bundle, port=port)


def test_hosts_that_are_none(bundle):
    with pytest.raises(OSError, match=r"host='203\.0\.113\.9': cannot listen there"):
        server(bundle, host="203.0.113.9")


def test_another_address_family(bundle):
    try:
        web = server(bundle, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with web:
        assert web.url == f"http://[::1]:{web.server_port}/" and web.goes_by("[::1]:1")


def test_ctrl_c_ends_cleanly_and_frees_the_port(bundle):
    code = f"from kerasgan.serve import serve; serve({str(bundle)!r}, port=0)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = re.fullmatch(r"The page is at http://127\.0\.0\.1:(\d+)/\n", process.stdout.readline())
        port = int(address[1])
        with socket.create_connection(("127.0.0.1", port)) as connected:  # somebody is there
            connected.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connected.recv(20).startswith(b"HTTP/1.1 200")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "") and out.endswith("Stopped.\n")
    finally:
        process.kill()
        process.wait()
    with server(bundle, port=port):
        pass


def test_ctrl_c_at_the_first_answer_ends_cleanly(bundle):
    """It may come before `serve` knows that its thread has started, and again while that ends."""
    code = f"""
import _thread, threading, urllib.request
from kerasgan.serve import serve

def visit(url):
    urllib.request.urlopen(url).read()
    _thread.interrupt_main()
    _thread.interrupt_main()

for _ in range(6):
    serve({str(bundle)!r}, port=0, ready=lambda url: threading.Thread(target=visit, args=(url,)).start())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("Stopped.") == 6


def test_another_page_takes_its_place_while_it_is_looked_at(bundle, tmp_path):
    """By what is done meanwhile, in the thread that serves: Ctrl-C ends both."""
    larger = shutil.copytree(bundle, tmp_path / "larger")
    (larger / "models" / "more.tflite").write_bytes(b"more")
    write_zoo(larger, models=("models/faces.tflite", "models/more.tflite"))
    seen = []

    def meanwhile(web):
        seen.append(get(web, "/models/more.tflite")[0])
        web.show(larger)
        seen.append(get(web, "/models/more.tflite")[2])
        with pytest.raises(FileNotFoundError, match="no such folder"):
            web.show(tmp_path / "none")
        seen.append(get(web, "/models/faces.tflite")[0])
        raise KeyboardInterrupt

    serve(bundle, port=0, meanwhile=meanwhile)
    assert seen == [404, b"more", 200] and threading.current_thread() is threading.main_thread()


def test_serving_does_not_import_tensorflow():
    code = "import sys, kerasgan.serve; sys.exit('tensorflow' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Phones --------------------------------------------------------------------------------------------------------------


def test_lan_shows_the_address_and_its_qr_code(bundle, monkeypatch, capsys):
    segno = pytest.importorskip("segno", reason="the QR code needs kerasgan[export]")
    monkeypatch.setattr(kerasgan.serve, "_lan_address", lambda: "192.168.1.20")
    seen = []
    with pytest.raises(_Stop):
        serve(bundle, port=0, lan=True, ready=lambda url: seen.append(url) or _stop(url))
    out = capsys.readouterr().out
    assert re.fullmatch(r"http://192\.168\.1\.20:\d+/", seen[0]) and f"The page is at {seen[0]}\n" in out
    assert "Everyone in this network" in out and "https" in out and "localhost" in out and "Ctrl-C" in out
    drawn = [line for line in out.splitlines() if line and not set(line) - set(" ▀▄█")]
    assert _modules(drawn)[: len(drawn) * 2 - 1] == [
        [bool(module) for module in row] for row in segno.make(seen[0], micro=False, error="m").matrix_iter(border=4)
    ]


def _modules(lines):
    """Dark modules of a QR code that is drawn light on dark, two rows a line."""
    upper, lower = " ▄", " ▀"
    return [[letter in half for letter in line] for line in lines for half in (upper, lower)]


def test_lan_without_a_network_or_segno(bundle, monkeypatch):
    pytest.importorskip("segno", reason="the QR code needs kerasgan[export]")
    with pytest.raises(ValueError, match=r"host='127\.0\.0\.2' and lan=True"):
        serve(bundle, host="127.0.0.2", lan=True)

    class Nowhere(socket.socket):
        def connect(self, address):
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Nowhere)
    with pytest.raises(OSError, match="this machine is in no network"):
        serve(bundle, lan=True)
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(ImportError, match=r"kerasgan\[export\]"):
        serve(bundle, lan=True)


def test_the_bundle_is_named_in_no_answer(bundle):
    with running(bundle) as web:
        assert str(pathlib.Path(bundle)).encode() not in raw(web, b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_without_its_packages_the_extra_is_named(bundle, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match=r"starlette and uvicorn.*kerasgan\[export\]"):
        serve(bundle)


def test_in_a_program_that_has_a_running_loop(bundle):
    """Such as a notebook's kernel, where asyncio refuses a second one in the same thread."""

    async def ask():
        with server(bundle) as web:
            threading.Timer(0.3, web.shutdown).start()
            web.serve_forever()

    asyncio.run(ask())

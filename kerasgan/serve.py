"""Serves a web bundle, a folder made by `kerasgan.export.web`, to browsers on this machine or in its network.

A server for a few phones in one room, meant to be hard to misuse: it reads the bundle once, when it starts, and knows
nothing but the addresses of those files. No address is ever turned into a path.
"""

import base64
import collections
import contextlib
import dataclasses
import errno
import gzip
import hashlib
import http
import http.client
import http.server
import io
import ipaddress
import json
import os
import pathlib
import re
import socket
import socketserver
import sys
import threading
import time
import urllib.parse

from kerasgan import files

PORT = 8000
_PORTS = range(PORT, PORT + 20)  # those that are tried where none was asked for
_PATIENCE = 20  # seconds: until a request begins, and for a piece of an answer; a phone that fell asleep is let go then
_PATIENCE_WITH_REQUEST = 5  # seconds from a request's first byte to its last, which come in one packet mostly
_PIECE = 2**16  # bytes of an answer that have to go out within that time
_MOST_LINE = 2**13  # bytes of a request's first line
_MOST_HEADERS = 2**15  # bytes of all its headers; http.client counts them too, up to 100
_MOST_CONNECTIONS = 128  # each holds a thread; a browser opens six
_GRACE = 1  # second that a request may take to begin before another connection of the client may need the place
_ANY = ("0.0.0.0", "::", "")

# What is served of the folder; a file of another kind is none of the page's.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".wasm": "application/wasm",  # anything else and browsers refuse to compile it while it arrives
    ".tflite": "application/octet-stream",
}
_PACKED = (".png", ".ico")  # compressed already

_ERRORS = {
    400: "the request is not understood.",
    404: "the bundle has no such file.",
    405: "this server knows GET and HEAD only.",
    413: "this server takes no content.",
    414: "the address is too long.",
    421: "this server does not go by that name; use the address that it printed.",
    431: "the headers are too long or too many.",
    503: "too many connections at once; try again in a moment.",
}


def serve(folder, host="127.0.0.1", port=None, lan=False, ready=None, verbose=False):
    """Serves a web bundle until Ctrl-C.

    Args:
        folder: the bundle.
        host: address to listen on; the default is seen by this machine only.
        port: None takes 8000, or the next free one.
        lan: listen on all of this machine's addresses, and show one as a QR code for phones in the same network.
        ready: called with the address, such as "http://127.0.0.1:8000/", when the server listens.
        verbose: print a line for every request.

    Raises:
        ImportError: `lan` without segno, which draws the QR code (the extra `kerasgan[export]` installs it).
        ValueError, OSError: the folder is no bundle, or the address cannot be used.
    """
    if lan:
        segno = _import_segno()
        if host not in ("127.0.0.1", *_ANY):
            raise ValueError(f"host={host!r} and lan=True: lan listens on all addresses; give one of the two.")
        host, address = "0.0.0.0", _lan_address()
    with _first_free(folder, host, port, verbose) as web:
        with contextlib.suppress(KeyboardInterrupt):
            if lan:
                url = f"http://{address}:{web.server_port}/"
                _say(f"The page is at {url}\n\n{_qr_code(segno, url)}\n{_LAN_NOTE}\nCtrl-C stops the server.")
            else:
                url = web.url
                _say(f"The page is at {url}\nCtrl-C stops the server.")
            if ready is not None:
                ready(url)
            web.serve_forever()
    _say("\nStopped.")


_LAN_NOTE = (
    "Everyone in this network can open it. Phones keep WebGPU, installing and offline use to pages from https or\n"
    "localhost; from here they run the models in WebAssembly, as long as this server runs."
)


def server(folder, host="127.0.0.1", port=0, verbose=False):
    """A server that listens but does not answer yet: call `serve_forever()`, in a thread; then `shutdown()` and
    `server_close()`, or use it in a `with` statement.

    Args:
        folder: a web bundle; it is read now.
        host: address to listen on.
        port: 0 takes a free one; `server_port` and `url` tell which.
        verbose: print a line for every request.

    Raises:
        FileNotFoundError, NotADirectoryError, ValueError: the folder is no bundle, or part of it is missing.
        OSError: the address cannot be used, such as a port that is taken.
    """
    return _listen(_Bundle(folder), host, port, verbose)


def _first_free(folder, host, port, verbose):
    bundle = _Bundle(folder)
    if port is not None:
        return _listen(bundle, host, port, verbose)
    for port in _PORTS:
        try:
            return _listen(bundle, host, port, verbose)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"The ports {_PORTS[0]} to {_PORTS[-1]} are all taken; give another with --port.")


def _listen(bundle, host, port, verbose):
    if type(port) is not int or not 0 <= port <= 65535:
        raise ValueError(f"port={port!r}: expected a whole number from 0 to 65535.")
    try:
        return _Server((host, port), bundle, verbose)
    except PermissionError as error:
        raise PermissionError(
            error.errno, f"port={port}: this user may not listen there; give one above 1023 with --port."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"port={port} on {host!r} is taken by another program; give another with --port."
        else:
            reason = f"host={host!r}: cannot listen there ({error.strerror or error}); expected an address of its own."
        raise OSError(error.errno, reason) from error


# The bundle ----------------------------------------------------------------------------------------------------------


class _Bundle:
    """The files of a bundle by their addresses, as they were when it was made, and what the page may load."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        _put_in_order(folder)
        if not folder.exists():
            raise FileNotFoundError(f"folder={str(folder)!r}: there is no such folder.")
        if not folder.is_dir():
            raise NotADirectoryError(f"folder={str(folder)!r} is a file; give the folder of a web bundle.")
        for name in ("zoo.json", "index.html"):
            if not (folder / name).is_file() or (folder / name).is_symlink():
                raise FileNotFoundError(
                    f"folder={str(folder)!r} is no web bundle: it has no {name}. Make one with kerasgan.export.web, "
                    "or kerasgan export NAME --web FOLDER."
                )
        self.files = dict(_files(folder))
        self.policy = self._policy(self._runtime(folder))

    def _runtime(self, folder):
        """Addresses of the runtime in zoo.json. Checks that all files that it lists are there, and drops others."""
        try:
            zoo = json.loads(self.files["/zoo.json"].body)
            listed = {_address(file) for file in [*zoo.get("files", []), *(model["file"] for model in zoo["models"])]}
            runtime = [url for url in zoo.get("runtime", {}).values() if isinstance(url, str)]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{str(folder / 'zoo.json')!r} is not a bundle's ({error!r}); make it again.") from error
        for address in sorted(listed - self.files.keys()):
            if pathlib.PurePosixPath(address).suffix in _TYPES:
                raise ValueError(
                    f"{str(folder)!r} lacks {address[1:]!r}, which its zoo.json names; make the bundle again."
                )
        if "files" in zoo:
            listed |= {"/", "/index.html", "/zoo.json"}
            self.files = {address: file for address, file in self.files.items() if address in listed}
        return runtime

    def _policy(self, runtime):
        """The Content-Security-Policy: own files, and the folders of the runtime where it comes from elsewhere."""
        folders = sorted({url.rpartition("/")[0] + "/" for url in runtime if re.fullmatch(r"https://[\w.@/:-]+", url)})
        inline = _inline_scripts(self.files["/index.html"].body)
        hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in inline]
        return "; ".join(
            [
                "default-src 'none'",
                " ".join(["script-src 'self' 'wasm-unsafe-eval'", *hashes, *folders]),
                " ".join(["connect-src 'self'", *folders]),
                "style-src 'self'",
                "img-src 'self' data: blob:",
                "media-src 'self' data: blob:",
                "worker-src 'self'",
                "manifest-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            ]
        )


def _inline_scripts(page):
    """Yields what stands between <script ...> and </script>, unless it is empty. No byte is looked at often."""
    lower, end = page.lower(), 0
    while (start := lower.find(b"<script", end)) >= 0:
        end = start + len(b"<script")
        if lower[end : end + 1] not in (b">", b"/", *(bytes([space]) for space in b" \t\n\f\r")):
            continue  # an element of another name
        start = lower.find(b">", end) + 1
        end = lower.find(b"</script", start)
        if not start or end < 0:  # it goes on to the end of the page, and browsers do not run it
            return
        if start < end:
            yield page[start:end]


def is_bundle(folder):
    """Whether a folder is there that `kerasgan.export.web` wrote."""
    folder = pathlib.Path(folder)
    _put_in_order(folder)
    return (folder / "zoo.json").is_file()


def _put_in_order(folder):
    """Puts a folder back that a process was replacing when it was killed."""
    if not folder.exists():
        files.sweep(folder.absolute().parent)


def _files(folder):
    """Yields (address, file) of what is served. Links are left out, since they can lead anywhere."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = pathlib.Path(place, name)
            if name.startswith(".") or path.suffix not in _TYPES or path.is_symlink() or not path.is_file():
                continue
            address, file = _address(path.relative_to(folder).as_posix()), _File(path)
            yield address, file
            if address == "/index.html":
                yield "/", file


def _address(name):
    """What a browser asks for: a request is looked up as it comes, without unquoting it."""
    return "/" + urllib.parse.quote(name, safe="/!$&'()*+,;=:@~")


class _File:
    """The content of a file, as it is and compressed."""

    def __init__(self, path):
        self.body = path.read_bytes()
        self.type = _TYPES[path.suffix]
        # Weak: it names the content, which is the same compressed or not.
        self.etag = f'W/"{hashlib.sha256(self.body).hexdigest()[:32]}"'
        self.compressible = path.suffix not in _PACKED
        self._compressed = None
        self._lock = threading.Lock()

    @property
    def compressed(self):
        """Its gzip, made once; the file itself where that would hardly be smaller."""
        with self._lock:
            if self._compressed is None:
                small = gzip.compress(self.body, 6, mtime=0) if self.compressible else self.body
                self._compressed = small if len(small) < 0.95 * len(self.body) else self.body
            return self._compressed


# Answering -----------------------------------------------------------------------------------------------------------


class _Server(http.server.ThreadingHTTPServer):
    """Answers requests for a bundle, each connection in a thread of its own."""

    request_queue_size = 128
    allow_reuse_address = os.name != "nt"  # on Windows it would share a port with another program

    def __init__(self, address, bundle, verbose):
        self.bundle, self.verbose = bundle, verbose
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._names = {"localhost", "127.0.0.1", "::1", address[0].lower()}
        self._is_open = address[0] in _ANY or not _is_loopback(address[0])
        if self._is_open:
            name = socket.gethostname().lower()
            self._names |= {name, f"{name}.local"}
        self.places = _Places()
        super().__init__(address, _Handler)

    @property
    def url(self):
        """Address for a browser on this machine."""
        host = "127.0.0.1" if self.server_address[0] in _ANY else self.server_address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}/"

    def goes_by(self, host):
        """Whether a request with this Host header is meant for this server.

        Otherwise a page on the internet could have its own name lead to this machine and read what is served here (DNS
        rebinding). An address instead of a name cannot be bent so; it is let through where the server is open, since
        which addresses lead here, a router may know better than this machine.
        """
        match = re.fullmatch(r"\[([0-9a-f:.]+)\](?::\d{1,5})?|([\w.-]+)(?::\d{1,5})?", host.strip().lower(), re.ASCII)
        if not match:
            return False
        name = match[1] or match[2]
        return name in self._names or self._is_open and _is_address(name)

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks the network for a name, which can take long
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request, client_address):
        if self.places.take(request, client_address[0]):
            try:
                return super().process_request(request, client_address)
            except Exception:  # no thread has been started (Ctrl-C may come when one has, which releases its place)
                self.places.release(request)
                raise
        with contextlib.suppress(OSError):
            request.settimeout(0)
            request.sendall(f"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n503: {_ERRORS[503]}\n".encode())
        self.shutdown_request(request)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release(request)

    def handle_error(self, request, client_address):
        # Phones walk out of the network, fall asleep and close pages: nothing to report.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@dataclasses.dataclass
class _Place:
    """A connection of a client: whether it waits for a request, and since when it has come no further."""

    client: str
    waits: bool
    since: float


class _Places:
    """All connections. When there are as many as there may be, a newcomer gets the place of another one, fairly.

    That is one of the client with the most places, as long as the newcomer's has fewer; else one that has been waiting
    for a request, of the newcomer's client or, if that has no place at all, of any. So whoever opens many connections
    and lets them wait, under one address or under many, keeps nobody out.
    """

    def __init__(self):
        self._places = {}
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._places)

    def take(self, connection, client):
        """Gives a connection a place; False if there is none for it."""
        now = time.monotonic()
        with self._lock:
            if len(self._places) >= _MOST_CONNECTIONS:
                another = self._dispensable(client, now)
                if another is None:
                    return False
                del self._places[another]
                with contextlib.suppress(OSError):  # the thread that serves it comes to an end by this
                    another.shutdown(socket.SHUT_RDWR)
            self._places[connection] = _Place(client, True, now)
            return True

    def _dispensable(self, client, now):
        """The connection that gives its place up to one of this client, or None."""
        counts = collections.Counter(place.client for place in self._places.values())
        most = max(counts.values())
        if counts[client] + 1 < most:
            found = {c: place for c, place in self._places.items() if counts[place.client] == most}
        else:
            found = {
                c: place
                for c, place in self._places.items()
                if place.waits and now - place.since >= _GRACE and (place.client == client or not counts[client])
            }
        return min(found, key=lambda c: (not found[c].waits, found[c].since), default=None)

    def goes_on(self, connection, waits=False):
        """Says that a connection has come further: it waits for a request now, or for an answer."""
        with self._lock:
            if place := self._places.get(connection):
                place.waits, place.since = waits, time.monotonic()

    def release(self, connection):
        with self._lock:
            self._places.pop(connection, None)


class _Malformed(Exception):
    """A request in which others could read another one (RFC 9112), or half of one."""


class _Lines:
    """The lines of requests that come from a connection, bounded in bytes and time, however slowly single bytes arrive.

    They end in CR LF. Other ends of lines, and lines that are folded, mean one thing to one reader and another to the
    next, such as a proxy on the way here.
    """

    def __init__(self, connection):
        self._connection = connection
        self._waiting = b""

    def request_line(self):
        """The first line of the next request, b"" if none comes."""
        self._left = _MOST_LINE
        self._deadline = time.monotonic() + (_PATIENCE_WITH_REQUEST if self._waiting else _PATIENCE)
        line = self._line()
        self._left = _MOST_HEADERS
        return line

    def readline(self, _=None):
        """A line of the headers."""
        line = self._line()
        if not line or line.startswith((b" ", b"\t")) or b"\0" in line:
            raise _Malformed
        return line

    def _line(self):
        while b"\n" not in self._waiting and len(self._waiting) <= self._left:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            received = self._connection.recv(4096)
            if not received:
                break
            if not self._waiting and self._left == _MOST_LINE:  # the first bytes of the request
                self._deadline = min(self._deadline, time.monotonic() + _PATIENCE_WITH_REQUEST)
            self._waiting += received
        line, end, rest = self._waiting.partition(b"\n")
        line += end
        self._left -= len(line)
        if self._left < 0:
            raise http.client.LineTooLong("request")
        self._waiting = rest
        if line and (not line.endswith(b"\r\n") or b"\r" in line[:-2]):
            raise _Malformed
        return line

    def close(self):
        """As of a file; the connection is closed by the server."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD from the table of files, and everything else with one line of text."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"

    def setup(self):
        super().setup()
        self.rfile.close()
        self.rfile = _Lines(self.connection)

    def handle_one_request(self):
        self.close_connection, self.command, self.requestline = True, None, ""
        self.request_version = self.default_request_version
        self.server.places.goes_on(self.connection, waits=True)
        try:
            self.raw_requestline = self.rfile.request_line()
            if self.raw_requestline and self.parse_request():
                self._answer()
        except http.client.LineTooLong:  # the first one; `parse_request` answers to headers
            self.send_error(414)
        except _Malformed:
            self.send_error(400)

    def handle_expect_100(self):
        return True  # the content that it asks about is refused by its headers

    def _answer(self):
        if self._is_ambiguous():
            return self.send_error(400)
        if self.command not in ("GET", "HEAD"):
            return self.send_error(405)
        if not self.server.goes_by(self.headers["Host"]):
            return self.send_error(421)
        if "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0").strip(" \t0"):
            return self.send_error(413)  # and the connection is closed, so nothing takes it for another request
        file = self.server.bundle.files.get(self.path.partition("?")[0])
        if file is None:
            return self.send_error(404)
        self.server.places.goes_on(self.connection)
        self._send_file(file)

    def _is_ambiguous(self):
        """Whether others could take this for another request, or see its end elsewhere (RFC 9112, 3.2, 5, 6.1, 6.3)."""
        names = "Host", "Content-Length", "Transfer-Encoding"
        hosts, lengths, codings = (self.headers.get_all(name, []) for name in names)
        return (
            bool(self.headers.defects)
            or len(hosts) != 1
            or len(lengths) + len(codings) > 1
            or not all(re.fullmatch("[0-9]+", length.strip(" \t")) for length in lengths)
            or not all(coding.strip(" \t").lower() == "chunked" for coding in codings)
            or (bool(codings) and self.request_version == "HTTP/1.0")
        )

    def _send_file(self, file):
        known = self.headers.get("If-None-Match", "")
        if known.strip() == "*" or file.etag.removeprefix("W/") in re.findall(r'"[^"]*"', known):
            self.send_response(304)
            self._send_head(file)
            return
        body = file.compressed if file.compressible and _accepts_gzip(self.headers) else file.body
        self.send_response(200)
        self.send_header("Content-Type", file.type)
        self.send_header("Content-Length", str(len(body)))
        if body is not file.body:
            self.send_header("Content-Encoding", "gzip")
        self._send_head(file)
        if self.command == "GET":
            self._send(body)

    def _send_head(self, file):
        if file.compressible:
            self.send_header("Vary", "Accept-Encoding")
        self.send_header("ETag", file.etag)
        self.send_header("Cache-Control", "no-cache")  # kept, and asked about each time
        self.send_header("Content-Security-Policy", self.server.bundle.policy)
        self._end()

    def _end(self):
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.connection.settimeout(_PATIENCE)
        self.end_headers()

    def _send(self, body):
        for start in range(0, len(body), _PIECE):
            self.connection.settimeout(_PATIENCE)
            self.wfile.write(memoryview(body)[start : start + _PIECE])
            self.server.places.goes_on(self.connection)

    def send_error(self, code, message=None, explain=None):
        """Answers with one line of text and closes the connection. The words of `http.server` are not used."""
        self.server.places.goes_on(self.connection)
        status = http.HTTPStatus(code)
        body = f"{code}: {_ERRORS.get(code, 'the request is not understood.')}\n".encode()
        self.send_response(status)
        if code == 405:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self._end()
        if self.command != "HEAD":
            self._send(body)
        self._let_go()

    def _let_go(self):
        """Takes what the client still sends, for a moment: closing before would throw away the answer on its way."""
        self.close_connection = True
        deadline = time.monotonic() + 2
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            for _ in range(256):
                self.connection.settimeout(max(deadline - time.monotonic(), 0.01))
                if not self.connection.recv(_PIECE):
                    break

    def version_string(self):
        return "kerasgan"

    def log_message(self, format, *arguments):
        if self.server.verbose:
            super().log_message(format, *arguments)


def _accepts_gzip(headers):
    """Whether Accept-Encoding admits gzip."""
    for choice in headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = choice.partition(";")
        if name.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def _is_address(name):
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _is_loopback(host):
    return host.lower() == "localhost" or _is_address(host) and ipaddress.ip_address(host).is_loopback


# The network ---------------------------------------------------------------------------------------------------------


def _import_segno():
    try:
        import segno
    except ImportError as error:
        raise ImportError(
            "lan=True draws a QR code with segno, which is not installed: pip install 'kerasgan[export]'."
        ) from error
    return segno


def _lan_address():
    """The address of this machine in its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Sends nothing: it only makes the system choose the address it would send from. No machine has this one,
            # which is set aside for documentation.
            probe.connect(("192.0.2.1", 9))
            address = probe.getsockname()[0]
        except OSError:
            address = "0.0.0.0"
    if address in _ANY or _is_loopback(address):
        raise OSError(errno.ENETUNREACH, "lan=True: this machine is in no network; connect it to that of the phone.")
    return address


def _qr_code(segno, url):
    """The QR code of an address as lines for a terminal, two rows of it in each."""
    drawn = io.StringIO()
    segno.make(url, micro=False, error="m").terminal(drawn, compact=True)
    if not sys.stdout.isatty():
        return drawn.getvalue()
    # White on black, whatever the colours of the terminal: not every camera reads the negative.
    return "".join(f"\x1b[97;40m{line}\x1b[0m\n" for line in drawn.getvalue().splitlines())


def _say(text):
    """Prints at once, even where the terminal lacks the blocks of a QR code."""
    try:
        print(text, flush=True)
    except UnicodeEncodeError:
        print("".join(letter if letter.isascii() else "?" for letter in text), flush=True)

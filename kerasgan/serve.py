"""Serves a web bundle, a folder made by `kerasgan.export.web`, to browsers on this machine or in its network.

A server for a few phones in one room, meant to be hard to misuse: it reads the bundle when it starts, or is shown
another one, and knows nothing but the addresses of those files. It answers by starlette, on uvicorn
(`kerasgan.serving`).
"""

import contextlib
import errno
import functools
import io
import ipaddress
import re
import socket
import sys
import threading

from kerasgan.serving.bundle import Bundle, is_bundle

__all__ = ["PORT", "Server", "is_bundle", "serve", "server"]

PORT = 8000
_PORTS = range(PORT, PORT + 20)  # those that are tried where none was asked for
_QUEUE = 128  # connections that wait for the server to see them
_ANY = ("0.0.0.0", "::", "")


def serve(folder, host="127.0.0.1", port=None, lan=False, ready=None, verbose=False, meanwhile=None):
    """Serves a web bundle until Ctrl-C.

    Args:
        folder: the bundle.
        host: address to listen on; the default is seen by this machine only.
        port: None takes 8000, or the next free one.
        lan: listen on all of this machine's addresses, and show one as a QR code for phones in the same network.
        ready: called with the address, such as "http://127.0.0.1:8000/", when the server listens.
        verbose: print a line for every request.
        meanwhile: called with the `Server` while it answers, in this thread: what it does, Ctrl-C ends, too.

    Raises:
        ImportError: starlette or uvicorn is not installed, or for `lan` segno, which draws the QR code; they come with
            the extra `kerasgan[export]`.
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
            web.serve_forever(meanwhile)
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
        ImportError: starlette or uvicorn is not installed; they come with the extra `kerasgan[export]`.
        OSError: the address cannot be used, such as a port that is taken.
    """
    return _listen(Bundle(folder), host, port, verbose)


def _first_free(folder, host, port, verbose):
    served = Bundle(folder)
    if port is not None:
        return _listen(served, host, port, verbose)
    for port in _PORTS:
        try:
            return _listen(served, host, port, verbose)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"The ports {_PORTS[0]} to {_PORTS[-1]} are all taken; give another with --port.")


def _listen(served, host, port, verbose):
    if type(port) is not int or not 0 <= port <= 65535:
        raise ValueError(f"port={port!r}: expected a whole number from 0 to 65535.")
    _import_uvicorn()
    try:
        family, both = socket.AF_INET6 if ":" in host else socket.AF_INET, host == "::" and socket.has_dualstack_ipv6()
        listening = socket.create_server((host, port), family=family, backlog=_QUEUE, dualstack_ipv6=both)
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
    return Server(listening, host, served, verbose)


# Answering -----------------------------------------------------------------------------------------------------------


class Server:
    """What `server` returns.

    Attributes:
        server_address, server_port: where it listens.
    """

    def __init__(self, listening, host, served, verbose):
        uvicorn, answers, connections = _import_uvicorn()
        self._served = served
        self._listening, self.server_address = listening, listening.getsockname()[:2]
        self.server_port = self.server_address[1]
        self._names = {"localhost", "127.0.0.1", "::1", host.lower()}
        self._is_open = host in _ANY or not _is_loopback(host)
        if self._is_open:
            name = socket.gethostname().lower()
            self._names |= {name, f"{name}.local"}
        self.places = connections.Places()
        say = functools.partial(print, file=sys.stderr, flush=True) if verbose else lambda line: None
        self._loop = connections.Loop(
            uvicorn.Config(
                answers.application(served, self.goes_by, say),
                http=functools.partial(connections.Connection, places=self.places, say=say),
                h11_max_incomplete_event_size=connections.MOST_HEAD,
                timeout_keep_alive=connections.PATIENCE,
                headers=[("Server", "kerasgan")],
                server_header=False,
                proxy_headers=False,
                log_config=None,
                log_level="error",  # of ours; what clients do is not worth a line
                access_log=False,
                interface="asgi3",
                lifespan="off",
                loop="asyncio",
                ws="none",
            )
        )
        self._ended = threading.Event()
        self._ended.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server_close()

    @property
    def url(self):
        """Address for a browser on this machine."""
        host = "127.0.0.1" if self.server_address[0] in _ANY else self.server_address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}/"

    def show(self, folder):
        """Answers from another bundle from now on, which is read now. Raises what `Bundle` raises."""
        self._served.take(Bundle(folder))

    def serve_forever(self, meanwhile=None):
        """Answers until `shutdown()`, or Ctrl-C, is called; in a thread of its own, for this may be a notebook's.

        `meanwhile` is called with this server, in this thread.
        """
        self._ended.clear()
        try:  # before the thread starts: Ctrl-C may come as soon as it answers
            threading.Thread(target=self._run, daemon=True).start()
            if meanwhile is not None:
                meanwhile(self)
            while not self._ended.wait(0.5):  # Windows knows no Ctrl-C while something waits without an end
                pass
        finally:
            self.shutdown()

    def _run(self):
        try:
            self._loop.run(sockets=[self._listening])
        finally:
            self._ended.set()

    def shutdown(self):
        """Ends `serve_forever()`, and waits for its end; connections are closed."""
        self._loop.should_exit = True
        self._ended.wait()

    def server_close(self):
        """Frees the port, unless `serve_forever()` is still about to."""
        if self._ended.is_set():
            self._listening.close()

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


def _is_address(name):
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _is_loopback(host):
    return host.lower() == "localhost" or _is_address(host) and ipaddress.ip_address(host).is_loopback


def _import_uvicorn():
    try:
        import uvicorn

        from kerasgan.serving import answers, connections
    except ImportError as error:
        raise ImportError(
            f"The page is served by starlette and uvicorn, which are not installed ({error}): pip install "
            "'kerasgan[export]'."
        ) from error
    return uvicorn, answers, connections


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

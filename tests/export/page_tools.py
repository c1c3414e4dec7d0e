"""A loopback server and a headless browser for the tests of the page, and small models for it."""

import contextlib
import functools
import http.server
import os
import pathlib
import shutil
import threading

_ports = set()  # that were listened on

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "has_touch": True, "is_mobile": True}
_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium():
    """Path of an installed Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("KERASGAN_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def litert():
    """The node_modules folder with LiteRT.js: of the variable KERASGAN_LITERT_JS, or here; None where there is none."""
    path = pathlib.Path(os.environ.get("KERASGAN_LITERT_JS", "node_modules"))
    return path.absolute() if (path / "@litertjs" / "core").is_dir() else None


def axe():
    """The text of axe-core's axe.min.js, which the variable KERASGAN_AXE_JS names; None where it names none."""
    path = os.environ.get("KERASGAN_AXE_JS")
    return pathlib.Path(path).read_text(encoding="utf-8") if path else None


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
    }

    def log_message(self, *_):
        pass

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a browser that closes a connection is no error


def _listening(port, handler):
    """A server on a port, or on one that none had before: browsers remember what was at an address."""
    server = _Server(("127.0.0.1", port), handler)
    while not port and server.server_port in _ports:
        server.server_close()
        server = _Server(("127.0.0.1", port), handler)
    _ports.add(server.server_port)
    return server


@contextlib.contextmanager
def served(folder, port=0):
    """Serves a folder on the loopback, on a free port if none is given; yields its address, without a slash at the end.

    When the block ends the server is gone, its open connections included.
    """
    server = _listening(port, functools.partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def launch(playwright, *flags):
    """A headless Chromium of a running `playwright`."""
    return playwright.chromium.launch(executable_path=chromium(), headless=True, args=[*_FLAGS, *flags])

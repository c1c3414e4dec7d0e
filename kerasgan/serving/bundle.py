"""Web bundles, folders made by `kerasgan.export.web`, as a server sees them: addresses, and what is at each.

A bundle is read once; another one can take its place. No address is ever turned into a path.
"""

import base64
import gzip
import hashlib
import json
import os
import pathlib
import re
import threading
import urllib.parse

from kerasgan import files

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
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".wasm": "application/wasm",  # anything else and browsers refuse to compile it while it arrives
    ".tflite": "application/octet-stream",
    ".npz": "application/octet-stream",
}
_PACKED = (".png", ".webp", ".ico", ".npz")  # compressed already


class Bundle:
    """The files of a bundle by their addresses, as they are now, and what the page may load.

    Attributes:
        files: {address: `File`}; a request is looked up here as it comes, without unquoting it.
        policy: the Content-Security-Policy.

    Args:
        folder: what `kerasgan.export.web` wrote.

    Raises:
        FileNotFoundError, NotADirectoryError, ValueError: the folder is no bundle, or part of it is missing.
    """

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

    def take(self, other):
        """Becomes what another bundle is; requests that are being answered keep the files that they have."""
        self.files, self.policy = other.files, other.policy

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
            address, file = _address(path.relative_to(folder).as_posix()), File(path)
            yield address, file
            if address == "/index.html":
                yield "/", file


def _address(name):
    """What a browser asks for: a request is looked up as it comes, without unquoting it."""
    return "/" + urllib.parse.quote(name, safe="/!$&'()*+,;=:@~")


class File:
    """The content of a file, as it is and compressed.

    Attributes:
        body: its bytes.
        type: for the header Content-Type.
        etag: for the header of that name.
        compressible: whether `compressed` may be less than `body`.
    """

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

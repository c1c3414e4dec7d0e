"""Weight files: finding, downloading, verifying and caching them; writing and reading them in half precision.

A weight file is HDF5 in Keras's `.weights.h5` layout: arrays only, nothing in it is executed or unpickled. It is known
by its sha256, which is checked at every use, so it does not matter how a file came to where it lies.

Environment variables:
    KERASGAN_HOME: folder of downloaded files; otherwise `$XDG_CACHE_HOME/kerasgan` or `~/.cache/kerasgan`.
    KERASGAN_WEIGHTS_URL: http(s) address of a mirror, used in place of the addresses that recipes name. It serves
        `<name of the zoo entry>/<file name>`.
"""

import collections
import contextlib
import dataclasses
import errno
import functools
import hashlib
import io
import logging
import math
import os
import pathlib
import re
import shutil
import tempfile
import warnings
import zipfile

from kerasgan import files
from kerasgan.bars import Bar

_ENDING = ".weights.h5"
_SHORT = 2**10  # values in an array that is not worth being compressed
_CHUNK = 2**14  # bytes; what a cut connection can lose
_TIMEOUT = (10, 30)  # seconds: to connect, and between two pieces of data
_PLAIN_NAME = re.compile(r"\w[\w.-]*", re.ASCII)  # safe as a file name and in an address alike
_log = logging.getLogger(__name__)


def check_plain_name(argument, value):
    """Raises a ValueError unless `value` can be a file name and part of an address: letters, digits and `_ . -`."""
    if not isinstance(value, str) or not _PLAIN_NAME.fullmatch(value):
        raise ValueError(f"{argument}={value!r}: expected letters, digits, '_', '-' and '.', starting with none of - .")


@dataclasses.dataclass(frozen=True)
class WeightFile:
    """What identifies one file of weights.

    Args:
        part: attribute of the GAN that the file fills, such as "generator".
        filename: its name, ending in ".weights.h5".
        sha256: of the file, 64 hexadecimal digits.
        size: of the file, in bytes.
        url: http(s) address to download it from; None where it comes with the package.

    Raises:
        ValueError: a value that cannot be right.
    """

    part: str
    filename: str
    sha256: str
    size: int
    url: str | None = None

    def __post_init__(self):
        if not isinstance(self.part, str) or not self.part.isidentifier():
            raise ValueError(f'part={self.part!r}: expected the name of a network of the GAN, such as "generator".')
        check_plain_name("filename", self.filename)
        if not self.filename.endswith(_ENDING):
            raise ValueError(f"filename={self.filename!r}: expected a name that ends in {_ENDING!r}.")
        if not re.fullmatch("[0-9a-f]{64}", str(self.sha256)):
            raise ValueError(f"sha256={self.sha256!r}: expected 64 hexadecimal digits in lower case.")
        if type(self.size) is not int or self.size < 1:
            raise ValueError(f"size={self.size!r}: expected the number of bytes in the file.")
        if self.url is not None:
            _check_url("url", self.url)

    @classmethod
    def from_file(cls, path, part, url=None):
        """The description of a file that is there."""
        path = pathlib.Path(path)
        return cls(part, path.name, _sha256(path), path.stat().st_size, url)


# Finding and downloading ---------------------------------------------------------------------------------------------


def cache_folder():
    """The folder of downloaded files, as a `pathlib.Path`; it need not exist yet."""
    home = os.environ.get("KERASGAN_HOME")
    if home:
        return pathlib.Path(home).expanduser()
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "kerasgan"


def cached_path(file, name):
    """Where `find` keeps a downloaded file; it need not be there."""
    # The hash in the path keeps versions apart: two installed releases can share a cache.
    return cache_folder() / "weights" / name / file.sha256[:16] / file.filename


def find(file, name, folder=None):
    """Path of a verified copy of a weight file: beside the recipe, else in the cache, else downloaded into the cache.

    A download that was interrupted is resumed by the next call. Several processes may ask at once: one downloads, the
    others wait for it.

    Args:
        file: `WeightFile`.
        name: of the zoo entry it belongs to.
        folder: where the entry's recipe is, or None.

    Returns:
        A `pathlib.Path`.

    Raises:
        FileNotFoundError: the file is neither there nor has it an address.
        ValueError: the only copy to be had is not the file that the recipe names (its sha256 differs).
        ConnectionError: the server does not answer, answers with an error, or the connection was cut.
        OSError: the cache cannot be written, or its disk is full.
    """
    bundled = None if folder is None else pathlib.Path(folder) / file.filename
    damaged = bundled is not None and bundled.exists()
    if damaged and _is_intact(bundled, file):
        return bundled
    cached = cached_path(file, name)
    if _is_intact(cached, file):
        return cached
    url = _address(file, name)
    if damaged and url:
        warnings.warn(f"{bundled} is damaged (its sha256 differs from the recipe's); downloading {url}.", stacklevel=3)
    elif damaged:
        raise ValueError(
            f"{bundled} is damaged (its sha256 differs from the recipe's) and the recipe names no url. Put the right "
            "file there: install kerasgan again, if it came with it."
        )
    elif url is None:
        places = f"{bundled} or {cached}" if bundled else cached
        raise FileNotFoundError(
            f"The weights {file.filename!r} of {name!r} are not on this machine and the recipe names no url for them. "
            f"Put the file at {places}, or set KERASGAN_WEIGHTS_URL to a mirror that serves {name}/{file.filename}."
        )
    with _explained(cached, file):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with _locked(cached):
            if not _is_intact(cached, file):  # another process may have brought it meanwhile
                _download(url, file, cached)
    return cached


def verified(file, folder):
    """Path of a weight file in a folder, which has to be there; nothing is downloaded.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is another file than the one described: its size or its sha256 differs.
    """
    path = pathlib.Path(folder) / file.filename
    if not path.is_file():
        raise FileNotFoundError(f"{str(path)!r}, the weights of its {file.part}, is not there.")
    if path.stat().st_size != file.size:
        raise ValueError(f"{str(path)!r} has {path.stat().st_size:,} bytes, not the {file.size:,} that are listed.")
    if not _is_intact(path, file):
        raise ValueError(f"{str(path)!r} is not the file that is listed: its sha256 differs. Fetch it again.")
    return path


def _address(file, name):
    mirror = os.environ.get("KERASGAN_WEIGHTS_URL")
    if not mirror:
        return file.url
    _check_url("KERASGAN_WEIGHTS_URL", mirror)
    return f"{mirror.rstrip('/')}/{name}/{file.filename}"


def _check_url(argument, url):
    if not isinstance(url, str) or not re.match(r"https?://[^/]", url):
        raise ValueError(f"{argument}={url!r}: expected an address that starts with http:// or https://.")


def _sha256(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_intact(path, file):
    return path.is_file() and path.stat().st_size == file.size and _sha256(path) == file.sha256


@contextlib.contextmanager
def _locked(path):
    import filelock

    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=1)
    except filelock.Timeout:
        _log.warning("Another process is downloading %s; waiting for it.", path.name)
        lock.acquire()  # ends at the latest with that process
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _explained(path, file):
    """Adds the remedy to what the file system says while `path` is being written."""
    try:
        yield
    except ConnectionError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _part(path).unlink(missing_ok=True)  # a full disk is no place to leave half a file on
            remedy = f"{file.size:,} bytes are needed: free some space, or set"
        else:
            remedy = "Set"
        raise OSError(
            error.errno, f"{error.strerror or error}: cannot write {path}. {remedy} KERASGAN_HOME to another folder."
        ) from error


def _part(path):
    return path.with_name(f"{path.name}.part")


def _download(url, file, path):
    part = _part(path)
    resumed = _fetch(url, file, part)
    if resumed and not _is_intact(part, file):
        part.unlink()  # the piece from last time may have been another server's
        _fetch(url, file, part)
    if not _is_intact(part, file):
        size, sha256 = part.stat().st_size, _sha256(part)
        part.unlink()
        raise ValueError(
            f"{url} is not the file that the recipe names: expected {file.size:,} bytes with the sha256 {file.sha256}, "
            f"got {size:,} bytes with the sha256 {sha256}. Nothing was kept. Check the address, a proxy or log-in page "
            "on the way, or whether a newer version of kerasgan knows the new file."
        )
    os.replace(part, path)


def _fetch(url, file, part):
    """Downloads into `part`, going on where it ends; True if it held something before."""
    import requests

    start = part.stat().st_size if part.exists() else 0
    if start >= file.size:
        return True
    # No compression on the way: the range and the size count the bytes of the file itself.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if start and response.status_code in (206, 416) and not _goes_on(response, start):
                part.unlink()
                return _fetch(url, file, part)
            response.raise_for_status()
            start = start if response.status_code == 206 else 0
            _receive(response, file, part, start)
    except requests.HTTPError as error:
        raise ConnectionError(
            f"{url} answered {error.response.status_code} {error.response.reason}. Check the address (the recipe's "
            "url, or KERASGAN_WEIGHTS_URL if it is set) or try again later."
        ) from error
    except requests.RequestException as error:
        have = part.stat().st_size if part.exists() else 0
        raise ConnectionError(
            f"The download of {url} stopped after {have:,} of {file.size:,} bytes ({error}). Check the connection and "
            "run the same again: it goes on from there."
        ) from error
    return start > 0


def _goes_on(response, start):
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _receive(response, file, part, start):
    import requests

    missing = file.size - start
    if shutil.disk_usage(part.parent).free < missing:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with open(part, "ab" if start else "wb") as stream, Bar(file.filename, file.size, "B") as bar:
        bar.update(start)
        for data in response.iter_content(_CHUNK):
            stream.write(data)
            bar.update(len(data))
            missing -= len(data)
            if missing < 0:  # a wrong file; it could be endless
                return
    if missing and "Content-Length" not in response.headers:  # else requests counts
        raise requests.ConnectionError("the server closed it early")


# Writing and reading -------------------------------------------------------------------------------------------------


def save_half(model, path):
    """Writes a model's weights in half precision: about half the bytes, with 11 significant bits (3 digits) each.

    Integers are kept as they are; long arrays are compressed. The same weights give the same bytes.
    `keras.Model.load_weights` reads the file too.

    Args:
        model: a built `keras.Model`.
        path: file to write, ending in ".weights.h5"; replaced at once when everything is written.

    Returns:
        The path as a `pathlib.Path`.

    Raises:
        ValueError: another ending, or a weight that is not finite or beyond 65504, the largest half-precision number.
        OSError: the file cannot be written.
    """
    return _save(model, path, _half)


def save_rounded(model, path, bits):
    """Writes a model's weights in single precision, rounded to fewer significant bits, so that they compress.

    For what half precision, which has 11, changes too much. Otherwise as `save_half`.

    Args:
        model, path: as in `save_half`.
        bits: significant bits that are kept, 1 to 24.

    Returns:
        The path as a `pathlib.Path`.

    Raises:
        ValueError: another ending, a number of bits out of its range, or a weight that is not finite.
        OSError: the file cannot be written.
    """
    if type(bits) is not int or not 1 <= bits <= 24:
        raise ValueError(f"bits={bits!r}: expected a whole number from 1 to 24.")
    return _save(model, path, functools.partial(_rounded, bits=bits))


def _save(model, path, convert):
    """Writes a model's weights, each as `convert(values, name)` returns it."""
    import h5py

    path = files.check_output(path)
    if not path.name.endswith(_ENDING):
        raise ValueError(f"path={str(path)!r}: expected a name that ends in {_ENDING!r}.")
    # HDF5 works in memory: it takes the process with it where the disk is full.
    with h5py.File(_full(model), "r") as source, h5py.File("half", "w", driver="core", backing_store=False) as target:
        _copy(source, target, convert)
        target.flush()
        converted = target.id.get_file_image()
    with files.atomic(path) as temporary:
        temporary.write_bytes(converted)
    return path


def _full(model):
    """The HDF5 file of a model's weights in full precision, in memory."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = pathlib.Path(scratch) / "full.keras"
        model.save(archive)
        with zipfile.ZipFile(archive) as parts:
            return io.BytesIO(parts.read("model.weights.h5"))


def _copy(source, target, convert):
    """Copies the arrays. The attributes, layer names that nobody reads, are left: they count up within a process."""
    import h5py

    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy(item, target.create_group(name), convert)
        else:
            values = convert(_array(item), item.name)
            # Signs and exponents, which repeat, stand apart from what looks random: a thirteenth less.
            packed = {"compression": "gzip", "shuffle": True} if values.size > _SHORT else {}
            target.create_dataset(name, data=values, **packed)


def _array(dataset):
    import numpy as np

    if dataset.attrs.get("dtype") == "bfloat16":  # HDF5 has no such type; Keras stores the bits and says so
        import ml_dtypes

        return np.array(dataset, dtype=ml_dtypes.bfloat16).astype("float32")
    return np.array(dataset)


def _half(values, name):
    import numpy as np

    if not np.issubdtype(values.dtype, np.floating):
        return values
    _check_finite(values, name)
    with np.errstate(over="ignore"):
        half = values.astype("float16")
    if not np.isfinite(half).all():
        raise ValueError(
            f"The weight {name} reaches {np.abs(values).max():g}; half precision ends at 65504. Save this model with "
            "model.save_weights instead."
        )
    return half


def _check_finite(values, name):
    import numpy as np

    if not np.isfinite(values).all():
        raise ValueError(f"The weight {name} holds NaN or infinity: the training diverged. Save an earlier state.")


def _rounded(values, name, bits):
    import numpy as np

    if not np.issubdtype(values.dtype, np.floating):
        return values
    _check_finite(values, name)
    mantissa, exponent = np.frexp(values)  # of 0.5 to 1
    return np.ldexp(np.rint(mantissa * 2.0**bits), exponent - bits).astype("float32")


def load_into(model, path):
    """Fills a network with the weights from a file, of half or full precision.

    Args:
        model: a built `keras.Model` of the same architecture as the one that was saved.
        path: the ".weights.h5" file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no weight file, or one of another architecture.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r}: there is no such file.")
    with opened(path, f"path={str(path)!r}:") as file:
        held = _shapes_held(file)
    expected = collections.Counter(tuple(weight.shape) for weight in model.weights)
    if held != expected:
        # Compared first: Keras would fill part of the network, or ignore what is too much.
        raise ValueError(
            f"{path} does not fit {model.name!r}: {_listed('the file lacks', expected - held)}"
            f"{_listed('the model lacks', held - expected)}Build the model with the arguments it was trained with."
        )
    try:
        model.load_weights(path)
    except files.DAMAGE as error:
        raise ValueError(f"{path} is damaged or does not fit {model.name!r}: {files.explained(error)}") from error


@contextlib.contextmanager
def opened(source, name):
    """The HDF5 file of weights, open for reading. What is met inside when it is damaged becomes a ValueError.

    Args:
        source: its path, or its bytes.
        name: how the error begins.

    Raises:
        ValueError: it is no HDF5 file, or a damaged one.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r") as file:
            yield file
    except files.TooLarge:
        raise
    except files.DAMAGE as error:
        reason = files.explained(error)
        raise ValueError(f"{name} not a {_ENDING!r} file, or a damaged one ({reason}).") from error


def check_arrays(file, name, stored, times):
    """Raises a ValueError if the arrays of an open HDF5 file are not in it, or are more than its bytes explain.

    Args:
        file: `h5py.File`.
        name: what the error names.
        stored, times: as in `kerasgan.files.check_declared`.
    """
    declared = sum(math.prod(array.shape) * max(array.dtype.itemsize, 4) for array in _arrays(file))
    files.check_declared(declared, stored, f"{name}: its arrays", times)


def _arrays(file):
    """The arrays of an open HDF5 file, each of numbers that are in the file itself."""
    import h5py

    found = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            if item.shape is None or item.dtype.kind not in "biuf" or item.external or item.is_virtual:
                raise ValueError(f"{name} is no array of numbers")
            found.append(item)

    file.visititems(visit)
    return found


def _shapes_held(file):
    return collections.Counter(array.shape for array in _arrays(file))


def _listed(what, shapes):
    if not shapes:
        return ""
    some = ", ".join(f"{count} x {shape}" for shape, count in list(shapes.items())[:4])
    return f"{what} weights of shape {some}{', ...' if len(shapes) > 4 else ''}. "


def networks(gan, averages=False):
    """A GAN's networks by name: what has weights, with or without the moving averages."""
    import keras

    left_out = "_" if averages else ("_", "ema_")
    return {
        name: value
        for name, value in vars(gan).items()
        if isinstance(value, keras.Model) and not name.startswith(left_out)
    }

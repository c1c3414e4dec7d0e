"""Finding, downloading, verifying, caching, writing and reading weight files."""

import errno
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest

from kerasgan import weights
from kerasgan.weights import WeightFile, find

CONTENT = np.random.default_rng(0).bytes(200_000)
NAME = "my_gan"


class Server:
    """A file server on the loopback interface, with faults that a test switches on."""

    def __init__(self):
        self.files = {f"/{NAME}/generator.weights.h5": CONTENT}
        self.requests = []  # (path, Range header or None)
        self.cut_after = None  # bytes of body after which the connection closes
        self.ranges = True  # whether Range is understood
        self.status = 200
        self.send_length = True
        self.delay = 0.0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *arguments):
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, handler):
        asked = handler.headers.get("Range")
        self.requests.append((handler.path, asked))
        time.sleep(self.delay)
        if self.status != 200 or handler.path not in self.files:
            return handler.send_error(self.status if self.status != 200 else 404)
        body, start = self.files[handler.path], 0
        if asked and self.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(body):
                return handler.send_error(416)
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.send_length:
            handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        handler.wfile.write(body[start:][: self.cut_after])

    def close(self):
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERASGAN_WEIGHTS_URL", raising=False)
    return tmp_path / "home"


def described(content=CONTENT, url=None, filename="generator.weights.h5"):
    return WeightFile("generator", filename, hashlib.sha256(content).hexdigest(), len(content), url)


@pytest.fixture
def file(server):
    return described(url=f"{server.url}/{NAME}/generator.weights.h5")


def cached_files(home):
    return [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]


# Finding -------------------------------------------------------------------------------------------------------------


def test_bundled_file_is_used_without_any_request(server, file, tmp_path, home):
    (tmp_path / file.filename).write_bytes(CONTENT)
    assert find(file, NAME, tmp_path) == tmp_path / file.filename
    assert server.requests == [] and not home.exists()


def test_download_then_cache(server, file, home):
    path = find(file, NAME)
    assert path.read_bytes() == CONTENT
    assert cached_files(home) == [path] and path.name == file.filename
    assert find(file, NAME) == path
    assert len(server.requests) == 1


def test_two_versions_of_a_file_do_not_share_a_place(server, file):
    old = find(file, NAME)
    other = CONTENT[::-1]
    server.files[f"/{NAME}/generator.weights.h5"] = other
    new = find(described(other, file.url), NAME)
    assert old.read_bytes() == CONTENT and new.read_bytes() == other


def test_damaged_cached_file_is_fetched_again(server, file):
    path = find(file, NAME)
    path.write_bytes(CONTENT[:-1] + b"x" if CONTENT[-1:] != b"x" else CONTENT[:-1] + b"y")
    assert find(file, NAME).read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_damaged_bundled_file_is_downloaded_instead(file, tmp_path):
    (tmp_path / file.filename).write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="is damaged"):
        path = find(file, NAME, tmp_path)
    assert path.read_bytes() == CONTENT


def test_damaged_bundled_file_without_url_is_an_error(tmp_path):
    (tmp_path / "generator.weights.h5").write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match="is damaged.*no url.*install"):
        find(described(), NAME, tmp_path)


def test_nowhere_to_be_found(tmp_path, home):
    with pytest.raises(FileNotFoundError, match="Put the file at .*KERASGAN_WEIGHTS_URL.*my_gan/generator.weights.h5"):
        find(described(), NAME, tmp_path)
    assert not home.exists()


def test_file_put_by_hand_where_the_error_says(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        find(described(), NAME)
    place = weights.pathlib.Path(re.search(r"Put the file at (\S+),", str(caught.value))[1])
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert find(described(), NAME) == place


def test_mirror_takes_the_place_of_every_url(server, monkeypatch):
    monkeypatch.setenv("KERASGAN_WEIGHTS_URL", f"{server.url}/zoo/")
    server.files = {f"/zoo/{NAME}/generator.weights.h5": CONTENT}
    assert find(described(url="http://127.0.0.1:9/unused.h5"), NAME).read_bytes() == CONTENT
    assert server.requests == [(f"/zoo/{NAME}/generator.weights.h5", None)]


@pytest.mark.parametrize("address", ["file:///etc", "ftp://host/x", "/mnt/weights", "http://"])
def test_mirror_must_be_http(address, monkeypatch):
    monkeypatch.setenv("KERASGAN_WEIGHTS_URL", address)
    with pytest.raises(ValueError, match="KERASGAN_WEIGHTS_URL=.*http"):
        find(described(), NAME)


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    assert weights.cache_folder() == tmp_path / "home"
    monkeypatch.delenv("KERASGAN_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert weights.cache_folder() == tmp_path / "xdg" / "kerasgan"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights.cache_folder() == tmp_path / ".cache" / "kerasgan"


# Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send_length", [True, False])
def test_cut_connection_then_resume(server, file, home, send_length):
    server.cut_after, server.send_length = 120_000, send_length
    with pytest.raises(ConnectionError, match=r"stopped after [\d,]+ of 200,000 bytes.*run the same again"):
        find(file, NAME)
    (part,) = cached_files(home)
    kept = part.stat().st_size
    assert part.name == f"{file.filename}.part" and 100_000 < kept <= 120_000

    server.cut_after, server.send_length = None, True
    path = find(file, NAME)
    assert path.read_bytes() == CONTENT and cached_files(home) == [path]
    assert server.requests[1][1] == f"bytes={kept}-"


def cut(server, file):
    server.cut_after = 120_000
    with pytest.raises(ConnectionError):
        find(file, NAME)
    server.cut_after = None


def test_server_without_ranges_starts_again(server, file, home):
    cut(server, file)
    server.ranges = False
    path = find(file, NAME)
    assert path.read_bytes() == CONTENT and cached_files(home) == [path]
    assert len(server.requests) == 2


def test_piece_of_another_file_is_thrown_away(server, file, home):
    cut(server, file)
    (part,) = cached_files(home)
    part.write_bytes(bytes(part.stat().st_size))
    path = find(file, NAME)
    assert path.read_bytes() == CONTENT and cached_files(home) == [path]
    assert server.requests[-1][1] is None


@pytest.mark.parametrize("length", [200_000, 200_001])
def test_piece_that_is_already_complete(server, file, home, length):
    cut(server, file)
    (part,) = cached_files(home)
    part.write_bytes((CONTENT + b"x")[:length])
    assert find(file, NAME).read_bytes() == CONTENT
    assert len(server.requests) == (1 if length == 200_000 else 2)


def test_range_that_the_server_refuses(server, file, home):
    cut(server, file)
    server.files[f"/{NAME}/generator.weights.h5"] = b"short"  # answers 416, then the wrong file
    with pytest.raises(ValueError, match="is not the file that the recipe names"):
        find(file, NAME)
    assert cached_files(home) == []


@pytest.mark.parametrize("content", [CONTENT[::-1], b"<html>Please log in</html>", CONTENT + b"more"])
def test_wrong_file(server, file, home, content):
    server.files[f"/{NAME}/generator.weights.h5"] = content
    with pytest.raises(ValueError, match=f"sha256 {file.sha256}, got .*Nothing was kept"):
        find(file, NAME)
    assert cached_files(home) == []


def test_endless_file_is_not_swallowed(server, file):
    server.files[f"/{NAME}/generator.weights.h5"] = bytes(50_000_000)
    with pytest.raises(ValueError, match=r"got 2\d\d,\d\d\d bytes"):
        find(file, NAME)


@pytest.mark.parametrize("status", [404, 503])
def test_error_of_the_server(server, file, home, status):
    server.status = status
    with pytest.raises(ConnectionError, match=f"answered {status} .*Check the address"):
        find(file, NAME)
    assert cached_files(home) == []


def test_no_server(server, file, home):
    server.close()
    with pytest.raises(ConnectionError, match="stopped after 0 of 200,000 bytes"):
        find(file, NAME)
    assert cached_files(home) == []


def test_full_disk_seen_before_the_download(file, home, monkeypatch):
    monkeypatch.setattr(weights.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=9))
    with pytest.raises(OSError, match="200,000 bytes are needed: free some space, or set KERASGAN_HOME") as caught:
        find(file, NAME)
    assert caught.value.errno == errno.ENOSPC
    assert cached_files(home) == []


def test_disk_that_fills_up_during_the_download(file, home, monkeypatch):
    def receive(response, file, part, start):
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(weights, "_receive", receive)
    with pytest.raises(OSError, match="No space left on device: cannot write .*KERASGAN_HOME") as caught:
        find(file, NAME)
    assert caught.value.errno == errno.ENOSPC
    assert cached_files(home) == []


def test_cache_that_cannot_be_written(server, file, home):
    home.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="cannot write .* Set KERASGAN_HOME to another folder"):
        find(file, NAME)
    assert server.requests == []


def test_two_processes_at_once_download_once(server, file, home):
    server.delay = 0.5  # both are there before the first has finished
    code = (
        "import sys; from kerasgan import weights\n"
        "file = weights.WeightFile('generator', 'generator.weights.h5', sys.argv[1], int(sys.argv[2]), sys.argv[3])\n"
        f"print(weights.find(file, {NAME!r}))"
    )
    command = [sys.executable, "-c", code, file.sha256, str(file.size), file.url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    paths = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert paths == {str(path) for path in cached_files(home)} and len(paths) == 1
    assert open(paths.pop(), "rb").read() == CONTENT
    assert len(server.requests) == 1


def test_lock_of_a_killed_process_does_not_block(server, file):
    find(file, NAME).unlink()  # leaves the lock file behind, as a killed process would
    assert find(file, NAME).read_bytes() == CONTENT


# Descriptions --------------------------------------------------------------------------------------------------------


def test_from_file_describes_what_is_there(tmp_path):
    path = tmp_path / "generator.weights.h5"
    path.write_bytes(CONTENT)
    assert WeightFile.from_file(path, "generator") == described()


@pytest.mark.parametrize(
    "change",
    [
        {"part": "not a name"},
        {"filename": "../generator.weights.h5"},
        {"filename": ".weights.h5"},
        {"filename": "generator.pkl"},
        {"sha256": "abc"},
        {"size": 0},
        {"size": 1.5},
        {"url": "file:///etc/passwd"},
    ],
)
def test_descriptions_that_cannot_be_right(change):
    (argument, value) = next(iter(change.items()))
    good = {"part": "generator", "filename": "g.weights.h5", "sha256": "0" * 64, "size": 1}
    with pytest.raises(ValueError, match=re.escape(f"{argument}={value!r}")):
        WeightFile(**{**good, **change})


# Writing and reading -------------------------------------------------------------------------------------------------


def network(units=3, seed=0, dtype=None):
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(units, dtype=dtype)(inputs)
    x = keras.layers.BatchNormalization(dtype=dtype)(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.Dense(1, dtype=dtype)(x))


def test_half_precision_round_trip(tmp_path):
    source, target = network(seed=0), network(seed=1)
    path = weights.save_half(source, tmp_path / "new" / "g.weights.h5")
    weights.load_into(target, path)
    for before, after in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before.astype("float16").astype("float32"))
    assert list(path.parent.iterdir()) == [path]
    network(seed=2).load_weights(path)  # Keras's own reader takes it too


def test_rounded_to_any_number_of_bits(tmp_path):
    source, target = network(seed=0), network(seed=1)
    weights.load_into(target, weights.save_rounded(source, tmp_path / "g.weights.h5", 15))
    for before, after in zip(source.get_weights(), target.get_weights(), strict=True):
        np.testing.assert_allclose(after, before, rtol=2**-15, atol=0)
        assert after.dtype == "float32" and not (after.view("uint32") & 0x1FF).any()  # 9 of 24 bits are zero
    source.layers[1].kernel.assign(np.full((4, 3), np.nan))
    for bits, message in ((15, "holds NaN"), (25, "bits=25: expected a whole number from 1 to 24")):
        with pytest.raises(ValueError, match=message):
            weights.save_rounded(source, tmp_path / "h.weights.h5", bits)


def test_file_is_half_as_large(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(300)])
    model.save_weights(tmp_path / "full.weights.h5")
    half = weights.save_half(model, tmp_path / "half.weights.h5").stat().st_size
    assert half < 0.55 * (tmp_path / "full.weights.h5").stat().st_size


def test_same_weights_same_bytes(tmp_path):
    first = weights.save_half(network(), tmp_path / "a.weights.h5")
    second = weights.save_half(network(), tmp_path / "b.weights.h5")
    assert first.read_bytes() == second.read_bytes()


def test_full_precision_file_can_be_loaded(tmp_path):
    source, target = network(seed=0), network(seed=1)
    source.save_weights(tmp_path / "g.weights.h5")
    weights.load_into(target, tmp_path / "g.weights.h5")
    np.testing.assert_array_equal(target.get_weights()[0], source.get_weights()[0])


def test_bfloat16_variables_are_converted(tmp_path):
    source, target = network(seed=0, dtype="bfloat16"), network(seed=1)
    weights.load_into(target, weights.save_half(source, tmp_path / "g.weights.h5"))
    np.testing.assert_allclose(target.get_weights()[0], source.get_weights()[0].astype("float32"), atol=1e-6)
    assert np.abs(target.get_weights()[0]).max() > 0.1


def test_integers_are_kept(tmp_path):
    import keras

    class Counting(keras.layers.Layer):
        def build(self, _):
            self.count = self.add_weight(shape=(), dtype="int64", initializer="zeros", trainable=False)

        def call(self, inputs):
            return inputs

    inputs = keras.Input((2,))
    layer = Counting()
    model = keras.Model(inputs, layer(inputs))
    layer.count.assign(2**40 + 1)  # float16 has no such number
    path = weights.save_half(model, tmp_path / "g.weights.h5")
    layer.count.assign(0)
    weights.load_into(model, path)
    assert int(layer.count) == 2**40 + 1


@pytest.mark.parametrize("value, message", [(7e4, "reaches 70000; half precision ends at 65504"), (np.nan, "diverged")])
def test_numbers_that_half_precision_cannot_hold(tmp_path, value, message):
    model = network()
    model.layers[1].kernel.assign(np.full((4, 3), value))
    path = tmp_path / "g.weights.h5"
    path.write_bytes(b"what was there before")
    with pytest.raises(ValueError, match=message):
        weights.save_half(model, path)
    assert path.read_bytes() == b"what was there before" and list(tmp_path.glob("*")) == [path]


def test_other_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a name that ends in '.weights.h5'"):
        weights.save_half(network(), tmp_path / "g.h5")


def test_weights_of_another_architecture(tmp_path):
    path = weights.save_half(network(units=3), tmp_path / "g.weights.h5")
    model = network(units=5)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"does not fit .*the file lacks weights of shape .*1 x \(4, 5\)"):
        weights.load_into(model, path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_file_with_more_than_the_model(tmp_path):
    import keras

    path = weights.save_half(network(), tmp_path / "g.weights.h5")
    smaller = keras.Model((full := network()).input, full.layers[1].output)
    with pytest.raises(ValueError, match="the model lacks weights of shape"):
        weights.load_into(smaller, path)


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x80\x04K\x01."])
def test_files_that_are_no_weights(tmp_path, content):
    path = tmp_path / "g.weights.h5"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a '.weights.h5' file, or a damaged one"):
        weights.load_into(network(), path)


def test_damaged_hdf5(tmp_path):
    path = weights.save_half(network(), tmp_path / "g.weights.h5")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="damaged"):
        weights.load_into(network(), path)


@pytest.mark.parametrize("damage", ["text", "elsewhere", "link", "external link", "huge", "bytes"])
def test_hdf5_that_says_what_is_not_so(tmp_path, damage):
    import h5py

    path = weights.save_half(network(), tmp_path / "g.weights.h5")
    with h5py.File(path, "r+") as file:
        name = next(name for name in _arrays(file) if file[name].ndim == 2)
        shape = file[name].shape
        del file[name]
        if damage == "text":
            file[name] = "text"
        elif damage == "elsewhere":
            file.create_dataset(name, shape, "f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])
        elif damage == "link":
            file[name] = h5py.SoftLink("/nowhere")
        elif damage == "external link":
            file[name] = h5py.ExternalLink("/etc/hostname", "/")
        elif damage == "huge":
            file.create_dataset(name, (2**40,), "f4", chunks=True)
    if damage == "bytes":
        content = bytearray(path.read_bytes())
        content[len(content) // 3 : len(content) // 3 + 400] = b"\xff" * 400
        path.write_bytes(content)
    with pytest.raises(ValueError, match="g.weights.h5"):
        weights.load_into(network(), path)


def _arrays(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
    return names


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(tmp_path):
    resource = pytest.importorskip("resource")
    model, path = network(units=5000), tmp_path / "g.weights.h5"
    path.write_bytes(b"from before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # as a disk with so much left
    try:
        with pytest.raises(OSError, match="File too large"):
            weights.save_half(model, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"from before" and os.listdir(tmp_path) == ["g.weights.h5"]


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        weights.load_into(network(), tmp_path / "g.weights.h5")


def test_module_itself_is_light():
    code = (
        "import sys, kerasgan.weights; sys.exit(any(m in sys.modules for m in ('keras', 'h5py', 'requests', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0

"""The feature network `inception_2015`: the graph that the Fréchet Inception distance was published with.

Heusel et al., 2017 (arXiv:1706.08500) take the 2048 pooled features of the Inception network that Google published as
http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz, a graph with its weights and its own
resizing inside. The graph is run as it is, so that scores compare with published ones.

The sha256 is that of `classify_image_graph_def.pb`, 95,673,916 bytes, in the copy that the evaluation of
arXiv:2105.05233 downloads, as several public projects recorded it. Google published no checksum; the file in the
archive has the same name and size.
"""

import hashlib
import pathlib
import tarfile
import typing

import numpy as np

from kerasgan import files, trust, weights

NAME = "inception_2015"
MEMBER = "classify_image_graph_def.pb"
LICENSE = "Apache-2.0"
RESIZER = "bilinear without antialiasing to 299x299 (in the graph)"

_PACKED = 100  # times that the archive may unpack to
_INPUT = "ExpandDims"  # the images before resizing; what comes before it decodes a JPEG file
_POOL = "pool_3"
_CLASSIFIER = "softmax/logits/MatMul"


class _File(typing.NamedTuple):
    """What `kerasgan.weights.find` needs to know of a file."""

    filename: str
    sha256: str
    size: int
    url: str


FILE = _File(
    MEMBER,
    "009d6814d1bc560d4e7b236e170e9b2d5ca6f4b57bd8037f6db05776204415c6",
    95_673_916,
    f"https://openaipublic.blob.core.windows.net/diffusion/jul-2021/ref_batches/{MEMBER}",
)


def is_cached():
    """Whether the graph lies in the cache of downloaded files, without reading it."""
    path = weights.cached_path(FILE, NAME)
    return path.is_file() and path.stat().st_size == FILE.size


def content(path=None):
    """The bytes of the graph, and their sha256.

    Args:
        path: the graph, or the archive with it. None takes it from the cache, or downloads it into the cache.

    Raises:
        FileNotFoundError, ConnectionError, OSError: there is no such file, or it cannot be downloaded.
        ValueError: the archive holds no graph.
    """
    path = weights.find(FILE, NAME) if path is None else pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'"{NAME}:{path}": there is no such file.')
    data = _member(path) if path.suffix in (".tgz", ".gz", ".tar") else path.read_bytes()
    return data, hashlib.sha256(data).hexdigest()


def _member(path):
    name = f'"{NAME}:{path}"'
    try:
        with tarfile.open(path) as archive:
            files.check_declared(archive.getmember(MEMBER).size, path.stat().st_size, name, _PACKED)
            return archive.extractfile(MEMBER).read()
    except files.TooLarge:
        raise
    except (tarfile.TarError, *files.DAMAGE) as error:
        raise ValueError(f"{name}: not an archive that holds {MEMBER} ({error}).") from error


def load(data):
    """The graph as a function.

    Args:
        data: the bytes of the graph, or of one with the same names of nodes.

    Returns:
        (function, dimensions, classes): the function takes pixels, numbers in [0, 255] (n, height, width, 3), and
        returns features (n, dimensions) and logits (n, classes). The logits are those of the Inception score: without
        the classifier's bias, as in the code of arXiv:1606.03498.

    Raises:
        ValueError: not such a graph.
    """
    import tensorflow as tf

    # Not a tf.function: TensorFlow runs the graph's BatchNormWithGlobalNormalization, removed in 2015, only in a
    # session, which respects the version that the graph was written for.
    graph = tf.Graph()
    with graph.as_default():
        try:
            tf.compat.v1.import_graph_def(_pruned(data), name="")
        except (LookupError, TypeError) as error:
            raise ValueError(f"{NAME}: the graph is damaged ({files.explained(error)}).") from error
        images, pool = graph.get_tensor_by_name(f"{_INPUT}:0"), graph.get_tensor_by_name(f"{_POOL}:0")
        kernel = graph.get_tensor_by_name(f"{_CLASSIFIER}/kernel:0")
        features = tf.reshape(pool, (-1, kernel.shape[0]))
        logits = tf.matmul(features, kernel)
    session = tf.compat.v1.Session(graph=graph)

    def run(pixels):
        return session.run((features, logits), {images: np.asarray(pixels, "float32")})

    return run, int(kernel.shape[0]), int(kernel.shape[1])


def _pruned(data):
    """The part of the graph from the images to the features, for any number of images; the classifier's kernel."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        whole = tf.compat.v1.GraphDef.FromString(data)
    except DecodeError as error:
        raise ValueError(f"{NAME}: the file is no TensorFlow graph ({error}).") from error
    nodes = {node.name: node for node in whole.node}
    missing = [name for name in (_INPUT, _POOL, _CLASSIFIER) if name not in nodes]
    if missing:
        raise ValueError(f"{NAME}: the graph has no node {missing[0]!r}; expected the graph of 2015-12-05, {MEMBER}.")
    kernel = nodes[_CLASSIFIER].input[1]
    needed = _ancestors(nodes, (_POOL, _name(kernel)))
    trust.check_operations(nodes[name].op for name in needed)
    graph = tf.compat.v1.GraphDef(versions=whole.versions)
    for node in whole.node:
        if node.name in needed:
            copy = graph.node.add()
            copy.CopyFrom(node)
            copy.attr.pop("_output_shapes", None)  # they say: one image
    graph.node.add(name=_INPUT, op="Placeholder").attr["dtype"].type = tf.float32.as_datatype_enum
    renamed = graph.node.add(name=f"{_CLASSIFIER}/kernel", op="Identity", input=[kernel])
    renamed.attr["T"].type = tf.float32.as_datatype_enum
    return graph


def _ancestors(nodes, names):
    """Names of the nodes that `names` are computed from, themselves included; the images are not."""
    found, open_names = set(), list(names)
    while open_names:
        name = open_names.pop()
        if name != _INPUT and name not in found:
            found.add(name)
            open_names.extend(_name(source) for source in nodes[name].input)
    return found


def _name(source):
    """Of the node that an input such as "node", "node:1" or "^node" comes from."""
    return source.lstrip("^").partition(":")[0]

"""Directions: ways through a generator's latents along which its samples change.

Found without labels, in the first layers that latents meet: SeFa (Shen & Zhou, 2021, arXiv:2007.06600) takes the
directions in which what these layers give changes most, GANSpace (Härkönen et al., 2020, arXiv:2004.02546) those in
which it varies most over many samples. With labels: what tells the latents of some samples from those of others
(InterFaceGAN, Shen et al., 2020, arXiv:1907.10786).
"""

import dataclasses
import warnings

import keras
import numpy as np
import tensorflow as tf

from kerasgan import described
from kerasgan.checks import number

STRENGTHS = (-2.5, -1.25, 0.0, 1.25, 2.5)  # of a sweep, in standard deviations
_KIND = "directions"  # what a file says that it holds
_TRIED = 1024  # latents times directions that SeFa looks at: of affine maps, one latent would do
_DIFFERENCE = 1e-2  # steps by which it does
_DRAWN = 1_000  # latents that GANSpace looks at, and that tell how far they go along a direction
_CHUNK = 256
_FURTHEST = 3.0  # standard deviations: beyond, generators have never been


@dataclasses.dataclass(frozen=True, eq=False)
class Direction:
    """A direction in latents.

    Attributes:
        vector: float32 (latent_dim,) of length 1.
        deviation: standard deviation of latents along it: a strength of 1 goes as far.
        name: what it does, where somebody has looked.
        method: "sefa", "ganspace" or "labels".
        space: of `kerasgan.latents.Latents` that it is for.
    """

    vector: np.ndarray
    deviation: float = 1.0
    name: str = ""
    method: str = ""
    space: str = "latents"


def find(gan, method="sefa", count=8, seed=0):
    """Directions of a GAN, those in which samples change most first.

    Args:
        gan: a `kerasgan.GAN`.
        method: "sefa", in seconds, or "ganspace".
        count: how many, up to the length of latents.
        seed: of the latents that are looked at.

    Returns:
        List of `Direction`.

    Raises:
        ValueError: an argument is out of its range, or the generator has no such layers.
    """
    methods = {"sefa": _sefa, "ganspace": _ganspace}
    if method not in methods:
        raise ValueError(f"method={method!r}: expected one of {', '.join(map(repr, methods))}.")
    count = number("count", count, None, least=1, whole=True)
    drawn = gan.codes(_DRAWN, seed)
    codes, condition, space = drawn.values, drawn.condition, drawn.space
    if count > codes.shape[1]:
        raise ValueError(f"count={count}: latents of this model have {codes.shape[1]} directions in all.")
    vectors = methods[method](gan.first_maps(), codes, condition, space)[:count]
    vectors *= np.where(vectors.sum(axis=1, keepdims=True) < 0, -1, 1)  # one of two signs, always the same
    deviations = (codes @ vectors.T).std(axis=0)
    return [
        Direction(vector.astype("float32"), float(deviation), method=method, space=space)
        for vector, deviation in zip(vectors, deviations, strict=True)
    ]


def _sefa(first, codes, condition, space):
    """Eigenvectors of J^T J: J is how the first maps change with latents, by differences; of affine ones the kernel."""
    product = np.zeros((codes.shape[1],) * 2)
    steps = _DIFFERENCE * np.eye(codes.shape[1], dtype="float32")
    for place, code in enumerate(codes[: max(1, _TRIED // codes.shape[1])]):
        given = None if condition is None else np.repeat(condition[place : place + 1], len(steps), axis=0)
        jacobian = (np.asarray(first(code + steps, given)) - np.asarray(first(code - steps, given))) / (2 * _DIFFERENCE)
        product += jacobian.astype("float64") @ jacobian.T.astype("float64")
    _, vectors = np.linalg.eigh(product)  # in rising order
    return vectors.T[::-1]


def _ganspace(first, codes, condition, space):
    """Principal components, and the latents that go with each: these by least squares.

    Of styles, as they are; else of the first maps behind a rectifier: without it they are affine in latents that are
    drawn alike in all directions, and the components would be those of SeFa.
    """
    maps = codes
    if space != "styles":
        parts = [slice(start, start + _CHUNK) for start in range(0, len(codes), _CHUNK)]
        maps = [first(codes[part], None if condition is None else condition[part]) for part in parts]
        maps = np.maximum(np.concatenate(maps), 0)
    maps = maps - maps.mean(axis=0)
    _, left = np.linalg.eigh(maps @ maps.T)  # samples are fewer than values: their products are the smaller matrix
    kept = min(codes.shape[1], len(codes) - 1)
    coordinates = left[:, ::-1][:, :kept] * np.sqrt(len(codes))  # of standard deviation 1
    vectors, *_ = np.linalg.lstsq(coordinates, codes - codes.mean(axis=0), rcond=None)
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12)


def of_labels(positive, negative, name=""):
    """The direction from some samples to others: the normal of the plane that tells their latents apart.

    Logistic regression with a prior of N(0, 1 / 100) on each coefficient, by Newton's method.

    Args:
        positive, negative: `kerasgan.latents.Latents`, of samples that have what it is about and of others; two or more
            of each.
        name: what it is about.

    Raises:
        ValueError: there are too few, or they are of different models.
    """
    for what, latents in (("positive", positive), ("negative", negative)):
        if len(latents) < 2:
            raise ValueError(f"{what}: {len(latents)} latents; expected two or more.")
    if (positive.weights, positive.space) != (negative.weights, negative.space):
        raise ValueError("positive and negative are latents of different models.")
    values = np.concatenate([positive.values, negative.values]).astype("float64")
    wanted = np.repeat([1.0, 0.0], [len(positive), len(negative)])
    rows = np.c_[values, np.ones(len(values))]
    prior = np.diag([100.0] * values.shape[1] + [1e-6])
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        share = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (share - wanted) + prior @ weights
        step = np.linalg.solve((rows * (share * (1 - share))[:, None]).T @ rows + prior, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    vector = weights[:-1] / np.linalg.norm(weights[:-1])
    deviation = float((values @ vector).std())
    return Direction(vector.astype("float32"), deviation, name, "labels", positive.space)


def moved(latents, direction, strength):
    """Latents moved along a direction.

    Args:
        latents: `kerasgan.latents.Latents`.
        direction: `Direction`.
        strength: standard deviations to move by, a number or one for each; beyond 3 they are cut, with a warning.

    Raises:
        ValueError: the direction is of another space or length, or a strength is no finite number.
    """
    if direction.space != latents.space or direction.vector.shape != latents.values.shape[1:]:
        raise ValueError(
            f"direction goes through {direction.space} of length {len(direction.vector)}; the latents are "
            f"{latents.space} of length {latents.values.shape[1]}."
        )
    strength = np.asarray(strength, "float64")
    if strength.shape not in ((), (len(latents),)) or not np.isfinite(strength).all():
        raise ValueError(f"strength={strength}: expected a number, or one for each of {len(latents)} latents.")
    cut = np.clip(strength, -_FURTHEST, _FURTHEST)
    if (cut != strength).any():
        furthest = np.abs(strength).max()
        warnings.warn(f"strength={furthest:g} is cut to {_FURTHEST:g} standard deviations.", stacklevel=3)
    way = np.multiply.outer(cut * direction.deviation, direction.vector).astype("float32")
    return latents.replaced(latents.values + way)


def sweep(gan, directions, count, seed, strengths=STRENGTHS):
    """Samples that are moved along directions.

    Args:
        gan: a `kerasgan.GAN`.
        directions: list of `Direction`.
        count, seed: of the samples, as in `generate`.
        strengths: as of `moved`.

    Returns:
        Samples in natural units, first axis (directions, samples, strengths) flat.
    """
    latents = gan.codes(count, seed)
    moves = [moved(latents, direction, strength).values for direction in directions for strength in strengths]
    values = np.stack(moves).reshape(len(directions), len(strengths), count, -1).swapaxes(1, 2)
    which = np.tile(np.repeat(np.arange(count), len(strengths)), len(directions))
    return gan.decode(latents[which].replaced(values.reshape(len(which), -1)))


def save(path, directions, weights):
    """Writes directions of one model into a `.npz` file.

    Args:
        path: of the file.
        directions: list of `Direction`, with names.
        weights: `kerasgan.latents.digest` of the generator that they are for.
    """
    fields = ("name", "method", "space", "deviation")
    rows = [{field: getattr(direction, field) for field in fields} for direction in directions]
    about = {"weights": weights, "directions": rows}
    described.write(path, _KIND, about, vectors=np.stack([one.vector for one in directions]))


def load(path, weights=None):
    """The list of `Direction` that `save` wrote. Nothing is unpickled.

    Args:
        path: of the file.
        weights: `kerasgan.latents.digest` of the generator that they shall be for; None takes any.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds no directions, or those of another model.
    """

    def made(arrays, weights, directions):
        vectors = arrays["vectors"].astype("float32")
        return weights, [Direction(vector, **row) for vector, row in zip(vectors, directions, strict=True)]

    held_for, found = described.read(path, _KIND, made)
    if weights not in (None, held_for):
        raise ValueError(f"{str(path)!r} holds directions of another model.")
    return found


def first_maps(generator):
    """The function of latents, and of what goes with them or None, that gives what the first layers make of them.

    These are the layers with weights that latents meet first, on each of their ways, with the batch normalization that
    follows. Values are flat: (count, values).

    Args:
        generator: functional model, whose first input the latents are.
    """
    found, left = [], [generator.inputs[0]]
    while left:
        for layer, outputs in _uses(generator, left.pop()):
            if isinstance(layer, keras.Layer) and layer.weights:
                found += [_onwards(generator, output) for output in outputs]
            else:
                left += outputs  # what slices, scales, concatenates
    if not found:
        raise ValueError(f"{generator.name} has no layer with weights that latents go into.")
    network = keras.Model(generator.inputs, found)

    @tf.function(autograph=False, reduce_retracing=True)
    def maps(codes, condition):
        values = keras.tree.flatten(network(codes if condition is None else [codes, condition], training=False))
        rows = (tf.shape(codes)[0], -1)  # frames of a clip may be rows of their own
        return tf.concat([tf.reshape(tf.cast(value, tf.float32), rows) for value in values], axis=1)

    def on_arrays(codes, condition):
        condition = None if condition is None else tf.constant(condition)
        return maps(tf.constant(codes, tf.float32), condition)

    return on_arrays


def _onwards(generator, tensor):
    """What becomes of a layer's output up to the first nonlinearity: reshaped and normalized, it is still linear."""
    for layer, (output, *_) in _uses(generator, tensor):
        if isinstance(layer, (keras.layers.Reshape, keras.layers.BatchNormalization)):
            return _onwards(generator, output)
    return tensor


def _uses(generator, tensor):
    """Yields (operation, its outputs) of what a functional model does with a tensor. Keras has no public way to ask."""
    for operation in generator.operations:
        for node in operation._inbound_nodes:
            if any(tensor is given for given in node.input_tensors):
                yield operation, list(node.outputs)

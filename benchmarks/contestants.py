"""Who takes part in training_step.py, and on what: plain data that every framework's process reads."""

import typing

OURS, ONE_STAGE, NAIVE = "kerasgan", "kerasgan, one stage", "naive Keras"
CONTIGUOUS, CHANNELS_LAST = "PyTorch, contiguous", "PyTorch, channels_last"
MATMUL = "matrix product"
PRODUCT = 2048  # side of the matrices
FORMATS = ("bfloat16", "float32", "float16")


class Game(typing.NamedTuple):
    """A DCGAN's kind of discriminator, and who trains it in Keras: the first is compared with all others."""

    normalization: str
    in_keras: tuple


GAMES = {
    "alternating": Game("batch", (OURS, NAIVE)),
    "one_stage": Game("none", (ONE_STAGE, OURS, NAIVE)),
}


class Setting(typing.NamedTuple):
    """Images, networks and batch that all contestants share."""

    size: int
    width: int
    batch: int
    latents: int = 100
    kernel: int = 4

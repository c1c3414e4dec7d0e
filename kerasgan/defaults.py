"""What a training needs and nobody gave: derived from the size of the samples, their number and the batch.

The rules are those of StyleGAN2-ADA's automatic configuration (Karras et al., 2020, arXiv:2006.06676) where it has one,
with batches that suit the smaller networks here.
"""

import math

_PIXELS = 4096  # a batch times the edge of its images
_LARGEST, _SMALLEST = 64, 4
_BATCHES = 4  # in an epoch, at least


def batch_size(edge, count=None, largest=_LARGEST):
    """Samples in a batch: 64 up to 64x64 pixels, fewer of larger ones, never more than a quarter of the data.

    Args:
        edge: the longer of height and width, in pixels; None for samples that have only a length: 64 of any length.
        count: samples in the data, or None.
        largest: instead of the 64.

    Returns:
        A power of two of at least 4, less only where there are fewer samples than that.
    """
    size = largest if edge is None else max(_SMALLEST, min(largest, _PIXELS // edge))
    if count is not None:
        size = min(size, max(_SMALLEST, count // _BATCHES), count)
    return 2 ** int(math.log2(size))


def learning_rate(papers, batch, papers_batch=_LARGEST):
    """The paper's rate, lower for small batches: Adam's noise grows as the root of the batch shrinks.

    The square root scaling rule for adaptive optimizers, Malladi et al., 2022, arXiv:2205.10287.
    """
    return papers * min(1.0, math.sqrt(batch / papers_batch))


def r1_weight(edge, batch):
    """Gamma of the penalties R1 and R2: 0.0002 * edge^2 / batch, as StyleGAN2-ADA takes it."""
    return 2e-4 * edge**2 / batch


def ema_half_life(batch):
    """Half-life of the generator's moving average in samples: 10,000 of them for a batch of 32, as in StyleGAN2."""
    return round(batch * 10_000 / 32)


def derive(compile, given_rates, edge, count, batch=None, devices=1, papers_batch=None, largest=_LARGEST):
    """The values of a training that are not given.

    Args:
        compile: arguments of `GAN.compile` as a recipe holds them.
        given_rates: the learning rates of the type's own optimizers, (discriminator's, generator's).
        edge: the longer of height and width of a sample; None where it has only a length. Penalties keep their weights
            then.
        count: samples in the data, or None.
        batch: the batch size, or None to derive that, too.
        devices: which share a batch; one that is derived is made a multiple of their number.
        papers_batch: the batch size of a type whose paper makes it part of the method; None for others.
        largest: the largest batch that is derived, for which the learning rates are.

    Returns:
        (batch size, arguments of `compile` with what was derived, {name of a derived value: the value}).
    """
    chosen = {}
    if batch is None:
        batch = math.ceil((papers_batch or batch_size(edge, count, largest)) / devices) * devices
        chosen["batch_size"] = batch
    derived = dict(compile)
    own_rates = {"learning_rate", "discriminator_optimizer", "generator_optimizer"} & set(compile)
    if not own_rates:
        rates = [learning_rate(rate, batch, papers_batch or largest) for rate in given_rates]
        derived["learning_rate"] = [float(f"{rate:.3g}") for rate in rates]
        chosen["learning_rate"] = derived["learning_rate"]
    if "ema_half_life" not in compile:
        derived["ema_half_life"] = chosen["ema_half_life"] = ema_half_life(batch)
    names = compile.get("penalties", ())
    names = [names] if isinstance(names, str) else list(names)
    if edge is not None and any(name in ("r1", "r2") for name in names if isinstance(name, str)):
        weight = chosen["gamma"] = float(f"{r1_weight(edge, batch):.3g}")
        derived["penalties"] = [
            {"class_name": f"kerasgan>{name.upper()}", "config": {"weight": weight}} if name in ("r1", "r2") else name
            for name in names
        ]
    return batch, derived, chosen

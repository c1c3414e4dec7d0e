"""How deep the networks of a DCGAN are for images of a given shape."""

import pytest

from kerasgan.models import dcgan


@pytest.mark.parametrize(
    ("shape", "start", "end"),
    [
        ((64, 64, 3), (4, 4), (4, 4)),
        ((64, 96, 3), (4, 6), (4, 6)),
        ((28, 28, 1), (7, 7), (4, 4)),
        ((100, 60, 3), (25, 15), (7, 4)),
    ],
)
def test_generators_double_and_discriminators_halve_down_to_four(shape, start, end):
    generator = dcgan.build_generator(shape, latent_dim=4, width=2)
    first = next(layer.output.shape[1:3] for layer in generator.layers if len(layer.output.shape) == 4)
    assert first == start and generator.output.shape[1:] == shape
    discriminator = dcgan.build_discriminator(shape, width=2)
    flat = next(layer for layer in discriminator.layers if layer.name.startswith("flatten"))
    assert flat.input.shape[1:3] == end
    assert discriminator.output.shape[1:] == (1,)

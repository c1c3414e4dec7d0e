"""Smoke in a box, in two dimensions: a solver of the equations of a fluid that is warm where the smoke is.

Stable fluids (Stam, 1999, doi:10.1145/311535.311548) with buoyancy and vorticity confinement (Fedkiw, Stam & Jensen,
2001, doi:10.1145/383259.383260): in each step forces act on the velocity, what cannot flow apart is taken out of it,
and it carries the smoke and itself along. Lengths are cells, times are frames. All values are in the middle of cells.
"""

import numpy as np

from kerasgan.advection import advect_sharply

REFERENCE = 128  # cells along an edge, for which velocities and forces below are meant; larger boxes have larger ones
BUOYANCY = 0.03  # cells a frame, a frame, of full density
CONFINEMENT = 0.1  # share of what a whirl turns by that it is driven with


def projected(velocity):
    """The part of a velocity that is free of divergence, in a box along whose walls it slides.

    Mirrored at its walls a box is a period of a periodic flow, in which the part that flows apart is that along the
    wave vector of each wave (Helmholtz). The shortest waves, whose direction samples do not tell, are left out.

    Args:
        velocity: floats (height, width, 2).
    """
    height, width = velocity.shape[:2]
    x, y = _wave_numbers(velocity.shape)
    u = np.fft.rfft2(_mirrored(velocity[..., 0], signs=(1, -1)))
    v = np.fft.rfft2(_mirrored(velocity[..., 1], signs=(-1, 1)))
    u[height], v[height], u[:, width], v[:, width] = 0, 0, 0, 0
    apart = (x * u + y * v) / np.maximum(x**2 + y**2, 1e-30)
    waves = np.stack([u - x * apart, v - y * apart])
    return np.moveaxis(np.fft.irfft2(waves)[:, :height, :width], 0, -1)


def divergence(velocity):
    """What flows out of each cell, a frame: float64 (height, width), by the derivatives of all waves."""
    height, width = velocity.shape[:2]
    x, y = _wave_numbers(velocity.shape)
    u = np.fft.rfft2(_mirrored(velocity[..., 0], signs=(1, -1)))
    v = np.fft.rfft2(_mirrored(velocity[..., 1], signs=(-1, 1)))
    return np.fft.irfft2(1j * (x * u + y * v))[:height, :width]


def _mirrored(field, signs):
    """(2 * height, 2 * width): a field with its images at the walls, negative ones along an axis of sign -1."""
    field = np.concatenate([field, signs[0] * field[::-1]], axis=0)
    return np.concatenate([field, signs[1] * field[:, ::-1]], axis=1)


def _wave_numbers(shape):
    """Along x (1, width + 1) and y (2 * height, 1), radians a cell, of the mirrored field's waves."""
    height, width = shape[:2]
    return 2 * np.pi * np.fft.rfftfreq(2 * width)[None], 2 * np.pi * np.fft.fftfreq(2 * height)[:, None]


def confinement(velocity):
    """What drives whirls that the grid would swallow, a frame: around each, the way it turns, (height, width, 2)."""
    curl = np.gradient(velocity[..., 1], axis=1) - np.gradient(velocity[..., 0], axis=0)
    down, right = np.gradient(np.abs(curl))  # to where it turns faster
    length = np.hypot(down, right) + 1e-9
    return CONFINEMENT * np.stack([down * curl, -right * curl], axis=-1) / length[..., None]


def noise(random, size, longest=4, shortest=16):
    """A smooth random field of mean 0 and deviation 1, periodic: (size, size), of some waves along an edge."""
    waves = np.fft.rfft2(random.standard_normal((size, size)))
    across = size * np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    field = np.fft.irfft2(waves * ((across >= longest) & (across <= shortest)), (size, size))
    return field / field.std()


class Smoke:
    """A box with one to three sources of smoke at random places below its middle, and a gust of random whirls.

    Args:
        size: cells along each edge, at least 16.
        random: `numpy.random.Generator`, from which all that is random comes when the box is made.

    Attributes:
        density: float64 (size, size) in [0, 1].
        velocity: float64 (size, size, 2), to the right and downward, cells a frame.
    """

    def __init__(self, size, random):
        self.scale = size / REFERENCE
        self.density = np.zeros((size, size))
        flow = noise(random, size, 1, 4)  # a stream function: its whirls are free of divergence but at the walls
        down, right = np.gradient(flow)
        gust = random.uniform(0.2, 0.8) * self.scale / np.hypot(down, right).mean()
        self.velocity = projected(gust * np.stack([down, -right], axis=-1))
        self._texture = noise(random, size)
        self._frame = 0
        self._sources = [_Source(size, random) for _ in range(random.integers(1, 4))]

    def step(self):
        """One frame: smoke comes in, forces act, and the flow carries on."""
        texture = np.clip(0.5 + 0.5 * np.roll(self._texture, -self._frame, axis=0), 0, 1)
        for source in self._sources:
            inside = source.inside * texture
            self.density = np.maximum(self.density, source.density * inside)
            self.velocity += inside[..., None] * source.push * self.scale
        self.flow()
        self._frame += 1

    def flow(self):
        """One frame without sources."""
        self.velocity[..., 1] -= BUOYANCY * self.scale * self.density
        self.velocity = projected(self.velocity + confinement(self.velocity))
        self.density = advect_sharply(self.density, self.velocity)
        self.velocity = projected(advect_sharply(self.velocity, self.velocity))


class _Source:
    """A round opening that lets smoke in and blows at it."""

    def __init__(self, size, random):
        x, y = random.uniform(0.2, 0.8) * size, random.uniform(0.65, 0.95) * size
        radius = random.uniform(0.04, 0.12) * size
        rows, columns = np.ogrid[:size, :size]
        far = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
        self.inside = np.clip(radius + 0.5 - far, 0, 1)  # its edge is a cell wide
        self.density = random.uniform(0.5, 1.0)
        self.push = np.array([random.uniform(-0.05, 0.05), random.uniform(-0.08, 0.0)])

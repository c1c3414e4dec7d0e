"""Latents: what samples are made from, as values that people can keep, mix and pass on."""

import dataclasses
import hashlib

import numpy as np

from kerasgan import described

_KIND = "latents"  # what a file says that it holds


@dataclasses.dataclass(frozen=True, eq=False)
class Latents:
    """Latents of samples, with what else they follow from, and whose they are.

    Indexed by numbers or slices it gives those of some samples; `len` is how many there are.

    Attributes:
        values: float32 (count, latent_dim).
        condition: array, first axis `count`, of what the generator takes besides: classes, vectors of texts; or None.
        model: the name of the model.
        weights: sha256 of its generator's weights, in which alone latents mean what they mean; "" is not known.
        space: "latents", or "styles" of a model that makes styles of latents first.
    """

    values: np.ndarray
    condition: np.ndarray | None = None
    model: str = ""
    weights: str = ""
    space: str = "latents"

    def __len__(self):
        return len(self.values)

    def __getitem__(self, which):
        which = [which] if np.ndim(which) == 0 and not isinstance(which, slice) else which
        condition = None if self.condition is None else self.condition[which]
        return dataclasses.replace(self, values=self.values[which], condition=condition)

    def replaced(self, values, space=None):
        """The same with other values."""
        return dataclasses.replace(self, values=np.asarray(values, "float32"), space=space or self.space)

    def save(self, path):
        """Writes a `.npz` file. Returns the path.

        Raises:
            ValueError, OSError: the file cannot be written.
        """
        about = {"model": self.model, "weights": self.weights, "space": self.space}
        condition = {} if self.condition is None else {"condition": self.condition}
        return described.write(path, _KIND, about, values=self.values, **condition)

    @classmethod
    def load(cls, path):
        """What `save` wrote. Nothing is unpickled.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it holds no latents, or is damaged.
        """

        def made(arrays, **about):
            found = cls(arrays["values"], arrays.get("condition"), **about)
            found._check()
            return found

        return described.read(path, _KIND, made)

    @classmethod
    def joined(cls, parts):
        """Latents of one model, one after the other."""
        conditions = [part.condition for part in parts]
        condition = None if conditions[0] is None else np.concatenate(conditions)
        values = np.concatenate([part.values for part in parts])
        return dataclasses.replace(parts[0], values=values, condition=condition)

    def _check(self):
        if self.values.ndim != 2 or self.values.dtype != np.float32 or not np.isfinite(self.values).all():
            raise ValueError("values must be finite float32 (count, latent_dim)")
        if self.condition is not None and len(self.condition) != len(self.values):
            raise ValueError(f"there are {len(self.condition)} conditions for {len(self.values)} latents")
        if not all(isinstance(text, str) for text in (self.model, self.weights, self.space)):
            raise ValueError("its description is not one of latents")


def digest(network):
    """sha256 of a network's weights: names have no part in it, shapes and values have."""
    found = hashlib.sha256()
    for variable in network.weights:
        value = np.ascontiguousarray(variable.numpy())
        found.update(f"{value.shape}{value.dtype}".encode())
        found.update(value.tobytes())
    return found.hexdigest()

"""Latents: what samples are made from, as values that people can keep, mix and pass on."""

import dataclasses
import hashlib
import json
import zipfile

import numpy as np

from kerasgan import files

_KIND = "kerasgan latents"  # what a file says that it holds
_MOST = 2**28  # bytes of arrays that a file may declare


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
        path = files.check_output(path, (".npz",))
        about = {"kind": _KIND, "model": self.model, "weights": self.weights, "space": self.space}
        arrays = {"values": self.values, "about": np.array(json.dumps(about))}
        if self.condition is not None:
            arrays["condition"] = self.condition
        with files.atomic(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)
        return path

    @classmethod
    def load(cls, path):
        """What `save` wrote. Nothing is unpickled.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it holds no latents, or is damaged.
        """
        try:
            with zipfile.ZipFile(path) as archive:  # what it declares, before memory is taken
                if sum(member.file_size for member in archive.infolist()) > _MOST:
                    raise ValueError("it declares more than latents take")
            with np.load(path, allow_pickle=False) as arrays:
                about = json.loads(str(arrays["about"]))
                if about.pop("kind") != _KIND:
                    raise ValueError("it holds something else")
                condition = arrays["condition"] if "condition" in arrays else None
                found = cls(arrays["values"], condition, **about)
                found._check()
        except FileNotFoundError:
            raise FileNotFoundError(f"{str(path)!r} does not exist; give a file that `Latents.save` wrote.") from None
        except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, OSError, EOFError) as error:
            raise ValueError(f"{str(path)!r} holds no latents: {error}.") from None
        return found

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

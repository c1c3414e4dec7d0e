"""Examples: images of the data that a model keeps, so that pictures of its progress show the same ones all along."""

import numpy as np

_KEPT = 64  # images of each part


class Examples:
    """What a `Game` of images from images inherits besides: it shows what it does with some of the data.

    They are saved with the model. `example_names` are the names of their parts in the file, such as one of each domain.
    """

    checked_samples = _KEPT  # which are remembered; a type with large samples has fewer
    example_names = ("examples",)
    _remembered = None

    @property
    def example_media(self):
        """The `kerasgan.media.Image` of each part."""
        return (self.media,)

    def check_held_out(self, samples, second=None):
        """`check` of samples that the game does not learn from, and that are none of its examples."""
        remembered = self._remembered
        try:
            self.check(samples, second)
        finally:
            self._remembered = remembered

    def remember(self, *parts):
        """Chooses the images that previews show; without it, they are the first ones that the model is fitted on.

        Args:
            parts: uint8 images; of a translator, those of A and those of B, as many of each.
        """
        if len(parts) != len(self.example_names) or len(set(map(len, parts))) > 1 or not len(parts[0]):
            raise ValueError(
                f"{len(parts)} arrays of {', '.join(str(len(part)) for part in parts)} images were given; {self.name} "
                f"remembers {len(self.example_names)}, of as many images each."
            )
        self._remembered = tuple(map(np.array, parts))

    def remember_first(self, *parts):
        """Remembers images in model range, unless there are examples already."""
        if self._remembered is None:
            media = zip(self.example_media, parts, strict=True)
            self.remember(*(one.to_natural(part[: self.checked_samples]) for one, part in media))

    def examples(self, count, seed):
        """Up to `count` of the examples, drawn by the seed: a tuple of parts. Without any, made-up ones."""
        if self._remembered is None:
            return tuple(self.made_up(media, count, seed) for media in self.example_media)
        chosen = np.random.default_rng(seed).permutation(len(self._remembered[0]))[:count]
        return tuple(part[chosen] for part in self._remembered)

    def made_up(self, media, count, seed):
        """Samples of a part in natural units that stand in for data, the same for the same seed."""
        return media.made_up(count, seed)

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self._remembered is not None:
            for name, part in zip(self.example_names, self._remembered, strict=True):
                store[name] = part

    def load_own_variables(self, store):
        super().load_own_variables(store)
        if self.example_names[0] in store.keys():  # noqa: SIM118 - not every store of Keras knows `in`
            self._remembered = tuple(np.array(store[name]) for name in self.example_names)

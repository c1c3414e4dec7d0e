"""Kinds of samples that are heard, and shown as a picture each."""

from kerasgan.media import markup
from kerasgan.media.pictured import Pictured

HEARD = 8  # samples of a sheet that can be heard: a run folder keeps many sheets


class Heard(Pictured):
    """A kind of sample that is heard. A kind says in `_wav` what a sample sounds like, as a WAV file.

    Attributes:
        drawn_as: what the picture of a sample is.
    """

    drawn_as = ""

    def save_sheet(self, samples, path, columns=None):
        """Saves the picture of samples, and, beside it, the first eight of them to be heard, as `extension` says."""
        path = self.save(samples, path, columns)
        self.save(samples[:HEARD], path.with_suffix(self.extension))
        return path

    def html(self, samples, columns=None):
        """The first eight samples as HTML, for notebooks: pictures with a player below each."""
        samples, pictures = self._checked(samples), self._pictures()
        heard, drawn, single = samples[:HEARD], self._drawn(samples[:HEARD]), self.singular
        parts = [
            f"{pictures.html(picture[None], alt=self.drawn_as, wide=markup.BESIDE)}<br>"
            f"{markup.sound(self._wav(one), f'{single} {number}')}"
            for number, (one, picture) in enumerate(zip(heard, drawn, strict=True), 1)
        ]
        return markup.side_by_side(parts) + markup.more(len(samples), HEARD, self.plural)

    def _wav(self, sample):
        """The bytes of a WAV file of one sample that was checked."""
        raise NotImplementedError(f"{type(self).__name__} must implement _wav(sample).")

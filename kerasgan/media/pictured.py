"""Kinds of samples that are shown as pictures."""

from kerasgan.media.base import Media


class Pictured(Media):
    """A kind of sample that is no picture, and is shown as one or several.

    A kind says in `_pictures` what the pictures are, draws them in `_drawn`, and checks in `_checked` what it is given.
    """

    sheet_extension = ".png"

    def sheet(self, samples, columns=None):
        """Draws samples on one sheet, row by row; the kind's own docstring says how.

        Args:
            samples: as the kind has them in natural units.
            columns: samples in a row; None makes the sheet as square as it can, or as the kind is best seen.

        Returns:
            uint8 (sheet height, sheet width, channels).
        """
        return self._pictures().sheet(*self._shown(self._checked(samples), columns))

    def show(self, samples, columns=None):
        """Displays the sheet of samples through matplotlib, and returns the `matplotlib.figure.Figure`.

        A notebook shows `html` in its place, which moves and can be heard.
        """
        figure = self._pictures().show(*self._shown(self._checked(samples), columns))
        figure.html = lambda: self.html(samples, columns)
        return figure

    def html(self, samples, columns=None):
        """The sheet of samples as HTML, for notebooks; see `kerasgan.media.Media.html`."""
        pictures = self._pictures()
        pictures.made_by = self.made_by
        drawn, columns = self._shown(self._checked(samples), columns)
        return pictures.html(drawn, columns, alt=self.counted(len(samples)))

    def animate(self, frames, path, seconds=0.15):
        """Shows saved sheets one after the other in an animated GIF; see `kerasgan.media.Image.animate`."""
        return self._pictures().animate(frames, path, seconds)

    def _save_sheet(self, samples, path, columns):
        """Writes the sheet of samples that were checked, and returns the path."""
        drawn, columns = self._shown(samples, columns)
        pictures = self._pictures()
        pictures.made_by = self.made_by
        return pictures.save(drawn, path, columns)

    def _shown(self, samples, columns):
        return self._drawn(samples), self._columns(len(samples), columns)

    def _columns(self, count, columns):
        """Pictures in a row, or None for as square a sheet as there is, where `columns` samples are asked for."""
        return columns

    def _checked(self, samples):
        """Samples in natural units as an array; a `ValueError` for anything else."""
        raise NotImplementedError(f"{type(self).__name__} must implement _checked(samples).")

    def _pictures(self):
        """The `kerasgan.media.Image` of one sample's picture, or of one of its pictures."""
        raise NotImplementedError(f"{type(self).__name__} must implement _pictures().")

    def _drawn(self, samples):
        """The pictures of samples that were checked: uint8 (count, height, width, channels)."""
        raise NotImplementedError(f"{type(self).__name__} must implement _drawn(samples).")

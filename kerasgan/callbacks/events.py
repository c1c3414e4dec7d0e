"""TensorBoard's event files: written by TensorFlow alone, only looking at them needs TensorBoard."""

import pathlib
import warnings

import tensorflow as tf

from kerasgan import files
from kerasgan.console import reason


class Events:
    """Numbers and pictures over samples seen, in a folder of event files. A file begins with what is first written.

    Args:
        folder: the folder; made if it is missing.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._writer = None

    def write(self, step, numbers, pictures=None):
        """Writes to the disk.

        Args:
            step: samples seen.
            numbers: {name: number}.
            pictures: {name: uint8 (height, width, channels)}.

        Raises:
            OSError: it cannot be written.
        """
        try:
            if self._writer is None:
                self._writer = tf.summary.create_file_writer(str(self.folder))
            with self._writer.as_default(step=step):
                for name, number in numbers.items():
                    tf.summary.scalar(name, number)
                for name, picture in (pictures or {}).items():
                    tf.summary.image(name, picture[None])
            self._writer.flush()
        except tf.errors.OpError as error:
            raise OSError(f"Nothing can be written in {str(self.folder)!r}: {reason(error)}") from error

    def close(self):
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def keep_until(self, step):
        """Removes what lies after so many samples seen, as a training that goes on from there writes it again.

        A file that is damaged keeps what lies before the damage; the whole of it stays, too, as `damaged.` and its name
        without what TensorBoard knows its files by, and a warning says so.
        """
        for path in sorted(self.folder.glob("*tfevents*")):
            events, damage = _read(path)
            kept = [event for event in events if event.step <= step]
            if damage:
                aside = path.with_name(f"damaged.{path.name.replace('tfevents', 'events')}")
                warnings.warn(f"{str(path)!r} is damaged ({damage}); it is kept as {aside.name!r}.", stacklevel=2)
                path.rename(aside)
            if damage or len(kept) < len(events):
                with files.atomic(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
                    for event in kept:
                        writer.write(event.SerializeToString())


def _read(path):
    """The events of a file as far as they can be read, and what ends them: None or a text."""
    events = []
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            events.append(tf.compat.v1.Event.FromString(record))
    except (tf.errors.OpError, ValueError) as error:
        return events, reason(error)
    return events, None

"""SavedModel: what TensorFlow Serving, TensorFlow in other languages and TensorFlow's converters read."""

import pathlib

from kerasgan import files
from kerasgan.export import comparison, sidecar
from kerasgan.export.network import SIGNATURE, Exportable, check_new, check_whole


def saved_model(gan, path, *, batch_size=1, overwrite=False, verify=True):
    """Writes the generator as a SavedModel folder, with its sidecar `PATH.json` beside it.

    Args:
        gan: a `kerasgan.GAN`, a name of the zoo, a run folder or a `.keras` file.
        path: the folder to write.
        batch_size: of the graph; None leaves it open.
        overwrite: whether a SavedModel that is there is replaced.
        verify: whether to hold it against Keras before it gets its name.

    Returns:
        `kerasgan.export.Verification`, or None with `verify=False`.

    Raises:
        TypeError, ValueError: an argument; nothing has been done.
        FileExistsError, OSError: `path` exists, is not a SavedModel, or cannot be written.
        ToleranceError: the samples are not Keras's; nothing has been written.
    """
    if batch_size is not None:
        check_whole("batch_size", batch_size)
    path = check_new(path, "", overwrite)
    if path.is_dir() and any(path.iterdir()) and not (path / "saved_model.pb").is_file():
        raise FileExistsError(f"path {str(path)!r} is a folder with other things in it; choose another one.")
    exportable = Exportable.of(gan)
    with files.atomic_folder(path) as written:
        write(exportable, written, batch_size)
        result = comparison.check(exportable, written, "saved_model", "float32") if verify else None
        sidecar.write(sidecar.describe(exportable, "saved_model", batch_size), written, path)
    return result


def write(exportable, folder, batch_size):
    """Writes the SavedModel of an `Exportable` into `folder`, unchecked."""
    import tensorflow as tf

    module = tf.Module()
    module.weights = [weight.value for weight in exportable.network.weights]  # keras.export would write each twice
    function = concrete_function(exportable, batch_size)
    with files.system_errors(folder):
        tf.saved_model.save(module, str(folder), signatures={SIGNATURE: function})


def concrete_function(exportable, batch_size):
    """The traced graph of an `Exportable`."""
    import tensorflow as tf

    function = tf.function(exportable.function, autograph=False)
    return function.get_concrete_function(*exportable.specifications(batch_size))


def temporary_folder(parent):
    """As `kerasgan.files.scratch`: a folder in `parent`, beside what is to be written, so that renaming works."""
    if parent is not None:
        pathlib.Path(parent).mkdir(parents=True, exist_ok=True)
    return files.scratch(parent)

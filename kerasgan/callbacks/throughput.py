"""How fast a training goes, and what holds it up."""

import sys
import time

import keras
import tensorflow as tf

try:
    import resource
except ImportError:  # Windows
    resource = None

NAMES = ("samples_per_second", "data_wait", "memory_mb", "gpu_memory_mb")  # differ from run to run, as times do


class Throughput(keras.callbacks.Callback):
    """Adds to each epoch's logs how fast its steps went and how much they waited for data.

    - `samples_per_second`: real samples trained on, in a second of training steps. What callbacks take does not count,
      nor does the first step of `fit`, in which TensorFlow builds the graph, unless the epoch has no other.
    - `data_wait`: share of that time in which a step waited for its batch, 0 to 1: above about 0.05, faster reading
      (`kerasgan convert`, more memory) makes training faster. Missing on several devices.
    - `memory_mb`: the most memory that the process has had so far, in millions of bytes; missing on Windows.
    - `gpu_memory_mb`: the same of the first GPU, if there is one.

    Put it before callbacks that write logs.
    """

    def __init__(self):
        super().__init__()
        self._watching = False

    def watch(self, dataset):
        """The data set, between two looks at the clock for each batch; `GAN.fit` asks for it."""
        self._watching = True
        # They are evaluated one after the other, by the step that asks for a batch.
        now = tf.data.Dataset.counter().map(lambda _: tf.timestamp())

        def note(asked, batch, given):
            tf.numpy_function(self._add_wait, [given - asked], [])
            return batch

        return tf.data.Dataset.zip(now, dataset, now).map(note)

    def _add_wait(self, seconds):
        self._waited += float(seconds)

    def on_train_begin(self, logs=None):
        self._is_first = True

    def on_epoch_begin(self, epoch, logs=None):
        self._restart()

    def on_train_batch_begin(self, batch, logs=None):
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._spent += time.perf_counter() - self._began
        if self._is_first and batch + 1 != self.params.get("steps"):
            self._restart()
        self._is_first = False

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self._rates() | _memory())

    def on_train_end(self, logs=None):
        self._watching = False  # the next `fit` may not let it

    def _restart(self):
        self._spent = self._waited = 0.0
        self._seen = self._samples_seen()

    def _samples_seen(self):
        return int(keras.ops.convert_to_numpy(self.model.samples_seen))

    def _rates(self):
        if not self._spent:  # a stream that ended with its first batch
            return {}
        rates = {"samples_per_second": (self._samples_seen() - self._seen) / self._spent}
        return rates | ({"data_wait": min(1.0, self._waited / self._spent)} if self._watching else {})


def _memory():
    """The process's and the GPU's highest use of memory so far, as far as the system tells."""
    memory = {}
    if resource is not None:
        unit = 1 if sys.platform == "darwin" else 1024
        memory["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    if tf.config.list_logical_devices("GPU"):
        memory["gpu_memory_mb"] = tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6
    return memory

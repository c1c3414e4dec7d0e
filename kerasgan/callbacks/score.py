"""Scores while a GAN trains, and the best model so far."""

import importlib.util
import json
import pathlib

import keras

from kerasgan import files
from kerasgan.callbacks.events import Events
from kerasgan.console import say
from kerasgan.metrics.evaluation import Evaluator, check_scorable
from kerasgan.metrics.result import Result


class Score(keras.callbacks.Callback):
    """Scores the moving-average generator every few epochs, and keeps the model with the best score.

    The scores are printed, added to the epoch's logs (as `score_fid` and so on, so that `Log`, `History` and other
    callbacks that come after this one have them), drawn for TensorBoard, and written to `scores.json` with their
    protocol. Training on with the same folder goes on with that file: the best model is kept only if the protocol is
    the same.

    ```python
    score = kerasgan.callbacks.Score(kerasgan.data.images("photos/", size=64), "run/", every=5)
    gan.fit(photos, epochs=100, callbacks=[score])
    best = keras.saving.load_model("run/best.keras")
    ```

    Args:
        real: the reals, as in `kerasgan.metrics.evaluate`.
        folder: where `scores.json`, `best.keras` and `tensorboard/` go; made if it is missing.
        metrics: as in `kerasgan.metrics.evaluate`; the first one decides which model is the best.
        every: epochs between two scores. The last epoch gets one in any case.
        network, count: as in `kerasgan.metrics.evaluate`.
        seed: of the samples, the same every time.
        tensorboard: whether event files are written; None writes them if TensorBoard is installed.
        epochs: how many there will be in all, if this is not the last call of `fit`; None takes what `fit` was given.

    Attributes:
        best: the best `Result` so far; None before the first.

    Raises:
        ValueError: an argument, as in `kerasgan.metrics.evaluate`; when training begins, if the model makes its samples
            from images, which these metrics do not fit, or the folder holds scores of another protocol.
        ImportError: `tensorboard` is True and TensorBoard is not installed.
        OSError: when training begins, if nothing can be written in the folder.
    """

    def __init__(
        self,
        real,
        folder,
        metrics="fid",
        every=1,
        network=None,
        count=None,
        seed=0,
        tensorboard=None,
        epochs=None,
    ):
        super().__init__()
        if every < 1:
            raise ValueError(f"every is {every}; expected 1 or more.")
        self.folder = pathlib.Path(folder)
        self.every = every
        self.seed = seed
        self.best = None
        self._real = real
        self._arguments = {"metrics": metrics, "network": network, "count": count}
        installed = importlib.util.find_spec("tensorboard") is not None
        if tensorboard and not installed:
            raise ImportError('tensorboard=True needs TensorBoard: pip install "kerasgan[tensorboard]"')
        writes_events = installed if tensorboard is None else tensorboard
        self._events = Events(self.folder / "tensorboard") if writes_events else None
        self._epochs = epochs
        self._evaluator = None
        self._epoch = self._scored = 0

    def on_train_begin(self, logs=None):
        check_scorable(self.model)
        files.check_folder(self.folder)
        if self._evaluator is None:
            evaluator = Evaluator(self._real, self.model.media, **self._arguments)
            evaluator.check(self.model)
            evaluator.read()
            self._evaluator = evaluator
        if self._events is not None:
            self._events.keep_until(int(self.model.samples_seen))
        self._rows = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._rows is None:
            self._rows = [row for row in read(self.folder) if 0 < row["epoch"] <= epoch]
            for row in self._rows:
                self._keep_best(row["scores"])

    def on_epoch_end(self, epoch, logs=None):
        self._epoch = epoch + 1
        if self._epoch % self.every == 0 or self._epoch == (self._epochs or self.params["epochs"]):
            self._score({} if logs is None else logs)

    def on_train_end(self, logs=None):
        if self.model.stop_training and self._scored != self._epoch:
            self._score({})
        if self._events is not None:
            self._events.close()

    def _score(self, logs):
        scores = self._evaluator.score(self.model, self.seed)
        is_best = self._keep_best(scores)  # refuses another protocol before anything is written
        self._rows.append({"epoch": self._epoch, "scores": scores})
        self._write()
        if is_best:
            with files.atomic(self.folder / "best.keras") as temporary:
                self.model.save(temporary)
        logs.update({f"score_{score.metric}": score.value for score in scores})
        if self._events is not None:
            self._events.write(int(self.model.samples_seen), {f"score/{s.metric}": s.value for s in scores})
        self._scored = self._epoch
        best = f"; best {self.best.value:.4g}" if self.best is not None else ""
        say(f"epoch {self._epoch}: {', '.join(f'{s.label} {s.value:.4g}' for s in scores)}{best}")

    def _keep_best(self, scores):
        first = scores[0]
        if first.higher_is_better is None:
            return False
        if self.best is None or first.better_than(self.best):
            self.best = first
            return True
        return False

    def _write(self):
        rows = [{"epoch": 0, "scores": self._evaluator.floor()}, *self._rows]
        rows = [{**row, "scores": [score.to_dict() for score in row["scores"]]} for row in rows]
        with files.atomic(self.folder / "scores.json") as temporary:
            temporary.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def read(folder):
    """What `Score` has written in a folder: [{"epoch": number, "scores": [Result]}]; epoch 0 is the floor.

    Raises:
        ValueError: `scores.json` there holds something else.
    """
    path = pathlib.Path(folder) / "scores.json"
    if not path.is_file():
        return []
    return files.read_json(path, _checked, "was not written by kerasgan.callbacks.Score", ".")


def _checked(rows):
    """The rows of the file with their scores as `Result`s."""
    found = []
    for row in rows:
        if type(row["epoch"]) is not int or not row["scores"]:
            raise ValueError(f"its rows are not those of scores: {str(row)[:100]}")
        found.append({"epoch": row["epoch"], "scores": [Result.from_dict(score) for score in row["scores"]]})
    return found

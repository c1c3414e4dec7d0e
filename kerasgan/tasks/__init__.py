"""Tasks: what models are for. Each is a file with one class, which knows all that depends on the verb.

The library's are `generate`, `translate`, `upscale`, `continue`, `complete` and `score`; of `generate` and `upscale`
others are derived, for rows of tables, for texts, for images of texts and for samples that are no images. One of your
own is registered, and its verb becomes a command of this process:

```python
class Ranking(kerasgan.tasks.Task):
    verb = "rank"
    ...

class MyGame(kerasgan.Game):
    task = kerasgan.tasks.register(Ranking())
```

Nothing here imports TensorFlow before a command does its work. Games know their tasks, so that tasks know nothing of
what is built on games: names, run folders and recipes' data they reach as a user does, through `kerasgan` itself.
"""

from kerasgan.tasks.base import Task
from kerasgan.tasks.completion import COMPLETION
from kerasgan.tasks.continuation import CONTINUATION
from kerasgan.tasks.flows import FLOW_UPSCALING
from kerasgan.tasks.generation import GENERATION
from kerasgan.tasks.scoring import SCORING
from kerasgan.tasks.table_generation import TABLE_GENERATION
from kerasgan.tasks.text_generation import TEXT_GENERATION
from kerasgan.tasks.text_to_image import TEXT_TO_IMAGE
from kerasgan.tasks.translation import TRANSLATION
from kerasgan.tasks.upscaling import UPSCALING

__all__ = [
    "COMPLETION",
    "CONTINUATION",
    "FLOW_UPSCALING",
    "GENERATION",
    "SCORING",
    "TABLE_GENERATION",
    "TEXT_GENERATION",
    "TEXT_TO_IMAGE",
    "TRANSLATION",
    "UPSCALING",
    "Task",
    "every",
    "known",
    "register",
]

_known = {task.verb: task for task in (GENERATION, TRANSLATION, UPSCALING, CONTINUATION, COMPLETION, SCORING)}


def known():
    """All tasks: the library's, then those that were registered."""
    return list(_known.values())


def every():
    """All that are known, and those that are derived from them for other kinds of samples: who have flags of scores."""
    return [*known(), TABLE_GENERATION, TEXT_GENERATION, TEXT_TO_IMAGE, FLOW_UPSCALING]


def register(task):
    """Adds a task of your own: its verb is a command of `kerasgan` in this process.

    Args:
        task: an object of a class derived from `Task`, with a `verb` of its own.

    Returns:
        The task, which is the class attribute `task` of the GAN types that it is for.

    Raises:
        TypeError: not a task.
        ValueError: the verb is no plain word, or that of another task.
    """
    if not isinstance(task, Task):
        raise TypeError(f"task is a {type(task).__name__}; expected an object of a class derived from Task.")
    if not task.verb.isidentifier():
        raise ValueError(f"verb={task.verb!r}: expected a word, which becomes a command.")
    if task.verb in _known and type(_known[task.verb]) is not type(task):
        raise ValueError(f"verb={task.verb!r} is taken by {type(_known[task.verb]).__name__}; choose another one.")
    return _known.setdefault(task.verb, task)

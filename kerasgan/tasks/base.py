"""Task: what a model is for, and all that follows from it."""

import shlex


class Task:
    """What a kind of model is for: the verb, and what else the library has to know of it.

    A GAN type has one as its class attribute `task`, and, where it can do more, others as `further_tasks`, of which
    nothing but the command is used. A task holds no state; what it is asked for comes with the model.
    This one is that of a game that nothing is known of: it has no command and no scores.

    Attributes:
        command: the click command `kerasgan VERB` (see `kerasgan.commands`), or None. What can be checked before
            TensorFlow is imported, it checks before.
        verb: the command `kerasgan VERB`, and the method of the model, unless that has a name of its own.
        method: that name; None where it is the verb.
        does: what models do, in a sentence about one: "translates images".
        starts_from: what samples are made from: "latents", "images".
        makes_new_samples: whether samples come from nothing, so that one that equals a real one is a finding.
        shows_nearest: whether a report shows what of the data is nearest to samples, as a feature network sees them.
        scored_as_a_set: whether `kerasgan.metrics.METRICS` score its samples, also while it trains.
        metrics: names of the scores that `evaluate` knows, the best-known ones first.
        metrics_help: what `kerasgan evaluate --help` says of them.
        options: names of the arguments of `evaluate` besides those that all tasks have.
        score_options: those that the command has, as `click.Option`s without defaults: what is not given is not passed
            on. One that another task has, too, is that task's.
        on_page: whether the page that `kerasgan serve` shows has a place for what models make.
        flags_of_use: an example of what follows the model's name in a command.
        hub_pipelines: what the Hugging Face Hub calls the task, {kind of sample: name}, where it has a name for it.
    """

    command = None
    verb = ""
    method = None
    does = "makes samples of its own kind"
    starts_from = "something else"
    makes_new_samples = False
    shows_nearest = False
    scored_as_a_set = False
    metrics = ()
    metrics_help = ""
    options = ()
    score_options = ()
    on_page = True
    flags_of_use = ""
    hub_pipelines = {}

    # The command ---------------------------------------------------------------------------------------------------

    def open(self, name):
        """The model of a name, run folder or file, if it is one for this task.

        Raises:
            ValueError, OSError: as `kerasgan.load`; or it is a model for another task.
        """
        import kerasgan

        gan = kerasgan.runs.load(name, compile=False)
        if self.verb not in [task.verb for task in (gan.task, *gan.further_tasks)]:
            hint = f": use {gan.task.use(name)}" if gan.task.verb else ""
            raise ValueError(f"{name!r} is a {type(gan).__name__}, which cannot {self.verb}{hint}.")
        return gan

    def use(self, name):
        """The command that makes use of a model, as far as the model decides; "" without one."""
        return f"kerasgan {self.verb} {shlex.quote(str(name))}" if self.verb else ""

    def is_on_page(self, recipe):
        """Whether the page has a place for the model of a recipe: for all of a task's, or for some."""
        return self.on_page

    # What a model makes --------------------------------------------------------------------------------------------

    def examples(self, gan, count, seed=None):
        """Samples of the model in natural units, made of what follows from the seed alone.

        Args:
            gan: the model.
            count: how many.
            seed: integer; the same seed gives the same samples.
        """
        raise NotImplementedError(f"{type(self).__name__} makes no examples: give it a method `examples`.")

    def finish(self, gan, recipe, source):
        """What is done once when the training of a model has ended, before others take it. Nothing here.

        Args:
            gan: the model.
            recipe: `kerasgan.registry.Recipe`.
            source: the data, as in `kerasgan.runs.train`.

        Returns:
            Whether the model has changed, and is to be saved once more.
        """
        return False

    def ways(self, gan, count, steps, seed):
        """`count` ways of `steps` samples each from one sample to another, or None where there are no such ways."""
        return None

    def sweeps(self, gan, count, seed):
        """Samples along `count` directions, those of one after those of the other, or None where there are none.

        Of each direction two samples, at five strengths each; fewer directions where latents have no more.
        """
        return None

    def truncations(self, gan, count, seed):
        """[(truncation, `count` samples with it)] from all to the most typical ones, or None where there is none."""
        return None

    def mixtures(self, gan, count, seed):
        """A grid of (count + 1)^2 samples, or None: the first row and column, and what has something of both."""
        return None

    # Scores --------------------------------------------------------------------------------------------------------

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, **options):
        """Scores a model on the data of its recipe.

        Args:
            gan: the model.
            recipe: `kerasgan.registry.Recipe`.
            source: the data, as in `kerasgan.runs.train`.
            metrics: names, in a sequence or separated by commas; None takes the usual ones.
            subset: another part of the source than the recipe's.
            split, model: what the records call the part of the data and the model.
            network: feature network, as in `kerasgan.metrics.evaluate`.
            progress: whether bars are shown.
            options: those of `options` that were given.

        Returns:
            A list of `kerasgan.metrics.Result`.
        """
        raise ValueError(f"{model!r} is a {type(gan).__name__}, for which kerasgan has no scores.")

    # The card of a pretrained model --------------------------------------------------------------------------------

    def show_data(self, gan, recipe, source, count):
        """Has the model show what it makes of `count` images of the data, where it makes samples from images."""
        raise ValueError(f"data: {recipe.name!r} does not make its samples from images, and shows none of the data.")

    def sheets_caption(self, gan, seeds, in_columns):
        """(what the sheet of samples shows, what the one with more of them is introduced by).

        Args:
            gan: the model.
            seeds: of both sheets.
            in_columns: whether each column holds a class.
        """
        return "samples of the model", "More of them"

    def call(self, gan, data):
        """The line of Python that makes use of `gan`; `data` are the arguments of the reader that suits it."""
        return f"gan.{self.method or self.verb}(...)"

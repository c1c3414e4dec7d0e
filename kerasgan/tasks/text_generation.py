"""`generate` of texts."""

from kerasgan.tasks.generation import Generation


class TextGeneration(Generation):
    """What a model is for that writes texts."""

    does = "writes texts"
    starts_from = "latents and what texts begin with"
    shows_nearest = False
    scored_as_a_set = False  # by images' metrics; it has its own
    metrics = ("copies", "duplicates", "pronounceable", "bleu", "self_bleu")
    metrics_help = "of texts copies, duplicates, pronounceable, bleu, self_bleu (all by default)"
    options = ("count", "seed")
    hub_pipelines = {"text": "text-generation"}
    asks = ("prefix",)
    flags_of_use = "-n 40 --seed 7 -o texts.txt"

    def wanted(self, gan, asked):
        super().wanted(gan, asked)
        return asked

    def ways(self, gan, count, steps, seed):
        return gan.interpolate(count, steps, seed=seed)

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, **options):
        """Scores texts by `kerasgan.metrics.evaluate_texts`, on the part of the data that the recipe keeps apart.

        Of a recipe that keeps none apart, it is every tenth line, which the model has seen.
        """
        from kerasgan.metrics import evaluate_texts

        if recipe.data.get("part"):
            train, test = (self._lines(recipe, source, {"part": part}) for part in ("train", "test"))
            split = "every tenth line, kept apart"
        else:
            train = self._lines(recipe, source, {})
            test, split = train[9::10], "every tenth line, not kept apart"
        if subset is not None:
            test, split = self._lines(recipe, source, {"subset": subset, "part": None}), subset
        return evaluate_texts(gan, train, test, metrics, model=model, split=split, **options)

    def _lines(self, recipe, source, changes):
        """Lines of the recipe's data."""
        import inspect

        from kerasgan import data

        known = inspect.signature(data.lines).parameters
        arguments = {name: value for name, value in recipe.data.items() if name in known}
        return data.lines(source, **{**arguments, **changes})

    def call(self, gan, data):
        return "texts = gan.generate(40, seed=7)"


TEXT_GENERATION = TextGeneration()

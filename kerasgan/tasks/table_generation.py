"""`generate` of rows of tables."""

import click

from kerasgan.tasks.generation import Generation


class TableGeneration(Generation):
    """What a model is for that makes rows of tables."""

    does = "makes rows of a table"
    starts_from = "latents and conditions"
    shows_nearest = False
    scored_as_a_set = False  # by images' metrics; it has its own
    metrics = ("marginals", "pairwise", "detection", "efficacy", "closest", "copies")
    metrics_help = "of tables marginals, pairwise, detection, efficacy, closest, copies (all by default)"
    options = ("count", "seed", "target")
    score_options = (click.Option(["--target"], help="Of a table: the column that scores predict."),)
    asks = ("where",)
    flags_of_use = "-n 1000 --seed 7"

    def wanted(self, gan, asked):
        from kerasgan.media.wanted import parse

        super().wanted(gan, asked)
        conditions = {}
        for text in asked.get("where", ()):
            name, value = parse(text, gan.media.names)
            if name in conditions:
                raise ValueError(f"--where names the column {name!r} twice; a range is written {name}=LEAST..MOST.")
            conditions[name] = value
        return {"conditions": conditions} if conditions else {}

    def ways(self, gan, count, steps, seed):
        return None  # of rows of a table, there is nothing to see between two

    def sweeps(self, gan, count, seed):
        return None  # nor along directions

    def truncations(self, gan, count, seed):
        return None

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, **options):
        """Scores rows by `kerasgan.metrics.evaluate_tables`, on the part of the data that the recipe keeps apart.

        Of a recipe that keeps none apart, it is every tenth row, which the model has seen.
        """
        from kerasgan.metrics import evaluate_tables

        if recipe.data.get("part"):
            train, test = (self._frame(recipe, source, {"part": part}) for part in ("train", "test"))
            split = recipe.data.get("test_subset") or "every tenth row, kept apart"
        else:
            train = self._frame(recipe, source, {})
            test, split = train.iloc[9::10].reset_index(drop=True), "every tenth row, not kept apart"
        if subset is not None:
            test, split = self._frame(recipe, source, {"subset": subset, "part": None, "test_subset": None}), subset
        return evaluate_tables(gan, train, test, metrics, model=model, split=split, **options)

    def _frame(self, recipe, source, changes):
        """Rows of the recipe's data, as the model knows their columns."""
        import inspect

        from kerasgan import data

        known = inspect.signature(data.frame).parameters
        arguments = {name: value for name, value in recipe.data.items() if name in known}
        return data.frame(source, **{**arguments, **changes}, fitted=recipe.fitted)

    def sheets_caption(self, gan, seeds, in_columns):
        first, second = seeds
        count = gan.media.samples_on_sheet
        shown = f"columns of {count:,} rows of seed {first} beside the data's, and how they depend on each other"
        return shown, f"Those of seed {second}"

    def call(self, gan, data):
        return "rows = gan.generate(1000, seed=7)"


TABLE_GENERATION = TableGeneration()

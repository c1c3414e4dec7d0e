"""`generate` of rows of tables."""

from kerasgan.tasks.generation import Generation


class TableGeneration(Generation):
    """What a model is for that makes rows of tables."""

    does = "makes rows of a table"
    scored_as_a_set = False  # by metrics of its own
    flags_of_use = "-n 1000 --seed 7"

    def call(self, gan, data):
        return "rows = gan.generate(1000, seed=7)"

    def ways(self, gan, count, steps, seed):
        return None


TABLE_GENERATION = TableGeneration()

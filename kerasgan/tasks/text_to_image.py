"""`generate` of images that show what a text says."""

from kerasgan.tasks.generation import Generation


class TextToImageGeneration(Generation):
    """What a `kerasgan.text_to_image.TextToImage` is for."""

    does = "makes images of texts"
    starts_from = "latents and texts"
    scored_as_a_set = False  # whose texts would have to be those of the reals; it has its own
    metrics = ("r_precision", "colors", "diversity", "kid")
    metrics_help = "of images of texts r_precision, colors, diversity, kid (all by default)"
    options = ("seed",)
    hub_pipelines = {"image": "text-to-image"}
    asks = ("text",)
    flags_of_use = '--text "a red heart" -n 8 --seed 7'

    def wanted(self, gan, asked):
        super().wanted(gan, asked)
        texts = asked.get("text", ())
        return {"text": texts[0] if len(texts) == 1 else list(texts)} if texts else {}

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, **options):
        """Scores images of the training's texts, and of those that the recipe keeps apart, by `evaluate_captioned`."""
        import kerasgan
        from kerasgan.metrics import evaluate_captioned

        parts = {"": kerasgan.runs.read_whole(recipe, source, subset)}
        if recipe.data.get("part"):
            apart = kerasgan.runs.changed(recipe, {"data.part": "test"})
            parts["of texts kept apart"] = kerasgan.runs.read_whole(apart, source, subset)
        return evaluate_captioned(gan, parts, metrics, network=network, model=model, split=split, **options)

    def call(self, gan, data):
        return 'samples = gan.generate(8, text="a red heart", seed=7)'


TEXT_TO_IMAGE = TextToImageGeneration()

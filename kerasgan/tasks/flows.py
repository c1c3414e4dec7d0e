"""`upscale` of sequences of what flows."""

from kerasgan.tasks.upscaling import Upscaling


class FlowUpscaling(Upscaling):
    """What a model is for that makes sequences of smoke finer."""

    does = "upscales sequences of smoke"
    starts_from = "sequences"
    metrics = ("spectrum", "warp", "mass", "psnr")
    metrics_help = ""  # see the registered task
    flags_of_use = "low.npz"
    endings = (".npz", ".webp", ".gif", ".png")

    def read(self, path):
        """A sequence, float32 (frames, height, width, 3), from a `.npz` file."""
        from kerasgan.data.fields import sequence

        return sequence(path)

    def size(self, image):
        frames, height, width, _ = image.shape
        return f"{frames} frames of {width}x{height}"

    def examples(self, gan, count, seed=None):
        low = gan.shrunk(gan.made_up(gan.media, count, seed))
        return gan.upscale(low, tile=8, overlap=2)

    def originals(self, source, subset):
        from kerasgan.data.fields import sequences

        return sequences(source, subset)

    def protocol(self):
        from kerasgan.metrics import evaluate_flows

        return evaluate_flows

    def show_data(self, gan, recipe, source, count):
        """Tiles of sequences, which need not be those that it was trained on."""
        from kerasgan import data

        arguments = {"frames": gan.media.shape[0], "per_sequence": count, "flip": False, "rotate": False, "seed": 1}
        tiles = data.fields(source, gan.media.shape[1], count, **arguments)
        gan.remember(gan.media.to_natural(next(iter(tiles)).numpy()))

    def sheets_caption(self, gan, seeds, in_columns):
        shown = (
            "three frames of random tiles as the bicubic kernel enlarges them, as the model does, and as they were "
            "before they were averaged"
        )
        return shown, "More of them"

    def call(self, gan, data):
        return 'larger = gan.upscale(kerasgan.data.sequence("low.npz"))'


FLOW_UPSCALING = FlowUpscaling()

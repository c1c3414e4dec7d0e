"""Letters in pictures: fonts that come with matplotlib, the same on every machine."""

from PIL import ImageFont


def font(size, name="DejaVuSans"):
    """A Pillow font of a size in pixels; "DejaVuSansMono" has letters of one width."""
    import matplotlib  # takes a while

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", size)

"""How often networks halve and double images, which follows from the images' size."""


def upsampling_stages(image_shape):
    """How often a generator doubles: from a shorter side of 4, or an odd one.

    (64, 64) has 4 stages from 4x4, (28, 28) has 2 from 7x7.

    Raises:
        ValueError: `image_shape` is not (height, width, channels), or cannot be halved twice.
    """
    if len(image_shape) != 3 or image_shape[2] not in (1, 3, 4):
        raise ValueError(
            f"image_shape={tuple(image_shape)}: expected (height, width, channels) with 1 (grey), 3 (RGB) or 4 (RGBA) "
            "channels."
        )
    height, width, _ = image_shape
    stages = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > 4:
        height, width, stages = height // 2, width // 2, stages + 1
    if stages < 2:
        raise ValueError(
            f"image_shape={tuple(image_shape)}: height and width must be multiples of 4, at least 16 "
            "(multiples of 16 are best)."
        )
    return stages


def stage_widths(image_shape, width, max_width):
    """Channels of each stage, from the image's size down to the smallest maps: doubled until `max_width`.

    Raises:
        ValueError: as `upsampling_stages`.
    """
    return [min(width * 2**stage, max_width) for stage in range(upsampling_stages(image_shape) + 1)]


def downsampling_stages(image_shape):
    """How often a discriminator halves: down to a shorter side of 4 or less, odd sides rounded up.

    Only there does a convolution see most of the image, so that what belongs together is judged together: (28, 28) has
    3 stages, by 14 and 7 to 4.

    Raises:
        ValueError: as `upsampling_stages`.
    """
    stages = upsampling_stages(image_shape)
    side = min(image_shape[:2]) // 2**stages
    while side > 4:
        side, stages = -(-side // 2), stages + 1
    return stages


def halvings(image_shape, name="image_shape"):
    """How often a U-Net halves: down to a shorter side of 1, or an odd one.

    (256, 256) is halved 8 times, as in the paper, (64, 64) 6 times, (48, 64) 4 times, to 3x4.

    Raises:
        ValueError: `image_shape` is not (height, width, channels), or cannot be halved 3 times.
    """
    if len(image_shape) != 3 or image_shape[2] not in (1, 3, 4):
        raise ValueError(
            f"{name}={tuple(image_shape)}: expected (height, width, channels) with 1 (grey), 3 (RGB) or 4 (RGBA) "
            "channels."
        )
    height, width, _ = image_shape
    count = 0
    while height % 2 == 0 and width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    if count < 3:
        raise ValueError(
            f"{name}={tuple(image_shape)}: height and width must be multiples of 8 (powers of 2 are best: a U-Net goes "
            "down to a single pixel)."
        )
    return count

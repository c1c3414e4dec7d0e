"""What happens to the pixels of an image: crop, resize, channels, transparency, rotation."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from pictures import encode, plain, to_pixels
from PIL import Image

from kerasgan.data import images
from kerasgan.data.files import BadSample
from kerasgan.data.pixels import to_whole_pixels

RANDOM = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def read(write, content, size, **options):
    """What becomes of one file, as uint8."""
    write("picture", content)
    ((pixels,),) = (to_pixels(batch) for batch in images(write.root, size, 1, **options))
    return pixels


def coordinates(height, width):
    """A picture whose red is the column and whose green is the row."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, 0 * rows], -1).astype(np.uint8)


# Crop and resize --------------------------------------------------------------------------------------------------


def test_an_image_of_the_right_size_is_not_touched(write):
    np.testing.assert_array_equal(read(write, encode(RANDOM), (20, 30)), RANDOM)


@pytest.mark.parametrize(
    ("height", "width", "size", "top", "left"),
    [(20, 30, 20, 0, 5), (30, 20, 20, 5, 0), (20, 31, 20, 0, 5), (12, 40, (12, 24), 0, 8), (40, 12, (24, 12), 8, 0)],
)
def test_center_keeps_the_middle(write, height, width, size, top, left):
    picture = coordinates(height, width)
    pixels = read(write, encode(picture), size)
    expected = (size, size) if isinstance(size, int) else size
    np.testing.assert_array_equal(pixels, picture[top : top + expected[0], left : left + expected[1]])


def test_a_box_is_cut_out_in_source_pixels(write):
    pixels = read(write, encode(RANDOM), (6, 8), crop=[3, 5, 8, 6])
    np.testing.assert_array_equal(pixels, RANDOM[5:11, 3:11])


def test_a_box_is_cut_out_before_resizing(write):
    pixels = read(write, encode(RANDOM), 5, crop=(4, 2, 10, 10))
    expected = Image.fromarray(RANDOM[2:12, 4:14]).resize((5, 5), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(("height", "width", "rows", "columns"), [(8, 16, (4, 12), (0, 16)), (16, 4, (0, 16), (6, 10))])
def test_pad_keeps_everything_and_fills_with_black(write, height, width, rows, columns):
    pixels = read(write, encode(np.full((height, width, 3), 200)), 16, crop="pad")
    expected = np.zeros((16, 16, 3), np.uint8)
    expected[slice(*rows), slice(*columns)] = 200
    np.testing.assert_array_equal(pixels, expected)


def test_pad_fills_with_transparency_where_there_is_alpha(write):
    pixels = read(write, encode(np.full((8, 16, 3), 200)), 16, crop="pad", channels=4)
    assert (pixels[:4] == 0).all() and (pixels[12:] == 0).all()
    assert (pixels[4:12] == [200, 200, 200, 255]).all()


def test_pad_scales_down_with_antialiasing(write):
    pixels = read(write, encode(RANDOM), (10, 10), crop="pad")
    expected = Image.fromarray(RANDOM).resize((10, 7), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pixels[1:8], expected)


def test_resizing_is_antialiased(write):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    pixels = read(write, encode(stripes), 16)
    assert np.ptp(pixels[:, 2:-2].astype(int)) <= 4 and abs(pixels.mean() - 127.5) < 3


def test_large_photographs_are_decoded_small_and_look_the_same(write):
    smooth = np.array(Image.fromarray(RANDOM).resize((600, 400), Image.Resampling.BICUBIC))
    content = encode(smooth, "JPEG", quality=95)
    for crop, box in (("center", (100, 0, 500, 400)), ((37, 53, 301, 333), (37, 53, 338, 386))):
        pixels = read(write, content, 16, crop=crop).astype(int)
        expected = np.array(Image.fromarray(smooth).resize((16, 16), Image.Resampling.BICUBIC, box=box)).astype(int)
        assert np.abs(pixels - expected).max() <= 12 and np.abs(pixels - expected).mean() < 2


# Rotation ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_exif_rotation_is_undone(write, kind):
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :12], upright[8:, 12:], upright[8:, :12] = 255, 128, (0, 0, 255)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: upright.swapaxes(0, 1)[::-1],
        7: upright.swapaxes(0, 1)[::-1, ::-1],
        8: upright.swapaxes(0, 1)[:, ::-1],
    }
    quality = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    for orientation, pixels in stored.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        write(f"{orientation}.{kind.lower()}", encode(pixels, kind, exif=exif.tobytes(), **quality))
    (pictures,) = (to_pixels(batch).astype(int) for batch in images(write.root, (16, 24), 8, shuffle=False))
    np.testing.assert_allclose(pictures, np.tile(upright, (8, 1, 1, 1)), atol=3)
    options = {"crop": (0, 8, 6, 8), "shuffle": False}  # the box counts in upright pixels
    (corners,) = (to_pixels(batch).astype(int) for batch in images(write.root, (8, 6), 8, **options))
    np.testing.assert_allclose(corners, np.tile((0, 0, 255), (8, 8, 6, 1)), atol=3)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_cost_the_image(write):
    pixels = read(write, encode(plain(9), "JPEG", exif=b"Exif\0\0MM\0*nonsense"), 8)
    assert abs(int(pixels[0, 0, 0]) - 9) <= 3


# Channels ---------------------------------------------------------------------------------------------------------


def test_grey_to_every_number_of_channels(write):
    grey = RANDOM[..., 0]
    np.testing.assert_array_equal(read(write, encode(grey), (20, 30), channels=1)[..., 0], grey)
    np.testing.assert_array_equal(read(write, encode(grey), (20, 30)), np.stack([grey] * 3, -1))
    opaque = np.full_like(grey, 255)
    np.testing.assert_array_equal(read(write, encode(grey), (20, 30), channels=4), np.stack([grey] * 3 + [opaque], -1))


def test_rgb_to_grey_is_luma_and_to_rgba_is_opaque(write):
    grey = read(write, encode(RANDOM), (20, 30), channels=1)[..., 0]
    np.testing.assert_allclose(grey, RANDOM @ [0.299, 0.587, 0.114], atol=1)
    alpha = read(write, encode(RANDOM), (20, 30), channels=4)
    np.testing.assert_array_equal(alpha[..., :3], RANDOM)
    assert (alpha[..., 3] == 255).all()


def test_transparency_is_laid_over_white_without_alpha(write):
    picture = np.zeros((4, 4, 4), np.uint8)
    picture[...] = (200, 0, 100, 128)
    picture[0] = (0, 255, 0, 0)
    pixels = read(write, encode(picture), 4)
    assert (pixels[0] == 255).all()
    np.testing.assert_allclose(pixels[1:], np.broadcast_to([227, 127, 177], (3, 4, 3)), atol=1)
    assert (read(write, encode(picture), 4, channels=1)[0] == 255).all()


def test_hidden_colours_of_transparent_pixels_are_removed(write):
    picture = np.random.default_rng(1).integers(0, 256, (8, 8, 4), np.uint8)
    picture[:4, :, 3] = 0
    picture[4:, :, 3] = 255
    pixels = read(write, encode(picture), 8, channels=4)
    assert (pixels[:4] == 0).all()
    np.testing.assert_array_equal(pixels[4:], picture[4:])


def test_hidden_colours_do_not_bleed_when_resizing(write):
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[...] = (0, 255, 0, 0)
    picture[8:24, 8:24] = (255, 0, 0, 255)
    pixels = read(write, encode(picture), 12, channels=4)
    seen = pixels[..., 3] > 16
    assert seen.any() and (pixels[..., 1] == 0).all() and (pixels[seen][:, 0] > 240).all()


def test_palettes_with_transparency(write):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    path = write("picture", b"")
    image.save(path, "PNG", transparency=1)
    pixels = read(write, path.read_bytes(), 2, channels=4)
    np.testing.assert_array_equal(pixels[0], [[255, 0, 0, 255], [0, 0, 0, 0]])
    image.save(path, "GIF", transparency=1)
    np.testing.assert_array_equal(read(write, path.read_bytes(), 2)[0], [[255, 0, 0], [255, 255, 255]])


def test_sixteen_bits_a_channel_are_scaled(write):
    picture = np.arange(16, dtype=np.uint16).reshape(4, 4) * 17 * 257
    path = write("picture", b"")
    for kind in ("PNG", "TIFF"):
        Image.fromarray(picture).save(path, kind)
        pixels = read(write, path.read_bytes(), 4, channels=1)
        np.testing.assert_array_equal(pixels[..., 0], np.arange(16).reshape(4, 4) * 17)


def test_cmyk_and_black_and_white(write):
    path = write("picture", b"")
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(path, "JPEG", quality=100)
    assert (np.abs(read(write, path.read_bytes(), 8).astype(int) - (255, 0, 0)) <= 4).all()
    Image.fromarray(np.eye(8) > 0).save(path, "PNG")
    np.testing.assert_array_equal(read(write, path.read_bytes(), 8, channels=1)[..., 0], np.eye(8) * 255)


def test_floating_point_pixels_are_refused(write):
    path = write("picture", b"")
    Image.fromarray(np.ones((8, 8), np.float32)).save(path, "TIFF")
    with pytest.raises(ValueError, match="picture: floating-point pixels"):
        images(write.root, 8, 1)


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_usual_formats_are_read(write, kind):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100}}.get(kind, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = read(write, encode(plain(100), kind, **options), 8)
    assert np.abs(pixels.astype(int) - plain(100)).max() <= 2


# Other bits and colour spaces ----------------------------------------------------------------------------------------


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(numbers, depth, colour, transparent=None):
    """A PNG file of one row: bytes, bits a channel, colour type, level that is transparent."""
    width = len(numbers) * 8 // depth // {0: 1, 2: 3}[colour]
    key = b"" if transparent is None else chunk(b"tRNS", np.array(transparent, ">u2").tobytes())
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + key + chunk(b"IDAT", zlib.compress(b"\0" + numbers)) + chunk(b"IEND", b"")


def tiff(numbers, bits, black=1, kind=1):
    """A TIFF file of one row of grey; 0 is black (1) or white (0); unsigned (1), with a sign (2), or floats (3)."""
    content = np.asarray(numbers).tobytes()
    tags = {256: len(content) * 8 // bits, 257: 1, 258: bits, 259: 1, 262: black}
    tags |= {273: 8 + 2 + 12 * 10 + 4, 277: 1, 278: 1, 279: len(content), 339: kind}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + content


SIXTEEN = np.array([0, 1000, 40000, 65535], ">u2").tobytes()
COLOURS = np.array([[0, 0, 0], [40000, 1, 2], [65535, 65535, 65535], [40000, 1000, 2]], ">u2").tobytes()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(SIXTEEN, 16, 0), [0, 3, 155, 255]),
        (png(SIXTEEN, 16, 0, 40000), [0, 3, None, 255]),
        (png(COLOURS, 16, 2, [40000, 1, 2]), [0, None, 255, (156, 3, 0)]),
        (png(bytes([0b00011011]), 2, 0, 2), [0, 85, None, 255]),
        (png(bytes([0x0F, 0x7A]), 4, 0, 7), [0, 255, None, 170]),
        (png(bytes([0b00110101]), 1, 0, 0), [None, None, 255, 255, None, 255, None, 255]),
        (tiff(np.array([0, 1000, 40000, 65535], "<u2"), 16), [0, 3, 155, 255]),
        (tiff(np.array([0, 1000, 40000, 65535], "<u2"), 16, black=0), [255, 251, 99, 0]),
        (tiff(np.frombuffer(bytes([0xFF, 0xF0, 0, 0x80, 1, 0]), np.uint8), 12), [255, 0, 127, 15]),
    ],
)
def test_levels_of_any_depth_and_transparency_are_what_they_mean(content, expected):
    pixels = to_whole_pixels(content, 4)[0]
    seen = [None if a == 0 else (r, g, b) if r != g else r for r, g, b, a in pixels.tolist()]
    assert seen == expected
    laid_on_white = to_whole_pixels(content, 3)[0].tolist()
    assert [a for a, b in zip(laid_on_white, expected, strict=True) if b is None] == [[255] * 3] * expected.count(None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tiff(np.array([0, 1000, 2**31, 9], "<u4"), 32), "32 bits or with a sign, of which white is unknown"),
        (tiff(np.array([0, 1000, -5, 9], "<i4"), 32, kind=2), "32 bits or with a sign"),
        (tiff(np.array([0, 1000, -5, 9], "<i2"), 16, kind=2), "32 bits or with a sign"),
        (tiff(np.array([0, 100, -5, 9], "<i1"), 8, kind=2), "a sign, of which black is unknown"),
        (tiff(np.array([0, 0.5, 1, 9], "<f4"), 32, kind=3), "floating-point pixels"),
        (tiff(np.array([0, 1000, 3000, 4095], "<u2"), 16), "16 bits of which none exceeds 4095"),
        (tiff(np.array([0, 100, 200, 255], "<u2"), 16), "16 bits of which none exceeds 4095"),
        (png((np.frombuffer(COLOURS, ">u2") // 256).astype(">u2").tobytes(), 16, 2), "16 bits of which none exceeds"),
        (png((np.frombuffer(COLOURS, ">u2") // 16).astype(">u2").tobytes(), 16, 2), "16 bits of which none exceeds"),
    ],
)
def test_levels_whose_meaning_nobody_can_tell_are_refused(content, reason):
    for channels in (None, 1, 3, 4):
        with pytest.raises(BadSample, match=reason):
            to_whole_pixels(content, channels)


@pytest.mark.parametrize("cache", [True, False])
def test_they_are_named_and_the_others_read(write, cache):
    write("good.png", encode(plain(7)))
    write("odd.tif", tiff(np.array([0, 1000, 3000, 4095], "<u2"), 16))
    with pytest.warns(UserWarning, match="odd.tif.*16 bits of which none exceeds 4095"):
        seen = next(iter(images(write.root, 8, 1 if cache else 2, cache=cache)))
    assert (to_pixels(seen)[:, 0, 0, 0] == 7).all()


def test_black_pictures_of_16_bits_are_black():
    assert not to_whole_pixels(png(bytes(24), 16, 0), 1).any()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("YCbCr", (76, 85, 255), (254, 0, 0)),
        ("LAB", (138, 209, 198), (251, 5, 4)),  # Pillow has a and b from 0 to 255
        ("LA", (200, 255), (200, 200, 200)),
    ],
)
def test_other_colour_spaces_become_rgb(mode, colour, expected):
    file = io.BytesIO()
    Image.new(mode, (8, 8), colour).save(file, "TIFF")
    for channels in (1, 3, 4):
        pixels = to_whole_pixels(file.getvalue(), channels).astype(int)
        wanted = {1: [np.dot(expected, [0.299, 0.587, 0.114])], 3: expected, 4: (*expected, 255)}[channels]
        assert np.abs(pixels - wanted).max() <= 3


@pytest.mark.filterwarnings("ignore:Image size")
def test_pictures_that_claim_to_be_huge_are_refused_before_they_are_read(write, monkeypatch):
    content = png(bytes(40), 8, 0)
    for width, height in ((2**14, 10_900), (50_000, 50_000)):  # 179 and 2500 megapixels
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        write("huge.png", content[:8] + header + content[33:])
        with pytest.raises(ValueError, match="huge.png: .*KERASGAN_LIMIT_MB"):
            images(write.root, 8, 1, cache=False)
    write("huge.png", encode(np.full((1100, 1100), 9)))
    monkeypatch.setenv("KERASGAN_LIMIT_MB", "4")
    with pytest.raises(ValueError, match="huge.png: it would take 5 MB of memory, .*set KERASGAN_LIMIT_MB=5"):
        images(write.root, 8, 1)
    monkeypatch.setenv("KERASGAN_LIMIT_MB", "5")
    assert images(write.root, 8, 1).count == 1

"""Work on pictures with Pillow (`pip install 'pooldeck[images]'`): C code that computes."""

from pathlib import Path
from typing import TypedDict

from pooldeck import task


class Resized(TypedDict):
    """What `resize_image` wrote."""

    target: str
    width: int
    height: int
    bytes: int


@task(pool="cpu")
def resize_image(
    source: str | None = None, width: int = 256, target: str = "examples/data/resized.png"
) -> Resized:
    """Scale a picture to a width, keeping its proportions.

    Args:
        source: The picture to read; without one, a bright disc is drawn.
        width: Of the result, in pixels.
        target: The file to write; its ending decides on the format.

    Raises:
        RuntimeError: If Pillow is not installed.
    """
    try:
        from PIL import Image  # noqa: PLC0415  (the other examples work without it)
    except ImportError:
        raise RuntimeError("Pillow is missing: pip install 'pooldeck[images]'") from None

    with Image.open(source) if source else Image.radial_gradient("L") as picture:
        height = max(1, round(picture.height * width / picture.width))
        resized = picture.resize((width, height), Image.Resampling.LANCZOS)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    resized.save(target)
    return {
        "target": target,
        "width": width,
        "height": height,
        "bytes": Path(target).stat().st_size,
    }

"""Test images as small PNG files inside the document."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def png_uri(image: NDArray[np.uint8]) -> str:
    """Give an image (h, w, c) as a data URI; one grey channel is shown dark on white.

    One and three channels are shown as they are, of any other number the first.
    """
    from PIL import Image  # noqa: PLC0415  not for who only needs data_uri

    if image.shape[2] == 3:
        picture = Image.fromarray(image, mode="RGB")
    else:
        picture = Image.fromarray(255 - image[:, :, 0], mode="L")
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return data_uri(buffer.getvalue(), "image/png")


def data_uri(content: bytes, media_type: str) -> str:
    """Give bytes as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"

"""Pictures as PNG: the SVG file's own drawing and texts, in the palette's colours, with the package's font alone."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
import resvg_py
from PIL import Image

from forecaster.show.pictures import write_plot
from forecaster.show.png import png
from forecaster.show.sheet import standalone
from forecaster.show.theme import LIGHT
from tests.forecasts import made, with_paths
from tests.studio import environment

HORIZONS = [(1,), (1, 2, 3, 4, 5), tuple(range(1, 21)), (1, 2, 3, 4, 5, 20)]
SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[int, int, int, int]
Rasterise = Callable[..., bytes]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What the real rasteriser was called with."""
    calls, real = list[dict[str, object]](), resvg_py.svg_to_bytes

    def spy(**arguments: object) -> bytes:
        calls.append(arguments)
        return real(**arguments)

    monkeypatch.setattr(resvg_py, "svg_to_bytes", spy)
    return calls


def colours(data: bytes) -> set[str]:
    """Those that fill at least four pixels, as `#rrggbb`."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    counted = image.getcolors(maxcolors=image.width * image.height) or []
    return {"#{:02x}{:02x}{:02x}".format(*colour) for count, colour in counted if count >= 4}


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(("count", "steps"), [(1, (1,)), (2, (1, 2, 3, 4, 5, 20)), (5, tuple(range(1, 21)))])
def test_a_png_has_the_size_of_the_svg_twice_and_the_colours_of_the_light_palette(
    tmp_path: Path, count: int, steps: tuple[int, ...]
) -> None:
    forecasts = [made(f"${place}_$", steps) for place in range(count)]
    file = tmp_path / "x.PNG"
    write_plot(file, forecasts)
    data = file.read_bytes()
    root = ET.fromstring(standalone(forecasts))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert Image.open(io.BytesIO(data)).size == tuple(
        round(2 * float(root.get(side, 0))) for side in ("width", "height")
    )
    assert {LIGHT[name] for name in ("page", "ink", "muted", "grid", "accent")} <= colours(data)
    assert len(colours(data)) > 20, "bands, and the edges of letters"
    assert [path.name for path in tmp_path.iterdir()] == ["x.PNG"]


def test_a_png_is_drawn_from_the_svg_file_in_fixed_colours(given: list[dict[str, object]]) -> None:
    forecasts = [with_paths(made("AAA", warnings=("AAA has only 61 candles.",))), made("BBB")]
    png(forecasts)
    (drawn,) = (str(call["svg_string"]) for call in given)
    assert texts(drawn) == texts(standalone(forecasts))
    assert ET.fromstring(drawn).findall(f".//{SVG}path[@class='candle']")
    assert "var(" in standalone(forecasts)
    assert not [word for word in ("var(", "@media", "prefers-color-scheme") if word in drawn]


@pytest.mark.parametrize("steps", HORIZONS)
@pytest.mark.parametrize("count", [1, 5])
def test_no_text_of_a_png_lies_on_another_or_leaves_it(
    given: list[dict[str, object]], count: int, steps: tuple[int, ...]
) -> None:
    long = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345"
    png([with_paths(made(long, steps, scale=10.0 ** (place - 1)), 20) for place in range(count)])
    (arguments,) = given
    width, height, boxes = text_boxes(dict(arguments, zoom=1.0))
    assert len(boxes) > 10 * count
    for (one, box), (other, beside) in itertools.combinations(boxes, 2):
        overlap = [min(box[2 + side], beside[2 + side]) - max(box[side], beside[side]) for side in (0, 1)]
        assert min(overlap) < 2, (one, other)
    for text, (left, top, right, bottom) in boxes:
        assert left >= 1, text
        assert top >= 1, text
        assert right <= width - 1, text
        assert bottom <= height - 1, text


def text_boxes(arguments: dict[str, object]) -> tuple[int, int, list[tuple[str, Box]]]:
    """Size of the picture, and the pixels that each text covers: each is drawn alone, on nothing, without its halo."""
    root = ET.fromstring(str(arguments.pop("svg_string")))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{SVG}path", f"{SVG}rect"):
                parent.remove(child)
    every, boxes, size = list(root.iter(f"{SVG}text")), [], (0, 0)
    for one in every:
        for other in every:
            other.set("visibility", "visible" if other is one else "hidden")
        one.set("style", f"{one.get('style', '')}; stroke: none")
        drawn = resvg_py.svg_to_bytes(svg_string=ET.tostring(root, encoding="unicode"), **arguments)  # type: ignore[arg-type]
        image = Image.open(io.BytesIO(drawn))
        size, box = image.size, image.getchannel("A").getbbox()
        assert box is not None, f"{one.text!r} is not drawn: the font is not loaded"
        boxes.append((one.text or "", box))
    return *size, boxes


def test_a_png_has_the_same_bytes_without_a_home_or_any_font_of_the_machine(tmp_path: Path) -> None:
    code = "import sys; from tests.forecasts import made; from forecaster.show.png import png; import hashlib; "
    code += "print(hashlib.sha256(png([made('AAA')])).hexdigest())"
    (tmp_path / "fonts.conf").write_text("<fontconfig><dir>/nowhere</dir></fontconfig>")
    bare = {"HOME": str(tmp_path), "FONTCONFIG_FILE": str(tmp_path / "fonts.conf"), "XDG_DATA_HOME": str(tmp_path)}
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env=environment() | more, capture_output=True, text=True, check=True
        ).stdout
        for more in ({}, bare)
    }
    assert len(hashes) == 1


def test_a_letter_that_the_font_lacks_is_taken_from_no_other_font() -> None:
    """Where DejaVu Sans is installed, it has both of these marks, and they would differ."""
    snowman, umbrella = (png([made(letter)]) for letter in "☃☂")
    assert snowman == umbrella
    assert snowman != png([made("A")])


def test_without_resvg_the_remedy_is_named_and_pages_still_work(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from forecaster.errors import InputError
from forecaster.show.page import page
from forecaster.show.pictures import check_plot, write_plot
from tests.forecasts import made
forecast = made()
sys.path[:] = [path for path in sys.path if "site-packages" not in path]
try:
    check_plot(Path("x.png"), 1)
except InputError as error:
    print(error)
for name in ("x.html", "x.svg"):
    check_plot(Path(name), 1)
    write_plot(Path(name), [forecast])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "--plot to PNG needs resvg-py, which is not installed: pip install 'stock-forecaster[plots]', "
        "or name a .html or .svg file."
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.html", "x.svg"]

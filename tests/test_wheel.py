"""The built wheel is a whole program: configs and sample inside, nothing of the checkout needed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the backend itself, which needs no network."""
    folder = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package alone in a folder; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--no-deps", "--no-index", "--target", str(folder), str(wheel)], ROOT)
    return folder


def test_wheel_holds_the_package_its_configs_and_the_sample(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    configs = {f"forecaster/_shipped/configs/{path.name}" for path in (ROOT / "configs").glob("*.yaml")}
    sample = {f"forecaster/_shipped/sample/{name}" for name in ("wiki-prices.parquet", "README.md")}
    model = {"forecaster/_shipped/models/pretrained/model.safetensors"}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "forecaster").rglob("*.py")}
    assert configs
    kinds = {".html", ".css", ".js", ".ttf", ".txt"}
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / "forecaster/show").rglob("*") if path.suffix in kinds}
    assert {"forecaster/show/base.html", "forecaster/show/report/chart.js", "forecaster/show/fonts/OFL.txt"} <= page
    assert configs | sample | model | modules | page | {"forecaster/py.typed"} <= names


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"forecaster", f"{wheel.name.rpartition('-py3')[0]}.dist-info"}


def test_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        fields = Parser().parsestr(archive.read(metadata).decode("utf-8"))
        licences = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    assert fields["Name"] == "stock-forecaster"
    assert fields["Requires-Python"] == ">=3.11"
    assert fields["License-Expression"] == "Apache-2.0"
    assert licences
    needed = [line for line in fields.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert not [line for line in needed if line.startswith(("pytest", "mypy", "ruff", "hatchling"))]


def test_installed_package_fetches_forecasts_and_trains_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    where = _run([sys.executable, "-c", "import forecaster; print(forecaster.__file__)"], tmp_path, installed)
    assert Path(where.strip()).is_relative_to(installed)
    forecast = [sys.executable, str(installed / "bin" / "forecast")]
    _run([*forecast, "fetch", "--source", "sample", "--quiet"], tmp_path, installed)
    untrained = _run([*forecast, "predict", "AAPL", "--offline"], tmp_path, installed)
    assert "Run pretrained. In-sample" in untrained
    _run([*forecast, "train", "demo", "--set", "training.steps=5", "--name", "first"], tmp_path, installed)
    table = _run([*forecast, "predict", "AAPL", "FB"], tmp_path, installed)
    assert "AAPL" in table
    assert "FB" in table
    _run([*forecast, "report", "first"], tmp_path, installed)
    assert (tmp_path / "runs" / "first" / "report.html").stat().st_size > 50_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "runs"]


def _run(command: list[str], folder: Path, package: Path | None = None) -> str:
    """Standard output of a command that must succeed, with `package` before all else that could be imported."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FORECASTER_", "COV_"))}
    environment = inherited | ({"PYTHONPATH": str(package)} if package else {})
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout

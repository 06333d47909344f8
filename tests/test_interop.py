"""The examples of docs/interop.md run as they stand, with the real libraries."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.workflows.train import TrainedRun
from tests.forecasts import made
from tests.studio import REPOSITORY, Answer

pytest_plugins = ("tests.studio_fixtures",)

PAGE = (REPOSITORY / "docs" / "interop.md").read_text(encoding="utf-8")
EXAMPLES = {code.splitlines()[0][2:]: code for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)}
SAYS = {"backtesting": r"\d+\.\d+", "utilsforecast": r"(?s)AAPL.*mae.*IBM", "darts": r"2013|\d+\.\d+"}


@pytest.fixture
def home(store: Path, trained: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with store and runs where the examples look for them."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "store").symlink_to(store)
    (tmp_path / "runs").symlink_to(trained.folder.parent)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", EXAMPLES)
def test_an_example_runs_as_it_stands(library: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed: its example is not run")
    lines = [line for line in EXAMPLES[library].splitlines() if line and not line.startswith(("import", "from", "#"))]
    assert len(lines) <= 5
    exec(compile(EXAMPLES[library], library, "exec"), {})
    assert re.search(SAYS[library], capsys.readouterr().out)


@pytest.mark.parametrize("line", re.findall(r"^forecast .+$", PAGE, flags=re.MULTILINE))
def test_a_command_line_runs_as_it_stands(line: str, home: Path, say: Callable[..., Answer]) -> None:
    answer = say(*shlex.split(line)[1:])
    assert answer.code == 0
    assert bool(answer.out) == ("--output" not in line)


def test_candles_end_on_the_scale_of_the_market(store: Path) -> None:
    frame = forecaster.candles_frame("AAPL", style="backtesting", data_dir=store)
    bars = Store(store).read("AAPL")
    assert list(frame.columns) == ["Open", "High", "Low", "Close", "Volume"]
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert frame["Close"].iloc[-1] == pytest.approx(bars.close[-1])
    np.testing.assert_allclose(np.diff(np.log(frame["Close"])), np.diff(np.log(bars.adj_close)), atol=1e-12)


def test_candles_and_a_forecast_of_the_same_day_are_on_one_scale(store: Path, trained: TrainedRun) -> None:
    day = dt.date(2012, 6, 29)
    said = forecaster.predict(["AAPL"], run=str(trained.folder), data_dir=store, as_of=day)
    came = forecaster.candles_frame("AAPL", style="nixtla", origin=day, data_dir=store)
    assert list(came.columns) == ["unique_id", "ds", "y"]
    assert came[came["ds"] == "2012-06-29"]["y"].item() == pytest.approx(said[0].last_close)
    joined = forecaster.to_frame(said, style="nixtla").merge(came, on=["unique_id", "ds"])
    assert len(joined) == 3
    assert ((joined["forecaster"] / joined["y"] - 1).abs() < 0.1).all()


def test_a_forecast_in_each_style(store: Path, trained: TrainedRun) -> None:
    said = forecaster.predict(["AAPL", "IBM"], run=str(trained.folder), data_dir=store)
    nixtla = forecaster.to_frame(said, style="nixtla", price="high")
    bands = [f"forecaster-{side}-{share}" for side in ("lo", "hi") for share in (90, 80, 50)]
    assert set(nixtla.columns) == {"unique_id", "ds", "forecaster", *bands}
    assert nixtla["forecaster-hi-90"].tolist()[:3] == said[0].prices[:, 1, -1].tolist()
    darts = forecaster.to_frame(said, style="darts")
    assert darts["low_q0.050"].tolist()[3:] == said[1].prices[:, 2, 0].tolist()
    long = forecaster.to_frame(said)
    assert list(long.columns) == ["ticker", "origin", "step", "date", "variable", "level", "value"]
    assert str(long["date"].dtype) == "datetime64[ns]"
    assert forecaster.to_frame(said[0]).equals(long[long["ticker"] == "AAPL"])
    assert len(forecaster.to_frame([])) == 0


def test_a_wide_forecast_is_the_median_candle_and_the_band_of_the_close() -> None:
    one, other = made("AAA"), made("BBB", scale=2.0)
    frame = forecaster.to_frame(one, style="wide")
    assert list(frame.columns) == ["open", "high", "low", "close", "lo80", "hi80"]
    assert frame.index.equals(pd.DatetimeIndex(one.dates.astype("datetime64[ns]"), name="date"))
    assert np.array_equal(frame[["open", "high", "low", "close"]], one.point)
    assert np.array_equal(frame[["lo80", "hi80"]], one.prices[:, 3, [one.levels.index(0.1), one.levels.index(0.9)]])
    both = forecaster.to_frame([one, other], style="wide")
    assert both.index.names == ["ticker", "date"]
    pd.testing.assert_frame_equal(both.loc["AAA"], frame)
    assert np.array_equal(both.loc["BBB", "close"], other.point[:, 3])


def test_a_wide_forecast_of_medians_alone_has_no_band() -> None:
    frame = forecaster.to_frame(made(levels=(0.5,)), style="wide")
    assert frame[["lo80", "hi80"]].isna().all(axis=None)
    assert frame["close"].notna().all()


def test_a_wrong_style_names_the_nearest(store: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown style 'nixla'. Did you mean 'nixtla'\?"):
        forecaster.to_frame([], style="nixla")
    with pytest.raises(UnknownNameError, match=r"Unknown price 'clos'. Did you mean 'close'\?"):
        forecaster.to_frame([], style="nixtla", price="clos")
    with pytest.raises(InputError, match="style backtesting has one ticker, but there are 2"):
        forecaster.candles_frame(["AAPL", "IBM"], data_dir=store)

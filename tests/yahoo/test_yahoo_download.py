"""`predict` of exactly what `yfinance.download` returns: the real client, in every form that it offers."""

from __future__ import annotations

import itertools
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.data.sources.yahoo import cache
from forecaster.errors import DataError
from forecaster.workflows.train import TrainedRun
from tests.yahoo.server import YahooServer, session

pytest_plugins = ("tests.studio_fixtures",)

FORMS = [
    {"auto_adjust": adjusted, "group_by": order, "ignore_tz": naive, "actions": actions}
    for adjusted, order, naive, actions in itertools.product(
        (True, False), ("column", "ticker"), (True, False), (True, False)
    )
]


Download = Callable[..., pd.DataFrame]


@pytest.fixture
def download(server: YahooServer, tmp_path: Path) -> Download:
    client = cache.import_client()
    cache.set_folder(tmp_path / "cache")
    client.config.debug.hide_exceptions = True  # what users have, and what another test may have changed

    def get(tickers: str | list[str], **options: Any) -> pd.DataFrame:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = {"period": "max", "progress": False, "threads": False, "session": session(server.port)} | options
            frame = client.download(tickers, **options)
        assert isinstance(frame, pd.DataFrame)
        return frame

    return get


@pytest.fixture
def where(trained: TrainedRun, tmp_path: Path) -> dict[str, Any]:
    """The run, in a runs folder of its own."""
    runs = tmp_path / "elsewhere"
    return {"run": shutil.copytree(trained.folder, runs / "small").name, "runs_dir": runs}


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, without a store."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path / "empty"


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: " ".join(f"{key}={value}" for key, value in form.items()))
@pytest.mark.parametrize("tickers", [["AAPL"], ["IBM", "AAPL"]], ids=" ".join)
def test_every_form_of_a_download_is_forecast_as_from_a_store_and_nothing_is_written(
    tickers: list[str], form: dict[str, Any], download: Download, store: Path, where: dict[str, Any], empty: Path
) -> None:
    frame = download(tickers, **form)
    assert frame.columns.nlevels == 2
    assert (frame.index.tz is None) == form["ignore_tz"]  # type: ignore[attr-defined]
    before = files(where["runs_dir"])
    made = {one.ticker: one for one in forecaster.predict(frame, **where)}
    assert files(where["runs_dir"]) == before
    assert list(empty.iterdir()) == []
    assert set(made) == set(tickers)
    for expected in forecaster.predict(tickers, data_dir=store, **where):
        own = made[expected.ticker]
        assert own.origin == expected.origin
        moves = [one.prices / one.last_close for one in (own, expected)]  # adjusted prices have a scale of their own
        np.testing.assert_allclose(moves[0], moves[1], rtol=1e-5)
        if not form["auto_adjust"]:
            assert own.last_close == pytest.approx(expected.last_close)


def test_a_ticker_that_could_not_be_downloaded_is_named(download: Download, where: dict[str, Any], empty: Path) -> None:
    frame = download(["AAPL", "APPL"])
    assert "APPL" in frame.columns.get_level_values(1)
    with pytest.raises(DataError, match="the frame has columns of APPL but no candle, expected one a session: check"):
        forecaster.predict(frame, **where)


def test_a_frame_without_its_tickers_name_is_refused_with_the_remedy(
    download: Download, where: dict[str, Any], empty: Path
) -> None:
    frame = download("AAPL", multi_level_index=False)
    with pytest.raises(DataError, match=r'no ticker column: add one, or pass a dict: \{"AAPL": frame\}'):
        forecaster.predict(frame, **where)
    (made,) = forecaster.predict({"AAPL": frame}, **where)
    assert made.ticker == "AAPL"


def test_a_download_that_failed_altogether_is_refused_in_one_line(
    download: Download, where: dict[str, Any], empty: Path
) -> None:
    with pytest.raises(DataError) as caught:
        forecaster.predict(download(["APPL"]), **where)
    assert str(caught.value) == "the frame: it has a header but no rows, expected one per day."

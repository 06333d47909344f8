"""Words of a command line, and the text files that stand for them: settings, symbols, holdings, configs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from forecaster.cli.options import symbols
from forecaster.data.symbols import normalise_all
from forecaster.positions.holdings import parse_pairs
from forecaster.positions.holdingsfile import read_holdings
from forecaster.runs.config import load_config
from tests.fuzz.base import Base, Feed, Words
from tests.fuzz.mutate import of_bytes, of_word
from tests.fuzz.readers.tables import SAMPLE

Calling = Callable[[], object]

SETTINGS = (
    "training.steps=200",
    "model.hidden_size=8",
    "data.split={test: 2y}",
    "task.horizon=[1, 2]",
    "features=[base]",
)
SYMBOLS = ("AAPL", "BRK-B", "^GSPC")
CONFIG = (Path(__file__).parents[3] / "configs" / "gru.yaml").read_bytes()
LIST = b"AAPL\nIBM # a comment\nBRK-B, MSFT\n"
HOLDINGS = (b"ticker,shares\nAAPL,100\nIBM,-20.5\ncash,5000\n", b"Ticker, Weight\nAAPL, 0.5\nMSFT, 0.25\n")


def feeds(base: Base) -> dict[str, Feed]:
    predict = ("predict", "--offline", "--run", "small")
    risk = ("risk", "--run", "small", "--paths", "100", "--days", "2", *base.places)

    def yaml(folder: Path, rng: random.Random) -> Words | Calling:
        (folder / "x.yaml").write_bytes(of_bytes(CONFIG, rng))
        if not rng.randrange(SAMPLE):
            return ("config", "check", str(folder / "x.yaml"), *base.places[:2])
        return lambda: load_config(folder / "x.yaml")

    def setting(_: Path, rng: random.Random) -> Words | Calling:
        word = of_word(rng.choice(SETTINGS), rng)
        if not rng.randrange(SAMPLE):
            return ("train", "gru", "--set", word, "--set", "data.tickers=[NOSUCH]", *base.places)
        return lambda: load_config("gru", (word,))

    def tickers(folder: Path, rng: random.Random) -> Words | Calling:
        (folder / "list.txt").write_bytes(of_bytes(LIST, rng))
        if not rng.randrange(SAMPLE):
            return (*predict, "--tickers-file", str(folder / "list.txt"), *base.places)
        return lambda: normalise_all(symbols(folder / "list.txt"))

    def symbol(_: Path, rng: random.Random) -> Words | Calling:
        word = of_word(rng.choice(SYMBOLS), rng)
        if rng.randrange(SAMPLE):
            return lambda: normalise_all([word])
        if rng.random() < 0.5:
            return ("data", "show", *base.places[:2], "--", word)
        return (*predict, *base.places, "--", word)

    def holdings(folder: Path, rng: random.Random) -> Words | Calling:
        (folder / "h.csv").write_bytes(of_bytes(rng.choice(HOLDINGS), rng))
        if not rng.randrange(SAMPLE):
            return (*risk, str(folder / "h.csv"))
        return lambda: read_holdings(folder / "h.csv")

    def shares(_: Path, rng: random.Random) -> Words | Calling:
        found = ["IBM=10", of_word(rng.choice(("AAPL=100", "cash=-5e3", "EURUSD=X=0.5")), rng)]
        if not rng.randrange(SAMPLE):
            return (*risk, "--", *found)
        return lambda: parse_pairs(found, rng.random() < 0.5)

    return {
        "yaml": yaml,
        "set": setting,
        "tickers file": tickers,
        "symbols": symbol,
        "holdings file": holdings,
        "holdings": shares,
    }

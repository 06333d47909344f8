"""Make `wiki-prices.parquet` from the stocks of the PyPI package bokeh-sampledata: `python data/sample/build.py`."""

from pathlib import Path

import pandas as pd
from bokeh_sampledata import package_path

stocks = pd.read_csv(package_path("stocks.csv.gz"))
stocks.columns = [name.lower().replace(" ", "_") for name in stocks.columns]
stocks["date"] = pd.to_datetime(stocks["date"])
columns = ["ticker", "date", "open", "high", "low", "close", "adj_close", "volume"]
stocks = stocks[columns].sort_values(["ticker", "date"], ignore_index=True)
stocks.to_parquet(Path(__file__).with_name("wiki-prices.parquet"), compression="zstd", index=False)

"""Make `wiki-prices.parquet` from the stocks of the PyPI package bokeh-sampledata.

Run: python data/sample/build.py [FILE]
"""

import sys
from pathlib import Path

import pandas as pd
from bokeh_sampledata import package_path

stocks = pd.read_csv(package_path("stocks.csv.gz"))
stocks.columns = [name.lower().replace(" ", "_") for name in stocks.columns]
stocks["date"] = pd.to_datetime(stocks["date"])
columns = ["ticker", "date", "open", "high", "low", "close", "adj_close", "volume"]
stocks = stocks[columns].sort_values(["ticker", "date"], ignore_index=True)
target = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("wiki-prices.parquet")
stocks.to_parquet(target, compression="zstd", index=False)

"""The candles that ship with the package: five American stocks, 2000 to 2013."""

from __future__ import annotations

from dataclasses import replace

from forecaster.data.sources import SOURCES, Source, SourceOptions, takes
from forecaster.data.sources.file import FileSource
from forecaster.files import shipped


@SOURCES.register("sample")
@takes()
def sample(options: SourceOptions) -> Source:
    """Real candles without a network; their origin and licence stand in `data/sample/README.md`."""
    return FileSource(replace(options, path=shipped("sample") / "wiki-prices.parquet", currency="USD", calendar="XNYS"))

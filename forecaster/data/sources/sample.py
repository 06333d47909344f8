"""The shipped sample: candles of five US stocks, 2000 to 2013."""

from __future__ import annotations

from dataclasses import replace

from forecaster.data.sources import SOURCES, Source, SourceOptions, takes
from forecaster.data.sources.file import FileSource
from forecaster.places import shipped


@SOURCES.register("sample")
@takes()
def sample(options: SourceOptions) -> Source:
    """Real candles, available offline; see `data/sample/README.md` for origin and licence."""
    return FileSource(replace(options, path=shipped("sample") / "wiki-prices.parquet", currency="USD", calendar="XNYS"))

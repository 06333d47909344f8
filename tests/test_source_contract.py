"""What every source must keep, whoever wrote it: found by the registry, built without a network, documented."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.sources import SOURCES, Order, Source, SourceOptions, options_set, takes
from forecaster.errors import ForecasterError
from tests.studio import REPOSITORY

OFFLINE = [name for name in SOURCES.names() if name != "yahoo"]
"""Yahoo is delivered from by tests/yahoo, against a server on the loopback device."""


def built(name: str) -> Source:
    """A source as the command line makes it; one of files reads the sample's."""
    options = {"path": REPOSITORY / "data" / "sample" / "wiki-prices.parquet", "currency": "USD"}
    taken = getattr(SOURCES[name], "takes", frozenset(options))
    return SOURCES[name](SourceOptions(**{key: value for key, value in options.items() if key in taken}))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a source went over the network")

    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.mark.parametrize("name", SOURCES.names())
def test_it_is_built_without_a_network_and_keeps_the_protocol(name: str) -> None:
    source = built(name)
    assert isinstance(source, Source)
    assert list(inspect.signature(source.deliver).parameters) == ["order"]


@pytest.mark.parametrize("name", SOURCES.names())
def test_it_says_what_it_is_and_the_readme_lists_it(name: str) -> None:
    assert inspect.getdoc(SOURCES[name])
    assert f"| `--source {name}` |" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SOURCES.names())
def test_the_options_that_it_takes_exist(name: str) -> None:
    assert getattr(SOURCES[name], "takes", frozenset()) <= {field.name for field in fields(SourceOptions)}


@pytest.mark.parametrize("name", OFFLINE)
def test_each_ticker_is_delivered_once_with_bars_or_a_failure(name: str) -> None:
    order = Order(("IBM", "NOTHERE", "AAPL"), known=lambda _: None)
    found = {one.ticker: one for one in built(name).deliver(order)}
    assert sorted(found) == ["AAPL", "IBM", "NOTHERE"]
    assert isinstance(found["NOTHERE"].failure, ForecasterError)
    assert found["NOTHERE"].bars is None
    for ticker in ("AAPL", "IBM"):
        bars = found[ticker].bars
        assert found[ticker].failure is None
        assert bars is not None
        assert (bars.ticker, bars.currency) == (ticker, "USD")
        assert np.all(np.diff(bars.dates) > np.timedelta64(0, "D"))
        assert np.all((bars.low <= bars.open) & (bars.open <= bars.high) & (bars.low <= bars.close))


@pytest.mark.parametrize("name", OFFLINE)
def test_the_dates_that_are_asked_for_bound_what_comes(name: str) -> None:
    start, end = np.datetime64("2010-01-04"), np.datetime64("2010-12-31")
    (found,) = built(name).deliver(Order(("IBM",), known=lambda _: None, start=start, end=end))
    assert found.bars is not None
    assert (found.bars.dates[0], found.bars.dates[-1]) == (start, end)


def test_a_source_that_breaks_the_contract_would_be_seen(tmp_path: Path) -> None:
    class Mute:
        pass

    assert not isinstance(Mute(), Source)
    factory = takes("path")(lambda options: SOURCES["file"](options))
    assert options_set(SourceOptions(path=tmp_path)) == ("path",)
    assert factory.takes == {"path"}  # type: ignore[attr-defined]

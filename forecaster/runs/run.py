"""A finished run: its folder, its model, and its own tickers' candles as the store has them now."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from forecaster.config.schema import Config
from forecaster.cores import thread_map
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.quality import Reading, interpret
from forecaster.data.splits import Split
from forecaster.data.store import Store
from forecaster.errors import DataError, InputError, at_most_five
from forecaster.evaluation.ledger import Known, Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.scorecard import Scorecard
from forecaster.header import Header
from forecaster.inference.ensemble import Member
from forecaster.inference.market import MarketView
from forecaster.inference.marketcache import cached_market
from forecaster.mapped import Pool
from forecaster.modelfile import Model
from forecaster.printable import printable
from forecaster.runs import folder as folders
from forecaster.runs.covariates import read_covariates, require_recent
from forecaster.training.files import Curves, read_curves
from forecaster.trial import Trial


@dataclass(frozen=True, eq=False)
class RunCandles:
    """The store's candles of a run's own tickers.

    Args:
        bars: from the run's `data.start` on, in the run's order.
        missing: tickers that are absent or damaged, or have no candle between the dates.
        covariates: candles that only become features of the others.
    """

    bars: tuple[Bars, ...]
    missing: tuple[str, ...]
    covariates: tuple[Bars, ...] = ()

    @property
    def panel(self) -> Panel | None:
        """The candles side by side; None if there are none."""
        return Panel.of(self.bars, self.covariates) if self.bars else None


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run.

    Args:
        runs_dir: where its journal is, and the ledger of a store that cannot be written.
    """

    folder: Path
    model: Model
    runs_dir: Path

    @classmethod
    def find(cls, runs_dir: Path | str, run: str = "latest") -> Run:
        """Finds a run by folder, by name under the runs folder, `latest`, or `pretrained`.

        Raises:
            UnknownNameError: no such run.
            InputError: it is not finished, or its model file is damaged or of a newer version.
        """
        return cls.read(folders.find_run(Path(runs_dir), run), Path(runs_dir))

    @classmethod
    def read(cls, folder: Path, runs_dir: Path) -> Run:
        """Reads the run of a folder.

        Args:
            runs_dir: of the user, for the shipped run; other runs lie in theirs.

        Raises:
            InputError: as in `find`.
        """
        model = folders.finished_model(folder)
        return cls(folder, model, runs_dir if folders.is_shipped(folder) else folder.parent)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def header(self) -> Header:
        """The model file's header."""
        return self.model.header

    @property
    def config(self) -> Config:
        """The resolved config."""
        return self.model.config

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers that the run was trained and tested on."""
        return self.header.tickers

    @property
    def split(self) -> Split:
        """The last dates of training, validation and test."""
        return self.header.split

    def curves(self) -> Curves | None:
        """The training curve of each member; None if the file is missing or damaged."""
        return read_curves(self.folder / folders.CURVE, len(self.config.networks))

    def scorecard(self, known: Known) -> Scorecard:
        """The scorecard of its test, with the looks at that test that the ledger has now.

        Raises:
            InputError: the model file has no readable scorecard.
        """
        try:
            card = Scorecard.read(self.header.scorecard)
            card = card.with_looks(known.count(self.look(card)).count)
            _ = card.verdict  # rows of a foreign file may hold anything
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, StopIteration) as error:
            reason = printable(str(error).splitlines()[0] if str(error) else type(error).__name__)
            path = self.model.path
            raise InputError(f"model file {path} is damaged: its scorecard cannot be read ({reason}).") from error
        return card

    def look(self, card: Scorecard, by: str = "") -> Look:
        """A look at the test period of a scorecard.

        Args:
            by: the command that evaluates.
        """
        return Look(model_of(self.config), card.first, card.last, self.tickers, by)

    def ledger(self, data_dir: Path) -> Ledger:
        """The ledger that counts the looks at its test."""
        return Ledger(data_dir, self.runs_dir)

    def history(self, store: Store, ticker: str, end: np.datetime64 | None = None) -> Reading:
        """A ticker's candles as the run reads them: from its `data.start` up to `end`.

        Raises:
            UnknownNameError: the store does not have the ticker.
            DataError: its file is damaged.
        """
        store.require([ticker])
        return interpret(store.read(ticker).between(self._start, end))

    def candles(
        self, store: Store, end: np.datetime64 | None = None, known: Mapping[str, Bars] = MappingProxyType({})
    ) -> RunCandles:
        """The candles of the run's own tickers, as the store has them now.

        Args:
            end: the last day; `data.end` of the config if absent, or the last candle without that.
            known: candles that were read already, at least up to that day.

        Raises:
            InputError, DataError: as `covariates`.
        """
        pool = Pool()
        end = self._end if end is None else end

        def read(ticker: str) -> Bars | None:
            if ticker in known:
                return known[ticker].between(self._start, end)
            with contextlib.suppress(DataError):  # a damaged file counts as missing
                return store.read(ticker).between(self._start, end) if store.holds(ticker) else None
            return None

        found_bars = (one for one in thread_map(read, self.tickers) if one)
        bars = tuple(one if one.ticker in known else one.kept(pool) for one in found_bars)
        found = {one.ticker for one in bars}
        missing = tuple(ticker for ticker in self.tickers if ticker not in found)
        return RunCandles(bars, missing, self.covariates(store, end))

    def covariates(self, store: Store, end: np.datetime64 | None = None) -> tuple[Bars, ...]:
        """The candles of the tickers that the run's config names as covariates, from its `data.start` up to `end`.

        Raises:
            InputError: the store lacks one, or it has no candle between the dates.
            DataError: the file of one is damaged.
        """
        return read_covariates(store, self.config.covariates, self._start, end)

    def trial(self, candles: RunCandles) -> Trial:
        """The run's trial again, from candles up to the end of its test.

        Raises:
            InputError: there are none, they do not cover the test period, a covariate ends before that, or the features
                have changed since.
        """
        bars = [part for one in candles.bars if (part := one.between(end=self.split.test_end))]
        if not bars and folders.is_shipped(self.folder):
            raise InputError(self._elsewhere)
        if not bars:
            raise InputError(
                f"the store has no candles of run {self.name}'s tickers ({at_most_five(self.tickers)}): "
                "fetch them, or name the right --data-dir."
            )
        panel = Panel.of(bars, [one.between(end=self.split.test_end) for one in candles.covariates])
        require_recent(panel.covariates, panel)
        trial = Trial.of(self.config, panel, self.split)
        if trial.dataset.features.names != self.header.features:
            raise InputError(f"run {self.name} uses other features than this version computes: train it again.")
        rows = trial.dataset.origins(self.split.test, self.config.task.context)
        if not len(rows) or not trial.dataset.known(rows, self.split.test).any(axis=0).all():
            if folders.is_shipped(self.folder):
                raise InputError(self._elsewhere)
            raise InputError(
                f"the store's candles of run {self.name}'s tickers do not cover its test period "
                f"{self.split.test}: fetch a longer history, or name the right --data-dir."
            )
        return trial

    @property
    def _elsewhere(self) -> str:
        return (
            f"run {self.name} was tested on {len(self.tickers)} tickers that the store lacks: score it on your own, "
            f"as in forecast backtest {self.name} --tickers AAPL,MSFT, or see its test: forecast runs show {self.name}."
        )

    def was_trained_on(self, candles: RunCandles) -> bool:
        """Whether these are, bit for bit, the candles that the run was trained on; later ones may follow."""
        if (panel := candles.panel) is None:
            return False
        return self.header.fingerprint in (panel.fingerprint, panel.until(self.split.test_end).fingerprint)

    def market(
        self,
        store: Store,
        members: Sequence[Member],
        days: np.ndarray,
        production: bool = False,
        known: Mapping[str, Bars] = MappingProxyType({}),
    ) -> MarketView | None:
        """The market-wide means of its own tickers that the run reads on some days; None if it reads none.

        Args:
            production: `members` are those refitted on all candles.
            known: candles that were read already, at least up to the last of the days.
        """
        return cached_market(
            self.folder, store, self.model, members, days, lambda day: self.candles(store, day, known).panel, production
        )

    @property
    def _start(self) -> np.datetime64 | None:
        return _day(self.config.data.start)

    @property
    def _end(self) -> np.datetime64 | None:
        return _day(self.config.data.end)


def _day(date: object) -> np.datetime64 | None:
    return None if date is None else np.datetime64(str(date), "D")

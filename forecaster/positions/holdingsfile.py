"""Holdings from a CSV, in the spellings of brokers and spreadsheets: semicolons, decimal commas, per cents, cash."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecaster.data.symbols import normalise
from forecaster.errors import InputError, at_most_five
from forecaster.files import read_text
from forecaster.positions.holdings import CASH, Holdings
from forecaster.printable import printable, quoted

_TICKER = ("ticker", "symbol", "ticker symbol")
_SHARES = ("shares", "quantity", "qty", "position", "units")
_WEIGHT = ("weight", "weights", "weight %", "weight (%)", "weight%", "% weight")
_SEPARATORS = ",;\t"
_PREAMBLE = 20
"""Lines in which the header is looked for: brokers write the account's name and the date above it."""

_CASH = re.compile(r"cash( (&|and) .*)?", re.IGNORECASE)
_TOTAL = re.compile(r"(.*\s)?totals?:?", re.IGNORECASE)
_POINT = re.compile(r"[+-]?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?((\d+|\d{1,3}(\.\d{3})+)(,\d*)?|,\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class _Cell:
    """A holding's name and amount as written, and the line."""

    line: int
    name: str
    amount: str


@dataclass(frozen=True)
class _Header:
    """Where names and amounts stand."""

    name: int
    amount: int
    heading: str

    @property
    def weights(self) -> bool:
        return self.heading in _WEIGHT


def read_holdings(path: Path, weights: bool = False) -> Holdings:
    """Holdings from a CSV with the columns ticker (or symbol), and shares (quantity, qty, position) or weight.

    Args:
        weights: the amounts were announced as weights.

    Raises:
        InputError: it cannot be read, lacks a column, has a row that is no holding or a cell that is no number; or as
            `Holdings.of`.
    """
    try:
        text = read_text(path)
        separator, header, cells = _table(path, text)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV of holdings in UTF-8: {error}.") from error
    if weights and not header.weights:
        raise InputError(f"--weights, but {path} has a column {header.heading}: name it weight, or omit --weights.")
    names = [_name(path, cell) for cell in cells]
    amounts = _numbers(path, cells, header, separator)
    return Holdings.of(zip(names, amounts, strict=True), header.weights)


def _table(path: Path, text: str) -> tuple[str, _Header, list[_Cell]]:
    """Separator, header and rows; the header is the first line that has both columns."""
    lines = text.splitlines()
    first: list[str] = []
    for place, line in enumerate(lines[:_PREAMBLE]):
        for separator in _SEPARATORS:
            names = [" ".join(name.split()).casefold() for name in next(csv.reader([line], delimiter=separator), [])]
            first = first or [name for name in names if name]
            if (header := _header(names)) is not None:
                return separator, header, list(_rows(text, separator, place, header))
    raise InputError(
        f"{path} has the columns {at_most_five(first) or 'none'}: expected ticker (or symbol), and either shares (or "
        "quantity, qty, position) or weight."
    )


def _header(names: Sequence[str]) -> _Header | None:
    tickers = [place for place, name in enumerate(names) if name in _TICKER]
    amounts = [place for place, name in enumerate(names) if name in (*_SHARES, *_WEIGHT)]
    return _Header(tickers[0], amounts[0], names[amounts[0]]) if len(tickers) == len(amounts) == 1 else None


def _rows(text: str, separator: str, header_line: int, header: _Header) -> Iterator[_Cell]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if reader.line_num > header_line + 1 and any(cells):
            cells += [""] * (1 + max(header.name, header.amount) - len(cells))
            yield _Cell(reader.line_num, cells[header.name], cells[header.amount])


def _name(path: Path, cell: _Cell) -> str:
    """The symbol, or `cash`; CASH in capitals is the symbol of a bank.

    Raises:
        InputError: the row is a total, or has no symbol.
    """
    if _TOTAL.fullmatch(cell.name):
        raise InputError(f"{path}, line {cell.line}: {quoted(cell.name)} is a total, no holding: delete the row.")
    if _CASH.fullmatch(cell.name) and cell.name != CASH.upper():
        return CASH
    if not cell.name:
        raise InputError(f"{path}, line {cell.line} has no ticker: name it (cash for money), or delete the row.")
    try:
        return normalise(cell.name)
    except InputError as error:
        raise InputError(f"{path}, line {cell.line}: {error}") from error


def _numbers(path: Path, cells: Sequence[_Cell], header: _Header, separator: str) -> list[float]:
    """The amounts, with one decimal mark for the whole file: the one that all of them can be read with.

    Raises:
        InputError: a cell is no number, or 1,000 among semicolons may be 1 or 1000.
    """
    texts = [_plain(cell.amount, header.weights) for cell in cells]
    point, comma = (all(mark.fullmatch(text) for text in texts) for mark in (_POINT, _COMMA))
    if not (point or comma):
        worst = [cell for cell, text in zip(cells, texts, strict=True) if not _POINT.fullmatch(text)]
        neither = [cell for cell in worst if not _COMMA.fullmatch(_plain(cell.amount, header.weights))]
        raise _no_number(path, (neither or worst)[0], header)
    found = [_value(text, "." if point else ",") for text in texts]
    if point and comma and separator == ";":
        for cell, text, value in zip(cells, texts, found, strict=True):
            if (other := _value(text, ",")) != value:
                raise InputError(
                    f"{path}, line {cell.line}: {quoted(cell.amount)} may be {other:g} or {value:g}: write it without "
                    "separators of thousands."
                )
    per_cent = "%" in header.heading
    return [
        value / 100 if per_cent or cell.amount.endswith("%") else value
        for cell, value in zip(cells, found, strict=True)
    ]


def _plain(amount: str, weights: bool) -> str:
    """Without blanks, apostrophes between thousands, currency signs; (100) is −100."""
    text = re.sub(r"[\s'’$€£]", "", amount).replace("−", "-")
    if weights:
        text = text.removesuffix("%")
    return f"-{text[1:-1]}" if text.startswith("(") and text.endswith(")") else text


def _value(text: str, mark: str) -> float:
    return float(text.replace("." if mark == "," else ",", "").replace(mark, "."))


def _no_number(path: Path, cell: _Cell, header: _Header) -> InputError:
    what = "a weight such as 0.6 or 60%" if header.weights else "a number such as 100"
    return InputError(
        f"{path}, line {cell.line}: {quoted(cell.amount)} is not a number: expected {what} for {printable(cell.name)}."
    )

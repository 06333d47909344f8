"""Holdings from a CSV, in the spellings of brokers and spreadsheets: semicolons, decimal commas, per cents, cash."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forecaster.data.symbols import normalise
from forecaster.errors import InputError
from forecaster.files import read_text
from forecaster.positions.holdings import CASH, Holdings
from forecaster.positions.holdingscolumns import Header, find_header
from forecaster.printable import printable, quoted

_EUROPEAN = ";\t"
"""Separators of files whose numbers may have a decimal comma."""

_NOTHING = ("", "--")
"""How brokers write that there is no amount."""

_CASH = re.compile(r"cash( (&|and) .*)?", re.IGNORECASE)
_TOTAL = re.compile(r"(.*\s)?totals?:?", re.IGNORECASE)
_POINT = re.compile(r"[+-]?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?((\d+|\d{1,3}(\.\d{3})+)(,\d*)?|,\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class _Cell:
    """A holding's name, amount and market value as written, and the line."""

    line: int
    name: str
    amount: str
    value: str


def read_holdings(path: Path, weights: bool = False) -> Holdings:
    """Holdings from a CSV with the columns ticker (or symbol), and shares (quantity, qty, position), else weight.

    Args:
        weights: the amounts were announced as weights: a column of them comes first.

    Raises:
        InputError: it cannot be read, lacks a column, has a row that is no holding or a cell that is no number; or as
            `Holdings.of`.
    """
    try:
        text = read_text(path)
        header = find_header(path, text, weights)
        cells = [_with_money(path, cell, header) for cell in _rows(text, header)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV of holdings in UTF-8: {error}.") from error
    if weights and not header.weights:
        raise InputError(f"--weights, but {path} has a column {header.heading}: name it weight, or omit --weights.")
    names = [_name(path, cell) for cell in cells]
    amounts = _numbers(path, cells, header)
    return Holdings.of(zip(names, amounts, strict=True), header.weights)


def _rows(text: str, header: Header) -> Iterator[_Cell]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=header.separator, skipinitialspace=True)
    places = (header.name, header.amount, header.amount if header.value is None else header.value)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if reader.line_num > header.line + 1 and any(cells):
            cells += [""] * (1 + max(places) - len(cells))
            yield _Cell(reader.line_num, *(cells[place] for place in places))


def _with_money(path: Path, cell: _Cell, header: Header) -> _Cell:
    """A row of cash whose amount is left out has its market value, as brokers write it.

    Raises:
        InputError: there is none, or amounts are weights.
    """
    if cell.amount not in _NOTHING or not _is_cash(cell.name):
        return cell
    if header.weights or cell.value in _NOTHING:
        raise InputError(
            f"{path}, line {cell.line}: {quoted(cell.name)} has no amount: write it in the column {header.heading}, or "
            "delete the row."
        )
    return replace(cell, amount=cell.value)


def _is_cash(name: str) -> bool:
    """CASH in capitals is the symbol of a bank."""
    return name != CASH.upper() and _CASH.fullmatch(name) is not None


def _name(path: Path, cell: _Cell) -> str:
    """The symbol, or `cash`.

    Raises:
        InputError: the row is a total, or has no symbol.
    """
    if _TOTAL.fullmatch(cell.name):
        raise InputError(f"{path}, line {cell.line}: {quoted(cell.name)} is a total, no holding: delete the row.")
    if _is_cash(cell.name):
        return CASH
    if not cell.name:
        raise InputError(f"{path}, line {cell.line} has no ticker: name it (cash for money), or delete the row.")
    try:
        return normalise(cell.name)
    except InputError as error:
        raise InputError(f"{path}, line {cell.line}: {error}") from error


def _numbers(path: Path, cells: Sequence[_Cell], header: Header) -> list[float]:
    """The amounts, with one decimal mark for the whole file: the one that all of them can be read with.

    Raises:
        InputError: a cell is no number, or 1,000 among semicolons or tabs may be 1 or 1000.
    """
    texts = [_plain(cell.amount, header.weights) for cell in cells]
    point, comma = (all(mark.fullmatch(text) for text in texts) for mark in (_POINT, _COMMA))
    if not (point or comma):
        worst = [cell for cell, text in zip(cells, texts, strict=True) if not _POINT.fullmatch(text)]
        neither = [cell for cell in worst if not _COMMA.fullmatch(_plain(cell.amount, header.weights))]
        raise _no_number(path, (neither or worst)[0], header)
    found = [_value(text, "." if point else ",") for text in texts]
    if point and comma and header.separator in _EUROPEAN:
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


def _no_number(path: Path, cell: _Cell, header: Header) -> InputError:
    what = "a weight such as 0.6 or 60%" if header.weights else "a number such as 100"
    return InputError(
        f"{path}, line {cell.line}: {quoted(cell.amount)} is not a number: expected {what} for {printable(cell.name)}."
    )

"""What a tutorial on recurrent networks says of torch's modules, held against torch and against ours."""

from __future__ import annotations

import json
import math
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from forecaster.config.schema import ModelConfig
from forecaster.models.bodies.recurrent import Recurrent
from forecaster.models.build import make_body
from tests.studio import REPOSITORY, Answer, environment

pytest_plugins = ("tests.studio_fixtures",)

DOCS = REPOSITORY / "docs"
PAGE, CHINESE = ((DOCS / name).read_text(encoding="utf-8") for name in ("rnn.md", "zh/rnn.md"))
MEMORY = json.loads((REPOSITORY / "benchmarks" / "memory" / "results.json").read_text(encoding="utf-8"))
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
BATCH, TIME, INPUT, HIDDEN = 5, 7, 4, 6


def body(name: str, **parameters: object) -> Recurrent:
    torch.manual_seed(0)
    made = make_body(ModelConfig(name=name, hidden_size=HIDDEN, **parameters), INPUT)  # type: ignore[arg-type]
    assert isinstance(made, Recurrent)
    return made


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_shapes_of_output_h_n_and_c_n(name: str, layers: int, bidirectional: bool) -> None:
    cell = body(name, num_layers=layers, bidirectional=bidirectional).cell
    directions = 2 if bidirectional else 1
    output, final = cell(torch.randn(BATCH, TIME, INPUT))
    assert output.shape == (BATCH, TIME, directions * HIDDEN)
    for state in final if name == "lstm" else (final,):  # h_n, and c_n of an LSTM
        assert state.shape == (directions * layers, BATCH, HIDDEN)


@pytest.mark.parametrize("name", CELLS)
def test_without_batch_first_time_comes_first(name: str) -> None:
    torch.manual_seed(0)
    cell = CELLS[name](INPUT, HIDDEN)
    assert not cell.batch_first
    inputs = torch.randn(TIME, BATCH, INPUT)
    output, _ = cell(inputs)
    assert output.shape == (TIME, BATCH, HIDDEN)
    ours = body(name)
    ours.cell.load_state_dict(cell.state_dict())
    torch.testing.assert_close(ours(inputs.transpose(0, 1)), output.transpose(0, 1))


@pytest.mark.parametrize("name", CELLS)
def test_with_one_layer_and_direction_the_last_output_is_h_n(name: str) -> None:
    output, final = body(name).cell(torch.randn(BATCH, TIME, INPUT))
    hidden = final[0] if name == "lstm" else final
    assert torch.equal(output[:, -1], hidden[0])
    deep_output, deep_final = body(name, num_layers=2).cell(torch.randn(BATCH, TIME, INPUT))
    deep = deep_final[0] if name == "lstm" else deep_final
    assert torch.equal(deep_output[:, -1], deep[-1]), "with more layers, it is the last layer's"
    assert not torch.equal(deep_output[:, -1], deep[0])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
def test_rnn_gru_and_lstm_have_parameters_as_1_to_3_to_4(layers: int, bias: bool) -> None:
    count = {
        name: sum(weight.numel() for weight in body(name, num_layers=layers, bias=bias).cell.parameters())
        for name in CELLS
    }
    biases = 2 * HIDDEN if bias else 0
    deeper = (layers - 1) * (2 * HIDDEN * HIDDEN + biases)
    assert count["rnn"] == INPUT * HIDDEN + HIDDEN * HIDDEN + biases + deeper
    assert count["gru"] == 3 * count["rnn"]
    assert count["lstm"] == 4 * count["rnn"]


@pytest.mark.parametrize("name", CELLS)
def test_the_number_of_candles_changes_no_weight(name: str) -> None:
    """The same weights at every step: a longer window needs no other network."""
    short, long = body(name)(torch.randn(1, 3, INPUT)), body(name)(torch.randn(1, 300, INPUT))
    assert short.shape[1:] == (3, HIDDEN)
    assert long.shape[1:] == (300, HIDDEN)


@pytest.mark.parametrize("name", CELLS)
def test_dropout_with_one_layer_is_warned_of_by_torch_and_refused_here(name: str) -> None:
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        CELLS[name](INPUT, HIDDEN, dropout=0.5)
    with pytest.raises(Exception, match="acts only between layers"):
        body(name, dropout=0.5)


def blocks(page: str, language: str = "python") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)


def test_every_line_of_the_page_prints_what_stands_behind_it(tmp_path: Path) -> None:
    script = "\n".join(blocks(PAGE))
    promised = re.findall(r"^\s*print\(.*\)  # (.+)$", script, flags=re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(promised) == script.count("print(") > 30
    printed = done.stdout.splitlines()
    assert list(map(rough, printed)) == list(map(rough, promised))
    for own, theirs in zip(printed, promised, strict=True):
        assert magnitudes(own) == pytest.approx(magnitudes(theirs), abs=0.4)


GRADIENT = r"\b\de[+-]\d\d\b"


def rough(line: str) -> str:
    """A line without its gradients, whose last digit is the machine's."""
    return re.sub(GRADIENT, "gradient", line)


def magnitudes(line: str) -> list[float]:
    """Powers of ten of the gradients in a line."""
    return [math.log10(float(text)) for text in re.findall(GRADIENT, line)]


def test_the_command_of_the_page_trains(
    say: Callable[..., Answer], store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTER_DATA_DIR", str(store))
    monkeypatch.setenv("FORECASTER_RUNS_DIR", str(tmp_path))
    (command,) = blocks(PAGE, "bash")
    answer = say(*shlex.split(command)[1:], "--set", "training.steps=2")
    assert answer.code == 0, answer.err


def test_gradients_are_those_of_the_benchmark() -> None:
    rows = re.findall(r"^\| ((?:RNN|GRU|LSTM)[\w, ]*) \| (\S+) \| (\S+) \| (\S+) \|$", PAGE, flags=re.MULTILINE)
    assert [name for name, *_ in rows] == ["RNN", "GRU", "LSTM", "GRU, gates opened"]
    for name, *told in rows:
        start = MEMORY["gradient"]["start"][name]
        assert told == [f"{start[k] / max(start):.0e}" for k in (1, 10, 50)]


def test_the_cells_recall_as_far_as_the_page_says() -> None:
    told = re.search(
        r"RNN of that benchmark recalled a symbol over (\d+) steps with every seed,\s+the GRU over (\d+) and the LSTM "
        r"over (\d+); with the gates opened the GRU did over (\d+)", PAGE,
    )  # fmt: skip
    assert told
    for name, distance in zip(("RNN", "GRU", "LSTM", "GRU, gates opened"), told.groups(), strict=True):
        every = [delay for delay, seeds in MEMORY["recalled"][name].items() if all(one["steps"] for one in seeds)]
        assert max(map(int, every)) == int(distance), name


def test_attention_and_gru_are_as_the_benchmark_of_cells_has_them() -> None:
    table = (REPOSITORY / "benchmarks" / "cells" / "README.md").read_text(encoding="utf-8")
    rows = {
        row[0]: row for row in re.findall(r"^\| `(gru|attention)` \| \S+ .*? \| (\S+) .*? \| (\S+) \|", table, re.M)
    }
    for page in (PAGE, CHINESE):
        assert all(f"{row[1]}%" in page for row in rows.values())
    weights = {name: int(row[2].replace(",", "")) for name, row in rows.items()}
    assert weights["gru"] / weights["attention"] == pytest.approx(0.25, abs=0.01)


def sections(page: str) -> list[str]:
    return re.split(r"^## ", page, flags=re.MULTILINE)


def test_the_chinese_page_has_the_same_code_formulas_pictures_and_numbers() -> None:
    assert len(sections(PAGE)) == len(sections(CHINESE))
    for own, theirs in zip(sections(PAGE), sections(CHINESE), strict=True):
        title = own.partition("\n")[0]
        for pattern in (r"```.*?```", r"\$\$.*?\$\$"):
            found = [re.findall(pattern, text, flags=re.DOTALL) for text in (own, theirs)]
            assert found[0] == found[1], title
        pictures = [re.findall(r"pictures/rnn/(?:zh/)?(\w+)\.svg", text) for text in (own, theirs)]
        assert pictures[0] == pictures[1], title
        prose = [
            re.sub(r"```.*?```|\$\$.*?\$\$|!?\[[^]]*\]\([^)]*\)", "", text, flags=re.DOTALL) for text in (own, theirs)
        ]
        numbers = [sorted(re.findall(r"[\d.]*\d(?:e-?\d+)?%?", text)) for text in prose]
        assert numbers[0] == numbers[1], title


def test_pictures_are_as_they_are_drawn(tmp_path: Path) -> None:
    command = [sys.executable, str(DOCS / "diagrams"), str(tmp_path)]
    subprocess.run(command, env=environment(), check=True, capture_output=True)
    drawn = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.svg"))
    assert drawn == sorted(
        path.relative_to(DOCS / "pictures" / "rnn") for path in (DOCS / "pictures" / "rnn").rglob("*.svg")
    )
    for path in drawn:
        assert (DOCS / "pictures" / "rnn" / path).read_text(encoding="utf-8") == (tmp_path / path).read_text(
            encoding="utf-8"
        )
    shown = {*re.findall(r"pictures/(rnn/\S+\.svg)", PAGE + CHINESE)}
    assert shown == {f"rnn/{path.as_posix()}" for path in drawn}


def test_no_text_of_a_chinese_picture_is_left_in_english() -> None:
    """Symbols, shapes and names of torch apart."""
    for path in (DOCS / "pictures" / "rnn" / "zh").iterdir():
        text = re.sub(r"(?s)<style>.*?</style>|<tspan.*?</tspan>|<[^>]+>", " ", path.read_text(encoding="utf-8"))
        words = set(re.findall(r"[A-Za-z]{3,}", text)) - {"RNN", "GRU", "LSTM", "DNN", "tanh", "softmax", "output"}
        assert words == set(), path.name

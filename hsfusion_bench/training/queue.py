"""Trainings that a file lists, made one after the other: each leaves weights, card, log and record.

::

    [common]                      # what every training has, unless it says otherwise
    dataset = "cave"
    scale = 4

    [[training]]
    method = "feinfn"
    steps = 20000                 # left out: the whole recipe
    rounds = 4                    # so many trainings, each from the weights of the one before; left out: one
    recipe = "published"          # one of the method's recipes
    set = { patch = 32, stride = 16, batch_size = 1 }
    seed = 0
    keep = "float16"              # of the weights: "float32", "float16" where the score bears it, or "digest" alone
    note = "why so"

Budgets are steps, so that anybody makes the same weights again. What was interrupted resumes; what is there already is
not made again; what fails is reported, and the next one starts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hsfusion_bench.children.supervised import hsbench, supervised
from hsfusion_bench.claims import read_toml
from hsfusion_bench.errors import HsbenchError, UsageError, reason_of_system
from hsfusion_bench.files import replacing, sha256_file, slug, user_cache
from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.methods.recipes import Recipe, choose_recipe
from hsfusion_bench.registry import find
from hsfusion_bench.scratch import alone
from hsfusion_bench.suggest import suggestion
from hsfusion_metrics import PUBLISHED_METRICS

#: Loss of PSNR, dB, that weights may suffer by being kept as float16.
_TOLERANCE = 0.01
#: Seconds that a training has to keep its state when the queue ends.
_GRACE = 60


class Item(BaseModel):
    """One training of a queue, see the module."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str
    dataset: str
    scale: int = Field(ge=2)
    protocol: str | None = None
    recipe: str = "published"
    steps: int | None = Field(default=None, ge=1)
    rounds: int = Field(default=1, ge=1)
    set: dict[str, str] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0)
    keep: Literal["float32", "float16", "digest"] = "digest"
    note: str = ""

    @field_validator("set", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        """Take numbers and truths as TOML has them."""
        if not isinstance(value, dict):
            return value
        return {name: str(each).lower() if isinstance(each, bool) else str(each) for name, each in value.items()}

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f"{self.method} {self.dataset} x{self.scale}" + (f", seed {self.seed}" if self.seed else "")

    @property
    def place(self) -> Path:
        """Its weights file, relative to a folder of weights."""
        protocol = "" if self.protocol is None else f"-{slug(self.protocol)}"
        seed = f".seed-{self.seed}" if self.seed else ""
        return Path(slug(self.method)) / f"{slug(self.dataset)}-x{self.scale}{protocol}{seed}.safetensors"

    def recipe_used(self) -> Recipe:
        """Return the recipe as changed.

        Raises
        ------
        UsageError
            If there is no such method or recipe, or it has no such numbers.
        HsbenchError
            If the method cannot be imported.
        """
        method = find(self.method).load()
        if not isinstance(method, NetworkMethod):
            raise UsageError(f"{method.card.title} is not a network: there is nothing to train")
        return choose_recipe(method.recipes, self.recipe, method.card.title).changed(self.set)

    def problem(self) -> list[str]:
        """Return the options of the command line that say on what data."""
        protocol = [] if self.protocol is None else ["--protocol", self.protocol]
        return ["--dataset", self.dataset, "--scale", str(self.scale), *protocol]

    def command(self, start: Path | None = None) -> list[str]:
        """Return the arguments of ``hsbench`` that make the training, from some weights."""
        arguments = ["train", self.method, *self.problem(), "--recipe", self.recipe, "--seed", str(self.seed)]
        if self.steps is not None:
            arguments += ["--max-steps", str(self.steps)]
        if start is not None:
            arguments += ["--from", str(start)]
        for name, value in self.set.items():
            arguments += ["--set", f"{name}={value}"]
        return arguments


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    common: dict[str, Any] = Field(default_factory=dict)
    training: list[dict[str, Any]]


def read_queue(path: Path) -> list[Item]:
    """Read a file of trainings, and see that each can be begun.

    Raises
    ------
    HsbenchError
        If the file cannot be read, or an item of it is not a training; the message names the item and the key.
    """
    try:
        content = _File.model_validate(read_toml(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_of_system(error)}") from error
    except HsbenchError as error:
        raise UsageError(str(error)) from error
    except ValidationError as error:
        raise UsageError(f"{path}: {_first(error, _File)}") from error
    items: list[Item] = []
    for number, given in enumerate(content.training, start=1):
        try:
            item = Item.model_validate({**content.common, **given})
            item.recipe_used()
        except ValidationError as error:
            raise UsageError(f"{path}, training {number}: {_first(error, Item)}") from error
        except HsbenchError as error:
            raise UsageError(f"{path}, training {number}: {error}") from error
        if item.place in [other.place for other in items]:
            raise UsageError(f"{path}, training {number}: {item.title} is there already, and its files have one name")
        if item.rounds > 1 and item.keep == "digest":
            raise UsageError(
                f"{path}, training {number}: rounds begin with weights that are kept, so keep cannot be digest"
            )
        items.append(item)
    if not items:
        raise UsageError(f"{path} lists no [[training]]")
    return items


def _first(error: ValidationError, model: type[BaseModel]) -> str:
    """Say in a line what is wrong first."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"there is no key {name!r}{suggestion(name, model.model_fields)}"
    if first["type"] == "missing":
        return f"{name} is missing"
    return f"{name}: {first['msg']}"


Outcome = Literal["made", "was there", "failed"]


@dataclass(frozen=True)
class Queue:
    """Where a queue's trainings are made, and what they leave behind.

    Parameters
    ----------
    results
        Folder of records; weights, cards and logs lie below ``weights/METHOD`` in it.
    work
        Folder of trainings that are under way, which must stay until they are finished.
    data_root
        Folder of the data set's files.
    device
        "cpu" or "cuda".
    say
        Is given a line of progress.
    """

    results: Path
    work: Path
    data_root: Path | None
    device: str
    say: Callable[[str], None]

    @classmethod
    def default_work(cls) -> Path:
        """Return the folder of trainings under way, unless told otherwise."""
        return user_cache() / "trainings"

    def run(self, items: list[Item]) -> dict[str, Outcome]:
        """Make the trainings; returns what became of each, by title."""
        outcomes: dict[str, Outcome] = {}
        for number, item in enumerate(items, start=1):
            self.say(f"[{number}/{len(items)}] {item.title}")
            try:
                outcomes[item.title] = self._make(item)
            except HsbenchError as error:
                self.say(f"[{number}/{len(items)}] {item.title} failed: {error}")
                outcomes[item.title] = "failed"
        return outcomes

    def _make(self, item: Item) -> Outcome:
        """Train, score and keep one, round by round; rounds whose weights are kept already are not made again."""
        with alone(self._kept(item)), alone((self.work / item.place).with_suffix("")):
            made = _rounds_kept(self._kept(item), item)
            for number in range(made + 1, item.rounds + 1):
                self._make_round(item, number)
        return "was there" if made == item.rounds else "made"

    def _kept(self, item: Item) -> Path:
        return self.results / "weights" / item.place

    def _make_round(self, item: Item, number: int) -> None:
        kept = self._kept(item)
        rounds = "" if item.rounds == 1 else f".round-{number}"
        trained = self.work / item.place.with_name(f"{item.place.stem}{rounds}{item.place.suffix}")
        start = None
        if number > 1:  # a copy, since what is kept, the weights of the round before, is replaced in the end
            start = trained.with_name(f"{trained.stem}.start{trained.suffix}")
            _copy(kept, start)
        arguments = item.command(start)
        self._hsbench([*arguments, "--out", str(trained)])
        chosen = self._scored(item, trained)
        beside = kept.with_suffix(".json")
        _copy(trained.with_suffix(".csv"), kept.with_suffix(".csv"))
        if item.keep == "digest":
            kept.unlink(missing_ok=True)
        else:
            _copy(chosen, kept)
        # last, since it says that all the rest is there
        card = json.loads(chosen.with_suffix(".json").read_text(encoding="utf-8"))
        said = {"round": number, "training": item.model_dump(mode="json"), "command": ["hsbench", *item.command()]}
        _write_json(beside, {**card, "made_by": said})

    def _scored(self, item: Item, trained: Path) -> Path:
        """Leave the record of a training; return the weights file that it is of."""
        if item.keep != "float16":
            self._score(item, trained, self.results)
            return trained
        from hsfusion_bench.methods.weights import halve

        half = trained.with_name(f"{trained.stem}.float16{trained.suffix}")
        halve(trained, half)
        scratch = self.work / "float32"
        whole_psnr = self._score(item, trained, scratch)
        half_psnr = self._score(item, half, self.results)
        if abs(whole_psnr - half_psnr) <= _TOLERANCE:
            return half
        self.say(f"{item.title}: float16 gives {half_psnr:.3f} dB for {whole_psnr:.3f}, so float32 is kept")
        self._score(item, trained, self.results)
        return trained

    def _score(self, item: Item, weights: Path, results: Path) -> float:
        """Run the method with its weights on the test scenes; return the mean PSNR in dB."""
        command = ["run", "--methods", item.method, *item.problem(), "--weights", f"{item.method}={weights}"]
        command += ["--also", ",".join(PUBLISHED_METRICS), "--no-timing", "--results-dir", str(results)]
        output = self._hsbench(command)
        found = re.search(r"^record\s+(\S.*)$", output, flags=re.MULTILINE)
        if found is None:
            raise HsbenchError(f"no record was left of {item.title}")
        record: Mapping[str, Any] = json.loads(Path(found.group(1).strip()).read_text(encoding="utf-8"))
        return float(record["summary"]["psnr"]["mean"])

    def _hsbench(self, arguments: list[str]) -> str:
        """Run the command in a process of its own, so that nothing that happens to it ends the queue.

        Returns what it wrote to standard error, which is shown, too, as it comes.
        """
        lines: list[str] = []
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        # by the environment: on the command line it is refused where a data set needs none
        root = {} if self.data_root is None else {"HSBENCH_DATA": str(self.data_root)}
        variables = {**os.environ, **root}
        command = hsbench(*arguments, "--device", self.device)
        with supervised(command, grace=_GRACE, **streams, text=True, env=variables) as process:
            assert process.stderr is not None
            for line in process.stderr:
                lines.append(line)
                self.say(f"    {line.rstrip()}")
            process.wait()
        if process.returncode:
            reason = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
            raise HsbenchError(f"exit code {process.returncode}: {reason}")
        return "".join(lines)


def _rounds_kept(kept: Path, item: Item) -> int:
    """Return how many rounds of just this training have been made, by what the card says that is kept."""
    card = kept.with_suffix(".json")
    try:
        content = json.loads(card.read_text(encoding="utf-8")) if card.is_file() else {}
    except (OSError, ValueError) as error:
        raise HsbenchError(f"{card} cannot be read, or is damaged; move it away") from error
    said = content.get("made_by") if isinstance(content, dict) else None
    wanted = item.model_dump(mode="json", exclude={"rounds", "note"})
    if not isinstance(said, dict) or {name: said.get("training", {}).get(name) for name in wanted} != wanted:
        return 0
    if item.keep != "digest" and (not kept.is_file() or sha256_file(kept) != content.get("sha256")):
        return 0
    number = said.get("round")
    return min(number, item.rounds) if isinstance(number, int) else 0


def _copy(source: Path, target: Path) -> None:
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

"""``hsbench weights`` and the choice of weights, on small weights, small records and a server of our own."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file
from scipy import io
from skimage.io import imsave

import hsfusion_bench as hb
from hsfusion_baselines import METHODS
from hsfusion_baselines.ssfcnn.method import SSFCNNMethod
from hsfusion_bench.cli import main
from hsfusion_bench.data.observing.protocols import ProtocolChoice
from hsfusion_bench.methods import LoadedNetwork, NetworkMethod, Problem
from hsfusion_bench.methods.weights import EarlierTraining, TrainingInfo, WeightsCard, cached_path, write_weights
from hsfusion_bench.registry import find as find_method
from hsfusion_bench.runs.records import Store, WeightsInfo, read_record
from hsfusion_bench.runs.weights import catalogue, choosing
from support.records import make_record
from support.server import Server, serving

ROOT = Path(__file__).parents[1]
DEMO = ("--dataset", "demo", "--scale", "4")


@pytest.fixture
def task() -> hb.Task:
    return hb.open_task("demo", 4)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as made:
        yield made


def test_an_older_card_that_tells_no_machine_is_written_as_it_was(tmp_path: Path) -> None:
    path = made(tmp_path / "w.safetensors", hb.open_task("demo", 4))
    assert '"machine"' not in path.with_suffix(".json").read_text()


@pytest.mark.parametrize(
    ("steps", "pixels", "earlier", "told"),
    [
        (10, 1000, None, "10 of 100 steps (10 % of the recipe)"),
        (100, 10000, None, "100 of 100 steps (the whole recipe)"),
        (250, 2500, None, "250 steps (25 % of the pixels of the recipe)"),  # of a tenth of the recipe's size
        (1000, 10000, None, "1000 steps (all pixels of the recipe)"),
        (10, None, None, "10 of 100 steps (10 % of the recipe)"),
        (10, 1000, (20, 2000), "10 of 100 steps after 20 earlier ones (30 % of the recipe)"),
        (10, 100, (20, 200), "10 steps after 20 earlier ones (3 % of the pixels of the recipe)"),
        (10, 1000, (None, None), "10 of 100 steps after weights of unknown training (10 % of the recipe)"),
    ],
)
def test_a_budget_is_told_in_what_can_be_compared(
    steps: int, pixels: int | None, earlier: tuple[int | None, int | None] | None, told: str
) -> None:
    training = TrainingInfo(
        steps=steps,
        recipe_steps=100,
        recipe_pixels=10000,
        pixels=pixels,
        earlier=earlier and EarlierTraining(sha256="0", steps=earlier[0], pixels=earlier[1]),
        batch_size=1,
        patch=10,
        learning_rate=1e-3,
        changes={},
        supervision="reference",
        scenes=[],
        seed=0,
        device="cpu",
        first_loss={},
        last_loss={},
    )
    assert training.describe() == told
    assert training.whole == (told.startswith(("100 of 100", "1000 steps")))
    assert not training.model_copy(update={"changes": {"learning_rate": "1"}}).whole
    assert training.model_copy(update={"recipe_name": "text"}).describe() == told.replace("recipe", "recipe 'text'")


def made(path: Path, task: hb.Task, seed: int = 0, method: NetworkMethod | None = None, **changes: object) -> Path:
    """Write weights of a network that nobody trained, with a card."""
    method, problem = method or SSFCNNMethod(), task.problem
    torch.manual_seed(seed)
    training = TrainingInfo(
        steps=7,
        recipe_steps=70,
        batch_size=1,
        patch=16,
        learning_rate=1e-3,
        changes={},
        supervision="reference",
        scenes=["figs"],
        seed=seed,
        device="cpu",
        first_loss={},
        last_loss={},
    )
    card = WeightsCard(
        method=method.card.name,
        dataset="demo",
        scale=4,
        protocol="uestc",
        protocol_digest=task.protocol_digest,
        split_digest=task.plan.split.digest,
        bands=problem.bands,
        msi_bands=problem.msi_bands,
        training=training,
        versions={},
    )
    write_weights(path, method.build(problem).state_dict(), card.model_copy(update=changes))
    return path


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Shelf:
    """A catalogue of our own: what comes with the package, what others offer, and what both scored."""

    def __init__(self, folder: Path, task: hb.Task, server: Server | None) -> None:
        self.folder, self.task, self.server = folder, task, server
        self.tables: list[str] = []
        self.text = folder / "authors.toml"
        self.text.write_text("")

    def package(self, seed: int = 0, psnr: float | None = 30.0, **changes: object) -> Path:
        path = made(self.folder / "weights" / "ssfcnn" / "demo-x4-uestc.safetensors", self.task, seed, **changes)
        self.score("package", path, psnr)
        return path

    def offer(self, name: str, seed: int, psnr: float | None = None, facts: str = "", **wrong: object) -> bytes:
        path = made(self.folder / f"{name}.safetensors", self.task, seed)
        content = path.read_bytes()
        base = "http://127.0.0.1:9" if self.server is None else self.server.url("/state")
        if not self.tables:
            self.tables.append(
                '[source.them]\ntitle = "Somebody"\nhomepage = "https://example.org/them"\n'
                f'base = "{base}"\nlicence = "none stated"\nterms = "Ask them."\n'
            )
        said = {"sha256": digest_of(path), "size": len(content), "method": "ssfcnn", "dataset": "demo", "scale": 4}
        said |= {"protocol": "uestc", "bands": 31, "msi_bands": 3} | wrong
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items() if value is not None)
        self.tables.append(f'[file.{name}]\nsource = "them"\npath = "a b/{name}.safetensors"\n{lines}{facts}\n')
        self.text.write_text("\n".join(self.tables))
        if self.server is not None:
            self.server.answers[f"/state/a%20b/{name}.safetensors"] = content
        self.score(name, path, psnr)
        return content

    def score(self, name: str, path: Path, psnr: float | None) -> None:
        if psnr is None:
            return
        record = make_record("ssfcnn", scenes={"a": psnr, "b": psnr})
        digests = {"protocol_digest": self.task.protocol_digest, "split_digest": self.task.plan.split.digest}
        dataset = record.dataset.model_copy(update={"name": "demo", **digests})
        weights = WeightsInfo(sha256=digest_of(path), file="x", origin="hsbench", trained_on=None, training=None)
        text = record.model_copy(update={"dataset": dataset, "weights": weights}).model_dump_json(by_alias=True)
        target = self.folder / "demo-x4-uestc" / f"ssfcnn.{name}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: hb.Task, server: Server) -> Shelf:
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    found = Shelf(folder, task, server)
    monkeypatch.setattr(catalogue, "AUTHORS", found.text)
    monkeypatch.setattr(catalogue, "recorded_root", lambda: folder)
    monkeypatch.setattr(catalogue, "recorded_store", lambda: Store(folder))
    return found


def hsbench(*arguments: object) -> Result:
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert "Traceback" not in done.output
    return done


def weights(*arguments: object) -> Result:
    return hsbench("weights", *arguments)


def run(*arguments: object, method: str = "ssfcnn") -> Result:
    return hsbench("run", "--methods", method, *DEMO, "--scenes", "figs", "--no-timing", *arguments)


def said(done: Result) -> str:
    return " ".join(done.stderr.split())


def ran_with(done: Result) -> str:
    """Return the line that says which weights ran."""
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("ssfcnn: weights ")]
    return line


# -- the catalogue that ships


def test_files_of_others_are_pinned_and_complete() -> None:
    listed = catalogue.read_authors()
    assert len(listed.file) >= 6
    for name, file in listed.file.items():
        assert name.startswith(f"{file.method}-{file.dataset}-x{file.scale}-")
        assert file.method in METHODS
        assert re.search(r"/[0-9a-f]{40}$", listed.source[file.source].base), "a branch moves, a commit does not"
        assert isinstance(find_method(file.method).load(), NetworkMethod)
    entry = catalogue.find("psrt-cave-x4-uestc-authors")
    assert entry.download is not None
    assert entry.download.url.endswith(
        "/9c2be904f901d4b6e2991413adea753d94be73fd/pretrained%20model/cave_x4/best.pth.tar"
    )


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("PSRT_cave_x4_best.pth.tar", "psrt-cave-x4-uestc-authors"),
        ("MossFuse_CAVE_32_model.pth", "mossfuse-cave-x32-mossfuse-authors"),
    ],
)
def test_digests_are_those_of_the_files(file: str, name: str) -> None:
    path = Path(os.environ.get("HSBENCH_GOLDENS", "/nowhere"), "checkpoints", file)
    if not path.is_file():
        pytest.skip(f"HSBENCH_GOLDENS names no folder with checkpoints/{file}")
    entry = catalogue.find(name)
    assert (entry.sha256, entry.size) == (digest_of(path), path.stat().st_size)
    assert choosing._known(path) == entry


def test_scores_are_those_of_the_records() -> None:
    found = catalogue.catalogue()
    scored = 0
    for path in sorted((ROOT / "results").glob("*-x*-*/*.json")):
        record = json.loads(path.read_text())
        if record["weights"] is None or record["dataset"]["scenes"] < record["dataset"]["scenes_in_split"]:
            continue
        (entry,) = [entry for entry in found.values() if entry.sha256 == record["weights"]["sha256"]]
        assert entry.method == record["method"]["name"]
        assert entry.psnr == record["summary"]["psnr"]["mean"]
        assert f"{record['dataset']['name']}-x{record['dataset']['scale']}" in entry.id
        scored += 1
    assert scored >= 7
    # ours are what lies in the folder, no more and no less
    files = {f"{path.parent.name}-{path.stem}" for path in (ROOT / "results" / "weights").glob("*/*.safetensors")}
    assert {entry.id for entry in found.values() if entry.download is None} == files
    assert "feinfn-cave-x4-uestc" in files


def test_the_network_gets_what_the_package_carries(tmp_path: Path) -> None:
    folder = tmp_path / "balloons_ms"
    folder.mkdir()
    for band in range(1, 32):
        imsave(folder / f"balloons_ms_{band:02d}.png", np.full((4, 4), 40000, np.uint16), check_contrast=False)
    task = hb.open_task("cave", 4, data_root=tmp_path, partial=True)
    net = hb.load_method("conssfcnn", task=task, device="cpu")
    assert isinstance(net, LoadedNetwork)
    assert net.weights is not None
    path = ROOT / "results" / "weights" / "conssfcnn" / "cave-x4-uestc.safetensors"
    assert net.weights.sha256 == digest_of(path)
    assert net.weights.describe().startswith("weights from the package (conssfcnn-cave-x4-uestc); trained ")
    # under other conditions it has those of the protocol itself, and says so
    noisy = hb.open_task(
        "cave", 4, protocol=ProtocolChoice("uestc", snr_hsi=30, told_phase=-0.5), data_root=tmp_path, partial=True
    )
    net = hb.load_method("conssfcnn", task=noisy, device="cpu")
    assert isinstance(net, LoadedNetwork)
    assert net.weights is not None
    assert net.weights.sha256 == digest_of(path)
    assert net.problem.phase == 1.5
    chosen = choosing.choose("conssfcnn", net.method, noisy)
    said = "none were trained under these conditions: they are of protocol uestc"
    assert said in chosen.describe(net.weights)
    # unless it was trained under just these
    own = cached_path("conssfcnn", net.method, noisy.id)
    own.parent.mkdir(parents=True)
    own.write_bytes(path.read_bytes())
    chosen = choosing.choose("conssfcnn", net.method, noisy)
    assert (chosen.path, chosen.elsewhere) == (own, None)
    # of another scale, protocol or option it has none
    for other in (
        hb.open_task("cave", 8, data_root=tmp_path, partial=True),
        hb.open_task("cave", 4, protocol="mossfuse", data_root=tmp_path, partial=True),
        hb.open_task("cave", 4, protocol="xidian", data_root=tmp_path, partial=True),
    ):
        with pytest.raises(hb.HsbenchError, match="no weights of ConSSFCNN for cave-x"):
            hb.load_method("conssfcnn", task=other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file = 3", "file: Input should be a valid dictionary"),
        ("[file.x", "is not a TOML file"),
        ("colour = 3", "colour: Extra inputs are not permitted"),
        ('[source.a]\ntitle = "A"', "source.a.homepage: Field required"),
        ("FILE source = 'b'", "x: there is no source 'b'"),
        ("FILE sha256 = 'ab'", "file.x.sha256: String should match pattern"),
        ("FILE protocol =", "x: without a protocol, only_if_named has to say how"),
        ("FILE size = 0", "file.x.size: Input should be greater than or equal to 1"),
    ],
)
def test_a_list_that_is_wrong_is_told(tmp_path: Path, text: str, words: str) -> None:
    if text.startswith("FILE"):
        facts = {"source": "'a'", "path": "'p'", "sha256": f"'{'0' * 64}'", "size": "1", "method": "'m'"}
        facts |= {"dataset": "'d'", "scale": "4", "protocol": "'uestc'", "bands": "31", "msi_bands": "3"}
        key, _, value = text.removeprefix("FILE ").partition(" =")
        facts[key] = value.strip()
        source = "[source.a]\ntitle='A'\nhomepage='http://a'\nbase='http://a/b'\nlicence='L'\nterms='T'\n"
        text = source + "[file.x]\n" + "".join(f"{key} = {value}\n" for key, value in facts.items() if value)
    path = tmp_path / "authors.toml"
    path.write_text(text)
    with pytest.raises(hb.HsbenchError, match=re.escape(words)) as caught:
        catalogue.read_authors(path)
    assert str(path) in str(caught.value)


# -- list and info


def test_help_and_lists_import_no_torch() -> None:
    for words in (["weights", "--help"], ["weights", "list"], ["weights", "info", "feinfn-cave-x4-uestc"]):
        script = (
            "import sys\nfrom hsfusion_bench.cli import main\n"
            "try: main(sys.argv[1:])\nexcept SystemExit as stop: assert not stop.code\n"
            "sys.exit(str({'torch', 'pandas', 'skimage', 'requests', 'pooch'} & set(sys.modules) or ''))\n"
        )
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
        assert done.stderr.strip() == "", words


def test_the_list_says_what_is_here_and_fits_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = weights("list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line for line in lines if line.strip()}
    assert rows["feinfn-cave-x4-uestc"].split()[1] == "package"
    assert rows["feinfn-cave-x4-uestc"].endswith(" yes")
    cells = [cell.strip() for cell in re.split("  +", rows["psrt-cave-x4-uestc-authors"])]
    assert cells[1:] == ["PSRT's authors", "3.2 MB", "50.08±4.96", "no"]
    (only,) = json.loads(weights("list", "--method", "psrt", "--scale", 8, "--json").stdout)
    assert (only["id"], only["state"], only["psnr_mean"]) == (
        "psrt-cave-x8-uestc-authors",
        "not here",
        47.40161081269867,
    )
    assert (only["bands"], only["licence"], only["in_package"]) == (31, "none stated", False)


def test_the_list_as_csv(tmp_path: Path) -> None:
    assert weights("list", "--dataset", "cave", "--csv", tmp_path / "list.csv").exit_code == 0
    with (tmp_path / "list.csv").open() as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert rows["psrt-cave-x4-uestc-authors"]["size"] == "3187993"
    assert "psrt-harvard-x4-uestc-authors" not in rows


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["info", "psrt-cave-x4-uestc"],
            "no set of weights 'psrt-cave-x4-uestc'; did you mean psrt-cave-x4-uestc-authors",
        ),
        (["download", "psrt-cave-x8-uestc"], "did you mean psrt-cave-x8-uestc-authors"),
        (["list", "--method", "feinf"], "did you mean feinfn"),
        (["list", "--dataset", "cav"], "did you mean cave"),
        (["download"], "name the weights, or select them"),
        (["download", "x", "--method", "psrt"], "name the weights, or select them"),
        (["download", "--method", "psrt", "--scale", "2"], "no such weights are known"),
    ],
)
def test_unknown_weights_get_a_suggestion(arguments: list[str], words: str) -> None:
    done = weights(*arguments)
    assert done.exit_code == 2
    assert words in said(done)


def test_info_tells_all(shelf: Shelf) -> None:
    shelf.offer("ssfcnn-theirs", 3, psnr=31.5)
    shelf.offer("ssfcnn-odd", 4, facts='only_if_named = "Nobody knows its scenes."')
    text = " ".join(weights("info", "ssfcnn-theirs").stdout.split())
    for words in ("demo ×4, protocol uestc", "31.50±0.00 dB, mean of the 2 test scenes", "none stated. Ask them.",
                  "a%20b/ssfcnn-theirs.safetensors", "Somebody, https://example.org/them", "taken where they fit",
                  "`hsbench weights download ssfcnn-theirs`"):  # fmt: skip
        assert words in text
    text = " ".join(weights("info", "ssfcnn-odd").stdout.split())
    assert "only where they are named. Nobody knows its scenes." in text
    assert "nobody has run them here" in text


# -- download


def test_weights_are_fetched_checked_and_run(shelf: Shelf, own_cache: Path) -> None:
    content = shelf.offer("ssfcnn-theirs", 3, psnr=31.5)
    before = run()
    assert before.exit_code == 1
    assert "no weights of SSFCNN for demo-x4-uestc: train it with --train" in said(before)
    way = "`hsbench weights download ssfcnn-theirs` (0.2 MB; licence: none stated; 31.50±0.00 dB on its test split)"
    assert way in said(before)
    assert "--weights ssfcnn=FILE" in said(before)
    assert shelf.server is not None
    assert not shelf.server.asked, "nothing is fetched without being asked for"

    refused = weights("download", "ssfcnn-theirs")
    assert refused.exit_code == 2
    assert "none stated. Ask them." in refused.stdout
    assert "--accept-licence" in said(refused)
    assert not shelf.server.asked

    done = weights("download", "ssfcnn-theirs", "--accept-licence")
    assert done.exit_code == 0, done.output
    path = own_cache / "weights" / "authors" / "ssfcnn-theirs" / "ssfcnn-theirs.safetensors"
    assert path.read_bytes() == content
    assert hashlib.sha256(content).hexdigest() in done.stdout
    again = weights("download", "--method", "ssfcnn")  # accepted once
    assert "here already" in again.stdout
    assert len(shelf.server.asked) == 1
    assert "weights downloaded (ssfcnn-theirs); trained 7 of 70 steps" in ran_with(run())
    record = json.loads(Path("results/demo-x4-uestc/ssfcnn.seed-3.subset-figs.json").read_text())
    assert record["weights"]["catalogue"] == "ssfcnn-theirs"
    assert record["weights"]["sha256"] == hashlib.sha256(content).hexdigest()


def test_what_comes_with_the_package_is_here_already(shelf: Shelf) -> None:
    path = shelf.package()
    done = weights("download", "ssfcnn-demo-x4-uestc")
    assert done.exit_code == 0
    assert f"here already, it comes with the package ({path})" in done.stdout


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda content: content[:-1] + b"x", "is another file: its SHA-256 is"),
        (lambda content: content + b"x", "bytes, but should have"),
        (lambda content: None, "the server answers 404 Not Found"),
    ],
)
def test_another_file_is_not_kept(
    shelf: Shelf, own_cache: Path, answer: Callable[[bytes], bytes | None], words: str
) -> None:
    content = shelf.offer("ssfcnn-theirs", 3)
    (address,) = shelf.server.answers  # type: ignore[union-attr]
    sent = answer(content)
    if sent is None:
        del shelf.server.answers[address]  # type: ignore[union-attr]
    else:
        shelf.server.answers[address] = sent  # type: ignore[union-attr]
    done = weights("download", "ssfcnn-theirs", "--accept-licence")
    assert done.exit_code == 1
    assert words in said(done)
    assert f"By hand: fetch {shelf.server.url(address)}" in said(done)  # type: ignore[union-attr]
    assert not list((own_cache / "weights").rglob("*.safetensors*"))


def test_a_broken_download_goes_on(shelf: Shelf, own_cache: Path) -> None:
    content = shelf.offer("ssfcnn-theirs", 3)
    assert shelf.server is not None
    (address,) = shelf.server.answers
    half = len(content) // 2

    def broken_off(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:half])

    def partial(handler: BaseHTTPRequestHandler) -> None:
        start = int(str(handler.headers["Range"]).removeprefix("bytes=").removesuffix("-"))
        assert start > 0
        handler.send_response(206)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        handler.wfile.write(content[start:])

    shelf.server.answers[address] = broken_off
    done = weights("download", "ssfcnn-theirs", "--accept-licence")
    assert done.exit_code == 1
    assert "the connection broke before the end (the same command goes on)" in said(done)
    assert run().exit_code == 1, "a part of a file is not taken"
    shelf.server.answers[address] = partial
    assert weights("download", "ssfcnn-theirs").exit_code == 0
    (path,) = (own_cache / "weights").rglob("*.safetensors")
    assert path.read_bytes() == content


def test_a_checkpoint_called_tar_is_no_archive(shelf: Shelf, own_cache: Path) -> None:
    """PSRT's authors call theirs best.pth.tar, and ``torch.save`` wrote them."""
    content = shelf.offer("ssfcnn-theirs", 3)
    shelf.text.write_text(shelf.text.read_text().replace("a b/ssfcnn-theirs.safetensors", "best.pth.tar"))
    shelf.server.answers["/state/best.pth.tar"] = content  # type: ignore[union-attr]
    done = weights("download", "ssfcnn-theirs", "--accept-licence")
    assert done.exit_code == 0, done.output
    assert (own_cache / "weights" / "authors" / "ssfcnn-theirs" / "best.pth.tar").read_bytes() == content


def test_without_a_network_it_says_what_to_do_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    lonely = Shelf(tmp_path, hb.open_task("demo", 4), None)
    monkeypatch.setattr(catalogue, "AUTHORS", lonely.text)
    content = lonely.offer("ssfcnn-theirs", 3)
    done = weights("download", "ssfcnn-theirs", "--accept-licence")
    assert done.exit_code == 1
    assert "cannot be fetched: the server cannot be reached. By hand: fetch http://127.0.0.1:9/" in said(done)
    (place,) = re.findall(r"put it at (\S+),", said(done))
    Path(place).write_bytes(content)
    assert "here already" in weights("download", "ssfcnn-theirs").stdout


# -- which are taken


def test_the_order_in_which_weights_are_taken(shelf: Shelf, task: hb.Task, own_cache: Path) -> None:
    shelf.package(seed=1, psnr=30.0)
    shelf.offer("ssfcnn-theirs", 2, psnr=31.5)
    shelf.offer("ssfcnn-worse", 3, psnr=29.0)
    line = ran_with(run())
    assert "from the package (ssfcnn-demo-x4-uestc); trained 7 of 70 steps (10 % of the recipe); 30.00±0.00 dB" in line
    assert "; better ones are to be had: `hsbench weights download ssfcnn-theirs` (0.2 MB; licence: none stated" in line

    for name in ("ssfcnn-worse", "ssfcnn-theirs"):
        assert weights("download", name, "--accept-licence").exit_code == 0
    line = ran_with(run())
    assert "weights downloaded (ssfcnn-theirs)" in line
    assert "better" not in line

    own = made(cached_path("ssfcnn", SSFCNNMethod(), "demo-x4-uestc"), task, seed=5)
    line = ran_with(run())
    assert f"weights from your own training ({own}), of demo x4 uestc; trained 7 of 70 steps" in line

    assert "weights downloaded (ssfcnn-worse)" in ran_with(run("--weights", "ssfcnn=ssfcnn-worse"))
    named = made(Path("named.safetensors"), task, seed=6)
    assert "weights named by you (named.safetensors)" in ran_with(run("--weights", f"ssfcnn={named}"))


def test_of_several_seeds_the_least_is_taken_and_not_the_best(shelf: Shelf, task: hb.Task) -> None:
    shelf.package(seed=0, psnr=30.0)
    best = made(shelf.folder / "weights" / "ssfcnn" / "demo-x4-uestc.seed-1.safetensors", task, seed=1)
    shelf.score("best", best, 35.0)
    line = ran_with(run())
    assert "from the package (ssfcnn-demo-x4-uestc)" in line
    assert "better" not in line
    assert "from the package (ssfcnn-demo-x4-uestc.seed-1)" in ran_with(
        run("--weights", "ssfcnn=ssfcnn-demo-x4-uestc.seed-1")
    )
    told = weights("info", "ssfcnn-demo-x4-uestc.seed-1").stdout
    assert "They are of training seed 1, and those of seed 0 are taken" in " ".join(told.split())


def test_a_file_is_known_by_its_content(shelf: Shelf) -> None:
    path = shelf.package()
    Path("copy.safetensors").write_bytes(path.read_bytes())
    line = ran_with(run("--weights", "ssfcnn=copy.safetensors"))
    assert "named by you (copy.safetensors, which is ssfcnn-demo-x4-uestc); trained 7 of 70 steps" in line


def test_the_same_from_python(shelf: Shelf, task: hb.Task, caplog: pytest.LogCaptureFixture) -> None:
    shelf.package()
    shelf.offer("ssfcnn-theirs", 2, psnr=31.5)
    with caplog.at_level(logging.INFO, "hsfusion_bench"):
        net = hb.load_method("ssfcnn", task=task, device="cpu")
        by_name, by_value = (
            hb.run(hb.open_task("demo", 4, scenes=["figs"]), [each], records=None, timing=False, device="cpu")
            for each in ("ssfcnn", net)
        )
    assert by_name.records == by_value.records
    assert by_name.records[0].weights is not None
    assert by_name.records[0].weights.catalogue == "ssfcnn-demo-x4-uestc"
    assert len(caplog.messages) == 3
    assert all("ssfcnn: weights from the package (ssfcnn-demo-x4-uestc); trained 7" in line for line in caplog.messages)
    with pytest.raises(hb.HsbenchError, match="ssfcnn-theirs are not here: `hsbench weights download ssfcnn-theirs`"):
        hb.load_method("ssfcnn", task=task, weights="ssfcnn-theirs")
    with pytest.raises(hb.UsageError, match=r"no such file, and none .* did you mean ssfcnn-theirs"):
        hb.run(task, ["ssfcnn"], records=None, weights={"ssfcnn": "ssfcnn-their"})


def test_weights_of_single_scenes_are_for_runs(shelf: Shelf, task: hb.Task) -> None:
    path = cached_path("ssfcnn", SSFCNNMethod(), "demo-x4-uestc")
    made(path.with_suffix(".scenes") / "figs.safetensors", task)
    assert "from your own training" in ran_with(run())
    with pytest.raises(hb.HsbenchError, match="each scene has weights of its own there"):
        hb.load_method("ssfcnn", task=task)


def test_what_was_changed_since_it_was_fetched_is_not_run(shelf: Shelf, own_cache: Path) -> None:
    content = shelf.offer("ssfcnn-theirs", 3, psnr=31.5)
    assert weights("download", "ssfcnn-theirs", "--accept-licence").exit_code == 0
    (path,) = (own_cache / "weights").rglob("*.safetensors")
    path.write_bytes(content[:-4] + b"\0\0\0\x40")
    for done in (run(), run("--weights", "ssfcnn=ssfcnn-theirs")):
        assert done.exit_code == 1
        assert f"{path} is not what ssfcnn-theirs was: its SHA-256 is" in said(done)
        assert "Remove it, and `hsbench weights download ssfcnn-theirs`" in said(done)
    assert weights("list").stdout.rstrip().endswith("changed")
    assert weights("download", "ssfcnn-theirs").exit_code == 1
    path.unlink()
    assert weights("download", "ssfcnn-theirs").exit_code == 0
    assert run().exit_code == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"options": {"width": 8}},
        {"protocol_digest": "0" * 64},
        {"split_digest": "0" * 64},
        {"dataset": "toys"},
        {"protocol": "wald"},
        {"scale": 8},
        {"bands": 30},
    ],
)
def test_what_was_trained_for_something_else_is_not_taken(shelf: Shelf, changes: dict[str, object]) -> None:
    shelf.package(psnr=None, **changes)
    done = run()
    assert done.exit_code == 1
    assert "no weights of SSFCNN for demo-x4-uestc" in said(done)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scale": 8}, "the weights ssfcnn-theirs were trained for scale 8, not for 4"),
        ({"bands": 102}, "the weights ssfcnn-theirs were trained for bands 102, not for 31"),
        ({"msi_bands": 4}, "the weights ssfcnn-theirs were trained for msi_bands 4, not for 3"),
        ({"method": "ssrnet"}, "the weights ssfcnn-theirs are of 'ssrnet', not of 'ssfcnn'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_by_content(
    shelf: Shelf, wrong: dict[str, object], words: str
) -> None:
    """The files of others do not tell their scale: only the catalogue does."""
    content = shelf.offer("ssfcnn-theirs", 3, **wrong)
    Path("theirs.pth").write_bytes(content)
    for given in ("ssfcnn-theirs", "theirs.pth"):
        done = run("--weights", f"ssfcnn={given}")
        assert done.exit_code == 1
        assert words in said(done)


def test_some_are_taken_only_where_they_are_named(shelf: Shelf) -> None:
    shelf.offer("ssfcnn-odd", 4, facts='only_if_named = "Nobody knows its scenes."', protocol=None)
    assert weights("download", "ssfcnn-odd", "--accept-licence").exit_code == 0
    done = run()
    assert done.exit_code == 1
    assert "also has ssfcnn-odd, made under other conditions and taken only where named: `hsbench weights" in said(done)
    assert "weights downloaded (ssfcnn-odd)" in ran_with(run("--weights", "ssfcnn=ssfcnn-odd"))


def test_a_strangers_network_of_the_same_name_gets_none_of_ours(shelf: Shelf, task: hb.Task) -> None:
    class Stranger(SSFCNNMethod):
        pass

    shelf.package()
    with pytest.warns(UserWarning, match="no weights of SSFCNN"):
        (record,) = hb.run(task, [Stranger()], records=None, timing=False).records
    assert record.status == "no weights"


def test_a_strangers_network_may_read_a_file_of_the_catalogue(shelf: Shelf, task: hb.Task) -> None:
    class Reader(SSFCNNMethod):
        card = replace(SSFCNNMethod.card, name="reader")

        def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
            return load_file(path)

    Path("theirs.pth").write_bytes(shelf.offer("ssfcnn-theirs", 3, scale=8))
    one = hb.open_task("demo", 4, scenes=["figs"])
    (record,) = hb.run(one, [Reader()], records=None, timing=False, weights={"reader": "theirs.pth"}).records
    assert record.status == "ok"
    assert record.weights is not None
    assert record.weights.catalogue is None


def test_an_unknown_name_is_told_before_anything_runs(shelf: Shelf) -> None:
    shelf.package()
    done = run("--weights", "ssfcnn=ssfcnn-demo-x4")
    assert done.exit_code == 2
    assert "did you mean ssfcnn-demo-x4-uestc?" in said(done)
    assert not Path("results").exists()


def test_fuse_takes_what_is_named(shelf: Shelf, task: hb.Task) -> None:
    shelf.package()
    scene = task["figs"].observation
    io.savemat("pair.mat", {"lrhsi": scene.lr_hsi.transpose(1, 2, 0), "hrmsi": scene.hr_msi.transpose(1, 2, 0)})
    words = ("fuse", "ssfcnn", "pair.mat", "fused.mat", "--lr-hsi", "lrhsi", "--hr-msi", "hrmsi")
    done = hsbench(*words)
    assert done.exit_code == 2
    assert "or by --weights NAME of those that fit this pair: ssfcnn-demo-x4-uestc" in said(done)
    done = hsbench(*words, "--weights", "ssfcnn-demo-x4-uestc")
    assert done.exit_code == 0, done.output
    assert "ssfcnn: weights from the package (ssfcnn-demo-x4-uestc); trained 7 of 70 steps" in said(done)
    assert Path("fused.mat").exists()


def test_reproduce_says_how_to_get_the_weights_of_a_record(tmp_path: Path) -> None:
    folder = tmp_path / "balloons_ms"
    folder.mkdir()
    for band in range(1, 32):
        imsave(folder / f"balloons_ms_{band:02d}.png", np.full((64, 64), 40000, np.uint16), check_contrast=False)
    record = ROOT / "results" / "cave-x4-uestc" / "psrt.json"
    done = hsbench("reproduce", record, "--data-root", tmp_path, "--scenes", "balloons")
    assert done.exit_code == 1
    assert "Or `hsbench weights download psrt-cave-x4-uestc-authors` (3.2 MB; licence: none stated; 50.08" in said(done)


# -- files that are not weights


class Malicious:
    """Writes a file where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize("method", ["psrt", "mossfuse", "feinfn"])
def test_nothing_but_tensors_is_unpickled(shelf: Shelf, method: str) -> None:
    torch.save({"state_dict": {"model.a": Malicious()}}, "evil.pth")
    done = run("--weights", f"{method}=evil.pth", method=method)
    assert done.exit_code == 1
    assert "evil.pth" in said(done)
    assert not Path("unpickled").exists()
    with pytest.raises(hb.HsbenchError):
        find_method(method).load().load(Path("evil.pth"), Problem(31, 3, 4, 2.0))  # type: ignore[attr-defined]
    assert not Path("unpickled").exists()
    # what it would have done
    torch.load("evil.pth", weights_only=False)
    assert Path("unpickled").exists()


def test_a_damaged_file_of_the_package_is_named(shelf: Shelf) -> None:
    path = shelf.package()
    path.write_bytes(path.read_bytes()[:100])
    done = run()
    assert done.exit_code == 1
    assert f"{path} is not a readable safetensors file" in said(done)


def test_records_of_before_are_valid() -> None:
    record = read_record(ROOT / "results" / "cave-x8-uestc" / "psrt.json")
    assert record.weights is not None
    assert record.weights.catalogue is None

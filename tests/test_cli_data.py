"""``hsbench data``: list, info, check and download, on small data sets and a server of our own."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from scipy.io import savemat
from skimage.io import imsave

from hsfusion_bench.cli import main
from hsfusion_bench.data import catalog
from hsfusion_bench.data.home import data_home
from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.provenance import Download, Provenance
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.errors import HsbenchError
from support.cave import stand_for
from support.server import Server, serving

REFERENCE = "@article{nobody2026, title={Toys}}"


class Toys(SceneSource):
    """Scenes `a`, `b` and `c`, each one .npy file in a folder `toys`."""

    name = "toys"
    title = "Toys, 3 scenes"
    wavelengths = WAVELENGTHS
    split = Split("toys-1-2", ("a",), ("b", "c"))
    provenance = Provenance(
        homepage="https://example.org/toys", licence="free for research", reference=REFERENCE, layout="toys/a.npy"
    )

    def __init__(self, data_root: Path | None) -> None:
        if data_root is None or not (data_root / "toys").is_dir():
            raise HsbenchError("there are no toys")
        self.folder = data_root / "toys"

    def scene_names(self) -> tuple[str, ...]:
        return ("a", "b", "c")

    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.scene_names() if not self.files(name))

    def files(self, name: str) -> tuple[Path, ...]:
        path = self.folder / f"{name}.npy"
        return (path,) if path.exists() else ()

    def read(self, name: str) -> NDArray[np.float32]:
        cube: NDArray[np.float32] = np.load(self.folder / f"{name}.npy")
        return cube


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_BUILT_IN", {**catalog._BUILT_IN, "toys": Toys})
    monkeypatch.delenv("HSBENCH_DATA", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "toys").mkdir(parents=True)
    for name in "abc":
        np.save(folder / "toys" / f"{name}.npy", cube(name))
    return folder


def cube(name: str) -> NDArray[np.float32]:
    return np.random.default_rng(ord(name)).random((31, 8, 8), np.float32)


def hsbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["data", *map(str, arguments)])


def provenance(monkeypatch: pytest.MonkeyPatch, *downloads: Download, licence: str = "free for research") -> None:
    origin = Provenance("https://example.org/toys", licence, REFERENCE, downloads, "toys/a.npy")
    monkeypatch.setattr(Toys, "provenance", origin)


# -- list and info


def test_help_of_the_group_names_its_verbs_without_torch() -> None:
    script = (
        "import sys\nfrom hsfusion_bench.cli import main\n"
        "try: main(['data', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit(str({'torch', 'pooch', 'requests', 'h5py', 'skimage'} & set(sys.modules) or ''))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.strip() == ""
    for verb in ("list", "info", "check", "download", "prepare"):
        assert f"\n  {verb} " in done.stdout


def test_list_says_what_is_here(root: Path) -> None:
    (root / "toys" / "b.npy").unlink()
    lines = hsbench("list", "--data-root", root).stdout.splitlines()
    (toys,) = [line.split("  ") for line in lines if line.strip().startswith("toys")]
    assert [cell.strip() for cell in toys if cell.strip()] == [
        *("toys", "Toys, 3 scenes", "2 of 3 scenes", "free for research")
    ]
    (demo,) = [line for line in lines if line.strip().startswith("demo")]
    assert "9 of 9 scenes" in demo
    (cave,) = [line for line in lines if line.strip().startswith("cave")]
    assert " no " in cave


def test_info_tells_all_with_files_and_without(root: Path) -> None:
    (root / "toys" / "b.npy").unlink()
    here = json.loads(hsbench("info", "toys", "--data-root", root, "--json").stdout)
    away = json.loads(hsbench("info", "toys", "--json").stdout)
    assert here["missing"] == ["b"]
    assert away["missing"] is None
    for facts in (here, away):
        assert facts["scenes"] == ["a", "b", "c"]
        assert facts["bands"] == 31
        assert facts["wavelengths"][:2] == [400, 410]
        assert facts["splits"]["uestc"]["test"] == ["b", "c"]
        assert facts["provenance"]["homepage"] == "https://example.org/toys"
    text = hsbench("info", "toys").stdout
    for words in ("free for research", REFERENCE, "toys/a.npy", "31 bands", "uestc: 2 test", "toys-1-2"):
        assert words in text
    cave = json.loads(hsbench("info", "cave", "--json").stdout)
    assert len(cave["scenes"]) == 32
    assert len(cave["splits"]["uestc"]["train"]) == 20


def test_plugins_are_listed_even_if_they_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("foreign")
    vars(module).update(Foreign=type("Foreign", (Toys,), {"name": "foreign", "title": "Foreign"}), make=lambda root: 3)
    monkeypatch.setitem(sys.modules, "foreign", module)
    targets = {"foreign": "foreign:Foreign", "made": "foreign:make", "gone": "nowhere:Nothing", "toys": "foreign:make"}
    points = [EntryPoint(name, target, catalog.GROUP) for name, target in targets.items()]
    monkeypatch.setattr(catalog, "entry_points", lambda group: points)
    done = hsbench("list")
    assert done.exit_code == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "Foreign" in rows["foreign"]
    assert "free for research" in rows["foreign"]
    for name in ("made", "gone"):
        assert "plugin of an unnamed distribution" in rows[name]
        assert " no " in rows[name]
    assert "'toys' of an unnamed distribution is hidden" in done.stderr
    assert "free for research" in hsbench("info", "foreign").stdout
    made = hsbench("info", "made")
    assert made.exit_code == 0
    assert "? bands" in made.stdout


@pytest.mark.parametrize("verb", ["info", "check", "download"])
def test_an_unknown_data_set_gets_a_suggestion(verb: str, tmp_path: Path) -> None:
    done = hsbench(verb, "toyz", "--data-root", tmp_path)
    assert done.exit_code == 2
    assert "no data set 'toyz'; did you mean toys?" in done.stderr


# -- check


def test_whole_scenes_have_digests_of_their_values(root: Path) -> None:
    done = hsbench("check", "toys", "--data-root", root, "--json")
    assert done.exit_code == 0
    facts = json.loads(done.stdout)
    assert facts["whole"] is True
    for scene, name in zip(facts["scenes"], "abc", strict=True):
        assert scene["condition"] == "ok"
        assert scene["shape"] == [31, 8, 8]
        assert scene["digest"] == hashlib.sha256(b"31 8 8" + cube(name).tobytes()).hexdigest()
        assert scene["files"] == {".npy": 1}
        assert scene["size"] == (root / "toys" / f"{name}.npy").stat().st_size
    text = hsbench("check", "toys", "--data-root", root).stdout
    assert "all 3 scenes are here" in text
    assert facts["scenes"][0]["digest"] in text


def test_a_damaged_scene_is_told_and_the_others_are_checked(root: Path) -> None:
    (root / "toys" / "b.npy").write_bytes(b"\x93NUMPY")
    (root / "toys" / "c.npy").unlink()
    done = hsbench("check", "toys", "--data-root", root)
    assert done.exit_code == 1
    assert "damaged: scene b: its reader fails (ValueError: " in done.stdout
    assert "missing: c" in done.stdout
    assert "1 of 3 scenes are good" in done.stdout
    assert "https://example.org/toys" in done.stdout
    assert "Layout: toys/a.npy" in done.stdout
    facts = json.loads(hsbench("check", "toys", "--data-root", root, "--json").stdout)
    assert [scene["condition"] for scene in facts["scenes"]] == ["ok", "damaged", "missing"]
    assert facts["provenance"]["homepage"] == "https://example.org/toys"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((31, 8, 8), 2, np.float32), "scene b, band 1: the value 2.0"),
        (np.zeros((30, 8, 8), np.float32), "scene b: float32 [31, height, width] is needed"),
    ],
)
def test_values_are_checked_too(root: Path, values: NDArray[np.float32], words: str) -> None:
    np.save(root / "toys" / "b.npy", values)
    done = hsbench("check", "toys", "--data-root", root)
    assert done.exit_code == 1
    assert words in done.stdout


def test_quick_looks_at_files_only(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toys, "read", None)
    done = hsbench("check", "toys", "--data-root", root, "--quick", "--json")
    assert done.exit_code == 0
    assert {scene["condition"] for scene in json.loads(done.stdout)["scenes"]} == {"here"}
    (root / "toys" / "a.npy").unlink()
    assert hsbench("check", "toys", "--data-root", root, "--quick").exit_code == 1


def test_a_real_reader_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_for(monkeypatch, "clay", np.arange(40001, 40032)[:, None, None] + np.zeros((31, 4, 4), int))
    for name in ("clay", "beads"):
        (tmp_path / f"{name}_ms").mkdir()
        for band in range(1, 32):
            pixels = np.full((4, 4), 40000 + band, np.uint16)
            imsave(tmp_path / f"{name}_ms" / f"{name}_ms_{band:02d}.png", pixels, check_contrast=False)
    damaged = tmp_path / "beads_ms" / "beads_ms_09.png"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    done = hsbench("check", "cave", "--data-root", tmp_path, "--json")
    assert done.exit_code == 1
    found = {scene["name"]: scene for scene in json.loads(done.stdout)["scenes"]}
    assert found["clay"]["condition"] == "ok"
    assert found["beads"]["condition"] == "damaged"
    assert "beads_ms_09.png" in found["beads"]["error"]
    assert sum(scene["condition"] == "missing" for scene in found.values()) == 30


DESCRIPTION = """
title = "Rasters"
file = ["{scene}.hdr"]
const = 4000
scene = [{ name = "good" }, { name = "cut" }, { name = "counts" }, { name = "gone" }]
"""


def test_conditions_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spectral = pytest.importorskip("spectral")
    monkeypatch.chdir(tmp_path)
    Path("rasters.toml").write_text(DESCRIPTION)
    for number, name in enumerate(("good", "cut", "counts")):
        values = np.full((6, 7, 5), 3000 + 1000 * number, np.uint16)
        spectral.envi.save_image(f"{name}.hdr", np.minimum(values, 5000), ext="img")
    raster = Path("cut.img")
    raster.write_bytes(raster.read_bytes()[:-8])
    facts = json.loads(hsbench("check", "rasters.toml", "--json").stdout)
    assert [scene["condition"] for scene in facts["scenes"]] == ["ok", "damaged", "unusable", "missing"]
    assert facts["whole"] is False
    for scene in facts["scenes"][:3]:
        assert scene["files"] == {".hdr": 1, ".img": 1}
        paths = [Path(f"{scene['name']}.{ending}") for ending in ("hdr", "img")]
        assert scene["size"] == sum(path.stat().st_size for path in paths)
    done = hsbench("check", "rasters.toml")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    (damaged,) = [line for line in lines if line.startswith("damaged: ")]
    assert "cut.hdr states 420 bytes" in damaged
    (unusable,) = [line for line in lines if line.startswith("unusable: ")]
    assert "counts.hdr: the values, from 5000 to 5000, are not within 0 and the full scale, 4000" in unusable
    assert "say another const in rasters.toml" in unusable
    assert "missing: gone" in lines
    assert "1 of 4 scenes are good" in lines
    monkeypatch.setenv("COLUMNS", "80")
    narrow = hsbench("check", "rasters.toml").stdout
    assert max(map(len, narrow.splitlines())) <= 80
    assert " ".join(unusable.split()) in " ".join(narrow.split())


@pytest.mark.parametrize("kind", ["mat", "hdr", "npy", "tif"])
def test_an_intact_cube_of_counts_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    values = np.arange(7 * 6 * 5, dtype=np.uint16).reshape(7, 6, 5) * 20
    if kind == "mat":
        savemat("x.mat", {"hsi": values})
    elif kind == "npy":
        np.save("x.npy", values)
    elif kind == "tif":
        pytest.importorskip("tifffile").imwrite("x.tif", values, photometric="minisblack", metadata={"axes": "YXC"})
    else:
        pytest.importorskip("spectral").envi.save_image("x.hdr", values, ext="img")
    done = hsbench("check", f"mat:x.{kind}")
    assert done.exit_code == 1
    assert "unusable: " in done.stdout
    assert "the values, from 0 to 4180, are not in [0, 1]" in done.stdout
    assert "damaged" not in done.stdout


# -- download


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as made:
        yield made


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def tarred(files: dict[str, bytes], link: str | None = None) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        if link is not None:
            entry = tarfile.TarInfo("link")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
    return content.getvalue()


def stored(name: str) -> bytes:
    content = io.BytesIO()
    np.save(content, cube(name))
    return content.getvalue()


TOYS = {f"toys/{name}.npy": stored(name) for name in "abc"}
GOOD = zipped(TOYS)


def download(root: Path, *more: str) -> Result:
    return hsbench("download", "toys", "--data-root", root, "--accept-licence", *more)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} if root.exists() else set()


@pytest.mark.parametrize(("file", "content"), [("toys.zip", GOOD), ("toys.tar.gz", tarred(TOYS))])
def test_originals_are_fetched_checked_and_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, file: str, content: bytes
) -> None:
    server.answers[f"/{file}"] = content
    provenance(monkeypatch, Download(server.url(f"/{file}"), file))
    root = tmp_path / "new" / "root"
    done = download(root)
    assert done.exit_code == 0, done.output
    assert "3 of 3 scenes are here" in done.stdout
    assert hashlib.sha256(content).hexdigest() in done.stdout
    assert "not known to us before" in done.stdout
    assert files(root) == {file, f"{file}.sha256", *TOYS}
    assert all((root / name).read_bytes() == data for name, data in TOYS.items())
    # the tool of the system agrees with what is kept beside the file
    subprocess.run(["sha256sum", "--check", f"{file}.sha256"], cwd=root, check=True, capture_output=True)
    # a second time nothing is fetched; a file that was lost is unpacked again
    (root / "toys" / "b.npy").unlink()
    assert download(root).exit_code == 0
    assert server.asked == [f"/{file}"]
    assert (root / "toys" / "b.npy").exists()


def test_several_files_that_are_no_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    items = []
    for name, data in TOYS.items():
        server.answers[f"/{name}"] = data
        items.append(Download(server.url(f"/{name}"), name, hashlib.sha256(data).hexdigest(), len(data)))
    provenance(monkeypatch, *items)
    done = download(tmp_path)
    assert done.exit_code == 0, done.output
    assert files(tmp_path) == set(TOYS)
    assert "not known to us" not in done.stdout


def broken_off(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(GOOD)))
    handler.end_headers()
    handler.wfile.write(GOOD[: len(GOOD) // 2])


def without_length(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(GOOD[: len(GOOD) // 2])


def silent(handler: BaseHTTPRequestHandler) -> None:
    threading.Event().wait(1)


@pytest.mark.parametrize(
    ("answer", "facts", "words"),
    [
        (without_length, {}, "toys.zip is not a zip archive, or only a part of one"),
        (without_length, {"size": len(GOOD)}, f"toys.zip is not whole: it has {len(GOOD) // 2} bytes, but should have"),
        (GOOD, {"sha256": "0" * 64}, "toys.zip is another file: its SHA-256 is"),
        (GOOD, {"size": 7}, f"it has {len(GOOD)} bytes, but should have 7"),
        (b"<html>Please log in</html>", {}, "is not a zip archive"),
        (GOOD[:200] + bytes([GOOD[200] ^ 1]) + GOOD[201:], {}, "is not a zip archive, or only a part of one"),
        (None, {}, "the server answers 404 Not Found"),
        (silent, {}, "the server does not answer"),
    ],
)
def test_what_is_not_whole_is_not_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: Server,
    answer: bytes | Callable[[BaseHTTPRequestHandler], None] | None,
    facts: dict[str, str | int],
    words: str,
) -> None:
    monkeypatch.setattr("hsfusion_bench.data.download._SECONDS", 0.3)
    if answer is not None:
        server.answers["/toys.zip"] = answer
    provenance(monkeypatch, Download(server.url("/toys.zip"), "toys.zip", **facts))  # type: ignore[arg-type]
    done = download(tmp_path / "root")
    assert done.exit_code == 1
    assert words in done.stderr
    assert f"By hand: fetch {server.url('/toys.zip')}" in done.stderr
    assert f"put it at {tmp_path / 'root' / 'toys.zip'}" in done.stderr
    assert not files(tmp_path / "root")


def test_a_broken_download_goes_on_where_it_broke_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    ranges = []

    def partial(handler: BaseHTTPRequestHandler) -> None:
        ranges.append(handler.headers["Range"])
        start = int(str(handler.headers["Range"]).removeprefix("bytes=").removesuffix("-"))
        handler.send_response(206)
        handler.send_header("Content-Length", str(len(GOOD) - start))
        handler.end_headers()
        handler.wfile.write(GOOD[start:])

    server.answers["/toys.zip"] = broken_off
    provenance(monkeypatch, Download(server.url("/toys.zip"), "toys.zip"))
    done = download(tmp_path)
    assert done.exit_code == 1
    assert "cannot be fetched: the connection broke before the end (the same command goes on)" in done.stderr
    assert files(tmp_path) == {".toys.zip.arriving"}
    server.answers["/toys.zip"] = partial
    assert download(tmp_path).exit_code == 0
    (there,) = ranges
    assert 0 < int(there.removeprefix("bytes=").removesuffix("-")) <= len(GOOD) // 2
    assert (tmp_path / "toys.zip").read_bytes() == GOOD
    assert files(tmp_path) == {"toys.zip", "toys.zip.sha256", *TOYS}


@pytest.mark.parametrize("left", [b"of another file" * 20, GOOD + b"more"])
def test_what_is_left_of_another_download_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, left: bytes
) -> None:
    def partial(handler: BaseHTTPRequestHandler) -> None:
        if len(left) > len(GOOD):
            handler.send_error(416)
            return
        handler.send_response(206)
        handler.send_header("Content-Length", str(len(GOOD) - len(left)))
        handler.end_headers()
        handler.wfile.write(GOOD[len(left) :])

    server.answers["/toys.zip"] = partial
    provenance(monkeypatch, Download(server.url("/toys.zip"), "toys.zip"))
    (tmp_path / ".toys.zip.arriving").write_bytes(left)
    assert download(tmp_path).exit_code == 1
    assert "toys.zip" not in files(tmp_path)
    # a server that knows no ranges sends all of it; so does one that is asked anew
    server.answers["/toys.zip"] = GOOD
    assert download(tmp_path).exit_code == 0
    assert (tmp_path / "toys.zip").read_bytes() == GOOD


def test_a_server_that_knows_no_ranges_sends_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    server.answers["/toys.zip"] = GOOD
    provenance(monkeypatch, Download(server.url("/toys.zip"), "toys.zip"))
    (tmp_path / ".toys.zip.arriving").write_bytes(GOOD[:100])
    assert download(tmp_path).exit_code == 0
    assert (tmp_path / "toys.zip").read_bytes() == GOOD


def test_without_a_network_it_says_what_to_do_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    free = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    address = f"http://127.0.0.1:{free.server_address[1]}/toys.zip"
    free.server_close()
    provenance(monkeypatch, Download(address, "toys.zip"))
    done = download(tmp_path)
    assert done.exit_code == 1
    assert f"{address} cannot be fetched: the server cannot be reached. By hand: fetch {address}" in done.stderr
    # and what was fetched by hand is taken
    (tmp_path / "toys.zip").write_bytes(GOOD)
    assert download(tmp_path).exit_code == 0
    assert files(tmp_path) == {"toys.zip", "toys.zip.sha256", *TOYS}


@pytest.mark.parametrize("content", [GOOD[:-30], b"", b"half a file"])
def test_a_half_file_that_is_there_is_told_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    provenance(monkeypatch, Download("http://127.0.0.1:9/toys.zip", "toys.zip"))
    (tmp_path / "toys.zip").write_bytes(content)
    done = download(tmp_path)
    assert done.exit_code == 1
    assert "toys.zip is not a zip archive, or only a part of one" in done.stderr
    assert "remove it, and run the same command again" in done.stderr
    assert (tmp_path / "toys.zip").read_bytes() == content


def test_a_later_copy_must_equal_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.answers["/toys.zip"] = GOOD
    provenance(monkeypatch, Download(server.url("/toys.zip"), "toys.zip"))
    assert download(tmp_path).exit_code == 0
    (tmp_path / "toys.zip").unlink()
    server.answers["/toys.zip"] = zipped(TOYS | {"more.txt": b""})
    done = download(tmp_path)
    assert done.exit_code == 1
    assert f"should be {hashlib.sha256(GOOD).hexdigest()}" in done.stderr
    (tmp_path / "toys.zip.sha256").write_text("nothing")
    done = download(tmp_path)
    assert "toys.zip.sha256 holds no SHA-256; remove it to record one anew" in done.stderr


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("toys.zip", zipped({**TOYS, "../out.npy": b""})),
        ("toys.zip", zipped({**TOYS, "toys/../../out.npy": b""})),
        ("toys.zip", zipped({**TOYS, "/out.npy": b""})),
        ("toys.zip", zipped({**TOYS, "..\\out.npy": b""})),
        ("toys.zip", zipped({**TOYS, "C:\\out.npy": b""})),
        ("toys.tgz", tarred({**TOYS, "../out.npy": b""})),
        ("toys.tgz", tarred({**TOYS, "/out.npy": b""})),
        ("toys.tgz", tarred(TOYS, link="/etc/passwd")),
    ],
)
def test_paths_that_climb_out_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: bytes
) -> None:
    provenance(monkeypatch, Download("http://127.0.0.1:9/", file))
    place = tmp_path / "deep" / "place"
    place.mkdir(parents=True)
    (place / file).write_bytes(content)
    done = download(place)
    assert done.exit_code == 1
    assert f"{file} is refused: " in done.stderr
    assert files(tmp_path) == {f"deep/place/{file}"}


def test_a_link_in_a_zip_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "toys.zip", "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    provenance(monkeypatch, Download("http://127.0.0.1:9/", "toys.zip"))
    assert "'link' in it is a link" in download(tmp_path).stderr
    assert files(tmp_path) == {"toys.zip"}


def test_a_licence_is_shown_and_accepted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    item = Download("http://127.0.0.1:9/", "toys.zip")
    provenance(monkeypatch, item)
    (tmp_path / "toys.zip").write_bytes(GOOD)
    refused = hsbench("download", "toys", "--data-root", tmp_path)
    assert refused.exit_code == 2
    assert "--accept-licence" in refused.stderr
    for words in ("Licence of toys: free for research", "https://example.org/toys", REFERENCE):
        assert words in refused.stdout
    assert files(tmp_path) == {"toys.zip"}
    assert "Licence of toys" in download(tmp_path).stdout
    assert (own_cache / "licences" / "toys.txt").read_text() == "free for research"
    again = hsbench("download", "toys", "--data-root", tmp_path)
    assert again.exit_code == 0
    assert "Licence" not in again.stdout
    provenance(monkeypatch, item, licence="not free any more")
    assert hsbench("download", "toys", "--data-root", tmp_path).exit_code == 2


def test_what_cannot_be_downloaded_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = hsbench("download", "demo", "--data-root", tmp_path)
    assert (done.exit_code, "no originals to fetch" in done.stderr) == (2, True)
    done = hsbench("download", "toys", "--data-root", tmp_path)
    assert done.exit_code == 1
    assert "the makers of toys hand it out themselves: https://example.org/toys. Put the files into" in done.stderr


def test_a_download_needs_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    provenance(monkeypatch, Download("http://127.0.0.1:9/", "toys.zip"))
    home = data_home("toys")
    home.mkdir(parents=True)
    (home / "toys.zip").write_bytes(GOOD)
    done = hsbench("download", "toys", "--accept-licence")
    assert done.exit_code == 0, done.output
    assert f"{home / 'toys.zip'}: sha256" in done.stdout
    assert "`hsbench data check toys`" in done.stdout
    # and is found where it was put
    assert hsbench("check", "toys").exit_code == 0


def test_a_root_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provenance(monkeypatch, Download("http://127.0.0.1:9/toys.zip", "toys.zip"))
    (tmp_path / "file").write_text("")
    done = download(tmp_path / "file" / "root")
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr

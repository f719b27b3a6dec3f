"""Scenes are decoded once in a run."""

import gc
import pickle
import tempfile

import numpy as np
import pytest
from click.testing import CliRunner

from hsfusion_bench.cli import main
from hsfusion_bench.data import cached
from hsfusion_bench.data.cached import CachedSource
from hsfusion_bench.data.scenes import scene_digest
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.errors import UsageError


class Counting(DemoSource):
    def __init__(self):
        self.reads = []

    def read(self, name):
        self.reads.append(name)
        return super().read(name)


def test_a_scene_is_decoded_once_and_stays_what_it_is():
    source = Counting()
    with CachedSource(source) as kept:
        for name in ("figs", "melons", "figs", "melons", "figs"):
            cube = kept.read(name)
            assert (type(cube), cube.dtype, cube.flags.writeable) == (np.ndarray, np.float32, True)
            assert scene_digest(cube) == scene_digest(DemoSource().read(name))
            cube[...] = 0  # the caller's own
    assert source.reads == ["figs", "melons"]


def test_the_rest_is_the_sources_own(tmp_path):
    source = DemoSource()
    with CachedSource(source) as kept:
        for attribute in ("name", "title", "wavelengths", "split", "protocol", "provenance", "bands"):
            assert getattr(kept, attribute) == getattr(source, attribute)
        assert kept.scene_names() == source.scene_names()
        assert (kept.missing(), kept.files("figs"), kept.mask("figs"), kept.stored_observation("figs")) == (
            (),
            (),
            None,
            None,
        )
        with pytest.raises(UsageError, match="no demo scene 'fig'"):
            kept.read("fig")


def test_files_go_when_the_run_ends(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with CachedSource(DemoSource()) as kept:
        cube = kept.read("figs")
        assert len(list(tmp_path.rglob("*.npy"))) == 1
    assert list(tmp_path.iterdir()) == []
    assert cube.max() > 0  # what is mapped stays
    del cube
    gc.collect()


def test_a_full_disk_costs_time_only(monkeypatch):
    def full(file, _):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(cached.np, "save", full)
    source = Counting()
    with CachedSource(source) as kept:
        for _ in range(2):
            assert scene_digest(kept.read("figs")) == scene_digest(DemoSource().read("figs"))
    assert source.reads == ["figs", "figs"]


def test_a_run_of_several_methods_decodes_each_scene_once(monkeypatch, tmp_path):
    reads = []
    original = DemoSource.read
    monkeypatch.setattr(DemoSource, "read", lambda self, name: reads.append(name) or original(self, name))
    mine = tmp_path / "mine.py"
    mine.write_text("def other(observation):\n    return observation.lr_hsi.repeat(4, 1).repeat(4, 2)\n")
    done = CliRunner().invoke(
        main,
        [
            *("run", "--methods", f"bicubic,{mine}:other", "--dataset", "demo", "--scale", "4", "--no-timing"),
            *("--results-dir", str(tmp_path / "results")),
        ],
    )
    assert done.exit_code == 0, done.output
    assert reads == ["oranges", "figs", "melons"]


def test_a_copy_shares_the_scenes_and_never_hands_out_another(tmp_path):
    with CachedSource(DemoSource()) as kept:
        kept.read("figs")
        copy = pickle.loads(pickle.dumps(kept))
        for name in ("oranges", "figs", "melons"):
            assert scene_digest(copy.read(name)) == scene_digest(DemoSource().read(name))
            assert scene_digest(kept.read(name)) == scene_digest(DemoSource().read(name))
        with copy:  # its end is not the end of the files
            pass
        assert len(list(kept._folder.glob("*.npy"))) == 3
    assert scene_digest(copy.read("figs")) == scene_digest(DemoSource().read("figs"))  # decoded anew

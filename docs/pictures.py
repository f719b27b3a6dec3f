"""Bring rows of `hsbench run --pictures` into `results/`, their pictures small enough to come with the package.

    hsbench run --methods gsa --dataset cave --scale 4 --also ergas_fused,ssim_full --pictures --results-dir mine
    python docs/pictures.py mine

A row takes the place of one that has the same indexes, but for rounding; of another, only by ``--new``. Its pictures
become WebP, an eighth of the bytes: they are for looking, not for measuring.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

from PIL import Image

from hsfusion_bench.runs.pictures import INDEX, REFERENCE, Pictures, entry, folder_of, pictures_of, read_pictures
from hsfusion_bench.runs.recorded import recorded_store
from hsfusion_bench.runs.records import Record, Store, dump, read_record
from hsfusion_metrics import METRICS

QUALITY: Final = 88
ROUNDING: Final = 1e-6  # relative


def same(old: Record, new: Record) -> bool:
    """Whether two records have the same indexes of the same scenes, but for rounding."""
    if [scene.digest for scene in old.scenes] != [scene.digest for scene in new.scenes]:
        return False
    return all(
        abs(before - now) <= ROUNDING * abs(before)
        for one, other in zip(old.scenes, new.scenes, strict=True)
        for before, now in ((getattr(one, name), getattr(other, name)) for name in METRICS)
    )


def pack(folder: Path, told: Pictures, into: Path) -> str:
    """Write the pictures of a folder as WebP into another, in place of what is there; return the new index's digest."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    scenes = {}
    for name, scene in told.scenes.items():
        changed = {}
        for what in ("rgb", "error"):
            kept = getattr(scene, what)
            if kept is not None:
                out = io.BytesIO()
                Image.open(folder / kept.file).save(out, "WEBP", quality=QUALITY, method=6)
                file = Path(kept.file).with_suffix(".webp").name
                (into / file).write_bytes(out.getvalue())
                changed[what] = entry(out.getvalue(), file)
        scenes[name] = scene.model_copy(update=changed)
    text = told.model_copy(update={"scenes": scenes}).text()
    (into / INDEX).write_text(text, encoding="utf-8")
    return sha256(text.encode()).hexdigest()


def main() -> int:
    """Bring in all rows below a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results of `hsbench run --pictures`")
    parser.add_argument("--new", action="store_true", help="also rows that differ from those that are here")
    asked = parser.parse_args()
    here, there = recorded_store(), Store(asked.folder)
    refused = 0
    for record in there.records():
        pictures, path = pictures_of(there, record), here.path(record)
        if pictures is None or record.status != "ok":
            continue
        if path.exists() and not asked.new and not same(read_record(path), record):
            print(f"{record.key}: not taken, for its indexes differ from those of {path}", file=sys.stderr)
            refused = 1
            continue
        own = folder_of(there, record)
        reference = folder_of(here, record).with_name(REFERENCE)
        if not reference.exists():
            pack(own.with_name(REFERENCE), read_pictures(own.with_name(REFERENCE)), reference)
        digest = pack(own, pictures, folder_of(here, record))
        path.write_text(dump(record.model_copy(update={"pictures": digest})), encoding="utf-8")
        print(f"{record.key}: taken")
    return refused


if __name__ == "__main__":
    sys.exit(main())

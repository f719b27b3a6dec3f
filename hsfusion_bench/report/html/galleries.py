"""The pictures of a board as its script takes them: a scene's reference, and what each method made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hsfusion_bench.report.html.boards import View
from hsfusion_bench.report.html.pictures import Album, Embedding, Pixels, Shown, album_of
from hsfusion_bench.report.html.places import Places
from hsfusion_bench.report.html.safe import plain
from hsfusion_bench.report.rows import Row
from hsfusion_bench.runs.pictures import REFERENCE, folder_of
from hsfusion_bench.runs.records import Store

_SPECTRA: Final = 16


@dataclass
class Gallery:
    """What there is of one board.

    Parameters
    ----------
    references
        By scene.
    methods
        Title of the row, and its pictures by scene.
    album
        The first, which all others are made like.
    without
        Titles of rows that have no pictures.
    """

    references: dict[str, Shown] = field(default_factory=dict)
    methods: list[tuple[str, dict[str, Shown]]] = field(default_factory=list)
    album: Album | None = None
    without: list[str] = field(default_factory=list)

    @property
    def scenes(self) -> list[str]:
        """Scenes of which a method has a picture."""
        return list(dict.fromkeys(scene for _, pictures in self.methods for scene in pictures))

    def pictures(self) -> list[Pixels]:
        """Return all pictures, scene by scene, so that what does not fit is of the last scenes."""
        found = []
        for scene in self.scenes:
            shown = [self.references[scene]] if scene in self.references else []
            shown += [pictures[scene] for _, pictures in self.methods if scene in pictures]
            found += [picture for each in shown for picture in (each.rgb, each.error) if picture is not None]
        return found


def gallery_of(view: View, rows: Sequence[Row], places: Places, origins: dict[int, str], faults: list[str]) -> Gallery:
    """Read the pictures beside the records of a board."""
    gallery, references = Gallery(), set[Path]()
    for line, row in zip(view.lines, rows, strict=True):
        if row.record.summary is None:
            continue
        # of one seed: pictures have no mean
        record = next((each for each in row.records if each.pictures is not None), row.records[0])
        title = line.title
        if len(row.records) > 1 and record.pictures is not None:
            title += f" ({row.which(record)})"
        folder = folder_of(Store(places.folder(origins.get(id(record), ""))), record)
        album = None if record.pictures is None else album_of(folder, record, record.pictures, faults)
        if album is None:
            gallery.without.append(line.title)
            continue
        if gallery.album is not None and not album.told.alike(gallery.album.told):
            faults.append(f"{folder}: pictures made in another way than others of this table; not shown")
            gallery.without.append(line.title)
            continue
        gallery.album = gallery.album or album
        gallery.methods.append((title, album.scenes))
        beside = folder.parent / REFERENCE
        if beside not in references:
            references.add(beside)
            reference = album_of(beside, record, None, faults)
            for name, shown in (reference.scenes if reference else {}).items():
                gallery.references.setdefault(name, shown)
    return gallery


def gallery_data(gallery: Gallery, embedding: Embedding) -> dict[str, Any] | None:
    """Return a gallery for the script; None if no picture is left of it."""
    if gallery.album is None:
        return None
    scenes = []
    for name in gallery.scenes:
        reference = gallery.references.get(name)
        shown = [(title, pictures[name]) for title, pictures in gallery.methods if name in pictures]
        named = ([] if reference is None else [("Reference", reference)]) + shown
        members = [_member(title, each, embedding) for title, each in named]
        members = [member for member in members if member["rgb"] is not None]
        if members:
            told = (reference or shown[0][1]).told
            pixels = [[each.row, each.column, plain(each.name, 40)] for each in told.spectra[:_SPECTRA]]
            scenes.append({"name": plain(name, 60), "size": told.size, "pixels": pixels, "members": members})
    told_of_all = gallery.album.told
    return (
        {"scale": told_of_all.error_scale, "wavelengths": told_of_all.wavelengths, "scenes": scenes} if scenes else None
    )


def _member(title: str, shown: Shown, embedding: Embedding) -> dict[str, Any]:
    spectra = [[each.row, each.column, [_short(value) for value in each.values]] for each in shown.told.spectra]
    return {
        "title": title,
        "reference": shown.error is None,
        "rgb": embedding.url(shown.rgb),
        "error": embedding.url(shown.error),
        "spectra": spectra[:_SPECTRA],
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")

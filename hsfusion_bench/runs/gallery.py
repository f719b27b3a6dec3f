"""Makes the pictures of a run, scene by scene, and the reference's; see `hsfusion_bench.runs.pictures`."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing, write_text
from hsfusion_bench.interrupts import uninterrupted
from hsfusion_bench.runs import painting
from hsfusion_bench.runs.painting import Image
from hsfusion_bench.runs.pictures import (
    INDEX,
    REFERENCE,
    KeptSpectrum,
    Pictures,
    ScenePictures,
    entry,
    parsed_scene,
    png,
    read_pictures,
    stem,
)
from hsfusion_bench.scratch import in_turn, passing

#: The reference's pictures are written in moments, so that another process that writes them is waited for, seconds.
_PATIENCE: Final = 20.0


class Gallery:
    """Collect the pictures of a run's scenes, and put them in their place once the run has ended.

    Until then they wait in a folder beside it, ``METHOD.unfinished``: a run that goes on where it was interrupted finds
    those it has, and the pictures of an earlier record stay whole. The folder is for who writes the record; the
    reference's, which all methods share, is written scene by scene.

    Parameters
    ----------
    folder
        Of the record's pictures.
    task
        Its scenes.
    run
        All that the pictures depend on, as plain JSON; those of another run are not taken.

    Raises
    ------
    HsbenchError
        If the record is called as the reference's folder is.
    """

    def __init__(self, folder: Path, task: Task, run: Mapping[str, Any]) -> None:
        if folder.name == REFERENCE:
            raise HsbenchError(
                f"the pictures of a method called {REFERENCE} would take the place of those of the references: give "
                "it another name, or run it without --pictures"
            )
        self.folder, self.waiting = folder, folder.with_name(f"{folder.name}.unfinished")
        self.task = task
        self._split = task.plan.split.scenes(task.plan.part)
        self._head = _head(task)
        told = {"run": run, "pictures": self._head.model_dump(exclude={"scenes"})}
        self._run = sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
        self._scenes: dict[str, ScenePictures] = {}

    def has(self, name: str, digest: str) -> bool:
        """Whether the pictures of a scene wait, of this very run and of the reference of that digest."""
        try:
            told = json.loads(self._note(name).read_text(encoding="utf-8"))
            if not isinstance(told, dict) or (told.get("run"), told.get("scene")) != (self._run, name):
                return False
            scene = parsed_scene(told.get("pictures"))
            if scene is None or scene.digest != digest or scene.error is None:
                return False
            for kept in (scene.rgb, scene.error):
                if sha256((self.waiting / kept.file).read_bytes()).hexdigest() != kept.sha256:
                    return False
            there = read_pictures(self.folder.parent / REFERENCE)
            if not there.alike(self._head) or there.scenes[name].digest != digest:
                return False
        except (OSError, ValueError, KeyError, HsbenchError):
            return False
        self._scenes[name] = scene
        return True

    def add(self, name: str, digest: str, reference: Image, fused: Image) -> None:
        """Make the pictures of a scene, and the reference's, both cubes [bands, H, W].

        Raises
        ------
        HsbenchError
            If they cannot be written.
        """
        self._add_reference(name, digest, reference)
        self._scenes[name] = scene = self._made(self.waiting, name, digest, reference, fused)
        told = {"run": self._run, "scene": name, "pictures": scene.model_dump(mode="json")}
        write_text(self._note(name), json.dumps(told))

    def finish(self, *, complete: bool) -> str | None:
        """Put the pictures in their place; return the digest of their `pictures.json`, None where there are none.

        Parameters
        ----------
        complete
            Whether no later run takes up where this one ends; else the pictures wait for it besides.

        Raises
        ------
        HsbenchError
            If they cannot be written: those of an earlier run stay.
        """
        if not self._scenes:
            return None
        order = [name for name in self.task.names if name in self._scenes]
        text = self._head.model_copy(update={"scenes": {name: self._scenes[name] for name in order}}).text()
        try:
            with passing(self.folder.parent, f".{self.folder.name}.", ".new") as new:
                new.mkdir()
                for name in order:
                    scene = self._scenes[name]
                    for kept in (scene.rgb, scene.error):
                        if kept is not None:
                            shutil.copyfile(self.waiting / kept.file, new / kept.file)
                (new / INDEX).write_text(text, encoding="utf-8")
                # between the two steps nothing stands there
                with passing(self.folder.parent, f".{self.folder.name}.", ".old") as old, uninterrupted():
                    if self.folder.exists():
                        self.folder.replace(old)
                    new.replace(self.folder)
        except OSError as error:
            raise HsbenchError(f"{self.folder} cannot be written: {error.strerror or error}") from error
        if complete:
            shutil.rmtree(self.waiting, ignore_errors=True)
        return sha256(text.encode()).hexdigest()

    def _note(self, name: str) -> Path:
        return self.waiting / f"{stem(name, self._split)}.note"

    def _made(self, folder: Path, name: str, digest: str, reference: Image, fused: Image | None) -> ScenePictures:
        """Write the pictures of a cube, None for the reference's own, and return what is to be told of them."""
        shown, called = reference if fused is None else fused, stem(name, self._split)
        bands = [number - 1 for number in self._head.rgb_bands]
        white = painting.white_of(reference, bands)
        made = {f"{called}.rgb.png": png(painting.colours(shown, bands, white))}
        if fused is not None:
            made[f"{called}.error.png"] = png(painting.errors(fused, reference))
        with ExitStack() as stack:
            for file, content in made.items():
                stack.enter_context(replacing(folder / file)).write_bytes(content)
        rgb, *more = (entry(content, file) for file, content in made.items())
        height, width = reference.shape[1:]
        return ScenePictures(
            digest=digest,
            rgb=rgb,
            error=more[0] if more else None,
            size=(height, width),
            block=painting.block_of(height, width),
            white=white,
            spectra=[
                KeptSpectrum(
                    name=place.name,
                    row=place.row,
                    column=place.column,
                    values=[round(float(value), 6) for value in shown[:, place.row, place.column]],
                )
                for place in painting.places(reference)
            ],
            rmse_by_band=None if fused is None else painting.errors_by_band(fused, reference),
        )

    def _add_reference(self, name: str, digest: str, reference: Image) -> None:
        folder = self.folder.parent / REFERENCE
        with in_turn(folder, _PATIENCE):
            try:
                there = read_pictures(folder)
                scenes = there.scenes if there.alike(self._head) else {}
            except HsbenchError:  # none yet, or damaged
                scenes = {}
            standing = scenes.get(name)
            if standing is not None and standing.digest == digest and (folder / standing.rgb.file).is_file():
                return
            scenes[name] = self._made(folder, name, digest, reference, None)
            ordered = {each: scenes[each] for each in (*self._split, *scenes) if each in scenes}
            write_text(folder / INDEX, self._head.model_copy(update={"scenes": ordered}).text())


def _head(task: Task) -> Pictures:
    """Return what is told of all pictures of a task."""
    centres = list(task.source.band_centres)
    known = centres if centres and all(map(math.isfinite, centres)) else None
    red, green, blue = painting.rgb_bands(known, task.source.bands)
    return Pictures(
        error_scale=painting.ERROR_SCALE,
        rgb_nm=None if known is None else (known[red], known[green], known[blue]),
        rgb_bands=(red + 1, green + 1, blue + 1),
        gamma=painting.GAMMA,
        wavelengths=known,
        scenes={},
    )

"""One method on one dataset: scenes in, a record out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from hsfusion_bench.errors import DifferentDataError, HsbenchError, reason_of
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.equipped import Equipped, account
from hsfusion_bench.runs.joining import joined
from hsfusion_bench.runs.records import Record, Speed, Written
from hsfusion_bench.runs.scenes import Fused, Ready, Scenes, cubes_path
from hsfusion_bench.runs.setting import Result, Setting
from hsfusion_bench.runs.timing import known_speed, time_scene
from hsfusion_bench.runs.weights.choosing import NoWeightsError
from hsfusion_bench.scratch import alone


@contextmanager
def alone_with(contenders: Sequence[Contender], setting: Setting) -> Iterator[None]:
    """Be the only process that writes the records of methods, and their results for the MATLAB script.

    Raises
    ------
    HsbenchError
        If another process writes one of them; the message names it.
    """
    with ExitStack() as stack:
        targets: dict[Path, None] = {}
        for contender in contenders:
            record = account(contender, setting)
            targets[setting.store.path(record)] = None
            if setting.save_mat is not None:
                targets[cubes_path(record, setting)] = None
        for target in targets:
            stack.enter_context(alone(target))
        yield


def run_method(contender: Contender, setting: Setting) -> Result:
    """Run one method over the planned scenes, score it, and write its record after every scene.

    What goes wrong with the method or with a scene is not raised: the record says it, and keeps what was scored.

    Raises
    ------
    DifferentDataError
        If a scene is not the one that its name says: no record of the data set is to mention it.
    KeyboardInterrupt
        After the record has been written. The next run of the same method takes up where this one stopped.
    """
    run = _Run(contender, setting)
    try:
        run.equipped = Equipped.of(contender, setting)
        run.fuse_all(Scenes(run.equipped.ready()))
    except DifferentDataError:
        raise
    except NoWeightsError as error:
        run.without_weights = True
        run.error = str(error)
    except HsbenchError as error:
        setting.listener.failed(contender.name, error)
        run.error = str(error)
    except KeyboardInterrupt:
        run.error = "interrupted"
        run.write()
        raise
    except BaseException as error:  # a stranger's network may raise anything while it is built, trained or loaded
        setting.listener.failed(contender.name, error)
        run.error = reason_of(error)
    return run.finish()


class _Run:
    """The state of one method's run."""

    def __init__(self, contender: Contender, setting: Setting) -> None:
        self.contender = contender
        self.setting = setting
        self.equipped: Equipped | None = None
        self.scenes: Scenes | None = None
        self.done: dict[str, Record] = {}
        self.speed: Speed | None = None
        self.timed_before = False
        self.error: str | None = None
        self.without_weights = False
        self.pictures: str | None = None
        """Digest of their `pictures.json`, once they are made."""

    # -- scene by scene

    def fuse_all(self, scenes: Scenes) -> None:
        """Fuse the planned scenes one at a time; meanwhile the one before is scored, and the next is read."""
        self.scenes = scenes
        names = self.setting.task.names
        following: Future[Ready | Record] | None = None
        scoring: tuple[str, Future[Record]] | None = None
        with ThreadPoolExecutor(2, "hsbench-scene") as beside:
            try:
                for name, after in zip(names, (*names[1:], None), strict=True):
                    ready = scenes.read(name) if following is None else following.result()
                    following = None
                    if isinstance(ready, Record):
                        self.done[name] = ready
                        continue
                    first = scoring is None and all(record.summary is None for record in self.done.values())
                    earlier = scenes.earlier(ready, counted=first)
                    fused = self._measure(ready, scenes, earlier) if first else None
                    if after is not None:  # not before: nothing else runs while something is measured
                        following = beside.submit(scenes.read, after)
                    if fused is None and earlier is None:
                        fused = scenes.fuse(ready, counted=False)
                    if scoring is not None:
                        self._done(scoring[0], scoring[1].result())
                        scoring = None
                    if earlier is not None:
                        self._done(name, earlier)
                    elif fused is not None:
                        scoring = (name, beside.submit(scenes.score, ready, fused))
            except BaseException:
                if following is not None:
                    following.cancel()
                if scoring is not None:  # it is scored all the same, but is not what went wrong
                    with suppress(HsbenchError):
                        self._done(scoring[0], scoring[1].result())
                raise
            if scoring is not None:
                self._done(scoring[0], scoring[1].result())

    def _measure(self, ready: Ready, scenes: Scenes, earlier: Record | None) -> Fused | None:
        """Fuse the first scene, unless an earlier run did, and measure the method, unless it was measured before."""
        speed = known_speed(scenes, ready) if self.setting.timing else None
        timed = self.setting.timing and speed is None
        self.timed_before = speed is not None
        fused = None
        if earlier is None or timed:
            fused = scenes.fuse(ready, counted=earlier is None, measured=timed)
        if timed:
            assert fused is not None
            speed = time_scene(scenes, ready, fused.memory)
            self.setting.store.write_speed(speed)
        self.speed = speed
        return fused

    def _done(self, name: str, record: Record) -> None:
        self.done[name] = record
        names = self.setting.task.names
        self.setting.listener.scene_done(self.contender.name, name, len(self.done), len(names))
        if len(self.done) < len(names):
            self.write()

    # -- the record

    def finish(self) -> Result:
        """Write all that is left behind."""
        unpainted = self._finish_pictures()
        written = self.write()
        lost = self._finish_cubes() or unpainted
        cubes = shown = None
        if self.scenes is not None:
            cubes = self.scenes.export.path if self.scenes.export else None
            shown = self.scenes.gallery.folder if self.scenes.gallery and self.pictures is not None else None
        return Result(self.record(), self.speed, written, cubes, lost, shown, self.timed_before)

    def write(self) -> Written:
        """Write the record as it stands."""
        return self.setting.store.write(self.record())

    def record(self) -> Record:
        """Return the record as it stands."""
        told = self.scenes.account if self.scenes else account(self.contender, self.setting, self.equipped)
        record = joined(told, self.done, error=self.error)
        changes: dict[str, object] = {"pictures": self.pictures}
        if self.without_weights:
            changes["status"] = "no weights"
        return record.model_copy(update=changes)

    def _finish_pictures(self) -> str | None:
        """Put the pictures in their place, if they were asked for; returns why not, where they are not."""
        if self.scenes is None or self.scenes.gallery is None:
            return None
        record = self.record()
        if self.setting.store.keeps(record):  # those of the record that is kept stay, too
            return None
        try:
            self.pictures = self.scenes.gallery.finish(complete=record.status == "ok")
        except HsbenchError as error:
            return str(error)
        return None

    def _finish_cubes(self) -> str | None:
        """Write the results for the MATLAB script, if they were asked for; returns why not, where they are not."""
        if self.setting.save_mat is None:
            return None
        if self.scenes is None or self.scenes.export is None:
            return f"there are no cubes to be written to {cubes_path(self.record(), self.setting)}"
        try:
            self.scenes.export.finish()
        except HsbenchError as error:
            return str(error)
        return None

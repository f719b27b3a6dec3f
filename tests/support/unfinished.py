"""What an interrupted run leaves behind, made from a record."""

from __future__ import annotations

from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.records import Record, Store


def leave_scenes(store: Store, record: Record) -> None:
    """Write the scenes that a record scored as those of an unfinished run."""
    for scene in record.scenes:
        if scene.psnr is not None:
            dataset = record.dataset.model_copy(update={"scenes": 1})
            alone = {
                "status": "ok",
                "error": None,
                "dataset": dataset,
                "scenes": [scene],
                "summary": summary_of([scene]),
            }
            store.write_scene(record, record.model_copy(update=alone))

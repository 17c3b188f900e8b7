"""Settings that every engine with a network has, each said once."""

from __future__ import annotations

from typing import Annotated

from fabrica.contract import Setting

__all__ = ["Batch", "Checkpoint", "Device", "Keep", "Precision"]

Batch = Annotated[int, Setting("rows of a batch", low=8, high=1_000_000)]
Checkpoint = Annotated[
    str, Setting("folder that keeps the training as it goes, to go on from after a kill; empty: none")]
Device = Annotated[str, Setting("where to learn", choices=("cpu", "cuda", "auto"))]
Keep = Annotated[float, Setting(
    "share of the made rows that is kept at least, the likest; 1: all, faster and less sharp", low=0.01, high=1)]
Precision = Annotated[str, Setting("of products while learning", choices=("float32", "bfloat16"))]

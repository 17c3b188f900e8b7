"""Settings that every engine with a network has, each said once."""

from __future__ import annotations

from typing import Annotated

from fabrica.contract import Setting

__all__ = ["Batch", "Checkpoint", "Device", "Precision"]

Batch = Annotated[int, Setting("rows of a batch", low=8, high=1_000_000)]
Checkpoint = Annotated[
    str, Setting("folder that keeps the training as it goes, to go on from after a kill; empty: none")]
Device = Annotated[str, Setting("where to learn", choices=("cpu", "cuda", "auto"))]
Precision = Annotated[str, Setting("of products while learning", choices=("float32", "bfloat16"))]

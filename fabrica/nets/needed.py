"""torch is an extra: asked for when a network is fitted, with one clear line where it is not there."""

from __future__ import annotations

from importlib.util import find_spec

from fabrica.errors import SettingError

__all__ = ["torch_or_say"]


def torch_or_say(engine: str) -> None:
    """Raise ``SettingError`` that tells how to install torch, unless it is installed."""
    if find_spec("torch") is None:
        raise SettingError(f"the engine {engine!r} learns with torch, which is not installed", where="engine",
                           hint="pip install 'fabrica[nets]' (for the CPU only: first pip install torch --index-url "
                                "https://download.pytorch.org/whl/cpu)")

"""The promises every plugin must keep, ours and strangers'. Each check raises ``Broken`` and says which promise.

A plugin's own tests are one line each::

    from fabrica.checks import check_codec, check_engine
    check_engine(MyEngine())
    check_codec(MyCodec(), (column,), (cells,))
"""

from __future__ import annotations

from fabrica.checks.codecs import check_codec, check_secret
from fabrica.checks.engines import check_engine
from fabrica.checks.joint import Joint
from fabrica.checks.metrics import check_metric
from fabrica.checks.promise import Broken
from fabrica.checks.scenarios import check_scenario
from fabrica.checks.sources import check_source

__all__ = ["Broken", "Joint", "check_codec", "check_secret", "check_engine", "check_metric", "check_scenario",
           "check_source"]

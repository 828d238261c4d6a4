"""`python -m inkling`: the program, where the folder of scripts is not on the path."""

from inkling.cli.main import main

if __name__ == "__main__":
    main()

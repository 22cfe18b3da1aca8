"""`python -m harness` is the `title-harness` command."""

from harness.command import main

if __name__ == "__main__":
    main()

"""`python -m filmgate` is the same as `filmgate`."""

from filmgate.cli import main

if __name__ == "__main__":
    main()

"""The command line."""


def main() -> None:
    """The ``dalel`` command."""
    raise NotImplementedError

"""``dalel completion``: the lines that teach a shell to complete dalel's words. click has them; we only print them."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    """Print what makes a shell complete dalel's commands and options.

    \b
      bash   echo 'eval "$(dalel completion bash)"' >> ~/.bashrc
      zsh    echo 'eval "$(dalel completion zsh)"' >> ~/.zshrc
      fish   dalel completion fish > ~/.config/fish/completions/dalel.fish
    """  # noqa: D301
    from click.shell_completion import get_completion_class

    from probe.cli import dalel

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(dalel, {}, "dalel", "_DALEL_COMPLETE").source())

"""``fabrica completion``: the lines that teach a shell to complete our commands, options and engines."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["command"]


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script of a shell.

    \b
    Add to your ~/.bashrc or ~/.zshrc:
      eval "$(fabrica completion bash)"
    For fish:
      fabrica completion fish > ~/.config/fish/completions/fabrica.fish
    """
    root = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell} here")
    click.echo(found(root, {}, "fabrica", "_FABRICA_COMPLETE").source())
    return 0

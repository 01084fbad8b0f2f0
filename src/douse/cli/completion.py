"""`douse completion SHELL`: print the script that teaches a shell to complete our commands and options.

The scripts are click's own; this command only spares the user its environment variable. The script calls `douse`
back on every TAB, which is one more reason why the group loads commands lazily.
"""

from __future__ import annotations

import click

from douse.cli import exits

SHELLS = ("bash", "zsh", "fish", "powershell")

EXAMPLES = (
    "douse completion bash > ~/.local/share/bash-completion/completions/douse",
    "douse completion zsh > ~/.zfunc/_douse",
    "douse completion fish > ~/.config/fish/completions/douse.fish",
    "douse completion powershell >> $PROFILE",
)


@click.command(epilog=exits.epilog(*EXAMPLES, codes=(exits.DONE, exits.USAGE)))
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell; save it where that shell looks, and TAB completes `douse`."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:  # click knows all of SHELLS since 8.5, the least version we accept
        raise click.UsageError(f"this version of click has no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "douse", "_DOUSE_COMPLETE").source())

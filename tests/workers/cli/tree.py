"""The tree of commands, walked: what a rule about every command is held against."""

from collections.abc import Iterator

from typer.core import TyperCommand, TyperGroup

from workers.cli.app import program


def commands() -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Yield every command of the program by its words; groups that do something by themselves too."""
    yield from _below(program(), "")


def _below(group: TyperGroup, words: str) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        path = f"{words} {name}".strip()
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield path, command
            yield from _below(command, path)
        else:
            assert isinstance(command, TyperCommand)
            yield path, command


def options(command: TyperCommand | TyperGroup) -> set[str]:
    """Return the long names of a command's options."""
    return {name for parameter in command.params for name in parameter.opts if name[:2] == "--"}

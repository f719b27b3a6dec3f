"""A command line held against the verbs of click, without running it."""

from __future__ import annotations

import click

from hsfusion_bench.cli import main


def wrong(words: list[str], *, whole: bool) -> list[str]:
    """Return what is wrong with a command line of ``hsbench``.

    Parameters
    ----------
    words
        What follows ``hsbench``.
    whole
        Whether all that the verb requires must be there.
    """
    command: click.Command = main
    path: list[str] = []
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        path.append(rest.pop(0))
        found = command.get_command(click.Context(command), path[-1])
        if found is None:
            return [f"there is no verb {' '.join(path)!r}"]
        command = found
    if isinstance(command, click.Group):
        # of a group itself there is only its help
        return [f"{' '.join(path)!r} takes no {word}" for word in rest if word not in ("--help", "--version")]
    return _wrong_of(command, " ".join(path), rest, whole)


def _wrong_of(command: click.Command, verb: str, rest: list[str], whole: bool) -> list[str]:
    options = {name: each for each in command.params if isinstance(each, click.Option) for name in each.opts}
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    given: list[click.Parameter] = []
    positional: list[str] = []
    problems: list[str] = []
    while rest:
        word, equals, value = rest.pop(0).partition("=") if rest[0].startswith("--") else (rest.pop(0), "", "")
        if word not in options and word.startswith("--"):
            problems.append(f"{verb} has no {word}")
        elif word in options:
            option = options[word]
            given.append(option)
            if not option.is_flag:
                if not equals and not rest and not whole:
                    continue
                if not equals and not rest:
                    problems.append(f"{verb} {word} lacks a value")
                    continue
                problems += _wrong_value(option, value if equals else rest.pop(0), whole)
        else:
            positional.append(word)
    if whole:
        needed = sum(each.required for each in arguments)
        most = len(positional) if any(each.nargs == -1 for each in arguments) else len(arguments)
        if not needed <= len(positional) <= most:
            problems.append(f"{verb} takes {needed} to {most} arguments, not {positional}")
        problems += [f"{verb} lacks {each.opts[0]}" for each in options.values() if each.required and each not in given]
    for argument, word in zip(arguments, positional, strict=False):
        problems += _wrong_value(argument, word, whole)
    return problems


def _wrong_value(parameter: click.Parameter, text: str, whole: bool) -> list[str]:
    """Try a value, where it is a choice or a number; a mention in prose may have a word in place of a number."""
    exact = isinstance(parameter.type, click.Choice) or (
        whole and isinstance(parameter.type, (click.types.IntParamType, click.types.FloatParamType))
    )
    if exact:
        try:
            parameter.type.convert(text, parameter, None)
        except click.BadParameter as error:
            return [error.format_message()]
    return []

"""Writes a copy of a source file with a bug in it.

Usage: plant.py SOURCE BUG > COPY

A bug is a text: a line that says what is wrong, and changes of the form

    <<<<<<<
    what stands in the source
    =======
    what stands in the copy instead
    >>>>>>>

Each change must fit exactly once, so that a bug that no longer applies fails the build instead of planting nothing.
"""

import pathlib
import re
import sys

_CHANGE = re.compile(r'^<<<<<<<\n(.*?)^=======\n(.*?)^>>>>>>>\n', re.DOTALL | re.MULTILINE)


def plant(source, bug):
    """The text of `source` with every change of `bug`."""
    changes = _CHANGE.findall(bug)
    if not changes:
        raise ValueError('the bug has no change')
    for old, new in changes:
        if source.count(old) != 1:
            raise ValueError(f'this stands {source.count(old)} times in the source, not once:\n{old}')
        source = source.replace(old, new)
    return source


def main():
    source, bug = (pathlib.Path(path) for path in sys.argv[1:])
    try:
        sys.stdout.write(plant(source.read_text(), bug.read_text()))
    except ValueError as error:
        sys.exit(f'{bug} does not fit {source}: {error}')


if __name__ == '__main__':
    main()

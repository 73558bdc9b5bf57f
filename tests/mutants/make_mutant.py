"""Makes a faulty copy of one source file.

Usage: make_mutant.py SOURCE FIND REPLACE MUTANT DESCRIPTION

Writes SOURCE to MUTANT with FIND replaced by REPLACE, and one line that says where
and what to DESCRIPTION. FIND must occur exactly once: a mutant of code that has
changed must be looked at again, and not silently become another one or none.
"""

import pathlib
import sys


class NotOnce(Exception):
    """The text to be replaced is not there, or not only once."""


def make_mutant(path, source, find, replace):
    """Returns the faulty source and a line that describes the fault."""
    count = source.count(find)
    if count != 1:
        raise NotOnce(
            f'{path}: a mutant replaces {find!r}, which occurs {count} times; '
            'choose a text that occurs once, in tests/mutants/BUILD.bazel')
    if find == replace:
        raise NotOnce(f'{path}: a mutant replaces {find!r} by itself')
    line = source.count('\n', 0, source.index(find)) + 1
    return source.replace(find, replace), f'{path}:{line}: `{find}` -> `{replace}`'


def main():
    source_path, find, replace, mutant_path, description_path = sys.argv[1:]
    source = pathlib.Path(source_path).read_text(encoding='utf-8')
    try:
        mutant, description = make_mutant(source_path, source, find, replace)
    except NotOnce as error:
        sys.exit(str(error))
    pathlib.Path(mutant_path).write_text(mutant, encoding='utf-8')
    pathlib.Path(description_path).write_text(description + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()

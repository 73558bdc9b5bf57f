#!/usr/bin/env python3
"""Checks the rules of the tree that no compiler and no formatter checks.

Usage: tidy.py [ROOT]   (default: the tree that holds this file)

Prints each violation as `file:line: rule: text` and exits with 1 if there is any.
"""

import pathlib
import sys

import arrows
import purity
import shape
import source as source_module
import text

# Each looks at one file.
FILE_RULES = [
    arrows.check_includes,
    arrows.check_labels,
    arrows.check_own_header_first,
    purity.check_calls,
    shape.check_file_length,
    shape.check_function_length,
    text.check_words,
]
# Each looks at all files together.
TREE_RULES = [
    arrows.check_cycles,
    purity.check_iteration,
    shape.check_missing_test,
]


def check(sources):
    """All violations in `sources`, in the order of their places."""
    found = []
    for rule in FILE_RULES:
        for source in sources:
            found.extend(rule(source))
    for rule in TREE_RULES:
        found.extend(rule(sources))
    return sorted(set(found))


def main(arguments):
    # A test runs by a link to this file; what it checks is the tree behind the link.
    root = pathlib.Path(arguments[0] if arguments else __file__).resolve()
    root = root if root.is_dir() else root.parents[2]
    sources = source_module.read_tree(root)
    if not any(source.path == 'WORKSPACE' for source in sources):
        print(f'{root}: not the root of the tree', file=sys.stderr)
        return 2
    violations = check(sources)
    for violation in violations:
        print(violation)
    print(f'{len(sources)} files, {len(violations)} violations')
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

"""Files of the tree, read once and split into what is code and what is not.

The rules look for text, so a comment or a string that merely talks about a banned
call must not count as one. No parser is used: the rules need no more than this.
"""

import dataclasses
import functools
import os
import pathlib
import re

# What is made by tools or keeps data, and so is nobody's writing.
PRUNED = {'.git', 'node_modules', '__pycache__', 'interlock-data'}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]')
# Tests, and headers that only tests include: a suite that several tests instantiate, and
# helpers beside the code.
_TEST_NAME = re.compile(r'_(test|bench|fuzz)\.cc$|_(test_suite|testing)\.(cc|h)$')
_TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<delimiter>[^()\s\\]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


@dataclasses.dataclass(frozen=True, order=True)
class Violation:
    """One broken rule at one place."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f'{self.path}:{self.line}: {self.rule}: {self.text}'


def is_test_path(path):
    return path.startswith('tests/') or bool(_TEST_NAME.search(path))


@dataclasses.dataclass(frozen=True)
class Include:
    """One #include directive; `quoted` tells "x.h" from <x.h>."""

    line: int
    target: str
    quoted: bool


def _blank(match):
    """Keeps newlines, so that line numbers stay, and the quotes of a string."""
    text = re.sub(r'[^\n]', ' ', match.group())
    if match.group()[0] in '"R':
        text = '"' + text[1:-1] + '"'
    return text


@dataclasses.dataclass(frozen=True)
class Source:
    """One text file. `path` is relative to the root of the tree, with slashes."""

    path: str
    text: str

    @property
    def name(self):
        return self.path.rsplit('/', 1)[-1]

    @property
    def folder(self):
        return self.path.rsplit('/', 1)[0] if '/' in self.path else ''

    @property
    def suffix(self):
        return pathlib.PurePosixPath(self.name).suffix

    @property
    def is_cpp(self):
        return self.suffix in ('.cc', '.h')

    @property
    def is_test(self):
        return is_test_path(self.path)

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def code(self):
        """C++ with comments and the insides of strings blanked, same length."""
        return _TOKEN.sub(_blank, self.text)

    @functools.cached_property
    def includes(self):
        found = []
        code_lines = self.code.splitlines()
        for number, raw in enumerate(self.lines, start=1):
            match = _INCLUDE.match(raw)
            if match and code_lines[number - 1].lstrip().startswith('#'):
                found.append(Include(number, match.group(2), match.group(1) == '"'))
        return found

    def line_of(self, offset):
        """The number, from 1, of the line that holds `text[offset]`."""
        return self.text.count('\n', 0, offset) + 1

    def violation(self, line, rule, text):
        return Violation(self.path, line, rule, text)


def read_tree(root):
    """Reads every text file below `root`, in the order of their paths."""
    root = pathlib.Path(root)
    sources = []
    for folder, folders, files in os.walk(root):
        relative = pathlib.Path(folder).relative_to(root)
        folders[:] = sorted(
            name for name in folders
            if name not in PRUNED and not (relative == pathlib.Path('.') and name.startswith('bazel-')))
        for name in sorted(files):
            path = pathlib.Path(folder, name)
            if path.is_symlink() or not path.is_file():
                continue
            try:
                text = path.read_bytes().decode('utf-8')
            except UnicodeDecodeError:
                continue
            if '\0' not in text:
                sources.append(Source((relative / name).as_posix(), text))
    return sorted(sources, key=lambda source: source.path)

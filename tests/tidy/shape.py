"""Limits on size: of functions, files and public headers; and tests beside code."""

import ast
import re

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
# A public header is a contract that one reads in one go.
HEADER_LINES_MAX = 199

_LIMITED = {'.bzl', '.cc', '.h', '.js', '.mjs', '.proto', '.py', '.sh'}
_CONTAINER = re.compile(r'^(?:inline\s+)?(?:namespace|class|struct|union|enum|extern)\b')
_LABEL = re.compile(r'\A\s*(?:(?:public|private|protected)\s*:\s*)*')
_DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)


def check_file_length(source):
    if source.suffix not in _LIMITED:
        return
    count = len(source.lines)
    if count > FILE_LINES_MAX:
        yield source.violation(count, 'file-length', f'{count} lines, {FILE_LINES_MAX} at most')
    if source.suffix == '.h' and not source.is_test and count > HEADER_LINES_MAX:
        yield source.violation(count, 'header-length', f'{count} lines, {HEADER_LINES_MAX} at most')


def check_function_length(source):
    if source.is_cpp:
        functions = _cpp_functions(source)
    elif source.suffix == '.py':
        functions = _python_functions(source)
    else:
        return
    for name, first, last in functions:
        count = last - first + 1
        if count > FUNCTION_LINES_MAX:
            yield source.violation(first, 'function-length',
                                   f'{name}: {count} lines, {FUNCTION_LINES_MAX} at most')


def _python_functions(source):
    """(name, first line, last line) of every Python function."""
    try:
        tree = ast.parse(source.text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def _closing(code, start):
    """The offset of the brace that closes the one at `start`."""
    depth = 0
    for match in re.compile(r'[{}]').finditer(code, start):
        depth += 1 if match.group() == '{' else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def _without_brackets(text):
    """Drops what stands in (), <> and [], innermost first, but keeps `()` itself."""
    previous = None
    while previous != text:
        previous = text
        text = re.sub(r'<[^<>()]*>|\[[^\[\]]*\]', '', text)
        text = re.sub(r'\((?!\x01)[^()]*\)', '\x02', text)
    return text


def _is_function(head):
    """Whether a brace after `head` opens the body of a function."""
    if _CONTAINER.match(re.sub(r'^template\s*<.*?>\s*(?=class|struct|union)', '', head, flags=re.DOTALL)):
        return False
    head = re.sub(r'\boperator\s*(\(\s*\)|[^\w\s(]+)', 'operator_', head)
    head = _without_brackets(head)
    return '\x02' in head and '=' not in head


def _cpp_functions(source):
    """(name, first line, last line) of every function that is not inside another.

    Heuristic, good for formatted code: a brace opens a function when what stands between
    it and the statement before has parentheses and is no type, namespace or initialiser.
    """
    code = _DIRECTIVE.sub(lambda match: re.sub(r'[^\n]', ' ', match.group()), source.code)
    start = 0
    position = 0
    mark = re.compile(r'[;{}]')
    while True:
        match = mark.search(code, position)
        if match is None:
            return
        position = match.end()
        head = code[start:match.start()]
        if match.group() == '{' and head.count('(') > head.count(')'):
            # A brace inside an argument, which ends no statement.
            position = _closing(code, match.start()) + 1
            continue
        if match.group() == '{':
            first = start + _LABEL.match(head).end()
            text = code[first:match.start()].strip()
            if _is_function(text):
                last = _closing(code, match.start())
                name = re.search(r'([\w:~]+)\s*\(', text)
                yield (name.group(1) if name else text.split('\n')[0],
                       source.line_of(first), source.line_of(last))
                position = last + 1
        start = position


def check_missing_test(sources):
    """Every x.cc of core and storage has its x_test.cc beside it."""
    paths = {source.path for source in sources}
    for source in sources:
        if not source.path.startswith(('core/', 'storage/')) or source.suffix != '.cc':
            continue
        if source.is_test:
            continue
        test = source.path[:-len('.cc')] + '_test.cc'
        if test not in paths:
            yield source.violation(1, 'missing-test', f'{test} does not exist')

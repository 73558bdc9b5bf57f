"""What core may not do: anything whose result could differ between two runs.

Core is a pure state machine that is simulated, replayed and fuzzed. A clock, a
thread, the environment, randomness or the order of a hash table would each make
the same commands give different outcomes.
"""

import re

_TIME = 'time is an argument, never read'
_RANDOM = 'randomness is handed in'
_THREADS = 'core is single-threaded'
_IO = 'core does no input or output'
_ORDER = 'the order of a hash table differs between runs'

# (pattern, why, whether tests in core may do it)
_BANNED = [
    (r'absl::Now\b|absl::GetCurrentTimeNanos\b', _TIME, False),
    (r'\b(system|steady|high_resolution|utc|file)_clock\b', _TIME, False),
    (r'\b(clock_gettime|gettimeofday|localtime(_r)?|mktime)\s*\(', _TIME, False),
    (r'(?<![\w.>])(std::|::)?time\s*\(\s*(nullptr|NULL|0|&)', _TIME, False),
    (r'(?<![\w.>])(std::|::)?clock\s*\(\s*\)', _TIME, False),
    (r'__DATE__|__TIME__|__TIMESTAMP__', _TIME, False),
    (r'absl::(Local|Load)TimeZone\b', 'time zones are handed in', False),
    (r'(?<![\w.>])(std::|::)?s?rand(_r)?\s*\(|\bsrandom\s*\(|(?<!\w)::random\s*\(', _RANDOM, False),
    (r'\brandom_device\b|absl::(Insecure)?BitGen\b|\bRAND_bytes\b', _RANDOM, False),
    (r'std::(jthread|thread|async|future|promise|(\w+_)?mutex|condition_variable\w*)\b', _THREADS, False),
    (r'absl::(Mutex|Notification|BlockingCounter|Barrier)\b|\bpthread_\w+', _THREADS, False),
    (r'\bthread_local\b', _THREADS, False),
    (r'absl::SleepFor\b|\bsleep_(for|until)\b|(?<![\w.>])(u|nano)?sleep\s*\(', _THREADS, False),
    (r'\b(secure_)?getenv\s*\(|\b(un)?setenv\s*\(', 'configuration is handed in', True),
    (r'std::(cout|cerr|clog|cin|[io]?fstream|filesystem)\b', _IO, True),
    (r'(?<![\w.>])(std::|::)?(fopen|fread|v?f?printf|f?puts|fputc|fwrite|putchar)\s*\(', _IO, True),
    (r'\b(D?V?LOG|D?LOG_\w+|PLOG)\s*\(', 'core does not log', False),
    (r'std::unordered_\w+', _ORDER, False),
]
_BANNED = [(re.compile(pattern), why, tests) for pattern, why, tests in _BANNED]

_BANNED_HEADERS = {
    'barrier': _THREADS, 'condition_variable': _THREADS, 'filesystem': _IO, 'fstream': _IO,
    'future': _THREADS, 'iostream': _IO, 'latch': _THREADS, 'mutex': _THREADS,
    'semaphore': _THREADS, 'shared_mutex': _THREADS, 'thread': _THREADS,
    'unordered_map': _ORDER, 'unordered_set': _ORDER, 'absl/synchronization/mutex.h': _THREADS,
    'absl/time/clock.h': _TIME,
}
_HEADERS_FOR_TESTS = {'filesystem', 'fstream', 'iostream'}

# A failed check prints why before it ends the process; nothing else in core prints.
_MAY_PRINT = {'core/base/check.h', 'core/base/check.cc'}

_HASH_TYPE = re.compile(r'absl::(?:flat|node)_hash_(?:map|set)\s*<')
_ALIAS = re.compile(r'\busing\s+(\w+)\s*=\s*absl::(?:flat|node)_hash_(?:map|set)\s*<')
_RANGE_FOR = re.compile(r'\bfor\s*\((?P<head>[^;{]*?[^:]):(?!:)(?P<range>[^;{]*?)\)\s*(?=[{\w(*+-])')
_MAP_FIELD = re.compile(r'^\s*map\s*<[^>]*>\s*(\w+)\s*=', re.MULTILINE)
_REPEATED_FIELD = re.compile(r'^\s*repeated\s+[\w.]+\s+(\w+)\s*=', re.MULTILINE)
_EXCUSE = re.compile(r'//\s*NOLINT\((hash-iteration|map-iteration)\): \S+')


def _in_core(source):
    return source.is_cpp and source.path.startswith('core/')


def check_calls(source):
    """Banned calls, types and headers in one file of core."""
    if not _in_core(source):
        return
    for include in source.includes:
        why = _BANNED_HEADERS.get(include.target)
        if why and not (source.is_test and include.target in _HEADERS_FOR_TESTS):
            yield source.violation(include.line, 'banned-call', f'<{include.target}>: {why}')
    for pattern, why, tests in _BANNED:
        if source.is_test and tests or why is _IO and source.path in _MAY_PRINT:
            continue
        for match in pattern.finditer(source.code):
            call = ' '.join(match.group().split())
            yield source.violation(source.line_of(match.start()), 'banned-call', f'{call}: {why}')


def _after_angle_brackets(code, start):
    """The offset behind the `>` that closes the `<` before `start`."""
    depth = 1
    for offset in range(start, len(code)):
        if code[offset] == '<':
            depth += 1
        elif code[offset] == '>':
            depth -= 1
            if depth == 0:
                return offset + 1
    return len(code)


def _hash_names(source):
    """Names that one file declares as a hash table: members, variables, functions."""
    code = source.code
    ends = [_after_angle_brackets(code, match.end()) for match in _HASH_TYPE.finditer(code)]
    for alias in _ALIAS.findall(code):
        ends += [match.end() for match in re.finditer(rf'\b{alias}\b(?!\s*=)', code)]
    names = set()
    for end in ends:
        match = re.match(r'\s*(?:const\b)?\s*[&*]*\s*(\w+)\s*(?=[;={(,):]|ABSL_)', code[end:])
        if match:
            names.add(match.group(1))
    return names


def _map_fields(sources):
    """Names of map fields that no message also uses for a list; Struct has one too."""
    protos = [source.code for source in sources if source.suffix == '.proto']
    maps = {name for code in protos for name in _MAP_FIELD.findall(code)} | {'fields'}
    return maps - {name for code in protos for name in _REPEATED_FIELD.findall(code)}


def _excused(source, line):
    """Whether the line or the one above says why its iteration is harmless."""
    return any(_EXCUSE.search(text) for text in source.lines[max(0, line - 2):line])


def _iterated(source):
    """(line, last name of the range) of every loop over a range in one file."""
    for match in _RANGE_FOR.finditer(source.code):
        names = re.findall(r'\w+', match.group('range'))
        if names:
            yield source.line_of(match.start()), names[-1], match.group('range').rstrip().endswith(')')
    for match in re.finditer(r'\b(\w+)(\(\))?\s*(?:\.|->)\s*c?begin\s*\(', source.code):
        yield source.line_of(match.start()), match.group(1), bool(match.group(2))


def check_iteration(sources):
    """No loop of core runs over a hash table or a protobuf map.

    A name counts as a hash table when the file, or a header of ours that it includes,
    declares it as one. A loop whose result cannot depend on the order, such as one that
    fills a sorted copy, carries `// NOLINT(hash-iteration): reason`.
    """
    by_path = {source.path: source for source in sources}
    declared = {source.path: _hash_names(source) for source in sources if _in_core(source)}
    map_fields = _map_fields(sources)
    for path in sorted(declared):
        source = by_path[path]
        if source.is_test:
            continue
        names = set(declared[path])
        for include in source.includes:
            names |= declared.get(include.target, set())
        for line, name, call in _iterated(source):
            if _excused(source, line):
                continue
            if name in names:
                yield source.violation(line, 'hash-iteration', f'{name}: {_ORDER}')
            elif call and name in map_fields:
                yield source.violation(line, 'map-iteration', f'{name}(): a protobuf map has no order')

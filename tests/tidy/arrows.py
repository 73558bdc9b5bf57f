"""Which folder may depend on which: the arrows of docs/architecture.md as a table.

Bazel enforces visibility between targets, but the headers of installed libraries
stand in /usr/include where every target finds them, so that a missing dependency
would go unnoticed. Hence every #include and every label is looked up here.
"""

import dataclasses
import re

from source import is_test_path

_OWN = ('core/', 'storage/', 'server/', 'client/', 'tests/')

# The first pattern that matches an included path names its library.
_LIBRARIES = [
    ('grpc', re.compile(r'\.grpc\.pb\.h$')),
    ('protobuf', re.compile(r'^google/protobuf/')),
    ('proto', re.compile(r'^(interlock|google/rpc|grpc/health)/.*\.pb\.h$')),
    ('absl', re.compile(r'^absl/')),
    ('grpcpp', re.compile(r'^(grpcpp|grpc)/')),
    ('rocksdb', re.compile(r'^rocksdb/')),
    ('glog', re.compile(r'^glog/')),
    ('openssl', re.compile(r'^openssl/')),
    ('curl', re.compile(r'^curl/')),
    ('zlib', re.compile(r'^zlib\.h$')),
    ('gtest', re.compile(r'^(gtest|gmock)/')),
    ('benchmark', re.compile(r'^benchmark/')),
    # Every header of the C++ library, and no other, has a name without a dot.
    ('std', re.compile(r'^[a-z_0-9]+$')),
    ('system', re.compile(r'^((arpa|linux|net|netinet|sys)/)?[a-z_0-9]+\.h$')),
]

_SYSTEM_LABELS = {
    'benchmark': 'benchmark', 'benchmark_main': 'benchmark', 'crypto': 'openssl', 'curl': 'curl',
    'glog': 'glog', 'grpcpp': 'grpcpp', 'grpcpp_channelz': 'grpcpp', 'grpcpp_reflection': 'grpcpp',
    'gtest': 'gtest', 'gtest_main': 'gtest', 'protobuf': 'protobuf', 'rocksdb': 'rocksdb',
    'zlib': 'zlib',
}


@dataclasses.dataclass(frozen=True)
class Layer:
    """What the files of one folder may include, its own files aside.

    An entry of `own` ends with a slash and allows a folder, or names one header.
    """

    own: tuple
    libraries: frozenset


_PURE = frozenset({'absl', 'proto', 'protobuf', 'std'})
_SERVER = _PURE | {'curl', 'glog', 'grpc', 'grpcpp', 'openssl', 'system', 'zlib'}
_CLIENT = _PURE | {'glog', 'grpc', 'grpcpp', 'system'}
_ALL = _SERVER | {'benchmark', 'gtest', 'rocksdb'}
_SHARED_CORE = ('core/base/', 'core/policy/')

LAYERS = {
    'core/base': Layer((), _PURE),
    'core/policy': Layer(('core/base/',), _PURE),
    'core/audit': Layer(('core/base/',), _PURE),
    # These five do not know one another: core/engine composes them.
    'core/monitor': Layer(_SHARED_CORE, _PURE),
    'core/safety': Layer(_SHARED_CORE, _PURE),
    'core/alert': Layer(_SHARED_CORE, _PURE),
    'core/schedule': Layer(_SHARED_CORE, _PURE),
    'core/rollback': Layer(_SHARED_CORE, _PURE),
    'core/engine': Layer(('core/',), _PURE),
    'core/replay': Layer(_SHARED_CORE + ('core/engine/',), _PURE),
    'storage': Layer(('core/base/', 'core/engine/store.h'), _PURE | {'glog', 'rocksdb', 'system'}),
    'server': Layer(('core/', 'storage/'), _SERVER),
    'client': Layer((), _CLIENT),
    'client/cli': Layer(('client/', 'core/'), _CLIENT | {'zlib'}),
    'tests': Layer(_OWN, _ALL),
}

# Single files that may include more than their folder.
_EXTRA_LIBRARIES = {
    'core/base/sha256.cc': frozenset({'openssl'}),
    'core/base/ed25519.cc': frozenset({'openssl'}),
}
_TEST_OWN = ('tests/support/',)
_TEST_LIBRARIES = frozenset({'benchmark', 'gtest', 'system'})

_LABEL = re.compile(r'"((?://|@system//)[^"]*)"')


def layer_of(folder):
    """The name of the innermost layer that holds `folder`, or None."""
    while folder:
        if folder in LAYERS:
            return folder
        folder = folder.rpartition('/')[0]
    return None


def library_of(target):
    """The library that an included path belongs to, or None."""
    for name, pattern in _LIBRARIES:
        if pattern.search(target):
            return name
    return None


def _allows(layer_name, own, target):
    """Whether files of a layer may include `target`, a path in this tree."""
    if layer_of(target.rpartition('/')[0]) == layer_name:
        return True
    return any(target == entry or entry.endswith('/') and target.startswith(entry) for entry in own)


def check_includes(source):
    """Every include of one C++ file against the table."""
    if not source.is_cpp:
        return
    name = layer_of(source.folder)
    if name is None:
        yield source.violation(1, 'arrow', f'no layer for {source.folder or "the root"}: '
                               'add it to LAYERS in tests/tidy/arrows.py')
        return
    layer = LAYERS[name]
    own = layer.own + (_TEST_OWN if source.is_test else ())
    libraries = layer.libraries | _EXTRA_LIBRARIES.get(source.path, frozenset())
    if source.is_test:
        libraries |= _TEST_LIBRARIES
    for include in source.includes:
        target = include.target
        if target.startswith(_OWN):
            if not _allows(name, own, target):
                yield source.violation(include.line, 'arrow', f'{name} may not include {target}')
            elif is_test_path(target) and not source.is_test:
                yield source.violation(include.line, 'arrow', f'only tests may include {target}')
            continue
        library = library_of(target)
        if include.quoted and '/' not in target:
            yield source.violation(include.line, 'arrow', f'{target}: write the path from the root')
        elif library is None:
            yield source.violation(include.line, 'arrow', f'{target}: unknown header')
        elif library not in libraries:
            yield source.violation(include.line, 'arrow', f'{name} may not include {target}')


def _label_is_forbidden(label, name):
    """Whether no file of layer `name`, tests included, may depend on `label`."""
    layer = LAYERS[name]
    libraries = layer.libraries | _TEST_LIBRARIES
    for path, extra in _EXTRA_LIBRARIES.items():
        if layer_of(path.rpartition('/')[0]) == name:
            libraries |= extra
    if label.startswith('@system//:'):
        target = label.partition(':')[2]
        library = 'absl' if target.startswith('absl_') else _SYSTEM_LABELS.get(target)
        return library is not None and library not in libraries
    if label.startswith('//proto'):
        return label.endswith('_cc_grpc') and 'grpc' not in libraries
    package, _, target = label[2:].partition(':')
    path = f'{package}/{target or package.rpartition("/")[2]}.h'
    return path.startswith(_OWN) and not _allows(name, layer.own + _TEST_OWN + ('tests/sanitizer/',), path)


def check_labels(source):
    """Every dependency in a BUILD file against the table; visibility is not one."""
    name = layer_of(source.folder)
    if source.name != 'BUILD.bazel' or name is None:
        return
    for number, line in enumerate(source.lines, start=1):
        for label in _LABEL.findall(line.partition('#')[0]):
            if label.endswith(('__pkg__', '__subpackages__', '.bzl')):
                continue
            if _label_is_forbidden(label, name):
                yield source.violation(number, 'arrow', f'{name} may not depend on {label}')


def check_own_header_first(source):
    """x.cc includes x.h before all else, which shows that x.h stands alone."""
    if source.suffix != '.cc' or not source.includes:
        return
    header = re.sub(r'(_test)?\.cc$', '.h', source.path)
    position = [include.target for include in source.includes]
    if header in position[1:]:
        line = source.includes[position.index(header, 1)].line
        yield source.violation(line, 'own-header-first', f'{header} must be the first include')


def check_cycles(sources):
    """No header includes itself by any way round."""
    graph = {source.path: source for source in sources if source.is_cpp}
    state = {}

    def visit(path, trail):
        state[path] = 'open'
        for include in graph[path].includes:
            target = include.target
            if target not in graph:
                continue
            if state.get(target) == 'open':
                way = ' -> '.join(trail[trail.index(target):] + [target])
                yield graph[path].violation(include.line, 'include-cycle', way)
            elif target not in state:
                yield from visit(target, trail + [target])
        state[path] = 'done'

    for path in sorted(graph):
        if path not in state:
            yield from visit(path, [path])

"""Shows that every rule of the tidy test fires on a planted violation, and only there.

Goal: a rule that cannot fail is noticed. Method: small trees in memory, each with the
violations it must produce; an empty list says that the tree is fine. The last test
compares the rules that fired with the rules that the checker can report.
"""

import contextlib
import io
import pathlib
import re
import tempfile
import unittest

import purity
import shape
import source as source_module
import tidy

# Put together here, so that this file itself holds none of them.
UNFINISHED = 'TO' + 'DO'
HOME = '/ho' + 'me/ada/interlock'
REGISTRY = 'https://regis' + 'try.npm' + 'js.org/buf'

TESTED = {'core/base/x_test.cc': ''}


def findings(files):
    """(path, line, rule) of all violations in a tree given as {path: text}."""
    sources = [source_module.Source(path, text) for path, text in sorted(files.items())]
    return [(found.path, found.line, found.rule) for found in tidy.check(sources)]


def cpp_function(lines, head='int F(int a) {'):
    return head + '\n' + '  Call();\n' * (lines - 2) + '}\n'


ARROWS = [
    ('core/base/x.h', '#include "storage/y.h"\n', 'arrow'),
    ('core/base/x.h', '#include "core/engine/engine.h"\n', 'arrow'),
    ('core/base/x.h', '#include <grpcpp/grpcpp.h>\n', 'arrow'),
    ('core/base/x.h', '#include <rocksdb/db.h>\n', 'arrow'),
    ('core/base/x.h', '#include <glog/logging.h>\n', 'arrow'),
    ('core/base/x.h', '#include <openssl/sha.h>\n', 'arrow'),
    ('core/base/x.h', '#include <unistd.h>\n', 'arrow'),
    ('core/base/x.h', '#include <boost/any.hpp>\n', 'arrow'),
    ('core/base/x.h', '#include "y.h"\n', 'arrow'),
    ('core/base/x.h', '#include <gtest/gtest.h>\n', 'arrow'),
    ('core/base/x.h', '#include "interlock/v1/lock_service.grpc.pb.h"\n', 'arrow'),
    ('core/monitor/x.h', '#include "core/safety/y.h"\n', 'arrow'),
    ('core/safety/x.h', '#include "core/alert/y.h"\n', 'arrow'),
    ('core/alert/x.h', '#include "core/schedule/y.h"\n', 'arrow'),
    ('core/schedule/x.h', '#include "core/monitor/y.h"\n', 'arrow'),
    ('core/schedule/x.h', '#include "core/engine/y.h"\n', 'arrow'),
    ('core/policy/x.h', '#include "core/monitor/y.h"\n', 'arrow'),
    ('core/surprise/x.h', '', 'arrow'),
    ('core/base/x_test.cc', '#include "server/y.h"\n', 'arrow'),
    ('core/engine/x.h', '#include "server/y.h"\n', 'arrow'),
    ('core/engine/x.h', '#include "core/engine/y_testing.h"\n', 'arrow'),
    ('storage/x.h', '#include "core/engine/engine.h"\n', 'arrow'),
    ('storage/x.h', '#include "core/safety/y.h"\n', 'arrow'),
    ('storage/x.h', '#include "interlock/v1/lock_service.grpc.pb.h"\n', 'arrow'),
    ('storage/x.h', '#include "server/y.h"\n', 'arrow'),
    ('storage/x.h', '#include <grpcpp/grpcpp.h>\n', 'arrow'),
    ('server/rpc/x.h', '#include <rocksdb/db.h>\n', 'arrow'),
    ('server/rpc/x.h', '#include "client/y.h"\n', 'arrow'),
    ('client/x.h', '#include "core/base/y.h"\n', 'arrow'),
    ('client/x.h', '#include "client/cli/y.h"\n', 'arrow'),
    ('client/x.h', '#include "storage/y.h"\n', 'arrow'),
    ('client/cli/x.h', '#include "storage/y.h"\n', 'arrow'),
    ('client/cli/x.h', '#include "server/y.h"\n', 'arrow'),
    ('core/base/BUILD.bazel', '"//core/engine:store",\n', 'arrow'),
    ('core/base/BUILD.bazel', '"@system//:grpcpp",\n', 'arrow'),
    ('core/base/BUILD.bazel', '"//proto:interlock_v1_cc_grpc",\n', 'arrow'),
    ('core/safety/BUILD.bazel', '"@system//:crypto",\n', 'arrow'),
    ('storage/BUILD.bazel', '"//server/main:interlockd",\n', 'arrow'),
    ('server/BUILD.bazel', '"@system//:rocksdb",\n', 'arrow'),
]

ARROWS_ALLOWED = [
    ('core/base/x.h', '#include <string>\n#include "absl/time/time.h"\n#include "core/base/y.h"\n'),
    ('core/base/x.h', '// #include "server/y.h"\n/*\n#include <rocksdb/db.h>\n*/\n'),
    ('core/base/x.h', '#include "interlock/v1/lock_service.pb.h"\n#include "google/rpc/status.pb.h"\n'),
    ('core/monitor/x.h', '#include "core/policy/y.h"\n#include "google/protobuf/message.h"\n'),
    ('core/engine/x.h', '#include "core/monitor/y.h"\n#include "core/safety/y.h"\n'),
    ('core/engine/x_test.cc', '#include <gtest/gtest.h>\n#include "tests/support/y.h"\n'),
    ('core/engine/x_testing.h', '#include <gtest/gtest.h>\n#include "core/engine/y_testing.h"\n'),
    ('storage/x.h', '#include <rocksdb/db.h>\n#include "core/engine/store.h"\n#include "core/base/y.h"\n'),
    ('server/rpc/x.h', '#include <grpcpp/grpcpp.h>\n#include "core/engine/y.h"\n#include "storage/y.h"\n'),
    ('client/x.h', '#include <grpcpp/grpcpp.h>\n#include "interlock/v1/lock_service.grpc.pb.h"\n'),
    ('client/cli/x.h', '#include "client/y.h"\n#include "core/engine/y.h"\n'),
    ('tests/e2e/x.cc', '#include "server/y.h"\n#include <rocksdb/db.h>\n#include "client/y.h"\n'),
    ('core/base/BUILD.bazel', '"//server:__subpackages__",\n"@system//:crypto",\n":time",\n# "//server:x"\n'),
    ('storage/BUILD.bazel', '"//core/engine:store",\n"@system//:rocksdb",\n"//bazel:cc.bzl"\n'),
]

BANNED = [
    'auto t = absl::Now();', 'auto t = std::chrono::system_clock::now();',
    'auto t = std::chrono::steady_clock::now();', 'time_t t = time(nullptr);', 'auto t = std::time(0);',
    'gettimeofday(&t, nullptr);', 'localtime(&t);', 'auto z = absl::LocalTimeZone();', 'auto t = clock();',
    'const char* d = __DATE__;', 'int r = rand();', 'int r = std::rand();', 'srand(1);', 'long r = ::random();', 'srandom(1);',
    'std::random_device device;', 'absl::BitGen gen;', 'std::thread t;', 'std::mutex m;',
    'std::condition_variable c;', 'std::async(F);', 'absl::Mutex m;', 'thread_local int x = 0;',
    'absl::SleepFor(d);', 'std::this_thread::sleep_for(d);', 'sleep(1);', 'usleep(1);',
    'getenv("HOME");', 'std::cout << 1;', 'std::ifstream f;', 'fopen("x", "r");', 'printf("x");',
    'std::fprintf(stderr, "x");', 'LOG(INFO) << 1;', 'VLOG(1) << 1;', 'std::unordered_map<int, int> m;',
    '#include <thread>', '#include <iostream>', '#include <fstream>', '#include <unordered_set>',
    '#include "absl/time/clock.h"',
]

BANNED_ALLOWED = [
    '// absl::Now() is banned.', 'Say("rand() and time(nullptr)");', 'x.set_time(0);', 'request.time();',
    'auto t = decide_time(0);', 'operand(1);', 'entry.clock();', 'snprintf(b, n, "x");', 'BACKLOG(1);',
    'Say(R"(std::thread t;)");', 'const int million = 1\'000\'000; // rand()', 'std::mt19937_64 random(seed);', 'int r = random() % 3;',
]

ITERATION_BAD = [
    'absl::flat_hash_map<std::string, int> counts_;\nvoid F() { for (const auto& [k, v] : counts_) {} }\n',
    'absl::flat_hash_set<int> ids;\nvoid F() {\n  for (int id : state.ids) G(id); }\n',
    'absl::node_hash_map<int, std::vector<int>> m_ ABSL_GUARDED_BY(x);\nvoid F() { for (auto& e : this->m_) {} }\n',
    'using Map = absl::flat_hash_map<int, int>;\nstruct S { Map map_; }; auto F() { return map_.begin(); }\n',
    'void F(const absl::flat_hash_map<int, int>& all) {\n for (auto& e : all) {} }\n',
]
ITERATION_GOOD = [
    'absl::btree_map<std::string, int> counts_;\nvoid F() { for (const auto& [k, v] : counts_) {} }\n',
    'absl::flat_hash_map<int, int> counts_;\nvoid F() { for (int i = 0; i < 3; ++i) counts_.find(i); }\n',
    'absl::flat_hash_map<int, int> counts_;\nvoid F() {\n'
    '  // NOLINT(hash-iteration): a sum has no order.\n  for (auto& e : counts_) {} }\n',
    'absl::flat_hash_map<int, int> counts_;\nvoid F() { for (int i : other_.size(counts_, 1)) {} }\n',
]


class RulesTest(unittest.TestCase):

    fired = set()

    def expect(self, files, expected):
        found = findings(files)
        RulesTest.fired |= {rule for _, _, rule in found}
        self.assertEqual(found, sorted(expected), files)

    def test_arrows_fire(self):
        for path, text, rule in ARROWS:
            with self.subTest(path=path, text=text):
                self.expect({path: text}, [(path, 1, rule)])

    def test_arrows_allow(self):
        for path, text in ARROWS_ALLOWED:
            with self.subTest(path=path, text=text):
                self.expect({path: text}, [])

    def test_only_sha256_uses_openssl(self):
        text = '#include "core/base/sha256.h"\n\n#include <openssl/sha.h>\n'
        files = {'core/base/sha256.cc': text, 'core/base/sha256_test.cc': ''}
        self.expect(files, [])
        files = {'core/base/sha512.cc': text, 'core/base/sha512_test.cc': ''}
        self.expect(files, [('core/base/sha512.cc', 3, 'arrow')])

    def test_own_header_comes_first(self):
        late = '#include <string>\n#include "core/base/x.h"\n'
        self.expect({'core/base/x.cc': late, **TESTED}, [('core/base/x.cc', 2, 'own-header-first')])
        self.expect({'core/base/x.cc': '#include "core/base/x.h"\n#include <string>\n', **TESTED}, [])
        self.expect({'core/base/x_test.cc': late}, [('core/base/x_test.cc', 2, 'own-header-first')])

    def test_include_cycle(self):
        ring = {
            'core/base/a.h': '#include "core/base/b.h"\n',
            'core/base/b.h': '#include <string>\n#include "core/base/c.h"\n',
            'core/base/c.h': '#include "core/base/a.h"\n',
        }
        self.expect(ring, [('core/base/c.h', 1, 'include-cycle')])
        ring['core/base/c.h'] = ''
        self.expect(ring, [])
        self.expect({'core/base/a.h': '#include "core/base/a.h"\n'}, [('core/base/a.h', 1, 'include-cycle')])

    def test_banned_calls_fire_in_core_only(self):
        for line in BANNED:
            with self.subTest(line=line):
                files = {'core/base/x.h': '\n' + line + '\n'}
                self.expect(files, [('core/base/x.h', 2, 'banned-call')])
                if not line.startswith('#'):
                    self.expect({'server/x.h': line}, [])

    def test_each_pattern_has_a_planted_call(self):
        for pattern, _, _ in purity._BANNED:
            with self.subTest(pattern=pattern.pattern):
                self.assertTrue(any(pattern.search(line) for line in BANNED))

    def test_harmless_lines_pass(self):
        for line in BANNED_ALLOWED:
            with self.subTest(line=line):
                self.expect({'core/base/x.h': line}, [])

    def test_only_check_prints(self):
        self.expect({'core/base/check.h': 'std::fprintf(stderr, "x");'}, [])

    def test_tests_of_core_may_read_files_but_no_clock(self):
        reads = '#include <fstream>\nstd::ifstream f(getenv("TEST_SRCDIR"));\n'
        self.expect({'core/base/x_test.cc': reads}, [])
        self.expect({'core/base/x_test.cc': 'absl::Now();'}, [('core/base/x_test.cc', 1, 'banned-call')])

    def test_hash_iteration(self):
        for text in ITERATION_BAD:
            with self.subTest(text=text):
                line = next(n for n, l in enumerate(text.split('\n'), 1) if 'for (' in l or 'begin' in l)
                self.expect({'core/base/x.h': text}, [('core/base/x.h', line, 'hash-iteration')])
        for text in ITERATION_GOOD:
            with self.subTest(text=text):
                self.expect({'core/base/x.h': text}, [])

    def test_hash_iteration_over_a_member_of_an_included_header(self):
        files = {
            'core/base/x.h': 'class X { absl::flat_hash_map<int, int> all_; };\n',
            'core/base/x.cc': '#include "core/base/x.h"\nvoid X::F() { for (auto& e : all_) {} }\n',
            **TESTED,
        }
        self.expect(files, [('core/base/x.cc', 2, 'hash-iteration')])

    def test_map_iteration(self):
        files = {
            'proto/interlock/v1/a.proto': 'message A {\n  map<string, int32> weights = 1;\n  repeated A b = 2;\n}\n',
            'core/base/x.h': 'void F() { for (auto& e : a.weights()) {} }\nvoid G() { for (auto& e : a.b()) {} }\n',
        }
        self.expect(files, [('core/base/x.h', 1, 'map-iteration')])
        fields = 'void F() { for (auto& [k, v] : action.parameters().fields()) {} }\n'
        self.expect({'core/base/x.h': fields}, [('core/base/x.h', 1, 'map-iteration')])

    def test_function_length_of_cpp(self):
        limit = shape.FUNCTION_LINES_MAX
        heads = [
            'int F(int a) {', 'TEST(Lock, Holds) {', 'bool A::operator==(const A& o) const {',
            'A::A(int b) : b_(b) {', 'template <typename T = int> T F(T a = T()) {', 'auto F() -> std::vector<int> {',
            'absl::StatusOr<std::map<int, int>> A::F(const B& b) const noexcept {', 'A::~A() {',
        ]
        for head in heads:
            with self.subTest(head=head):
                prefix = 'namespace interlock {\nclass A {\n public:\n  int x_ = 0;\n\n'
                text = prefix + cpp_function(limit, head) + '};\n}  // namespace\n'
                self.expect({'server/x.cc': text}, [])
                text = prefix + cpp_function(limit + 1, head) + '};\n}  // namespace\n'
                self.expect({'server/x.cc': text}, [('server/x.cc', 6, 'function-length')])

    def test_function_length_looks_behind_what_is_no_function(self):
        before = ('constexpr int kTable[] = {\n' + '    1,\n' * 90 + '};\n'
                  'const bool kDone = Register({1, 2}, [] { return "}"; });\n'
                  'enum class E { kA };\n// Not a {brace.\n#define M(x) {\n')
        self.expect({'server/x.cc': before}, [])
        self.expect({'server/x.cc': before + cpp_function(71)},
                    [('server/x.cc', before.count('\n') + 1, 'function-length')])

    def test_function_length_of_python(self):
        self.expect({'tests/x.py': 'def f():\n' + '    pass\n' * 69}, [])
        self.expect({'tests/x.py': 'def f():\n' + '    pass\n' * 70}, [('tests/x.py', 1, 'function-length')])

    def test_file_length(self):
        for suffix in ('cc', 'h', 'py', 'js', 'proto', 'sh'):
            path = 'tests/x.' + suffix
            self.expect({path: '\n' * 500}, [])
            self.expect({path: '\n' * 501}, [(path, 501, 'file-length')])
        self.expect({'docs/x.md': '\n' * 501}, [])

    def test_header_length(self):
        self.expect({'server/x.h': '\n' * 199}, [])
        self.expect({'server/x.h': '\n' * 200}, [('server/x.h', 200, 'header-length')])
        self.expect({'tests/x.h': '\n' * 200}, [])

    def test_missing_test(self):
        for folder in ('core/base', 'storage'):
            path = folder + '/x.cc'
            self.expect({path: ''}, [(path, 1, 'missing-test')])
            self.expect({path: '', folder + '/x_test.cc': ''}, [])
        self.expect({'storage/store_test_suite.cc': '', 'server/x.cc': ''}, [])

    def test_unfinished(self):
        for word in (UNFINISHED, 'FIX' + 'ME', 'X' + 'XX'):
            self.expect({'docs/x.md': f'\n{word}: later\n'}, [('docs/x.md', 2, 'unfinished')])
        self.expect({'x.sh': 'mktemp -d ./tmp.XXXXXX\n'}, [])

    def test_machine_path(self):
        for path in (HOME, '/wo' + 'rk/main', '/ro' + 'ot/.cache'):
            self.expect({'x.sh': f'cd {path}\n'}, [('x.sh', 1, 'machine-path')])
            self.expect({'x.md': f'"{path}"\n'}, [('x.md', 1, 'machine-path')])
        self.expect({'x.sh': 'cd "$HOME/ho' + 'me/x" ../wo' + 'rk/y example.com/wo' + 'rk/z\n'}, [])
        self.expect({'tests/sim/testdata/run.json': HOME}, [])

    def test_registry_host(self):
        self.expect({'x.json': f'\n"{REGISTRY}"\n'}, [('x.json', 2, 'registry-host')])
        lock = 'tests/lint/package-lock.json'
        self.expect({lock: '"resol' + 'ved": "x"\n'}, [(lock, 1, 'registry-host')])
        self.expect({lock: '"https://example.com/x.tgz"\n'}, [(lock, 1, 'registry-host')])
        self.expect({'README.md': 'https://example.com/x\n'}, [])

    def test_zz_every_rule_has_fired(self):
        known = set()
        for module in pathlib.Path(tidy.__file__).parent.glob('*.py'):
            if not module.name.endswith('_test.py'):
                known |= set(re.findall(r"violation\([^,]+, '([a-z-]+)'", module.read_text()))
        self.assertGreaterEqual(len(known), 13)
        self.assertEqual(RulesTest.fired, known)


class CommandTest(unittest.TestCase):

    def run_main(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            output = io.StringIO()
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                code = tidy.main([folder])
            return code, output.getvalue()

    def test_clean_tree(self):
        self.assertEqual(self.run_main({'WORKSPACE': b''}), (0, '1 files, 0 violations\n'))

    def test_violation_is_printed_with_its_place(self):
        code, output = self.run_main({'WORKSPACE': b'', 'a/x.md': b'\n' + UNFINISHED.encode()})
        self.assertEqual(code, 1)
        self.assertIn('a/x.md:2: unfinished: ' + UNFINISHED, output)

    def test_skips_what_tools_made_and_what_is_no_text(self):
        mark = UNFINISHED.encode()
        code, _ = self.run_main({
            'WORKSPACE': b'', 'bazel-bin/x.md': mark, 'a/node_modules/x.md': mark, '.git/x': mark,
            'a/x.bin': b'\xff\xfe' + mark, 'a/y.bin': b'\0' + mark,
        })
        self.assertEqual(code, 0)

    def test_refuses_another_folder(self):
        self.assertEqual(self.run_main({'x.md': b''})[0], 2)


if __name__ == '__main__':
    unittest.main()

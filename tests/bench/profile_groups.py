"""Sums a profile of the server by what the time was spent on.

Reads what `perf script -F comm,ip,sym,dso` prints and shows the share of each group. A sample in the kernel belongs to
the system call that led there; one in a program or library to that.
"""

import collections
import re
import sys

_FRAME = re.compile(r'^\s+[0-9a-f]+ (.*) \((.*)\)$')
# In this order; the first that occurs in a sample's stack within the kernel.
_SYSTEM_CALLS = (
    ('threads: wake and wait', re.compile(r'sys_futex|do_futex|eventfd_|exit_to_user_mode_loop')),
    ('disk: write and fdatasync', re.compile(r'sys_(fdatasync|fsync|write|pwrite64|writev|fallocate|sync_file_range)')),
    ('network: send', re.compile(r'sys_sendmsg')),
    ('network: receive', re.compile(r'sys_recvmsg')),
    ('network: poll', re.compile(r'sys_(epoll_\w*|poll|read)')),
)
_LIBRARIES = (
    ('gRPC', re.compile(r'libgrpc|libgpr')),
    ('locks within gRPC (Abseil)', re.compile(r'libabsl_(graphcycles|synchronization)')),
    ('Protobuf', re.compile(r'libprotobuf')),
    ('RocksDB with compression', re.compile(r'librocksdb|libzstd|liblz4|libsnappy')),
    ('SHA-256', re.compile(r'libcrypto')),
)
_SYMBOLS = (
    ('Protobuf', re.compile(r'interlock::v1::|google::protobuf::')),
    ('engine', re.compile(r'interlock::(safety|alert|monitor|schedule|policy|keys)::|interlock::(Engine|Request|Id)')),
    ('server: calls and sequencer', re.compile(r'interlock::server::|grpc::')),
    ('store', re.compile(r'interlock::storage::')),
)
_MEMORY = re.compile(r'malloc|free|calloc|realloc|operator new|operator delete|memmove|memcpy|memset|brk|munmap')


def group_of(frames):
    """The group of a sample's frames, the innermost first: pairs of symbol and file."""
    symbol, library = frames[0]
    if 'kernel' in library:
        stack = ' '.join(name for name, _ in frames)
        return next((name for name, pattern in _SYSTEM_CALLS if pattern.search(stack)), 'kernel, other')
    if 'libc.so' in library or 'operator' in symbol:
        return 'memory: allocate, free, copy' if _MEMORY.search(symbol) else 'C library, other'
    for name, pattern in _LIBRARIES:
        if pattern.search(library):
            return name
    return next((name for name, pattern in _SYMBOLS if pattern.search(symbol)), 'other')


def sum_samples(lines):
    """How many samples each group has, and each thread."""
    groups = collections.Counter()
    threads = collections.Counter()
    thread = ''
    frames = []
    for line in [*lines, '']:
        frame = _FRAME.match(line)
        if frame:
            frames.append(frame.groups())
        elif line.strip():
            thread = line.strip()
        elif frames:
            groups[group_of(frames)] += 1
            threads[thread] += 1
            frames = []
    return groups, threads


def main():
    for title, counts in zip(('what', 'thread'), sum_samples(sys.stdin)):
        total = sum(counts.values())
        print(f'\n{title:34} share of {total} samples')
        for name, count in counts.most_common():
            print(f'{name:34} {100 * count / total:6.1f} %')


if __name__ == '__main__':
    main()

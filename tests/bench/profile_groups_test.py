"""Each sample falls into the group of what the thread was doing."""

import unittest

from tests.bench import profile_groups

_PERF_SCRIPT = """interlockd
\tffffffff81734ad5 try_to_wake_up ([kernel.kallsyms])
\tffffffff813a8bd3 __x64_sys_futex ([kernel.kallsyms])
\t          101829 syscall (/usr/lib/libc.so.6)

nexting_thread
\t           9633f _int_malloc (/usr/lib/libc.so.6)
\t               1 [unknown] ([unknown])

nexting_thread
\t          101829 interlock::safety::Evaluate(int, (anonymous namespace)::T) (/tmp/interlockd)
"""


class ProfileGroupsTest(unittest.TestCase):

    def test_sums_samples_by_group_and_by_thread(self):
        groups, threads = profile_groups.sum_samples(_PERF_SCRIPT.splitlines())
        self.assertEqual(groups, {'threads: wake and wait': 1, 'memory: allocate, free, copy': 1, 'engine': 1})
        self.assertEqual(threads, {'interlockd': 1, 'nexting_thread': 2})

    def test_a_sample_in_the_kernel_belongs_to_its_system_call(self):
        kernel = '([kernel.kallsyms])'
        for symbol, group in (('__x64_sys_fdatasync', 'disk: write and fdatasync'), ('__sys_sendmsg', 'network: send'),
                              ('do_anonymous_page', 'kernel, other')):
            self.assertEqual(profile_groups.group_of([('finish_task_switch', kernel), (symbol, kernel)]), group)


if __name__ == '__main__':
    unittest.main()

"""A mutant that is none, or that nobody notices, must not pass."""

import os
import pathlib
import stat
import unittest

import make_mutant
import run_mutants


class MakeMutantTest(unittest.TestCase):

    def test_names_the_line_and_the_change(self):
        mutant, description = make_mutant.make_mutant('core/a.cc', 'one\ntwo < 3\n', 'two < 3', 'two <= 3')
        self.assertEqual(mutant, 'one\ntwo <= 3\n')
        self.assertEqual(description, 'core/a.cc:2: `two < 3` -> `two <= 3`')

    def test_refuses_a_text_that_is_not_there_once(self):
        for source in ('one\n', 'two two\n'):
            with self.assertRaises(make_mutant.NotOnce):
                make_mutant.make_mutant('core/a.cc', source, 'two', 'three')

    def test_refuses_a_change_that_is_none(self):
        with self.assertRaises(make_mutant.NotOnce):
            make_mutant.make_mutant('core/a.cc', 'two\n', 'two', 'two')


class KillerTest(unittest.TestCase):

    def test_failed_test_kills(self):
        output = '[ RUN      ] A.Works\n[  FAILED  ] A.Works (0 ms)\n'
        self.assertEqual(run_mutants.killer(1, output), 'A.Works')

    def test_check_kills(self):
        output = '[ RUN      ] A.Works\ncore/a.cc:7: check failed: x > 0\n'
        self.assertEqual(run_mutants.killer(-6, output), 'A.Works (core/a.cc:7: check failed: x > 0)')

    def test_failure_kills_also_if_the_test_crashes_on_it(self):
        output = '[ RUN      ] A.Works\ncore/a_test.cc:9: Failure\nExpected 1\n'
        self.assertEqual(run_mutants.killer(-11, output), 'A.Works')

    def test_nothing_else_does(self):
        passed = '[ RUN      ] A.Works\n[       OK ] A.Works (0 ms)\n'
        crashed = '[ RUN      ] A.Works\n'
        for code, output in ((0, passed), (-11, crashed), (1, 'cannot start'), (127, '')):
            self.assertEqual(run_mutants.killer(code, output), '')

    def test_output_of_the_program_is_what_counts(self):
        program = pathlib.Path(os.environ['TEST_TMPDIR']) / 'program'
        program.write_text('#!/bin/sh\necho "[  FAILED  ] B.Works"\nexit 1\n', encoding='utf-8')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.assertEqual(run_mutants.killer(*run_mutants.run(program)), 'B.Works')


if __name__ == '__main__':
    unittest.main()

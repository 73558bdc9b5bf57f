"""Shows that the summary counts truthfully: nothing that did not pass counts as passed."""

import json
import os
import pathlib
import tempfile
import unittest

import test_summary


def configured(label, test=True):
    body = {'targetKind': 'cc_test rule', 'testSize': 'SMALL'} if test else {'targetKind': 'cc_library rule'}
    return {'id': {'targetConfigured': {'label': label}}, 'configured': body}


def completed(label, success=True):
    return {'id': {'targetCompleted': {'label': label}}, 'completed': {'success': True} if success else {}}


def ended(label, status):
    return {'id': {'testSummary': {'label': label}}, 'testSummary': {'overallStatus': status}}


def aborted(kind, identity):
    return {'id': {kind: identity}, 'aborted': {'reason': 'ANALYSIS_FAILURE'}}


def run(events, exit_code=0):
    return test_summary.report(test_summary.read_events(json.dumps(event) for event in events), exit_code)


PASSING = [configured('//a:t'), completed('//a:t'), ended('//a:t', 'PASSED')]


class TestSummaryTest(unittest.TestCase):

    def test_all_passed(self):
        events = PASSING + [configured('//a:l', test=False), completed('//a:l')]
        self.assertEqual(run(events), (['1 passed, 0 failed'], 0))

    def test_every_other_status_is_a_failure(self):
        for status in ('FAILED', 'TIMEOUT', 'INCOMPLETE', 'NO_STATUS', 'FAILED_TO_BUILD', 'REMOTE_FAILURE'):
            events = PASSING + [configured('//a:u'), completed('//a:u'), ended('//a:u', status)]
            self.assertEqual(run(events, 3), ([f'FAILED //a:u: {status}', '1 passed, 1 failed'], 1))

    def test_flaky_counts_as_passed_and_is_shown(self):
        events = [configured('//a:t'), ended('//a:t', 'FLAKY')]
        self.assertEqual(run(events), (['FLAKY //a:t', '1 passed, 0 failed'], 0))

    def test_test_that_could_not_be_built(self):
        events = PASSING + [configured('//a:u'), completed('//a:u', success=False)]
        self.assertEqual(run(events, 1), (['FAILED //a:u: could not be built', '1 passed, 1 failed'], 1))

    def test_test_that_never_ran(self):
        events = PASSING + [configured('//a:u')]
        self.assertEqual(run(events, 8), (['FAILED //a:u: did not run', '1 passed, 1 failed'], 1))

    def test_library_that_could_not_be_built(self):
        events = PASSING + [configured('//a:l', test=False), completed('//a:l', success=False)]
        self.assertEqual(run(events, 1), (['FAILED //a:l: could not be built', '1 passed, 1 failed'], 1))

    def test_analysis_failure(self):
        events = PASSING + [aborted('targetCompleted', {'label': '//a:l'})]
        self.assertEqual(run(events, 1)[1], 1)
        events = PASSING + [aborted('pattern', {'pattern': ['//b/...']})]
        self.assertEqual(run(events, 1), (['FAILED //b/...: could not be loaded', '1 passed, 1 failed'], 1))

    def test_bazel_failed_for_another_reason(self):
        self.assertEqual(run(PASSING, 37), (['FAILED bazel: ended with exit code 37', '1 passed, 1 failed'], 1))

    def test_no_test_is_no_success(self):
        self.assertEqual(run([]), (['FAILED bazel: ran no test', '0 passed, 1 failed'], 1))

    def test_events_cut_off(self):
        lines = [json.dumps(event) for event in PASSING] + ['{"id": {"testSum']
        self.assertEqual(test_summary.report(test_summary.read_events(lines), 1)[1], 1)

    def test_skipped_tests_are_shown(self):
        folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get('TEST_TMPDIR')))
        log = folder / 'test.log'
        log.write_text('Executing\nSKIPPED: buf is not installed\nOK (skipped=2)\n')
        cases = folder / 'test.xml'
        cases.write_text('<testsuites><testsuite><testcase name="A" classname="S" result="skipped"/>'
                         '<testcase name="B" classname="S" result="completed"/>'
                         '<testcase name="C" classname="S"><skipped/></testcase></testsuite></testsuites>')
        files = [{'name': file.name, 'uri': file.as_uri()} for file in (log, cases)]
        events = PASSING + [{'id': {'testResult': {'label': '//a:t'}}, 'testResult': {'testActionOutput': files}}]
        self.assertEqual(run(events), ([
            'SKIPPED //a:t: S.A', 'SKIPPED //a:t: S.C', 'SKIPPED //a:t: buf is not installed',
            'SKIPPED //a:t: skipped=2', '1 passed, 0 failed',
        ], 0))

    def test_file_of_events_is_missing(self):
        self.assertEqual(test_summary.main([os.path.join(tempfile.mkdtemp(), 'none'), '0']), 1)


if __name__ == '__main__':
    unittest.main()

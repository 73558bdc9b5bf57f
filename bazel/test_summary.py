#!/usr/bin/env python3
"""Says how a `bazel test` ended, from the events that Bazel wrote.

Usage: test_summary.py EVENTS BAZEL_EXIT_CODE

Prints each target that failed, each test that was skipped and, as the last line,
`N passed, N failed`. A test that did not run has failed, and so has anything that could
not be built. Exits with 0 only when at least one test passed and nothing failed.
"""

import json
import re
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree

_PASSED = ('PASSED', 'FLAKY')
# What a shell test says, and what Python's unittest ends with.
_SKIPPED = re.compile(r'^SKIPPED: (.*)$|^OK \((skipped=\d+)', re.MULTILINE)


class Summary:
    """What one run of Bazel came to. Feed it with every event, then ask."""

    def __init__(self):
        # Verdict of each test by label; None until it is known.
        self.tests = {}
        # Why other targets could not be built, by label.
        self.broken = {}
        # Where each test wrote its log and its results.
        self.outputs = {}

    def add(self, event):
        kind, identity = next(iter(event['id'].items()))
        label = identity.get('label', '')
        if kind == 'targetConfigured' and 'testSize' in event.get('configured', {}):
            self.tests.setdefault(label, None)
        elif kind == 'testSummary' and 'testSummary' in event:
            self.tests[label] = event['testSummary']['overallStatus']
        elif kind == 'testResult' and 'testResult' in event:
            files = event['testResult'].get('testActionOutput', [])
            self.outputs.setdefault(label, []).extend(files)
        elif kind == 'targetCompleted' and not event.get('completed', {}).get('success'):
            self.broken.setdefault(label, 'could not be built')
        elif 'aborted' in event and label:
            self.broken.setdefault(label, 'could not be analysed')
        elif 'aborted' in event and kind == 'pattern':
            for pattern in identity.get('pattern', []):
                self.broken.setdefault(pattern, 'could not be loaded')

    def passed(self):
        return sorted(label for label, status in self.tests.items() if status in _PASSED)

    def failed(self):
        """(label, why) of all that failed, tests and other targets, sorted."""
        failed = {label: why for label, why in self.broken.items() if label not in self.tests}
        for label, status in self.tests.items():
            if status not in _PASSED:
                failed[label] = status or self.broken.get(label, 'did not run')
        return sorted(failed.items())

    def flaky(self):
        return sorted(label for label, status in self.tests.items() if status == 'FLAKY')

    def skipped(self):
        """(label, what) of every test or part of one that was skipped, sorted."""
        skipped = set()
        for label, files in self.outputs.items():
            for file in files:
                text = _read(file.get('uri', ''))
                if file.get('name') == 'test.log':
                    skipped |= {(label, match.group(1) or match.group(2)) for match in _SKIPPED.finditer(text)}
                elif file.get('name') == 'test.xml':
                    skipped |= {(label, case) for case in _skipped_cases(text)}
        return sorted(skipped)


def _read(uri):
    """The text of a file: address, empty when there is none."""
    parts = urllib.parse.urlparse(uri)
    if parts.scheme != 'file':
        return ''
    try:
        with open(urllib.request.url2pathname(parts.path), encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''


def _skipped_cases(text):
    """Names of the cases that a result file in GoogleTest's or JUnit's form calls skipped."""
    try:
        root = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError:
        return
    for case in root.iter('testcase'):
        if case.get('result') == 'skipped' or case.get('status') == 'notrun' or case.find('skipped') is not None:
            yield f'{case.get("classname", "")}.{case.get("name", "")}'.strip('.')


def read_events(lines):
    """The summary of the events in `lines`; a line cut off by a crash ends them."""
    summary = Summary()
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            break
        if event.get('id'):
            summary.add(event)
    return summary


def report(summary, bazel_exit_code):
    """(lines to print, exit code)."""
    lines = [f'SKIPPED {label}: {what}' for label, what in summary.skipped()]
    lines += [f'FLAKY {label}' for label in summary.flaky()]
    failed = summary.failed()
    if not failed and bazel_exit_code != 0:
        failed = [('bazel', f'ended with exit code {bazel_exit_code}')]
    if not failed and not summary.passed():
        failed = [('bazel', 'ran no test')]
    lines += [f'FAILED {label}: {why}' for label, why in failed]
    lines.append(f'{len(summary.passed())} passed, {len(failed)} failed')
    return lines, 1 if failed else 0


def main(arguments):
    path, exit_code = arguments
    try:
        with open(path, encoding='utf-8') as file:
            summary = read_events(file)
    except OSError:
        # Bazel wrote nothing at all.
        summary = Summary()
    lines, code = report(summary, int(exit_code))
    print('\n'.join(lines))
    return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

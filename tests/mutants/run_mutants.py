"""Runs the tests of one source file against mutants of it, each of which they must kill.

Usage: run_mutants.py --skip=PATTERN SOUND [MUTANT DESCRIPTION]...

SOUND is the tests with the file as it is: it must pass, or a failure would say
nothing. Each MUTANT is the same tests with a faulty copy of the file: it must fail,
by a failed test or by a check of the program itself; one that does not end runs into
the test's own time limit. Prints one line a mutant. Tests that match PATTERN do not run.
"""

import pathlib
import re
import subprocess
import sys

_FAILED = re.compile(r'^\[  FAILED  \] ([\w/.]+)', re.MULTILINE)
# What a test says before it is over; it may go on with what it should not have got, and crash.
_FAILURE = re.compile(r'^[\w/.]+:\d+: Failure$', re.MULTILINE)
_STARTED = re.compile(r'^\[ RUN      \] ([\w/.]+)', re.MULTILINE)
# What INTERLOCK_CHECK prints before it aborts.
_CHECK = re.compile(r'^.*check failed.*$', re.MULTILINE | re.IGNORECASE)


def run(binary, skip=''):
    """Returns the exit code and the output of the tests."""
    command = [
        str(pathlib.Path(binary).absolute()), '--gtest_fail_fast', '--gtest_color=no',
        f'--gtest_filter=-{skip}'
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors='replace')


def killer(code, output):
    """Returns what killed a mutant, '' if it lives."""
    failed = _FAILED.search(output)
    if code == 1 and failed:
        return failed.group(1)
    started = _STARTED.findall(output)
    if code in (0, 1) or not started:
        return ''
    check = _CHECK.search(output)
    if check:
        return f'{started[-1]} ({check.group().strip()})'
    return started[-1] if _FAILURE.search(output) else ''


def main():
    skip, sound, *rest = sys.argv[1:]
    skip = skip.replace('--skip=', '', 1)
    code, output = run(sound, skip)
    if code != 0:
        sys.exit(f'the tests do not pass without a mutant:\n{output}')
    survivors = 0
    for binary, description_path in zip(rest[::2], rest[1::2]):
        description = pathlib.Path(description_path).read_text(encoding='utf-8').strip()
        code, output = run(binary, skip)
        by = killer(code, output)
        if by:
            print(f'{description}: killed by {by}', flush=True)
        else:
            survivors += 1
            print(f'{description}: SURVIVED (exit code {code})\n{output[-2000:] if code else ""}')
    print(f'{len(rest) // 2 - survivors} mutants killed, {survivors} survived')
    sys.exit(1 if survivors else 0)


if __name__ == '__main__':
    main()

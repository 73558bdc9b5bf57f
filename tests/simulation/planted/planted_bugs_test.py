"""Shows that the campaign finds bugs: the sound build passes it twenty times, each planted bug does not.

Arguments: the sound campaign, then the campaign with each bug and the text of the bug.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

SEEDS = 500
SOUND_RUNS = 20
_FOUND = re.compile(r'^VIOLATION checker=(\S+) seed=(\d+)', re.MULTILINE)


def run(campaign, first_seed):
    """(exit code, output) of one campaign; the command is the same for every build."""
    command = [campaign, f'--first_seed={first_seed}', f'--seeds={SEEDS}']
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.returncode, result.stdout


def check_sound(campaign, first_seed):
    """A line that says how the sound build did, and whether it passed."""
    code, output = run(campaign, first_seed)
    if code == 0:
        return f'sound: seeds {first_seed} to {first_seed + SEEDS - 1} passed', True
    return f'sound: seeds {first_seed} to {first_seed + SEEDS - 1} FAILED\n{output[-3000:]}', False


def check_bug(campaign, bug):
    """A line that says what found the bug, and whether anything did."""
    name = pathlib.Path(bug).stem
    what = pathlib.Path(bug).read_text().partition('\n')[0]
    code, output = run(campaign, 1)
    found = _FOUND.search(output)
    if code == 0 or found is None:
        return f'{name}: NOT FOUND in {SEEDS} seeds ({what})\n{output[-2000:]}', False
    return f'{name}: found by {found.group(1)} after {found.group(2)} seeds ({what})', True


def main():
    sound, *planted = sys.argv[1:]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        checks = [pool.submit(check_sound, sound, 1 + SEEDS * i) for i in range(SOUND_RUNS)]
        checks += [pool.submit(check_bug, *bug) for bug in zip(planted[::2], planted[1::2])]
        results = [check.result() for check in checks]
    for line, _ in results:
        print(line)
    print(f'{SOUND_RUNS} sound runs, {len(planted) // 2} planted bugs')
    sys.exit(0 if all(passed for _, passed in results) else 1)


if __name__ == '__main__':
    main()

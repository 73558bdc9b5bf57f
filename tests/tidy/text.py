"""Words that have no place in a tree that others clone."""

import re

# Data is what somebody recorded; nobody may edit it to please a rule.
_DATA_FOLDERS = {'corpus', 'testdata', 'vectors'}
_NOT_OURS = {'LICENSE'}

_UNFINISHED = re.compile(r'\b(TO' r'DO|FIX' r'ME|X' r'XX)\b')
_MACHINE_PATH = re.compile(r'(?<![\w.:*)}/-])/(?:home|root|Users|work|mnt)/[\w.]')
_REGISTRY = re.compile(
    r'registry\.(npm|yarn)\w*|\bnpmjs\.|pythonhosted\.|\bpypi\.|artifactory|\bjfrog|\bgoproxy\b|proxy\.golang\.'
    r'|(deb|security|snapshot)\.debian\.|_authToken|\bindex-url\b', re.IGNORECASE)
_LOCK_FILE_ADDRESS = re.compile(r'"resolved"|https?://')


def _is_data(source):
    return bool(_DATA_FOLDERS & set(source.path.split('/')[:-1])) or source.path in _NOT_OURS


def check_words(source):
    """No unfinished marks, no paths of one machine, no package registries."""
    if _is_data(source):
        return
    lock_file = source.name == 'package-lock.json'
    # The rules themselves have to name what they look for.
    registries = source.path != 'tests/tidy/text.py'
    for number, line in enumerate(source.lines, start=1):
        match = _UNFINISHED.search(line)
        if match:
            yield source.violation(number, 'unfinished', f'{match.group()}: finish it or write an issue')
        match = _MACHINE_PATH.search(line)
        if match:
            yield source.violation(number, 'machine-path', line.strip()[:80])
        if registries and _REGISTRY.search(line) or lock_file and _LOCK_FILE_ADDRESS.search(line):
            yield source.violation(number, 'registry-host', line.strip()[:80])

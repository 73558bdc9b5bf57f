"""docs/operations.md shows what its commands print: they are run on a new server, in their order."""

import os
import re
import subprocess
import tempfile
import unittest

from tests.e2e import interlockd

# What is another each time: times, hashes and keys, sizes that depend on them.
_VARIES = (
    (re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?Z'), 'TIME'),
    (re.compile(r'\b[0-9a-f]{12,}\b'), 'HEX'),
    (re.compile(r'127\.0\.0\.1:\d+'), 'ADDRESS'),
)


def _runfile(path):
  return os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], path)


def _same_each_time(text):
  for pattern, name in _VARIES:
    text = pattern.sub(name, text)
  return [line.rstrip() for line in text.splitlines()]


def _commands(page):
  """The commands of the console blocks, each with what it is said to print."""
  commands = []
  for block in re.findall(r'^```console\n(.*?)^```$', page, re.DOTALL | re.MULTILINE):
    for part in re.split(r'^\$ ', block, flags=re.MULTILINE)[1:]:
      command, _, output = part.partition('\n')
      commands.append((command, output))
  return commands


class OperationsTest(unittest.TestCase):

  maxDiff = None

  def test_commands_print_what_the_page_shows(self):
    with open(_runfile('docs/operations.md'), encoding='utf-8') as page:
      commands = _commands(page.read())
    self.assertGreater(len(commands), 15)
    with interlockd.Interlockd() as server, tempfile.TemporaryDirectory() as directory:
      os.symlink(_runfile('client/cli/interlockctl'), os.path.join(directory, 'interlockctl'))
      environment = {'INTERLOCK_ADDRESS': server.address, 'PATH': f'{directory}:/usr/bin:/bin'}
      for command, expected in commands:
        with self.subTest(command=command):
          ran = subprocess.run(['bash', '-c', command], env=environment, cwd=directory, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, check=False)
          self.assertEqual(_same_each_time(ran.stdout), _same_each_time(expected))


if __name__ == '__main__':
  unittest.main()

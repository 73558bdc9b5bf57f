"""Runs the Node scenario against a real server."""

import os
import shutil
import subprocess
import unittest

from tests.e2e import interlockd

_ROOT = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
_SCENARIO = os.path.realpath(os.path.join(_ROOT, 'tests/e2e/node/scenario.js'))


class NodeClientTest(unittest.TestCase):

  def test_scenario(self):
    node = shutil.which('node')
    if node is None or not os.path.isdir(os.path.join(os.path.dirname(_SCENARIO), 'node_modules')):
      print('SKIPPED: node or its packages are missing; run npm ci in tests/e2e/node')
      return
    with interlockd.Interlockd() as server:
      run = subprocess.run([node, _SCENARIO, os.path.join(_ROOT, 'proto'), server.address],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)
      self.assertEqual(run.returncode, 0, run.stdout)
      self.assertIn('scenario passed', run.stdout)


if __name__ == '__main__':
  unittest.main()

"""The command line tool against a real server: the demo's whole story, and the exit codes that scripts use."""

import json
import os
import subprocess
import tempfile
import unittest

from tests.e2e import interlockd

_BINARY = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], 'client/cli/interlockctl')


def _run(server, *words):
  return subprocess.run([_BINARY, *words], env={**os.environ, 'INTERLOCK_ADDRESS': server.address},
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=50, check=False)


class InterlockctlTest(unittest.TestCase):

  def test_demo_tells_its_story_twice_on_one_server(self):
    with interlockd.Interlockd() as server:
      for _ in range(2):
        demo = _run(server, 'demo')
        self.assertEqual(demo.returncode, 0, demo.stdout)
        for part in ('systemic_anomaly', 'LOCK', 'released lock-', 'That was the whole way'):
          self.assertIn(part, demo.stdout)

  def test_replay_trips_and_releases_under_both_profiles(self):
    run = {'source': 's', 'agent': 'failing', 'utility': False, 'duration_s': 1, 'n_tool_calls': 1,
           'actions': [{'name': 'get_page', 'args': '{}'}]}
    with tempfile.NamedTemporaryFile('w', suffix='.jsonl', dir=os.environ.get('TEST_TMPDIR')) as recording:
      recording.writelines(json.dumps({**run, 'task_id': str(i)}) + '\n' for i in range(12))
      recording.flush()
      with interlockd.Interlockd() as server:
        replay = _run(server, 'replay', recording.name, '--profile=both', '--json')
    self.assertEqual(replay.returncode, 0, replay.stdout)
    report = json.loads(replay.stdout[replay.stdout.index('{'):])
    for profile in report['profiles']:
      self.assertGreaterEqual(profile['totals']['trips'], 2, profile)

  def test_verdicts_are_exit_codes(self):
    decide = ('decide', '--tenant=t', '--agent=a')
    with interlockd.Interlockd() as server:
      self.assertEqual(_run(server, *decide, '--type=write_blog', '--risk=0.1', '--impact=0.1').returncode, 0)
      self.assertEqual(_run(server, *decide, '--type=strategy', '--risk=0.1', '--impact=0.1').returncode, 3)
      self.assertEqual(_run(server, *decide, '--type=write_blog', '--risk=1', '--impact=1').returncode, 4)
      self.assertEqual(_run(server, 'no-such-command').returncode, 2)
      server.terminate()
      self.assertEqual(_run(server, *decide, '--type=write_blog').returncode, 5)

  def test_a_checkpoint_is_saved_used_and_gone_back_to(self):
    create = ('checkpoint', 'create', '--tenant=t', '--agent=a', '--type=write_blog', '--json')
    with interlockd.Interlockd() as server:
      saved = json.loads(_run(server, *create, '--state=before').stdout)['checkpointId']
      decide = ('decide', '--tenant=t', '--agent=a', '--type=write_blog', '--risk=0.1', '--impact=0.1')
      self.assertEqual(_run(server, *decide, f'--checkpoint={saved}').returncode, 0)
      self.assertEqual(_run(server, *decide, f'--checkpoint={saved}').returncode, 3)
      latest = ('rollback', 'request', '--tenant=t', '--agent=a', '--reason=drill', '--json')
      self.assertEqual(json.loads(_run(server, *latest, '--latest=0').stdout)['rollbacks'], [])
      asked = json.loads(_run(server, *latest, '--latest=1').stdout)['rollbacks'][0]['rollbackId']
      self.assertIn(asked, _run(server, 'rollback', 'list', '--tenant=t').stdout)
      report = ('rollback', 'report', asked, '--tenant=t')
      self.assertEqual(_run(server, *report, '--state=running').returncode, 0)
      state = _run(server, 'checkpoint', 'get', saved, '--tenant=t', '--state').stdout
      self.assertEqual(state, 'before')
      self.assertEqual(_run(server, *report, '--state=succeeded', f'--restored={state}').returncode, 0)
      self.assertIn(f'{asked} succeeded', _run(server, 'checkpoint', 'list', '--tenant=t').stdout)
      self.assertIn('succeeded', _run(server, 'rollback', 'list', '--tenant=t', '--closed').stdout)


if __name__ == '__main__':
  unittest.main()

"""The main job by `buf curl`, which knows nothing but the address: the schema comes from the server's reflection."""

import json
import os
import subprocess
import tempfile
import unittest

from tests.e2e import interlockd

_ROOT = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
_LINT = os.path.dirname(os.path.realpath(os.path.join(_ROOT, 'tests/lint/package.json')))
_BUF = {'x86_64': 'buf-linux-x64', 'aarch64': 'buf-linux-aarch64'}.get(os.uname().machine, '')
_BINARY = os.path.join(_LINT, 'node_modules/@bufbuild', _BUF, 'bin/buf')


class BufCurlTest(unittest.TestCase):

  def setUp(self):
    if not os.path.isfile(_BINARY):
      print('SKIPPED: buf is not installed; run npm ci in tests/lint')
      self.skipTest('buf is not installed')
    self._home = tempfile.mkdtemp(dir=os.environ.get('TEST_TMPDIR'))

  def _curl(self, server, method, request, *options):
    run = subprocess.run(
        [_BINARY, 'curl', '--protocol', 'grpc', '--http2-prior-knowledge', *options, '-d', json.dumps(request),
         f'http://{server.address}/{method}'],
        env={'HOME': self._home, 'BUF_CACHE_DIR': self._home, 'PATH': os.environ['PATH']},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    return run

  def _call(self, server, method, request, *options):
    run = self._curl(server, method, request, *options)
    self.assertEqual(run.returncode, 0, run.stderr)
    return json.loads(run.stdout)

  def test_scenario(self):
    action = {'action': {'tenantId': 'buf', 'agentId': 'a1', 'actionType': 'write_blog', 'riskScore': 0.1,
                         'impactScore': 0.1}}
    snapshot = {'snapshot': {'tenant_id': 'buf', 'agent_id': 'a1', 'total_actions': 100, 'success_rate': 0.2}}
    with interlockd.Interlockd() as server:
      health = self._call(server, 'grpc.health.v1.Health/Check', {})
      self.assertEqual(health['status'], 'SERVING')
      decision = self._call(server, 'interlock.v1.SafetyService/Arbitrate', action)
      self.assertEqual(decision['verdict'], 'VERDICT_ALLOW')
      for _ in range(3):
        reply = self._call(server, 'interlock.v1.MonitorService/ReportSnapshot', snapshot)
        self.assertEqual(reply['assessment']['tier'], 3)
      decision = self._call(server, 'interlock.v1.SafetyService/Arbitrate', action)
      self.assertEqual(decision['verdict'], 'VERDICT_LOCK')
      alerts = self._call(server, 'interlock.v1.AlertService/ListAlerts', {'tenantId': 'buf'})['alerts']
      self.assertEqual([alert['type'] for alert in alerts], ['systemic_anomaly', 'lock'])
      release = {'lockId': decision['lockIds'][0], 'version': '1', 'reason': 'checked'}
      refused = self._curl(server, 'interlock.v1.LockService/ReleaseLock', release, '-H',
                           'interlock-principal: agent:a1')
      self.assertNotEqual(refused.returncode, 0)
      self.assertIn('permission_denied', refused.stderr)
      lock = self._call(server, 'interlock.v1.LockService/ReleaseLock', release, '-H',
                        'interlock-principal: human:alice')
      self.assertEqual(lock['state'], 'LOCK_STATE_CLEAR')
      decision = self._call(server, 'interlock.v1.SafetyService/Arbitrate', action)
      self.assertEqual(decision['verdict'], 'VERDICT_ALLOW')


if __name__ == '__main__':
  unittest.main()

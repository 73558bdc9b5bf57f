"""The main job, driven from Python with Debian's grpcio and stubs generated as the README says."""

import os
import queue
import subprocess
import sys
import tempfile
import threading
import unittest

import grpc

from tests.e2e import interlockd

_ROOT = os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'])
_STUBS = tempfile.mkdtemp(dir=os.environ.get('TEST_TMPDIR'))
_HUMAN = (('interlock-principal', 'human:alice'),)
_AGENT = (('interlock-principal', 'agent:a1'),)
_SECONDS = 20


def _generate_stubs():
  protos = [os.path.join(folder, name)
            for base in ('interlock/v1', 'google/rpc')
            for folder, _, names in os.walk(os.path.join(_ROOT, 'proto', base))
            for name in sorted(names) if name.endswith('.proto')]
  subprocess.run(['/usr/bin/protoc', f'-I{_ROOT}/proto', f'--python_out={_STUBS}', f'--grpc_out={_STUBS}',
                  '--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin', *protos], check=True)
  # google is a package of Debian's protobuf; google.rpc is found beside it.
  import google
  google.__path__.append(os.path.join(_STUBS, 'google'))
  sys.path.insert(0, _STUBS)


_generate_stubs()

# pylint: disable=wrong-import-position
from google.rpc import error_details_pb2, status_pb2
from interlock.v1 import (action_pb2, admin_service_pb2, admin_service_pb2_grpc, alert_pb2, alert_service_pb2, alert_service_pb2_grpc, decision_pb2,
                          lock_pb2, lock_service_pb2, lock_service_pb2_grpc, monitor_service_pb2,
                          monitor_service_pb2_grpc, policy_pb2, safety_service_pb2, safety_service_pb2_grpc,
                          snapshot_pb2)


def _details(error):
  """The google.rpc details of an error, by the name of their message."""
  for key, value in error.trailing_metadata():
    if key == 'grpc-status-details-bin':
      status = status_pb2.Status.FromString(value)
      return {any_.type_url.rsplit('.', 1)[1]: any_.value for any_ in status.details}
  return {}


class PythonClientTest(unittest.TestCase):

  def setUp(self):
    self.server = interlockd.Interlockd()
    self.server.__enter__()
    self.addCleanup(self.server.__exit__)
    self._connect()

  def _connect(self):
    self.channel = grpc.insecure_channel(self.server.address)
    self.addCleanup(self.channel.close)
    self.safety = safety_service_pb2_grpc.SafetyServiceStub(self.channel)
    self.monitor = monitor_service_pb2_grpc.MonitorServiceStub(self.channel)
    self.locks = lock_service_pb2_grpc.LockServiceStub(self.channel)
    self.alerts = alert_service_pb2_grpc.AlertServiceStub(self.channel)

  def _arbitrate(self, **fields):
    action = action_pb2.Action(tenant_id='acme', agent_id='a1', action_type='write_blog', **fields)
    return self.safety.Arbitrate(safety_service_pb2.ArbitrateRequest(action=action), timeout=_SECONDS)

  def _report(self, rate):
    snapshot = snapshot_pb2.Snapshot(tenant_id='acme', agent_id='a1', total_actions=100, success_rate=rate)
    return self.monitor.ReportSnapshot(monitor_service_pb2.ReportSnapshotRequest(snapshot=snapshot), timeout=_SECONDS)

  def _subscribe(self, **fields):
    """A stream read by a thread of its own; answers the queue that it fills and the call."""
    call = self.alerts.SubscribeAlerts(alert_service_pb2.SubscribeAlertsRequest(tenant_id='acme', **fields))
    received = queue.Queue()

    def read():
      try:
        for message in call:
          for alert in message.batch.alerts:
            received.put(alert)
          if message.HasField('opened'):
            received.put(message.opened)
      except grpc.RpcError as error:
        received.put(error)

    threading.Thread(target=read, daemon=True).start()
    self.addCleanup(call.cancel)
    return received, call

  def test_metric_to_lock_to_release_to_allow(self):
    self.assertEqual(self._arbitrate(risk_score=0.1, impact_score=0.1).verdict, decision_pb2.VERDICT_ALLOW)
    received, _ = self._subscribe()
    opened = received.get(timeout=_SECONDS)
    self.assertEqual(opened.head_sequence, 0)

    self.assertEqual(self._report(0.2).assessment.tier, 3)
    alert = received.get(timeout=_SECONDS)
    self.assertEqual((alert.sequence, alert.type, alert.transition), (1, 'systemic_anomaly', alert_pb2.TRANSITION_FIRED))
    self.assertEqual(alert.epoch, opened.epoch)
    self._report(0.2)
    self._report(0.2)
    alert = received.get(timeout=_SECONDS)
    self.assertEqual((alert.sequence, alert.type), (2, 'lock'))

    blocked = self._arbitrate(risk_score=0.1, impact_score=0.1)
    self.assertEqual(blocked.verdict, decision_pb2.VERDICT_LOCK)
    self.assertIn('Autonomous modifications blocked while lock state is active', [r.text for r in blocked.reasons])
    (lock_id,) = blocked.lock_ids

    release = lock_service_pb2.ReleaseLockRequest(lock_id=lock_id, version=1, reason='checked')
    with self.assertRaises(grpc.RpcError) as refused:
      self.locks.ReleaseLock(release, metadata=_AGENT, timeout=_SECONDS)
    self.assertEqual(refused.exception.code(), grpc.StatusCode.PERMISSION_DENIED)
    stale = lock_service_pb2.ReleaseLockRequest(lock_id=lock_id, version=7, reason='checked')
    with self.assertRaises(grpc.RpcError) as refused:
      self.locks.ReleaseLock(stale, metadata=_HUMAN, timeout=_SECONDS)
    self.assertEqual(refused.exception.code(), grpc.StatusCode.ABORTED)
    info = error_details_pb2.ErrorInfo.FromString(_details(refused.exception)['ErrorInfo'])
    self.assertEqual((info.domain, info.reason), ('interlock', 'LOCK_VERSION_MISMATCH'))

    released = self.locks.ReleaseLock(release, metadata=_HUMAN, timeout=_SECONDS)
    self.assertEqual(released.state, lock_pb2.LOCK_STATE_CLEAR)
    self.assertEqual(released.releases[0].released_by.id, 'alice')
    self.assertEqual(received.get(timeout=_SECONDS).transition, alert_pb2.TRANSITION_RESOLVED)
    self.assertEqual(self._arbitrate(risk_score=0.1, impact_score=0.1).verdict, decision_pb2.VERDICT_ALLOW)

    listed = self.safety.ListDecisions(safety_service_pb2.ListDecisionsRequest(tenant_id='acme'), timeout=_SECONDS)
    self.assertEqual([d.sequence for d in listed.decisions], [3, 2, 1])

  def test_server_says_what_it_is(self):
    admin = admin_service_pb2_grpc.AdminServiceStub(self.channel)
    info = admin.GetServerInfo(admin_service_pb2.GetServerInfoRequest(), metadata=_AGENT, timeout=_SECONDS)
    self.assertEqual((info.format_version, info.default_profile, info.caller), (2, 'reference', 'agent:a1'))
    self.assertTrue(info.version and info.epoch)

  def test_bad_input_names_the_fields(self):
    with self.assertRaises(grpc.RpcError) as refused:
      self._arbitrate(risk_score=float('nan'), impact_score=2)
    self.assertEqual(refused.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
    bad_request = error_details_pb2.BadRequest.FromString(_details(refused.exception)['BadRequest'])
    self.assertEqual([violation.field for violation in bad_request.field_violations],
                     ['action.risk_score', 'action.impact_score'])

  def test_what_retention_cut_is_said_and_not_skipped(self):
    self.server.terminate()
    self.server.flags = ('--alert_log_bytes_max=4096',)
    self.server.start()
    self._connect()
    for _ in range(20):
      self._report(0.2)
      self._report(0.95)
    # What was cut is cut by the next batch after it.
    self._arbitrate(risk_score=0.1)
    listed = self.alerts.ListAlerts(alert_service_pb2.ListAlertsRequest(tenant_id='acme'), timeout=_SECONDS)
    oldest = listed.oldest_sequence
    self.assertGreater(oldest, 1)
    self.assertEqual(listed.alerts[0].sequence, oldest)
    received, _ = self._subscribe(min_tier=0, after_sequence=1)
    expired = received.get(timeout=_SECONDS)
    self.assertEqual(expired.code(), grpc.StatusCode.OUT_OF_RANGE)
    info = error_details_pb2.ErrorInfo.FromString(_details(expired)['ErrorInfo'])
    self.assertEqual((info.reason, info.metadata['oldest_sequence'], info.metadata['lost_count']),
                     ('SEQUENCE_EXPIRED', str(oldest), str(oldest - 2)))
    received, _ = self._subscribe(min_tier=0, after_sequence=oldest - 1)
    self.assertEqual(received.get(timeout=_SECONDS).oldest_sequence, oldest)
    self.assertEqual(received.get(timeout=_SECONDS).sequence, oldest)

  def test_stop_ends_streams_and_keeps_what_was_acknowledged(self):
    received, _ = self._subscribe(min_tier=0)
    received.get(timeout=_SECONDS)
    self._report(0.2)
    alert = received.get(timeout=_SECONDS)
    engage = lock_service_pb2.EngageLockRequest(
        tenant_id='acme', scope=lock_pb2.LockScope(kind=policy_pb2.SCOPE_KIND_TENANT), reason='drill')
    self.locks.EngageLock(engage, metadata=_HUMAN, timeout=_SECONDS)
    received.get(timeout=_SECONDS)
    self.assertEqual(self.server.terminate(), 0)
    ended = received.get(timeout=_SECONDS)
    self.assertEqual(ended.code(), grpc.StatusCode.UNAVAILABLE)

    self.server.start()
    self._connect()
    self.assertEqual(self._arbitrate(risk_score=0.1).verdict, decision_pb2.VERDICT_LOCK)
    received, _ = self._subscribe(min_tier=0, after_sequence=alert.sequence, epoch=alert.epoch)
    self.assertEqual(received.get(timeout=_SECONDS).after_sequence, 1)
    self.assertEqual(received.get(timeout=_SECONDS).sequence, 2)


if __name__ == '__main__':
  unittest.main()

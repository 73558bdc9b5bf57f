"""Starts the real server for a test and ends it, whatever happens to the test."""

import os
import signal
import subprocess
import tempfile

_ANNOUNCEMENT = 'interlockd listening on '


class Interlockd:
  """A server on a free port of 127.0.0.1 with a store of its own; use it in a with statement."""

  def __init__(self, *flags):
    self.flags = flags
    self._directory = tempfile.TemporaryDirectory(dir=os.environ.get('TEST_TMPDIR'))
    self._process = None
    self.address = ''

  def __enter__(self):
    self.start()
    return self

  def __exit__(self, *unused):
    self._process.kill()
    self._process.wait()
    self._process.stdout.close()
    self._directory.cleanup()

  def start(self):
    """Starts it, again on the same store if it ran before, and waits until it serves."""
    with open(os.path.join(self._directory.name, 'stderr'), 'ab') as log:
      self._process = subprocess.Popen(
          [self._binary(), '--listen=127.0.0.1:0', f'--data_dir={self._directory.name}/store', *self.flags],
          stdout=subprocess.PIPE, stderr=log, text=True)
    line = self._process.stdout.readline().rstrip('\n')
    if not line.startswith(_ANNOUNCEMENT):
      raise RuntimeError(f'interlockd said {line!r}; its log: {self.log()}')
    self.address = line[len(_ANNOUNCEMENT):]

  def terminate(self):
    """Asks it to stop and answers its exit code."""
    self._process.send_signal(signal.SIGTERM)
    return self._process.wait()

  def log(self):
    with open(os.path.join(self._directory.name, 'stderr'), encoding='utf-8') as log:
      return log.read()

  @staticmethod
  def _binary():
    return os.path.join(os.environ['TEST_SRCDIR'], os.environ['TEST_WORKSPACE'], 'server/main/interlockd')

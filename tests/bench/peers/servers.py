"""The servers that are measured: each is started on free ports with its data in a folder, called and counted."""

import pathlib
import re
import socket
import subprocess
import time
import urllib.request

import grpc

from tests.bench.peers import messages

ETCD = '/usr/bin/etcd'
_START_SECONDS = 30
_CALL_SECONDS = 10
_POLICY = """
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: action
  rules:
    - actions: ["write_blog"]
      effect: EFFECT_ALLOW
      roles: ["agent"]
      condition:
        match:
          expr: R.attr.risk_score < 0.6
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Server:
    """A server of its own process. `start` waits until it answers; `stop` ends it."""

    name = ''
    # The gRPC method that is measured.
    path = ''
    # What it does with a call.
    kind = ''

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / type(self).__name__.lower()
        self.folder.mkdir()
        self.address = ''
        self._process = None
        self._channel = None

    def start(self):
        """Runs it and makes one call of the kind that is measured; its answer must be as expected."""
        with open(self.folder / 'log', 'wb') as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + _START_SECONDS
        while not self.address:
            self.check_alive(end)
            self.address = self.find_address()
            time.sleep(0.05)
        self._channel = grpc.insecure_channel(self.address)
        self.prepare()
        self.check_reply(self.call(self.path, self.request()))

    def stop(self):
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def check_alive(self, end):
        if self._process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f'{self.name} did not start:\n{self.log()}')

    def log(self):
        return (self.folder / 'log').read_text(errors='replace')

    def call(self, path, request):
        method = self._channel.unary_unary(path)
        return method(request, timeout=_CALL_SECONDS, wait_for_ready=True)

    def command(self):
        raise NotImplementedError

    def find_address(self):
        """The address, once the log tells it."""
        found = re.search(r'listening on (\S+)', self.log())
        return found.group(1) if found else ''

    def prepare(self):
        """Whatever is needed before the first call."""

    def request(self):
        raise NotImplementedError

    def check_reply(self, reply):
        """Raises if the reply is not what every call is to get."""

    def count(self):
        """How many calls have had their effect so far; None if the server does not tell."""
        return None


class Echo(Server):
    name = 'echo server'
    path = '/interlock.bench.EchoService/Call'
    kind = 'does nothing'

    def command(self):
        return ['tests/bench/echo_server', '--listen=127.0.0.1:0']

    def request(self):
        return b''


class Interlock(Server):
    name = 'interlockd Arbitrate'
    path = '/interlock.v1.SafetyService/Arbitrate'
    kind = 'decides and stores'

    def command(self):
        return ['server/main/interlockd', '--listen=127.0.0.1:0', f'--data_dir={self.folder}/store']

    def prepare(self):
        """Gives the tenant its default policy without what counts attempts: all calls are for the same action."""
        policy = self.call('/interlock.v1.PolicyService/GetPolicy', messages.field(1, 'bench'))
        kept = b''
        for number, value, whole in messages.read(policy):
            if number == 8:
                # A constraint, without daily_limit and hourly_limit.
                kept += messages.field(8, b''.join(part for key, _, part in messages.read(value) if key not in (6, 7)))
            elif number not in (2, 3, 13):
                # Not version, etag and pattern_rules.
                kept += whole
        self.call('/interlock.v1.PolicyService/UpdatePolicy', messages.field(1, kept))

    def request(self):
        action = (messages.field(1, 'bench') + messages.field(2, 'agent-000001') + messages.field(3, 'action-1') +
                  messages.field(4, 'write_blog') + messages.field(8, 0.1) + messages.field(9, 0.1))
        return messages.field(2, action)

    def check_reply(self, reply):
        if messages.first(reply, 4) != 1:
            raise RuntimeError(f'interlockd does not allow: {reply}')

    def count(self):
        return messages.first(self.call('/interlock.v1.AdminService/GetServerInfo', b''), 8) or 0


class Cerbos(Server):
    name = 'Cerbos CheckResources'
    path = '/cerbos.svc.v1.CerbosService/CheckResources'
    kind = 'decides, stores nothing'

    def __init__(self, folder, binary):
        super().__init__(folder)
        self._binary = binary
        self._grpc_port = free_port()
        self._http_port = free_port()

    def command(self):
        policies = self.folder / 'policies'
        policies.mkdir()
        (policies / 'action.yaml').write_text(_POLICY)
        config = self.folder / 'config.yaml'
        config.write_text(f'server:\n  httpListenAddr: "127.0.0.1:{self._http_port}"\n'
                          f'  grpcListenAddr: "127.0.0.1:{self._grpc_port}"\n'
                          f'telemetry:\n  disabled: true\n'
                          f'storage:\n  driver: disk\n  disk:\n    directory: {policies}\n')
        return [self._binary, 'server', f'--config={config}', '--log-level=error']

    def find_address(self):
        with socket.socket() as probe:
            return f'127.0.0.1:{self._grpc_port}' if probe.connect_ex(('127.0.0.1', self._grpc_port)) == 0 else ''

    def request(self):
        principal = messages.field(1, 'agent-000001') + messages.field(3, 'agent')
        risk = messages.field(1, 'risk_score') + messages.field(2, messages.field(2, 0.1))
        resource = messages.field(1, 'action') + messages.field(3, 'action-1') + messages.field(4, risk)
        entry = messages.field(1, 'write_blog') + messages.field(2, resource)
        return messages.field(3, principal) + messages.field(4, entry)

    def check_reply(self, reply):
        if messages.first(reply, 2, 2, 2) != 1:
            raise RuntimeError(f'Cerbos does not allow: {reply}')

    def count(self):
        """From its metrics, which count checks."""
        with urllib.request.urlopen(f'http://127.0.0.1:{self._http_port}/_cerbos/metrics', timeout=_CALL_SECONDS) as page:
            text = page.read().decode()
        found = re.search(r'^cerbos_dev_engine_check_latency\w*_count(?:{[^}]*})? (\S+)$', text, re.MULTILINE)
        return int(float(found.group(1))) if found else None


class Etcd(Server):
    name = 'etcd Put'
    path = '/etcdserverpb.KV/Put'
    kind = 'stores'

    def __init__(self, folder):
        super().__init__(folder)
        self._client = f'127.0.0.1:{free_port()}'
        self._peer = f'127.0.0.1:{free_port()}'

    def command(self):
        return [ETCD, f'--data-dir={self.folder}/data', '--logger=zap', '--log-level=error',
                f'--listen-client-urls=http://{self._client}', f'--advertise-client-urls=http://{self._client}',
                f'--listen-peer-urls=http://{self._peer}', f'--initial-advertise-peer-urls=http://{self._peer}',
                f'--initial-cluster=default=http://{self._peer}']

    def find_address(self):
        host, port = self._client.split(':')
        with socket.socket() as probe:
            return self._client if probe.connect_ex((host, int(port))) == 0 else ''

    def request(self):
        return messages.field(1, 'agent-000001') + messages.field(2, 'x' * 200)

    def count(self):
        """The revision, which every put raises by one."""
        return messages.first(self.call('/etcdserverpb.KV/Range', messages.field(1, 'agent-000001')), 1, 3)


def find_cerbos(folder):
    """The program that npm installed in `folder`; None if it did not."""
    name = 'cerbos-linux-x64'
    program = pathlib.Path(folder) / 'node_modules' / '@cerbos' / name / name
    return program if program.is_file() else None

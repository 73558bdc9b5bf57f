"""Measures interlockd beside servers that people know, all driven by Debian's h2load with the same connections.

h2load repeats one body and looks at HTTP alone, so what the calls did is read from each server: its count must have
grown by exactly the number of calls. The servers take turns, round after round, and ratios are taken within a round.
"""

import argparse
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile

from tests.bench.peers import servers

_H2LOAD = '/usr/bin/h2load'
# Ratios that the project promises, by the class of the peer.
_TARGETS = {servers.Cerbos: 3, servers.Etcd: 5}


def _frame(message):
    """A message as gRPC sends it: not compressed, with its length."""
    return b'\0' + len(message).to_bytes(4, 'big') + message


def _h2load(server, calls, arguments):
    """Makes `calls` calls; answers how many a second."""
    body = server.folder / 'body'
    body.write_bytes(_frame(server.request()))
    command = [_H2LOAD, f'--requests={calls}', f'--clients={arguments.connections}',
               f'--max-concurrent-streams={arguments.in_flight // arguments.connections}', f'--data={body}',
               '--header=content-type: application/grpc', '--header=te: trailers',
               f'http://{server.address}{server.path}']
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    good = re.search(r'(\d+) succeeded, 0 failed, 0 errored, 0 timeout', output)
    if not good or int(good.group(1)) != calls:
        raise RuntimeError(f'{server.name}: not all calls were answered:\n{output}')
    return float(re.search(r'([\d.]+) req/s', output).group(1))


def _measure(server, calls, arguments):
    before = server.count()
    rate = _h2load(server, calls, arguments)
    after = server.count()
    if before is not None and after - before != calls:
        raise RuntimeError(f'{server.name}: {calls} calls had {after - before} effects')
    return rate


def _run_rounds(started, arguments):
    """The rates of each server, one a round. How many calls make a phase is found in a first round that is dropped."""
    calls = {server: arguments.warm_up for server in started}
    rates = {server: [] for server in started}
    for round_number in range(arguments.rounds + 1):
        for server in started:
            rate = _measure(server, calls[server], arguments)
            if round_number == 0:
                calls[server] = max(arguments.in_flight, int(rate * arguments.seconds))
            else:
                rates[server].append(rate)
    return rates


def _print_table(started, rates, arguments):
    print(f'\n{"":24} {"calls/s":>9}  {"interlockd / it":>15}  {"target":>8}  {"":8} {"what a call does":24} counted by')
    interlock = next(server for server in started if isinstance(server, servers.Interlock))
    for server in started:
        ratio = statistics.median(ours / theirs for ours, theirs in zip(rates[interlock], rates[server]))
        target = _TARGETS.get(type(server))
        promise = '' if target is None else f'>= {target}'
        verdict = '' if target is None else 'met' if ratio >= target else 'MISSED'
        counted = 'the server, each call' if server.count() is not None else 'HTTP status alone'
        print(f'{server.name:24} {statistics.median(rates[server]):9.0f}  {ratio:15.2f}  {promise:>8}  {verdict:8} '
              f'{server.kind:24} {counted}')
    print(f'\nmedians of {arguments.rounds} rounds of about {arguments.seconds} s, {arguments.in_flight} calls in flight '
          f'over {arguments.connections} connections; one body, repeated, so Arbitrate has no request_id')


def _describe():
    cpu = re.search(r'^model name\s*: (.*)$', pathlib.Path('/proc/cpuinfo').read_text(encoding='utf-8'), re.MULTILINE)
    print(f'command    peer_bench {" ".join(sys.argv[1:])}')
    print(f'processor  {cpu.group(1) if cpu else "unknown"}, {os.cpu_count()} cores')
    print(f'kernel     {platform.system()} {platform.release()}')
    print(f'load       {os.getloadavg()[0]:.2f} in the last minute')


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=2, help='how long a phase is to last')
    parser.add_argument('--in_flight', type=int, default=64)
    parser.add_argument('--connections', type=int, default=8)
    parser.add_argument('--warm_up', type=int, default=5000, help='calls of the round that is dropped')
    parser.add_argument('--directory', help='below which data is kept, on the disk to be measured')
    parser.add_argument('--without_peers', action='store_true', help='interlockd and the echo server alone')
    return parser.parse_args()


def _peers(folder):
    """The peers that are installed; ends the program with what to install if one is missing."""
    here = os.path.join(os.environ.get('BUILD_WORKSPACE_DIRECTORY', '.'), 'tests/bench/peers')
    cerbos = servers.find_cerbos(here)
    missing = []
    if cerbos is None:
        missing.append('npm ci --ignore-scripts --prefix tests/bench/peers')
    if not os.path.exists(servers.ETCD):
        missing.append('apt-get install --no-install-recommends etcd-server')
    if missing:
        sys.exit('Servers to compare with are missing. Install them, then run this again:\n  ' + '\n  '.join(missing))
    return [servers.Cerbos(folder, str(cerbos)), servers.Etcd(folder)]


def main():
    arguments = _arguments()
    if not os.path.exists(_H2LOAD):
        sys.exit('h2load is missing: apt-get install --no-install-recommends nghttp2-client')
    _describe()
    with tempfile.TemporaryDirectory(prefix='interlock-peers-', dir=arguments.directory) as folder:
        wanted = [servers.Interlock(folder), servers.Echo(folder)]
        if not arguments.without_peers:
            wanted += _peers(folder)
        started = []
        try:
            for server in wanted:
                started.append(server)
                server.start()
            _print_table(started, _run_rounds(started, arguments), arguments)
        finally:
            for server in started:
                server.stop()


if __name__ == '__main__':
    main()

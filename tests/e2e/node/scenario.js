// The main job, driven from Node with @grpc/grpc-js: node scenario.js PROTO_FOLDER ADDRESS
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const [protoFolder, address] = process.argv.slice(2);
const files = ['safety', 'monitor', 'lock', 'alert', 'policy'].map((name) => `interlock/v1/${name}_service.proto`);
const definition = protoLoader.loadSync(files, { includeDirs: [protoFolder, '/usr/include'], enums: String, longs: Number });
const v1 = grpc.loadPackageDefinition(definition).interlock.v1;
const credentials = grpc.credentials.createInsecure();
const deadline = () => new Date(Date.now() + 20000);

function principal(name) {
  const metadata = new grpc.Metadata();
  metadata.set('interlock-principal', name);
  return metadata;
}

// A unary call as a promise.
function call(client, method, request, metadata = principal('human:alice')) {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, { deadline: deadline() }, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

// The messages of a stream, one at a time.
function reader(stream) {
  const waiting = [];
  stream.on('data', (message) => {
    waiting.push(message);
    stream.emit('queued');
  });
  stream.on('error', () => {});
  return async () => {
    while (waiting.length === 0) await once(stream, 'queued');
    return waiting.shift();
  };
}

async function main() {
  const safety = new v1.SafetyService(address, credentials);
  const monitor = new v1.MonitorService(address, credentials);
  const locks = new v1.LockService(address, credentials);
  const alerts = new v1.AlertService(address, credentials);
  const action = { tenantId: 'node', agentId: 'a1', actionType: 'write_blog', riskScore: 0.1, impactScore: 0.1 };
  const bad = { tenantId: 'node', agentId: 'a1', totalActions: 100, successRate: 0.2 };

  assert.strictEqual((await call(safety, 'Arbitrate', { action })).verdict, 'VERDICT_ALLOW');
  const subscription = alerts.SubscribeAlerts({ tenantId: 'node' });
  const next = reader(subscription);
  assert.ok((await next()).opened, 'the first message is Opened');
  const watch = locks.WatchLocks({ tenantId: 'node' });
  const nextLock = reader(watch);
  assert.ok((await nextLock()).snapshotBegin);
  assert.ok((await nextLock()).snapshotEnd);

  for (let i = 0; i < 3; ++i) {
    assert.strictEqual((await call(monitor, 'ReportSnapshot', { snapshot: bad })).assessment.tier, 3);
  }
  const fired = (await next()).batch.alerts[0];
  assert.strictEqual(fired.type, 'systemic_anomaly');
  assert.strictEqual(fired.severity, 'SEVERITY_CRITICAL');
  assert.strictEqual((await next()).batch.alerts[0].type, 'lock');
  const { lock } = await nextLock();
  assert.strictEqual(lock.state, 'LOCK_STATE_TRIPPED');

  const stream = safety.ArbitrateStream(principal('agent:a1'));
  const nextResult = reader(stream);
  stream.write({ requests: [{ action }, { action: { ...action, riskScore: Number.NaN } }, { action }] });
  const { results } = await nextResult();
  assert.strictEqual(results[0].decision.verdict, 'VERDICT_LOCK');
  assert.strictEqual(results[1].error.code, grpc.status.INVALID_ARGUMENT);
  assert.strictEqual(results[2].decision.verdict, 'VERDICT_LOCK');
  stream.end();

  const release = { lockId: lock.lockId, version: lock.version, reason: 'checked' };
  await assert.rejects(call(locks, 'ReleaseLock', release, principal('agent:a1')), { code: grpc.status.PERMISSION_DENIED });
  assert.strictEqual((await call(locks, 'ReleaseLock', release)).state, 'LOCK_STATE_CLEAR');
  assert.strictEqual((await nextLock()).lock.state, 'LOCK_STATE_CLEAR');
  assert.strictEqual((await call(safety, 'Arbitrate', { action })).verdict, 'VERDICT_ALLOW');
  subscription.cancel();
  watch.cancel();
  console.log('scenario passed');
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  });

// ops.test.mjs — health, readiness, metrics, the access log, starting and stopping.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { send } from '../lib/http.mjs';
import { source } from '../lib/paths.mjs';
import { freshEmail, run, SALLYPORT, Server, until } from '../lib/server.mjs';

let s;

before(async () => (s = await Server.start()));
after(() => s.close());

test('/healthz and /readyz say that all is well, and nothing else', async () => {
  const health = await s.get('/healthz'), ready = await s.get('/readyz');
  assert.deepEqual([health.status, health.json], [200, { status: 'ok' }]);
  assert.deepEqual([ready.status, ready.json], [200, { status: 'ready' }]);
});

test('/readyz is 503 while the store cannot be written, /healthz stays 200', async () => {
  const other = spawn('sqlite3', ['-batch', s.database], { stdio: ['pipe', 'pipe', 'inherit'] });
  other.stdin.write(".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
  await once(other.stdout, 'data');
  const [ready, health] = await Promise.all([s.get('/readyz'), s.get('/healthz')]);
  other.stdin.end('ROLLBACK;\n');
  await once(other, 'close');
  assert.deepEqual([ready.status, ready.json.code, health.status], [503, 'BUSY', 200]);
  assert.equal((await s.get('/readyz')).status, 200);
});

test('metrics are text for Prometheus, with routes by pattern and no names of users', async () => {
  const u = await s.signedIn();
  await s.request('DELETE', '/auth/sessions/00000000-0000-4000-8000-000000000000', { token: u.accessToken });
  await s.get('/nowhere/at/all');
  const r = await s.get('/metrics');
  assert.equal(r.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  for (const line of r.text.trim().split('\n')) assert.match(line, /^(# (HELP|TYPE) sallyport_\w+ .+|sallyport_\w+(\{[^{}]*(\{\w+\}[^{}]*)*\})? -?[\d.]+)$/);
  assert.ok(r.text.includes('route="{prefix}/sessions/{handle}",status="4xx"'));
  assert.ok(r.text.includes('route="-",status="4xx"'));
  assert.ok(!r.text.includes('nowhere') && !r.text.includes(u.email) && !r.text.includes(u.id));
  const types = [...r.text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1]);
  assert.equal(new Set(types).size, types.length, 'each metric once');
});

/* Every name that /metrics has, in a server that serves all kinds of them. */
async function metricNames(t) {
  const all = await Server.start({ env: { SALLYPORT_OAUTH_GITLAB_PRESET: 'gitlab', SALLYPORT_OAUTH_GITLAB_CLIENT_ID: 'x', SALLYPORT_OAUTH_GITLAB_CLIENT_SECRET: 'y' } });
  t.after(() => all.close());
  return [...(await all.get('/metrics')).text.matchAll(/^# TYPE sallyport_(\S+)/gm)].map((m) => m[1]);
}

test('the guide tells of every metric, and the dashboard has every one and no other', async (t) => {
  const names = (await metricNames(t)).sort();
  const documented = [...source('docs/guide/monitoring.md').split('\n## Log')[0].matchAll(/^\| (`.*?) \|/gm)].flatMap((m) => [...m[1].matchAll(/`(\w+)(?:\{[^`]*\})?`/g)]).map((m) => m[1]).sort();
  assert.deepEqual(documented, names);
  const dashboard = JSON.parse(source('contrib/grafana-dashboard.json'));
  const shown = new Set(dashboard.panels.flatMap((p) => p.targets ?? []).flatMap(({ expr }) => [...expr.matchAll(/sallyport_(\w+)/g)]).map((m) => m[1].replace(/_(bucket|sum|count)$/, '')));
  assert.deepEqual([...shown].sort(), names);
});

test('build_info and the line that says ready tell what is running', async () => {
  const version = (await run(SALLYPORT, ['version'])).stdout.trim().split(' ')[1];
  assert.ok((await s.get('/metrics')).text.includes(`\nsallyport_build_info{version="${version}"} 1\n`));
  const [ready] = s.events('ready');
  assert.deepEqual([ready.version, ready.data, ready.ops], [version, fs.realpathSync(s.dataDir), 'same']);
});

test('counters count', async () => {
  const read = () => Promise.all(['login_ok_total', 'login_failed_total', 'store_commits_total'].map((n) => s.metric(n)));
  const u = await s.register();
  const before = await read();
  await s.login(u.email, u.password);
  await s.login(u.email, 'wrong wrong wrong');
  const grown = (await read()).map((n, i) => n - before[i]);
  assert.deepEqual(grown.slice(0, 2), [1, 1]);
  assert.ok(grown[2] >= 2);
});

test('LG01 the access log holds the route, the status and ids; no path, address or secret', async () => {
  const u = await s.signedIn();
  const r = await s.get('/auth/sessions?code=secret-in-query', { token: u.accessToken, headers: { 'User-Agent': 'agent-in-header', Cookie: 'c=cookie-in-header' } });
  const line = await s.logged(r);
  assert.deepEqual([line.event, line.level, line.method, line.route, line.status, line.ip], ['request', 'info', 'GET', '/sessions', 200, '127.0.0.1']);
  assert.equal(line.request_id, r.headers['x-request-id']);
  assert.equal(line.bytes, r.body.length);
  assert.ok(line.user > 0 && line.us >= 0);
  assert.match(line.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(Object.keys(line).filter((k) => k !== 'text'), ['ts', 'level', 'event', 'method', 'route', 'status', 'us', 'bytes', 'request_id', 'ip', 'user', 'refused']);

  const end = await s.request('DELETE', '/auth/sessions/00000000-0000-4000-8000-0123456789ab', { token: u.accessToken });
  assert.equal((await s.logged(end)).route, '/sessions/{handle}');
  assert.equal((await s.logged(end)).refused, 'session_not_found');
  for (const secret of [u.accessToken, u.refreshToken, u.deviceToken, u.password, u.email, 'secret-in-query', 'agent-in-header', 'cookie-in-header', '0123456789ab'])
    assert.ok(!s.stderr.includes(secret), secret);
});

test('LG01 at the most talkative level no secret is logged either', async (t) => {
  const loud = await Server.start({ env: { SALLYPORT_LOG_LEVEL: 'debug' } });
  t.after(() => loud.close()); // close() greps the log for all that went through
  const u = await loud.signedIn();
  await loud.refresh(u.refreshToken);
  await loud.me(`${u.accessToken}x`);
  await loud.refresh(`${u.refreshToken}x`);
  await loud.post('/auth/login', { email: u.email, password: 'a wrong password', deviceToken: u.deviceToken }, { strategy: 'bearer' });
  await loud.request('POST', '/auth/login', { body: '{"email":"x","password":"broken json canary', headers: { 'Content-Type': 'application/json' } });
  await loud.logged(await loud.get('/healthz'));
  assert.ok(loud.secrets.size >= 4);
  assert.ok(!loud.stderr.includes('canary'));
});

test('LG02 every line of the log is one JSON object', async () => {
  const evil = 'a","status":200,"x":"b\u2028\u001b[31m';
  const body = JSON.stringify({ email: freshEmail(), password: 'p'.repeat(20) });
  await s.raw(`POST /auth/login HTTP/1.1\r\nHost: x\r\nUser-Agent: ${Buffer.from(evil).toString('latin1').replaceAll('\u001b', '')}\r\nContent-Type: application/json\r\nX-Auth-Strategy: bearer\r\nContent-Length: ${body.length}\r\n\r\n${body}`, { answers: 1 });
  await s.logged(await s.get('/healthz'));
  for (const line of s.lines) {
    assert.ok(!line.notJson, line.text);
    assert.equal(typeof line.event, 'string', line.text);
    assert.equal(Number.isNaN(Date.parse(line.ts)), false, line.text);
  }
});

test('what happens is in the audit, by ids only', async () => {
  const u = await s.register();
  const { accessToken } = await s.signIn(u);
  await s.login(u.email, 'wrong wrong wrong');
  await s.request('PATCH', '/auth/profile', { token: accessToken, json: { firstName: 'X' } });
  await s.request('POST', '/auth/logout', { token: accessToken });
  const rows = (await s.sql(`SELECT event, ip, length(request_id), detail FROM audit WHERE hex(user_uid) = upper('${u.id.replaceAll('-', '')}') ORDER BY id`)).split('\n');
  assert.deepEqual(rows, ['user.created|127.0.0.0|26|', 'login.ok|127.0.0.0|26|pwd', 'login.failed|127.0.0.0|26|password', 'user.profile_changed|127.0.0.0|26|', 'session.logout|127.0.0.0|26|']);
});

test('LG04 audit rows can be neither changed nor removed', async () => {
  await s.signedIn();
  for (const statement of ["UPDATE audit SET event = 'x'", 'DELETE FROM audit']) {
    const r = await run('sqlite3', ['-batch', '-bail', s.database], { input: `.timeout 10000\n${statement};` });
    assert.notEqual(r.code, 0);
    assert.match(r.stderr, /append-only/);
  }
});

test('metrics stand on a listener of their own when asked for, which serves nothing else', async (t) => {
  const own = await Server.start({ env: { SALLYPORT_SERVER_OPS_LISTEN: `unix:${path.join(s.home, 'ops.sock')}` } });
  t.after(() => own.close());
  const ops = (p) => send({ socketPath: path.join(s.home, 'ops.sock') }, 'GET', p);
  assert.equal((await own.get('/metrics')).status, 404);
  assert.equal((await ops('/metrics')).status, 200);
  assert.equal((await ops('/healthz')).status, 200);
  assert.equal((await ops('/auth/me')).status, 404);
  assert.equal(own.events('ready')[0].ops, `unix:${path.join(s.home, 'ops.sock')}`);
});

test('without an ops listener there are no metrics', async (t) => {
  const none = await Server.start({ env: { SALLYPORT_SERVER_OPS_LISTEN: 'none' } });
  t.after(() => none.close());
  assert.equal((await none.get('/metrics')).status, 404);
  assert.equal((await none.get('/healthz')).status, 200);
});

test('it serves on a Unix socket too', async (t) => {
  const sock = path.join(s.home, 'api.sock'), data = path.join(s.home, 'unix-data');
  const child = spawn(SALLYPORT, ['serve', '--data', data, '--listen', `unix:${sock}`],
    { env: { ...process.env, SALLYPORT_SERVER_PUBLIC_URL: 'https://auth.example.test', SALLYPORT_SERVER_OPS_LISTEN: 'none' }, stdio: 'ignore' });
  const closed = once(child, 'close');
  t.after(() => child.kill('SIGKILL'));
  await until(() => fs.existsSync(sock) && send({ socketPath: sock }, 'GET', '/healthz').then((r) => r.status === 200, () => false), 'the socket');
  child.kill('SIGTERM');
  assert.deepEqual(await closed, [0, null]);
  assert.ok(!fs.existsSync(sock), 'the socket is gone with the server');
});

test('SIGTERM lets running requests finish and refuses new ones', async (t) => {
  const own = await Server.start();
  t.after(() => own.close());
  const u = await own.signedIn();
  own.control.set('STORE_STALL_MS', 400);
  const calls = own.control.get('STORE_CALLS');
  const running = Array.from({ length: 5 }, () => own.request('PATCH', '/auth/profile', { token: u.accessToken, json: { firstName: 'Late' } }));
  // One call of each, and those that the senders make meanwhile.
  await until(() => own.control.get('STORE_CALLS') >= calls + 5 + 2, 'the requests to arrive');
  own.child.kill('SIGTERM');
  for (const r of await Promise.all(running)) assert.ok(r.status === 200 || r.json.code === 'STOPPING', r.text);
  assert.deepEqual(await own.exited, { code: 0, signal: null });
  assert.equal(own.events('stopped')[0].requests, 'finished');
  own.control.calm();
  await own.launch();
  assert.equal((await own.me(u.accessToken)).json.firstName, 'Late');
  assert.equal(await own.sql("SELECT count(*) FROM audit WHERE event IN ('server.started', 'server.stopped')"), '3');
});

test('secrets are on no command line and in no file but the key files', async () => {
  const u = await s.signedIn();
  const args = fs.readFileSync(`/proc/${s.child.pid}/cmdline`, 'latin1');
  assert.ok(!args.includes('pepper') && !args.includes('key='));
  const files = fs.readdirSync(s.dataDir).filter((n) => n !== 'keys').map((n) => path.join(s.dataDir, n));
  const master = fs.readFileSync(path.join(s.dataDir, 'keys/master.key'), 'utf8').trim();
  for (const file of files.filter((f) => fs.statSync(f).isFile())) {
    assert.equal(fs.statSync(file).mode & 0o077, 0, file);
    const bytes = fs.readFileSync(file);
    for (const secret of [u.password, u.accessToken, u.refreshToken, u.deviceToken, master, Buffer.from(u.refreshToken, 'base64url').subarray(-32), Buffer.from(master, 'base64url')])
      assert.ok(!bytes.includes(secret), file);
  }
});

// sandbox.test.mjs — what the running server has given up, with no service manager around it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

/* Seccomp: 0 none, 2 a filter. Of every thread, since a filter is a thread's. */
function given(s) {
  const of = (text, name) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
  const dir = `/proc/${s.child.pid}/task`;
  const all = fs.readdirSync(dir).map((id) => fs.readFileSync(`${dir}/${id}/status`, 'utf8')).map((text) => [of(text, 'NoNewPrivs'), of(text, 'Seccomp')].join());
  assert.ok(all.length > 10, `${all.length} threads`);
  return [...new Set(all)];
}

async function intruded(s) {
  s.control.set('INTRUDE', 1);
  await s.register().catch(() => {});
  return s.exited;
}

test('HT23 every thread runs without new privileges and behind a filter, before and after a reload', async (t) => {
  const s = await Server.start({ real: true });
  t.after(() => s.close());
  assert.deepEqual(given(s), ['1,2']);
  await s.signedIn();
  s.child.kill('SIGHUP');
  await until(() => s.events('reloaded').length > 0, 'the reload');
  await s.signedIn();
  assert.deepEqual(given(s), ['1,2']);
  assert.deepEqual(s.events('no_sandbox'), []);
});

test('HT23 code that gets into the server starts no other program: the kernel ends the process, and the store is whole', async () => {
  const s = await Server.start(), u = await s.signedIn();
  assert.deepEqual(await intruded(s), { code: null, signal: 'SIGSYS' });
  await s.launch();
  assert.equal((await s.login(u.email, u.password)).status, 200);
  await s.close();
});

test('HT23 with server.sandbox off there is no filter, and no new privileges all the same', async () => {
  const s = await Server.start({ env: { SALLYPORT_SERVER_SANDBOX: 'false' } });
  assert.deepEqual(given(s), ['1,0']);
  assert.deepEqual(await intruded(s), { code: 0, signal: null }, 'it has become /bin/true');
  await s.close();
});

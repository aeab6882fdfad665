// diskfull.test.mjs — no space left: writes are refused as such, readers notice nothing, nobody is signed
// out, and with space writes come back by themselves. Needs a small file system of its own: mounted
// as root, or in a user namespace.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freshEmail, freshPassword, MINUTE, run, Server, until } from '../lib/server.mjs';

async function mountSmall() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-full-'));
  const r = await run('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=0700', 'none', dir]);
  if (r.code === 0) return dir;
  fs.rmdirSync(dir);
  return null;
}

/* The same file once more, as root of a namespace of its own. */
async function againInNamespace(t) {
  if (process.env.TEST_IN_NAMESPACE === undefined) {
    const r = await run('unshare', ['--user', '--map-root-user', '--mount', process.execPath, '--test', fileURLToPath(import.meta.url)], { env: { TEST_IN_NAMESPACE: '1', NODE_TEST_CONTEXT: undefined } });
    if (r.code === 0 && /skipped 0/.test(r.stdout)) return t.diagnostic('ran in a user namespace');
    if (r.code !== 0 && !/unshare/.test(r.stderr)) assert.fail(r.stdout + r.stderr);
  }
  return t.skip('NOT TESTED: no file system can be mounted here; run as root');
}

function fill(file) {
  const fd = fs.openSync(file, 'a');
  try {
    for (let size = 65536; size >= 1; ) {
      try {
        fs.writeSync(fd, Buffer.alloc(size, 'x'));
      } catch (e) {
        if (e.code !== 'ENOSPC') throw e;
        size >>= 1;
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}

test('REL-04 disk full: writes 503 STORAGE_FULL, readers 200, refresh 503 and not 401, back within 5 s', async (t) => {
  const dir = await mountSmall();
  if (dir === null) return againInNamespace(t);
  const s = await Server.start({ dataDir: path.join(dir, 'data') });
  t.after(async () => {
    await s.close();
    await run('umount', [dir]);
    fs.rmdirSync(dir);
  });
  const u = await s.signedIn();
  s.advance(2 * MINUTE);
  await s.me(u.accessToken);
  const filler = path.join(dir, 'filler');

  for (let round = 0; round < 2; round++) {
    fill(filler);
    // What room the store's own files still have is used up first.
    await until(async () => {
      const r = await s.request('PATCH', '/auth/profile', { token: u.accessToken, json: { firstName: 'x'.repeat(100), lastName: `${Math.random()}` } });
      fill(filler);
      return r.status !== 200 && assert.deepEqual([r.status, r.json.code], [503, 'STORAGE_FULL'], r.text) === undefined;
    }, 'the disk to be full');
    const writes = await Promise.all([s.refresh(u.refreshToken), s.post('/auth/register', { email: freshEmail(), password: freshPassword() }), s.login(u.email, u.password), s.get('/readyz')]);
    for (const r of writes) assert.deepEqual([r.status, r.json.code], [503, 'STORAGE_FULL'], r.text);
    for (let i = 0; i < 20; i++) assert.equal((await s.me(u.accessToken)).status, 200);
    assert.equal((await s.get('/auth/sessions', { token: u.accessToken })).status, 200);
    assert.equal((await s.get('/healthz')).status, 200);
    s.advance(2 * MINUTE); // now a reader's use of the session would be noted, and cannot be
    assert.equal((await s.me(u.accessToken)).status, 200);

    fs.rmSync(filler);
    const start = Date.now();
    await until(async () => (await s.refresh(u.refreshToken)).status === 200, 'writes to come back');
    assert.ok(Date.now() - start < 5000, `${Date.now() - start} ms`);
    assert.equal((await s.login(u.email, u.password)).status, 200);
    assert.equal((await s.get('/readyz')).status, 200);
  }
  assert.ok((await s.metric('store_full_total')) > 0);
  await s.stop();
  assert.equal(await s.sql('PRAGMA integrity_check'), 'ok');
  await s.launch();
  assert.equal((await s.login(u.email, u.password)).status, 200);
});

// docs.test.mjs — the description of the API as it is served, and its viewer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import YAML from 'yaml';
import { source } from '../lib/paths.mjs';
import { Server, until } from '../lib/server.mjs';

const PLACES = ['/auth/openapi.json', '/auth/docs', '/auth/docs/', '/auth/docs/viewer.js', '/auth/docs/viewer.css'];

async function served(t, env, options = {}) {
  const s = await Server.start({ ...options, env });
  t.after(() => s.close());
  return s;
}

test('WB11 the description and its viewer are off unless switched on', async (t) => {
  const s = await served(t, {});
  for (const where of PLACES)
    for (const Accept of ['text/html', 'application/json']) assert.deepEqual([(await s.get(where, { headers: { Accept } })).status], [404], where);
});

test('WB11 --dev switches them on, and says where', async (t) => {
  const s = await served(t, { SALLYPORT_SERVER_OPS_LISTEN: undefined, SALLYPORT_SERVER_PUBLIC_URL: undefined, SALLYPORT_LOG_FORMAT: 'json' }, { args: ['--dev'], real: true });
  for (const where of PLACES) assert.equal((await s.get(where)).status, 200, where);
  await until(() => s.stdout.includes('Stop with Ctrl-C'), 'the greeting');
  const at = `http://${s.target.host}:${s.target.port}`;
  assert.ok(s.stdout.includes(` ${at}/auth/ui/login\n`), s.stdout);
  assert.ok(s.stdout.includes(` ${at}/auth/docs\n`), s.stdout);
});

test('what is served is docs/openapi.yaml, with the prefix of this server', async (t) => {
  const s = await served(t, { SALLYPORT_DOCS_ENABLED: 'true', SALLYPORT_SERVER_API_PREFIX: '/id/v1' });
  const r = await s.get('/id/v1/openapi.json'), wanted = YAML.parse(source('docs/openapi.yaml'));
  assert.equal(r.headers['content-type'], 'application/json; charset=utf-8');
  wanted.paths = Object.fromEntries(Object.entries(wanted.paths).map(([p, item]) => [p.replace(/^\/auth(?=\/)/, '/id/v1'), item]));
  assert.deepEqual(r.json, JSON.parse(JSON.stringify(wanted)));
  assert.equal((await s.get('/id/v1/openapi.json', { headers: { 'If-None-Match': r.headers.etag } })).status, 304);
  const page = await s.get('/id/v1/docs');
  assert.match(page.text, /data-document="\/id\/v1\/openapi\.json"/);
  assert.match(page.text, /src="\/id\/v1\/docs\/viewer\.js"/);
});

test('WB08 WB10 the viewer is a page like the others: its own files, a nonce, no other origin', async (t) => {
  const s = await served(t, { SALLYPORT_DOCS_ENABLED: 'true', SALLYPORT_UI_ENABLED: 'false', SALLYPORT_UI_SITE_NAME: '<b>Ours</b>' });
  const r = await s.get('/auth/docs'), policy = r.headers['content-security-policy'];
  const nonce = policy.match(/script-src 'nonce-([\w-]{22})' 'strict-dynamic';/)[1];
  assert.equal(r.headers['content-type'], 'text/html; charset=utf-8');
  for (const part of ["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) assert.ok(policy.includes(part), part);
  assert.deepEqual([...r.text.matchAll(/<script\b[^>]*>/g)].map((m) => m[0].includes(`nonce="${nonce}"`)), [true]);
  assert.match(r.text, /<title>API of &lt;b&gt;Ours&lt;\/b&gt;<\/title>/);
  for (const where of ['/auth/docs', '/auth/docs/viewer.js', '/auth/docs/viewer.css']) assert.doesNotMatch((await s.get(where)).text, /https?:\/\/|["'(=]\/\/|@import|innerHTML|insertAdjacentHTML|document\.write|eval\(/, where);
  assert.equal((await s.get('/auth/docs/docs.html')).status, 404);
  assert.equal((await s.get('/auth/docs/base.css')).status, 404);
});

// dev_hint.test.mjs — in --dev a refusal says which value was refused and which setting would allow it; never otherwise.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

const page = { headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' } };
const CASES = {
  provider: { path: '/auth/oauth/nobody', code: 'OAUTH_NOT_CONFIGURED', value: '"nobody"', setting: '[oauth.NAME]' },
  'redirect address of an app': { path: '/auth/oauth/google?redirect_uri=myapp%3A%2F%2Fauth', code: 'INVALID_REDIRECT_URI', value: 'myapp://auth', setting: 'native.redirect_uris' },
  'redirect address of nobody': { path: '/auth/oauth/google?redirect_uri=javascript%3Aalert(1)%0d%0a%3Cb%3E', code: 'INVALID_REDIRECT_URI', value: 'javascript:alert(1)', setting: 'site.urls' },
};
const google = { SALLYPORT_OAUTH_GOOGLE_CLIENT_ID: 'x', SALLYPORT_OAUTH_GOOGLE_CLIENT_SECRET: 'a secret of google' };
let dev, live;
before(async () => {
  dev = await Server.start({ args: ['--dev'], env: { ...google, SALLYPORT_SERVER_PUBLIC_URL: 'http://localhost:3000', SALLYPORT_LOG_FORMAT: 'json' } });
  live = await Server.start({ env: google });
});
after(() => Promise.all([dev.close(), live.close()]));

for (const [what, c] of Object.entries(CASES))
  test(`a refused ${what}: value and setting, in the answer, on the page and in the log of --dev alone`, async () => {
    const json = await dev.get(c.path), html = await dev.get(c.path, { ...page, unchecked: true });
    for (const said of [json.json.hint, html.text]) assert.ok(said.includes(c.value) && said.includes(c.setting), said);
    assert.deepEqual([json.json.code, html.status, html.headers['content-type'], html.headers['x-content-type-options']], [c.code, json.status, 'text/plain; charset=utf-8', 'nosniff']);
    const line = await until(() => dev.events('dev_hint').find((l) => l.request_id === json.headers['x-request-id']), 'the log to say it');
    assert.equal(line.hint, json.json.hint);
    const other = await live.get(c.path), nav = await live.get(c.path, { ...page, unchecked: true });
    assert.deepEqual([other.json.code, other.json.hint, nav.status], [c.code, undefined, 302]);
  });

test('a page of an origin that is not allowed: value and setting in the log and in refusals, in --dev alone', async () => {
  const foreign = { headers: { Origin: 'http://localhost:5173', 'Sec-Fetch-Site': 'cross-site' } };
  for (const s of [dev, live]) {
    const r = await s.post('/auth/login', { email: 'a@example.test', password: 'x' }, foreign), asked = await s.request('OPTIONS', '/auth/login', foreign);
    for (const answer of [r, asked]) await s.logged(answer);
    assert.equal(r.json.code, 'CSRF_INVALID');
    assert.equal(r.json.hint?.includes('http://localhost:5173') && r.json.hint.includes('cors.origins'), s === dev ? true : undefined);
    for (const { headers } of [r, asked]) assert.equal(s.events('dev_hint').filter((l) => l.request_id === headers['x-request-id']).length, s === dev ? 1 : 0);
  }
  const seen = dev.events('dev_hint').length;
  for (const Origin of ['http://localhost:3000', `http://${dev.target.host}:${dev.target.port}`]) await dev.logged(await dev.post('/auth/login', { email: 'a@example.test', password: 'x' }, { headers: { Origin } }));
  assert.equal(dev.events('dev_hint').length, seen, 'its own pages are not spoken of');
});

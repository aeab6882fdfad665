// openapi.test.mjs — the published description against the route table and against real answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import YAML from 'yaml';
import { doctorWord } from '../lib/doctor.mjs';
import { source } from '../lib/paths.mjs';
import { examplePath, routes } from '../lib/routes.mjs';
import { freshEmail, freshPassword, MINUTE, Server, until } from '../lib/server.mjs';

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];
const doc = YAML.parse(source('docs/openapi.yaml'));
let s;

// Mails and codes on standard output, where the test reads them.
const DELIVERY = { SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_DOCS_ENABLED: 'true', SALLYPORT_MAIL_TRANSPORT: 'log', SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_COUNTRIES: 'any' };

before(async () => (s = await Server.start({ env: DELIVERY })));
after(() => s.close());

const base = () => new URL(doc.servers?.[0]?.url ?? '/', 'http://x/').pathname.replace(/\/$/, '');
const operations = Object.entries(doc.paths).flatMap(([path, item]) => METHODS.filter((m) => m in item).map((method) => ({ path, method: method.toUpperCase(), op: item[method] })));
const fullPath = (path) => (path in doc.paths && doc.paths[path].servers ? path : base() + path);
const described = (route) => operations.find((o) => o.method === route.method && fullPath(o.path) === route.path);

function resolve(node) {
  let at = node;
  while (at?.$ref !== undefined) at = at.$ref.replace(/^#\//, '').split('/').reduce((o, k) => o[k.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
  return at;
}

test('it is an OpenAPI 3 document whose references all lead somewhere', () => {
  assert.match(doc.openapi, /^3\.[01]\.\d+$/);
  assert.ok(doc.info.title && doc.info.version);
  const walk = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (typeof node.$ref === 'string') assert.notEqual(resolve(node), undefined, node.$ref);
    for (const child of Object.values(node)) walk(child);
  };
  walk(doc);
});

test('it describes every route of the table, and no other', () => {
  for (const route of routes) assert.ok(described(route), `${route.method} ${route.path} is not described`);
  for (const o of operations) assert.ok(routes.some((r) => r.method === o.method && r.path === fullPath(o.path)), `${o.method} ${o.path} does not exist`);
});

test('it says who may call each route', () => {
  for (const route of routes) {
    const security = described(route).op.security ?? doc.security ?? [];
    const open = security.length === 0 || security.some((x) => Object.keys(x).length === 0);
    // Some take a token and do not demand one.
    assert.equal(open, ['PUBLIC', 'SIGN_IN', 'SESSION', 'MAYBE', 'GUEST'].includes(route.auth), `${route.method} ${route.path}`);
  }
});

test('routes with a body describe one, others do not', () => {
  for (const route of routes) {
    const body = resolve(described(route).op.requestBody);
    assert.equal(body !== undefined, route.body !== null, `${route.method} ${route.path}`);
    if (body) assert.ok('application/json' in body.content, route.path);
  }
});

test('path parameters are declared', () => {
  for (const { path, op } of operations)
    for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
      const all = [...(op.parameters ?? []), ...(doc.paths[path].parameters ?? [])].map(resolve);
      assert.ok(all.some((p) => p.in === 'path' && p.name === name && p.required), `${path}: ${name}`);
    }
});

/* The names of members that a schema and its parts describe. */
function namesOf(schema) {
  const sc = resolve(schema) ?? {};
  return [...Object.keys(sc.properties ?? {}), ...[...(sc.allOf ?? []), ...(sc.oneOf ?? []), ...(sc.anyOf ?? [])].flatMap(namesOf)];
}

/* As much of JSON Schema as the document uses; what is answered must also be described. Returns what
 * does not fit. part: the schema is one of several, so that others may describe further members. */
function misfits(schema, value, at = '$', part = false) {
  const sc = resolve(schema);
  if (sc === undefined || sc === true) return [];
  const out = [];
  for (const one of sc.allOf ?? []) out.push(...misfits(one, value, at, true));
  const alternatives = sc.oneOf ?? sc.anyOf;
  if (alternatives && !alternatives.some((o) => misfits(o, value, at, true).length === 0)) out.push(`${at}: fits none of the alternatives`);
  const types = [sc.type ?? []].flat();
  const is = { string: typeof value === 'string', number: typeof value === 'number', integer: Number.isInteger(value), boolean: typeof value === 'boolean', null: value === null, array: Array.isArray(value), object: value !== null && typeof value === 'object' && !Array.isArray(value) };
  if (types.length > 0 && !types.some((t) => is[t])) return [...out, `${at}: ${JSON.stringify(value)} is not ${types}`];
  if (sc.enum && !sc.enum.includes(value)) out.push(`${at}: ${JSON.stringify(value)} is none of ${sc.enum}`);
  if ('const' in sc && sc.const !== value) out.push(`${at}: ${JSON.stringify(value)} is not ${sc.const}`);
  if (sc.pattern && is.string && !new RegExp(sc.pattern, 'u').test(value)) out.push(`${at}: ${value} does not match ${sc.pattern}`);
  if (sc.format === 'date-time' && is.string && Number.isNaN(Date.parse(value))) out.push(`${at}: ${value} is no time`);
  if (is.array && sc.items) value.forEach((v, i) => out.push(...misfits(sc.items, v, `${at}[${i}]`)));
  if (is.object) {
    for (const name of sc.required ?? []) if (!(name in value)) out.push(`${at}: ${name} is missing`);
    for (const [name, child] of Object.entries(sc.properties ?? {})) if (name in value) out.push(...misfits(child, value[name], `${at}.${name}`));
    const names = namesOf(sc);
    for (const name of Object.keys(value).filter((n) => !names.includes(n))) {
      if (sc.additionalProperties) out.push(...misfits(sc.additionalProperties, value[name], `${at}.${name}`));
      else if (!part && names.length > 0) out.push(`${at}: ${name} is not described`);
    }
  }
  return out;
}

function fits(route, r) {
  const { op } = described(route);
  const answer = resolve(op.responses[String(r.status)] ?? op.responses[`${String(r.status)[0]}XX`] ?? op.responses.default);
  const what = `${route.method} ${route.path} -> ${r.status}`;
  assert.ok(answer, `${what} is not described`);
  const type = r.headers['content-type'].split(';')[0];
  assert.ok(answer.content && type in answer.content, `${what}: ${type} is not described`);
  if (type === 'application/json') assert.deepEqual(misfits(answer.content[type].schema, r.json), [], what);
}

test('answers are as described: successes and refusals of every route', async () => {
  const user = await s.signedIn({ firstName: 'Ada', lastName: 'L' }), admin = await s.admin();
  const route = (method, path) => routes.find((r) => r.method === method && r.path === path);
  const good = [
    ['POST', '/auth/register', { json: { email: freshEmail(), password: user.password } }], ['POST', '/auth/login', { json: { email: user.email, password: user.password } }], ['POST', '/auth/refresh', { json: { refreshToken: user.refreshToken } }],
    ['GET', '/auth/me', { token: user.accessToken }], ['PATCH', '/auth/profile', { token: user.accessToken, json: { lastName: null } }], ['GET', '/auth/sessions', { token: user.accessToken }], ['POST', '/auth/sessions/cleanup', { token: admin.accessToken }],
    ['GET', '/auth/check', { token: user.accessToken }], ['GET', '/auth/forward', { token: user.accessToken }], ['GET', '/auth/doctor', { headers: { 'X-Sallyport-Doctor': doctorWord(s) } }], ['GET', '/auth/.well-known/jwks.json', {}], ['GET', '/.well-known/jwks.json', {}],
    ...['reset-password', 'change-email/confirm', 'change-email/revert', 'magic-link/verify', 'link-verify', '2fa', 'account-conflict', 'ui', 'ui/config', 'openapi.json', 'docs'].map((name) => ['GET', `/auth/${name}`, {}]),
    ['GET', '/healthz', {}], ['GET', '/readyz', {}], ['GET', '/metrics', {}],
  ];
  for (const [method, path, options] of good) {
    const r = await s.request(method, path, { strategy: 'bearer', ...options });
    assert.ok(r.status < 303, `${path}: ${r.text}`);
    fits(route(method, path), r);
  }
  for (const [row, name] of [['ui/{name}', 'ui/login'], ['ui/{name}', 'ui/auth.js'], ['ui/{folder}/{name}', 'ui/change-email/confirm'], ['ui/{folder}/{name}', 'ui/assets/auth.js'], ['docs/{name}', 'docs/viewer.css']])
    fits(route('GET', `/auth/${row}`), await s.get(`/auth/${name}`));
  fits(route('GET', '/auth/verify-email'), await s.get('/auth/verify-email', { headers: { Accept: 'text/html' } }));
  const { sessions } = (await s.get('/auth/sessions', { token: user.accessToken })).json;
  fits(route('DELETE', '/auth/sessions/{handle}'), await s.request('DELETE', `/auth/sessions/${sessions.at(-1).handle}`, { token: (await s.signIn(user)).accessToken }));
  fits(route('POST', '/auth/logout'), await s.request('POST', '/auth/logout', { token: user.accessToken }));

  for (const r of routes) {
    const plain = await s.request(r.method, examplePath(r), { strategy: 'bearer', json: r.body ? {} : undefined });
    if (plain.status >= 400) fits(r, plain);
    if (r.auth !== 'PUBLIC') {
      fits(r, await s.request(r.method, examplePath(r), { token: 'junk', json: r.body ? {} : undefined }));
      fits(r, await s.request(r.method, examplePath(r), { token: user.accessToken, json: r.body ? {} : undefined })); // ended
    }
    if (r.body !== null) {
      const token = r.auth === 'PUBLIC' ? undefined : admin.accessToken;
      fits(r, await s.request(r.method, r.path, { token, body: '{', headers: { 'Content-Type': 'application/json' } }));
      fits(r, await s.request(r.method, r.path, { token, body: '{}', headers: { 'Content-Type': 'text/plain' } }));
    }
  }
  fits(route('DELETE', '/auth/sessions/{handle}'), await s.request('DELETE', '/auth/sessions/00000000-0000-4000-8000-000000000000', { token: admin.accessToken }));
  fits(route('POST', '/auth/register'), await s.post('/auth/register', { email: user.email, password: user.password }));
  fits(route('POST', '/auth/register'), await s.post('/auth/register', { email: 'x', password: 'y' }));
  fits(route('POST', '/auth/login'), await s.post('/auth/login', { email: user.email, password: 'wrong wrong' }, { strategy: 'bearer' }));
  fits(route('POST', '/auth/sessions/cleanup'), await s.request('POST', '/auth/sessions/cleanup', { token: (await s.signIn(user)).accessToken }));
  fits(route('PATCH', '/auth/profile'), await s.request('PATCH', '/auth/profile', { token: admin.accessToken, json: { firstName: 7 } }));
});

/* The token of the newest link with that path. */
async function linkToken(path) {
  const seen = () => [...s.stdout.matchAll(new RegExp(`/auth/ui/${path}\\?token=([0-9a-f]{64})`, 'g'))];
  const n = linkToken[path] ?? 0;
  await until(() => seen().length > n, `a link to ${path}`);
  linkToken[path] = seen().length;
  return seen().at(-1)[1];
}

test('answers are as described: links, codes, the password asked again, deletion and export', async () => {
  const route = (method, path) => routes.find((r) => r.method === method && r.path === path);
  const email = freshEmail(), password = freshPassword(), later = freshPassword();
  await s.post('/auth/register', { email, password, emailLang: 'en' });
  let { accessToken: token } = (await s.post('/auth/login', { email, password }, { strategy: 'bearer' })).json;
  const ask = async (status, method, path, json, options = {}) => {
    const r = await s.request(method, `/auth${path}`, { json, ...options });
    assert.equal(r.status, status, `${method} ${path}: ${r.text}`);
    fits(route(method, `/auth${path.split('?')[0]}`), r);
  };
  const mine = (status, method, path, json) => ask(status, method, path, json, { token });

  await ask(200, 'POST', '/send-verification-email', { email });
  await ask(400, 'GET', '/verify-email');
  await ask(400, 'POST', '/verify-email', { token: 'f'.repeat(64) });
  await mine(200, 'POST', '/verify-email', { token: await linkToken('verify-email') });
  await mine(400, 'POST', '/send-verification-email');
  await ask(200, 'POST', '/forgot-password', { email });
  await ask(400, 'POST', '/reset-password', { token: 'f'.repeat(64), password });
  await ask(200, 'POST', '/reset-password', { token: await linkToken('reset-password'), newPassword: later });
  ({ accessToken: token } = (await s.post('/auth/login', { email, password: later }, { strategy: 'bearer' })).json);
  await mine(401, 'POST', '/change-password', { currentPassword: 'wrong wrong', newPassword: password });
  await mine(200, 'POST', '/change-password', { currentPassword: later, newPassword: password });
  await mine(400, 'POST', '/add-phone', {});
  await mine(200, 'POST', '/add-phone', { phoneNumber: '+39 333 123 4567' });
  await mine(400, 'POST', '/add-phone/verify', {});
  await mine(200, 'POST', '/add-phone/verify', { code: (await until(() => /SMS to .*?(\d{6})\b(?!\d)/s.exec(s.stdout.replace('+393331234567', '')), 'the code'))[1] });
  const bearer = { strategy: 'bearer' };
  await ask(400, 'POST', '/magic-link/send', {});
  await ask(401, 'POST', '/magic-link/send', { mode: '2fa', tempToken: 'x' });
  await ask(200, 'POST', '/magic-link/send', { email });
  await ask(401, 'POST', '/magic-link/verify', { token: 'f'.repeat(64) }, bearer);
  await ask(200, 'POST', '/magic-link/verify', { token: await linkToken('magic-link/verify') }, bearer);
  await ask(200, 'POST', '/sms/send', { email });
  await ask(401, 'POST', '/sms/verify', { email, code: '12345' }, bearer);
  await ask(400, 'POST', '/sms/verify', { mode: '2fa', code: '12345' }, bearer);
  await s.sql(`UPDATE user SET require_2fa = 1 WHERE email = '${email}'`);
  await ask(403, 'POST', '/sms/verify', { email, code: (await until(() => [...s.stdout.replaceAll('+393331234567', '').matchAll(/SMS to .*?(\d{6})\b(?!\d)/gs)][1], 'the code'))[1] }, bearer);
  await s.sql(`UPDATE user SET require_2fa = 0 WHERE email = '${email}'`);
  await mine(200, 'GET', '/me');
  await mine(409, 'POST', '/change-email/request', { newEmail: email });
  await mine(200, 'POST', '/change-email/request', { newEmail: freshEmail() });
  await mine(400, 'POST', '/link-request', {});
  await ask(401, 'POST', '/link-request', { email });
  await mine(200, 'POST', '/link-request', { email: 'linked@example.test' });
  await ask(400, 'POST', '/link-verify', {});
  await ask(200, 'POST', '/link-verify', { token: await linkToken('link-verify') });
  await mine(200, 'POST', '/link-request', { email: 'linked-2@example.test' });
  await ask(200, 'POST', '/link-verify', { token: await linkToken('link-verify'), loginAfterLinking: true }, { strategy: 'bearer' });
  await mine(200, 'GET', '/linked-accounts');
  await mine(200, 'GET', '/export');
  fits(route('DELETE', '/auth/linked-accounts/{provider}/{providerAccountId}'), await s.request('DELETE', '/auth/linked-accounts/email/linked%40example.test', { token }));
  const made = await s.request('POST', '/auth/guest', { strategy: 'bearer' });
  fits(route('POST', '/auth/guest'), made);
  await ask(200, 'GET', '/me', undefined, { token: made.json.accessToken });
  await ask(200, 'GET', '/export', undefined, { token: made.json.accessToken });
  await ask(409, 'POST', '/register', { email, password }, { token: made.json.accessToken });
  await ask(201, 'POST', '/register', { email: freshEmail(), password }, { token: made.json.accessToken });
  await ask(200, 'POST', '/change-email/confirm', { token: await linkToken('change-email/confirm') });
  await ask(400, 'POST', '/change-email/confirm', { token: 'f'.repeat(64) });
  s.advance(11 * MINUTE);
  await mine(403, 'POST', '/change-email/request', { newEmail: freshEmail() });
  await mine(403, 'POST', '/add-phone', { phoneNumber: null });
  await mine(401, 'POST', '/add-phone', { phoneNumber: null, currentPassword: 'wrong wrong' });
  await ask(200, 'POST', '/change-email/revert', { token: await linkToken('change-email/revert') });
  await ask(400, 'POST', '/change-email/revert', {});
  const other = await s.signedIn();
  token = other.accessToken;
  await mine(200, 'DELETE', '/account');
  await mine(401, 'GET', '/export');
});

test('every code the server can send is in the document', () => {
  const text = source('docs/openapi.yaml');
  const codes = new Set([...source('src/api/problem.c').matchAll(/PROBLEM\(\d+, "([A-Z_]+)"/g)].map((m) => m[1]));
  assert.ok(codes.size > 15);
  for (const code of codes) assert.ok(new RegExp(`\\b${code}\\b`).test(text), code);
});

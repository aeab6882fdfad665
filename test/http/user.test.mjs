// user.test.mjs — registration and its rules for passwords and addresses, the profile, the caller's record.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { claimsOf, freshEmail, freshPassword, HOUR, Server } from '../lib/server.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
let s;

before(async () => (s = await Server.start({ env: { TEST_HASH: 'real' } })));
after(() => s.close());

const register = (body, options) => s.post('/auth/register', body, options);
const withPassword = (password) => register({ email: freshEmail(), password });
const hashOf = (email) => s.sql(`SELECT password_hash FROM user WHERE email_key = '${email.toLowerCase()}'`);

function refusedField(r, field, ...reasons) {
  assert.equal(r.status, 400, r.text);
  assert.equal(r.json.code, 'VALIDATION_ERROR', r.text);
  assert.equal(r.json.fields.length, 1, r.text);
  assert.equal(r.json.fields[0].field, field, r.text);
  assert.ok(reasons.includes(r.json.fields[0].reason), r.text);
}

test('registering answers 201 with an id and the token of a known device, and none that signs in', async () => {
  for (const strategy of [undefined, 'bearer']) {
    const r = await register({ email: freshEmail(), password: freshPassword(), firstName: 'Ada', lastName: 'L' }, { strategy });
    assert.equal(r.status, 201);
    assert.deepEqual(Object.keys(r.json), ['success', 'userId', ...(strategy ? ['deviceToken'] : [])]);
    assert.equal(r.json.success, true);
    assert.match(r.json.userId, UUID);
    assert.deepEqual((r.headers['set-cookie'] ?? []).map((c) => c.split('=')[0]), strategy ? [] : ['__Host-deviceToken', '__Host-csrf-token']);
  }
});

test('registering without address or password says so in the words clients know', async () => {
  for (const body of [{}, { email: freshEmail() }, { password: freshPassword() }, { email: '', password: '' }]) {
    const r = await register(body);
    assert.equal(r.status, 400);
    assert.deepEqual(r.json, { error: 'email and password are required', message: 'email and password are required', code: 'VALIDATION_ERROR' });
  }
  assert.equal((await s.request('POST', '/auth/register')).status, 400);
});

test('a taken address is 409, however it is written', async () => {
  const u = await s.register();
  for (const email of [u.email, u.email.toUpperCase(), `  ${u.email} `, u.email.replace('@example', '@EXAMPLE')]) {
    const r = await register({ email, password: freshPassword() });
    assert.equal(r.status, 409, email);
    assert.deepEqual(r.json, { error: 'Email already registered', message: 'Email already registered', code: 'EMAIL_EXISTS' });
  }
});

test('twenty parallel registrations of one address make one account', async () => {
  const email = freshEmail();
  const answers = await Promise.all(Array.from({ length: 20 }, () => register({ email, password: 'a rather long phrase 9' })));
  assert.equal(answers.filter((r) => r.status === 201).length, 1);
  assert.equal(answers.filter((r) => r.status === 409).length, 19);
  assert.equal(await s.sql(`SELECT count(*) FROM user WHERE email_key = '${email}'`), '1');
});

test('what is no address is refused by field', async () => {
  const bad = ['x', 'a@b', '@example.test', 'a@', 'a b@example.test', 'a@@example.test', '"a"@example.test', 'a@[127.0.0.1]',
    'a@example.test>', '<a@example.test>', 'a..b@example.test', '.a@example.test', 'a%b@example.test', 'a!b@example.test',
    '=?utf-8?q?a?=@example.test', 'a@-example.test', 'a@example-.test', `${'a'.repeat(65)}@example.test`,
    `a@${'b'.repeat(64)}.test`, `a@${'b.'.repeat(130)}test`, 'ä@example.test', 'a@exa mple.test', 'a@example..test', 'a,b@example.test'];
  for (const email of bad) {
    const r = await register({ email, password: freshPassword() });
    refusedField(r, 'email', ...(email.startsWith('ä') ? ['LOCAL_PART_NOT_ASCII'] : ['INVALID', 'TOO_LONG']));
    assert.equal(r.json.error, 'The e-mail address is not valid');
  }
});

test('an international domain and its ASCII form are one address', async () => {
  const local = `u${Date.now()}`;
  assert.equal((await register({ email: `${local}@bücher.example`, password: freshPassword() })).status, 201);
  assert.equal((await register({ email: `${local}@XN--BCHER-KVA.example`, password: freshPassword() })).status, 409);
});

/* What an account is, as nobody may say of himself. */
const NOT_ALLOWED = { id: '1', role: 'admin', roles: ['admin'], isAdmin: true, isEmailVerified: true, require2FA: false, tenantId: 't', permissions: ['*'] };

test('ID14 what an account is cannot be said when registering: told, and no account is made', async () => {
  for (const [field, value] of Object.entries(NOT_ALLOWED))
    for (const v of [value, null]) {
      const email = freshEmail();
      refusedField(await register({ email, password: freshPassword(), [field]: v }), field, 'NOT_ALLOWED');
      assert.equal(await s.sql(`SELECT count(*) FROM user WHERE email = '${email}'`), '0');
    }
  const all = await register({ email: freshEmail(), password: freshPassword(), ...NOT_ALLOWED });
  assert.deepEqual([all.status, all.json.fields.map((f) => f.field)], [400, Object.keys(NOT_ALLOWED)]);
});

test('ID14 nor can it be said in the profile: told, and the row stays as it was', async () => {
  const u = await s.signedIn({ firstName: 'Ada' });
  const row = () => s.sql(`SELECT * FROM user WHERE email = '${u.email}'`);
  const had = await row();
  for (const [field, value] of Object.entries(NOT_ALLOWED)) refusedField(await patch(u, { firstName: 'X', [field]: value }), field, 'NOT_ALLOWED');
  assert.equal((await patch(u, { firstName: 'X', ...NOT_ALLOWED })).status, 400);
  assert.equal(await row(), had);
});

test('members that nobody knows are ignored, and change nothing', async () => {
  const email = freshEmail(), password = freshPassword();
  const r = await register({ email, password, userId: '1', loginProvider: 'x', metadata: { sub: 'admin' }, password_hash: 'x', phone: '+393401234567', phoneNumber: '+393401234567', disabled_ms: 1 });
  assert.equal(r.status, 201);
  const { accessToken } = (await s.login(email, password)).json;
  const me = (await s.me(accessToken)).json;
  assert.deepEqual([me.id, me.isAdmin, me.role, me.isEmailVerified, me.loginProvider, me.phoneNumber], [r.json.userId, false, '', false, 'local', undefined]);
});

/* ---- passwords ---- */

test('PW01 the stored hash is argon2id with the documented parameters and a salt of its own', async () => {
  const password = freshPassword();
  const hashes = [];
  for (let i = 0; i < 2; i++) hashes.push(await hashOf((await s.register({ password })).email));

  for (const h of hashes) {
    assert.match(h, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22,}\$[A-Za-z0-9+/]{43}$/);
    assert.ok(Buffer.from(h.split('$')[4], 'base64').length >= 16);
  }
  assert.notEqual(hashes[0].split('$')[4], hashes[1].split('$')[4]);
});

test('PW05 length is counted in code points: 7 are too few, 8 will do, 256 is the most', async () => {
  refusedField(await withPassword('q7!Vz#k'), 'password', 'PASSWORD_TOO_SHORT');
  refusedField(await withPassword('🦊🐙🪁🧲🎻🧵🪐'), 'password', 'PASSWORD_TOO_SHORT'); // 28 bytes, 7 characters
  assert.equal((await withPassword('q7!Vz#kP')).status, 201);
  assert.equal((await withPassword('🦊🐙🪁🧲🎻🧵🪐🥁')).status, 201);
  const long = Array.from({ length: 256 }, (_, i) => String.fromCharCode(33 + (i * 37) % 90)).join('');
  assert.equal((await withPassword(long)).status, 201);
  const r = await withPassword(`${long}x`);
  refusedField(r, 'password', 'PASSWORD_TOO_LONG', 'TOO_LONG');
});

test('PW05 64 emoji are a password', async () => {
  const emoji = Array.from({ length: 64 }, (_, i) => String.fromCodePoint(0x1f400 + (i * 29) % 200)).join('');
  const u = await s.signedIn({ password: emoji });
  assert.equal((await s.login(u.email, [...emoji].slice(0, 63).join(''))).status, 401);
});

test('PW05 a password beyond every limit is refused before it is hashed', async () => {
  refusedField(await withPassword('aB3$'.repeat(300)), 'password', 'PASSWORD_TOO_LONG', 'TOO_LONG');
  const start = process.hrtime.bigint();
  const r = await s.request('POST', '/auth/register', {
    agent: false, body: JSON.stringify({ email: freshEmail(), password: 'x'.repeat(10_000_000) }), headers: { 'Content-Type': 'application/json' },
  }).catch((e) => e);
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  // The client may still be sending when the server has refused and closed.
  if (r instanceof Error) assert.match(r.code, /EPIPE|ECONNRESET/);
  else assert.equal(r.status, 413);
  assert.ok(ms < 3000, `${ms} ms`);
});

test('PW06 no composition rules: letters alone will do', async () => {
  assert.equal((await withPassword('brontosaurusquilt')).status, 201);
});

test('PW07 common and guessable passwords are refused on every way in', async () => {
  const email = freshEmail('marguerite');
  const weak = ['passwordpassword', 'password1', '12345678', 'qwertyuiop', 'aaaaaaaaaaaa', 'iloveyou1', 'Sallyport1'];
  for (const password of weak) {
    refusedField(await withPassword(password), 'password', 'PASSWORD_COMPROMISED');
    const made = await s.cli(['user', 'create', '--email', freshEmail(), '--password-stdin'], { input: `${password}\n` });
    assert.equal(made.code, 1);
    assert.match(made.stderr, /PASSWORD_COMPROMISED/);
  }
  refusedField(await register({ email, password: email.split('@')[0] }), 'password', 'PASSWORD_COMPROMISED'); // the address itself
  const u = await s.register();
  const set = await s.cli(['user', 'set-password', u.email, '--password-stdin'], { input: 'passwordpassword\n' });
  assert.equal(set.code, 1);
  await s.signIn(u);
});

test('PW07 the reason is readable for people and for programs', async () => {
  const r = await withPassword('12345678');
  assert.deepEqual(r.json, {
    error: 'The password is too easy to guess', message: 'The password is too easy to guess', code: 'VALIDATION_ERROR',
    fields: [{ field: 'password', reason: 'PASSWORD_COMPROMISED' }],
  });
});

test('PW08 a password counts as sent: blanks and case matter', async () => {
  const u = await s.register({ password: ' Leading blank & Case ' });
  for (const other of ['Leading blank & Case ', ' Leading blank & Case', ' leading blank & case ', ' Leading  blank & Case '])
    assert.equal((await s.login(u.email, other)).status, 401, JSON.stringify(other));
  await s.signIn(u);
});

test('PW08 composed and decomposed accents are one password', async () => {
  const nfc = 'caf\u00e9 cr\u00e8me br\u00fbl\u00e9e', nfd = nfc.normalize('NFD');
  assert.notEqual(nfc, nfd);
  const a = await s.register({ password: nfc }), b = await s.register({ password: nfd });
  for (const u of [a, b])
    for (const password of [nfc, nfd]) assert.equal((await s.login(u.email, password)).status, 200);
  assert.equal((await s.login(a.email, 'cafe creme brulee')).status, 401);
  const wide = await s.register({ password: '\uff21lligator pond 4' }); // no compatibility folding
  assert.equal((await s.login(wide.email, 'Alligator pond 4')).status, 401);
});

test('PW09 a NUL in a password does not end it', async () => {
  const u = await s.register({ password: 'abc\u0000def ghijk 42' });
  for (const other of ['abc', 'abc\u0000', 'abc\u0000def', 'abc\u0000xyz ghijk 42'])
    assert.equal((await s.login(u.email, other)).status, 401, JSON.stringify(other));
  await s.signIn(u);
});

/* ---- the record and the profile ---- */

test('/auth/me shows the record, and nothing secret', async () => {
  const u = await s.signedIn({ firstName: 'Ada', lastName: 'Lovelace' });
  const r = await s.me(u.accessToken);

  assert.equal(r.status, 200);
  assert.deepEqual(r.json, {
    sub: u.id, id: u.id, email: u.email, role: '', roles: [], permissions: [], metadata: {}, loginProvider: 'local', isEmailVerified: false, isTotpEnabled: false,
    firstName: 'Ada', lastName: 'Lovelace', name: 'Ada Lovelace', hasPassword: true,
    lastLogin: new Date(s.now).toISOString(), isAdmin: false,
  });
});

test('/auth/me always says role, roles, permissions and metadata, the access token the role: of users, administrators and who has a role', async () => {
  const plain = await s.signedIn(), admin = await s.admin(), clerk = await s.register();
  await s.sql(`UPDATE user SET role = 'clerk', is_admin = 1 WHERE email = '${clerk.email}'`);
  for (const [u, role] of [[plain, ''], [admin, 'admin'], [{ ...clerk, ...(await s.signIn(clerk)) }, 'clerk']]) {
    const me = (await s.me(u.accessToken)).json, check = await s.get('/auth/check', { token: u.accessToken });
    assert.deepEqual([me.role, me.roles, me.permissions, me.metadata], [role, [], [], {}], u.email);
    assert.deepEqual([claimsOf(u.accessToken).role, check.headers['x-auth-role'] ?? ''], [role, role], u.email);
  }
});

test('/auth/me keeps the address as typed, and HEAD says the same without a body', async () => {
  const email = freshEmail('Mixed.Case').replace('example', 'Example');
  const u = await s.signedIn({ email });
  const get = await s.me(u.accessToken), head = await s.request('HEAD', '/auth/me', { token: u.accessToken });
  assert.equal(get.json.email, email);
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.equal(head.headers['content-length'], get.headers['content-length']);
});

const patch = (u, json, options) => s.request('PATCH', '/auth/profile', { token: u.accessToken, json, ...options });
const names = async (u) => {
  const { firstName, lastName, name } = (await s.me(u.accessToken)).json;
  return [firstName, lastName, name];
};

test('PATCH /profile leaves absent members, clears null ones and sets the rest', async () => {
  const u = await s.signedIn({ firstName: 'Ada', lastName: 'Byron' });
  assert.deepEqual((await patch(u, { lastName: 'Lovelace' })).json, { success: true });
  assert.deepEqual(await names(u), ['Ada', 'Lovelace', 'Ada Lovelace']);
  await patch(u, { firstName: null });
  assert.deepEqual(await names(u), [undefined, 'Lovelace', 'Lovelace']);
  await patch(u, {});
  assert.deepEqual(await names(u), [undefined, 'Lovelace', 'Lovelace']);
  assert.equal((await s.request('PATCH', '/auth/profile', { token: u.accessToken })).status, 200, 'no body counts as {}');
  await patch(u, { firstName: '莉莉', lastName: null });
  assert.deepEqual(await names(u), ['莉莉', undefined, '莉莉']);
});

test('PATCH /profile refuses what is too long or no plain text, and then changes nothing', async () => {
  const u = await s.signedIn({ firstName: 'Ada' });
  assert.equal((await patch(u, { firstName: 'é'.repeat(100) })).status, 200, '100 characters, 200 bytes');
  await patch(u, { firstName: 'Ada' });
  const bad = [['x'.repeat(101), 'TOO_LONG'], ['x'.repeat(500), 'TOO_LONG'], ['a\nb', 'INVALID'], ['a\u0000b', 'INVALID'],
    ['a\u001bb', 'INVALID'], ['a\u007fb', 'INVALID'], ['a\u0085b', 'INVALID'], ['a\u202eb', 'INVALID'], [{}, 'TYPE'], [7, 'TYPE'], [[], 'TYPE'], [true, 'TYPE']];
  for (const [firstName, reason] of bad) refusedField(await patch(u, { firstName, lastName: 'Kept out' }), 'firstName', reason);
  const both = await patch(u, { firstName: 'a\nb', lastName: 'c\nd' });
  assert.deepEqual(both.json.fields, [{ field: 'firstName', reason: 'INVALID' }, { field: 'lastName', reason: 'INVALID' }]);
  assert.deepEqual(await names(u), ['Ada', undefined, 'Ada']);
});

test('PATCH /profile touches the caller only', async () => {
  const a = await s.signedIn({ firstName: 'A' }), b = await s.signedIn({ firstName: 'B' });
  assert.equal((await patch(a, { firstName: 'Changed', sub: b.id, userId: b.id, email: b.email })).status, 200);
  assert.deepEqual((await names(b))[0], 'B');
  assert.deepEqual((await names(a))[0], 'Changed');
  assert.equal((await s.me(a.accessToken)).json.email, a.email);
});

test('PATCH /profile without a token changes nothing', async () => {
  const r = await s.request('PATCH', '/auth/profile', { json: { firstName: 'X' } });
  assert.deepEqual([r.status, r.json.code], [403, 'NO_ACCESS_TOKEN']);
});

test('with registration switched off the route is not there', async (t) => {
  const closed = await Server.start({ env: { SALLYPORT_REGISTRATION_ENABLED: 'false' } });
  t.after(() => closed.close());
  const r = await closed.post('/auth/register', { email: freshEmail(), password: freshPassword() });
  assert.equal(r.status, 404);
  assert.equal(r.json.code, 'NOT_FOUND');
});

test('registrations of one network are limited per hour', async (t) => {
  const strict = await Server.start({ env: { SALLYPORT_LIMITS_REGISTER_PER_HOUR: '3' } });
  t.after(() => strict.close());
  const once = () => strict.post('/auth/register', { email: freshEmail(), password: freshPassword() });
  for (let i = 0; i < 3; i++) assert.equal((await once()).status, 201);
  const r = await once();
  assert.equal(r.status, 429);
  assert.equal(r.json.code, 'RATE_LIMITED');
  assert.ok(Number(r.headers['retry-after']) <= 3600);
  strict.advance(HOUR + 1000);
  assert.equal((await once()).status, 201);
});

// register.test.mjs — signing up where addresses must be proven, and what an address is: one form of it for all
// endpoints, what is refused, and that ids are never used twice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EXISTS, Mailed, RESET, VERIFY, WELCOME, refusal } from '../lib/mailed.mjs';
import { freshEmail, freshPassword } from '../lib/server.mjs';
import { HttpSink } from '../lib/sms_sink.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
let m, strict;

before(async () => {
  m = await Mailed.start();
  strict = await Mailed.start({ sink: m.sink, env: { SALLYPORT_VERIFICATION_MODE: 'strict' } });
});
after(async () => {
  await strict.close();
  await m.close();
});

const register = (on, body) => on.s.post('/auth/register', body);
const account = (email) => ({ email, password: freshPassword(), firstName: 'Ada' });
const accounts = (on, key) => on.s.sql(`SELECT count(*) FROM user WHERE email_key = '${key}'`).then(Number);

/* The answer with the one thing that differs blotted out. */
function withoutId(r) {
  assert.equal(r.status, 201, r.text);
  assert.match(r.json.userId, UUID);
  return r.shape.replace(r.json.userId, 'ID');
}

/* ---- strict ---- */

test('BF12 strict: a taken address is answered like a new one, byte for byte but the id', async () => {
  const proven = await strict.verified(), unproven = await strict.s.register(), off = await strict.s.register();
  await strict.s.cliOk(['user', 'disable', off.email]);
  const fresh = withoutId(await register(strict, account(freshEmail())));
  for (const email of [proven.email, unproven.email, off.email, proven.email.toUpperCase(), ` ${proven.email} `])
    assert.equal(withoutId(await register(strict, account(email))), fresh, email);
  assert.equal(await strict.s.sql(`SELECT count(*) FROM user WHERE email_key IN ('${proven.email}', '${unproven.email}', '${off.email}')`), '3');
});

test('BF12 strict: the owner is told by mail, at most once a minute, and nothing of the account changes', async () => {
  const owner = await strict.verified({ firstName: 'Owner' }), intruder = account(owner.email);
  for (let i = 0; i < 3; i++) assert.equal((await register(strict, { ...intruder, emailLang: 'de' })).status, 201);
  assert.deepEqual(await strict.subjects(owner.email), [VERIFY, WELCOME, EXISTS]);
  const { parsed } = await strict.sink.mail(owner.email, { subject: EXISTS });
  assert.ok(!/token=/.test(parsed.text) && parsed.text.includes('https://auth.example.test/auth/ui/login'));
  const me = (await strict.s.me(owner.accessToken)).json;
  assert.deepEqual([me.id, me.firstName, me.isEmailVerified], [owner.id, 'Owner', true]);
  assert.equal((await strict.s.login(owner.email, intruder.password)).status, 401);
  await strict.s.signIn(owner);
  strict.s.advance(61_000);
  await register(strict, intruder);
  assert.deepEqual((await strict.subjects(owner.email)).slice(3), [EXISTS]);
});

test('BF12 strict: a disabled account\'s owner is not written to', async () => {
  const off = await strict.s.register();
  await strict.s.cliOk(['user', 'disable', off.email]);
  await register(strict, account(off.email));
  assert.deepEqual(await strict.subjects(off.email), [VERIFY]);
});

test('BF12 strict: what is wrong with a registration is told alike for taken and new addresses', async () => {
  const owner = await strict.s.register();
  const wrong = [{ password: 'short' }, { password: 'passwordpassword' }, { password: '' }, { firstName: 'a\nb' }, { firstName: 7 }, { lastName: 'x'.repeat(101) }, { isAdmin: true }, { emailLang: 7 }];
  for (const over of wrong) {
    const shapes = [];
    for (const email of [owner.email, freshEmail()]) shapes.push((await register(strict, { ...account(email), ...over })).shape);
    assert.ok(shapes[0].startsWith('400'), JSON.stringify(over));
    assert.equal(shapes[0], shapes[1], JSON.stringify(over));
  }
  assert.deepEqual(await strict.subjects(owner.email), [VERIFY]);
});

test('BF12 strict: of twenty at once for one new address all are told 201 and one makes the account', async () => {
  const body = account(freshEmail()), answers = await Promise.all(Array.from({ length: 20 }, () => register(strict, body)));
  assert.equal(new Set(answers.map(withoutId)).size, 1);
  assert.equal(new Set(answers.map((r) => r.json.userId)).size, 20);
  assert.equal(await accounts(strict, body.email), 1);
  assert.deepEqual((await strict.subjects(body.email)).sort(), [VERIFY, EXISTS].sort());
  const id = await strict.s.sql(`SELECT lower(hex(uid)) FROM user WHERE email_key = '${body.email}'`);
  assert.equal(answers.filter((r) => r.json.userId.replaceAll('-', '') === id).length, 1);
});

test('BF12 strict: of twenty at once for a taken address all are told 201, and one mail is sent', async () => {
  const owner = await strict.s.register();
  const answers = await Promise.all(Array.from({ length: 20 }, () => register(strict, account(owner.email))));
  assert.equal(new Set(answers.map(withoutId)).size, 1);
  assert.deepEqual(await strict.subjects(owner.email), [VERIFY, EXISTS]);
});

/* Durations on a shared machine decide nothing: they are shown. The hash, which is nearly all of it, is made
 * in both cases. */
test('BF12 strict: a taken address takes about as long as a new one', async (t) => {
  const owner = await strict.s.register(), took = { taken: [], fresh: [] };
  for (let i = 0; i < 8; i++)
    for (const [kind, email] of [['taken', owner.email], ['fresh', freshEmail()]]) {
      const start = process.hrtime.bigint();
      await register(strict, account(email));
      took[kind].push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  const median = (all) => all.sort((a, b) => a - b)[all.length >> 1];
  const [taken, fresh] = [median(took.taken), median(took.fresh)];
  t.diagnostic(`median: taken ${taken.toFixed(1)} ms, new ${fresh.toFixed(1)} ms`);
  assert.ok(taken > fresh / 4, 'no hash was made for the taken address');
});

test('lazy: a taken address is 409, as the sign-in would tell anyway', async (t) => {
  const lazy = await Mailed.start({ sink: m.sink, env: { SALLYPORT_VERIFICATION_MODE: 'lazy' } });
  t.after(() => lazy.close());
  const u = await lazy.s.register();
  assert.deepEqual(refusal(await register(lazy, account(u.email))), [409, 'EMAIL_EXISTS', 'Email already registered']);
  assert.deepEqual(await lazy.subjects(u.email), [VERIFY]);
});

/* ---- one form of an address ---- */

/* The sink shows the domains of recipients in lower case. */
const shown = (address) => address.replace(/[^@]*$/, (domain) => domain.toLowerCase());

/* Every endpoint that takes an address finds the account of `stored` by `other`; mail goes to `envelope`. */
async function meets(stored, other, to, asking) {
  const u = await m.s.register({ email: stored }), envelope = shown(to);
  const welcome = await m.sink.mail(envelope, { subject: WELCOME });
  assert.match(welcome.raw, new RegExp(`^To: <?${to.replaceAll('.', '\\.')}>?\r$`, 'm'));
  const { accessToken } = await m.s.signIn({ ...u, email: other });
  assert.equal((await m.s.me(accessToken)).json.email, stored.trim(), 'kept as typed');
  assert.equal((await register(m, account(other))).status, 409);
  await m.s.post('/auth/forgot-password', { email: other });
  await m.token(envelope, RESET);
  await m.s.post('/auth/send-verification-email', { email: other });
  await m.token(envelope, VERIFY);
  assert.equal((await m.s.post('/auth/change-email/request', { newEmail: other }, { token: asking.accessToken })).status, 409);
}

test('ID01 V@Example.test and v@example.test are one address to every endpoint', async () => {
  const lower = freshEmail('v'), upper = lower.replace('v-', 'V-').replace('example.test', 'Example.TEST'), other = freshEmail('w'), asking = await m.s.signedIn();
  await meets(upper, lower, upper, asking);
  await meets(other, `  ${other.toUpperCase()} `, other, asking);
});

test('ID01 a domain in letters and its A-label are one address, and mail goes to the A-label', async () => {
  const local = () => freshEmail('idn').split('@')[0], asking = await m.s.signedIn();
  const rows = [['b\u00fccher.example', 'xn--bcher-kva.example'], ['B\u00dcCHER.example', 'xn--bcher-kva.example'], ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['mail.b\u00fccher.example', 'mail.xn--bcher-kva.example'], ['\u4f8b\u3048\u3002\u30c6\u30b9\u30c8', 'xn--r8jz45g.xn--zckzah'], ['fa\u00df.example', 'xn--fa-hia.example']];
  for (const [i, [domain, label]] of rows.entries()) {
    const name = local(), [letters, ascii] = [`${name}@${domain}`, `${name}@${label}`];
    await (i % 2 ? meets(ascii, letters, ascii, asking) : meets(letters, ascii.toUpperCase(), ascii, asking));
  }
});

test('ID01 an HTTP mailer is given the A-label too', async (t) => {
  const mailer = await HttpSink.start();
  const on = await Mailed.start({ sink: { env: mailer.env('mail') } });
  t.after(() => on.close().finally(() => mailer.close()));
  const local = freshEmail('idn').split('@')[0];
  await on.s.register({ email: `${local}@b\u00fccher.example` });
  assert.equal((await mailer.mail(`${local}@xn--bcher-kva.example`)).subject, WELCOME);
});

test('ID01 strict: with another spelling of an IDN domain nobody registers twice', async () => {
  const local = freshEmail('idn').split('@')[0];
  for (const domain of ['b\u00fccher.example', 'B\u00dcCHER.EXAMPLE', 'xn--bcher-kva.example', 'XN--BCHER-KVA.example'])
    assert.equal((await register(strict, account(`${local}@${domain}`))).status, 201);
  assert.equal(await accounts(strict, `${local}@xn--bcher-kva.example`), 1);
  assert.deepEqual(await strict.subjects(`${local}@xn--bcher-kva.example`), [VERIFY, EXISTS]);
});

/* Letters that case folding or compatibility would make ASCII. */
const LOOKALIKES = [['s', '\u017f'], ['i', '\u0131'], ['I', '\u0130'], ['k', '\u212a'], ['ss', '\u00df'], ['a', '\uff41'], ['a', '\u00aa'], ['a', '\u0430'], ['fi', '\ufb01'], ['e', 'e\u0301']];

test('ID02 letters that only look or fold like ASCII never reach the account of the ASCII address', async () => {
  const asking = await m.s.signedIn();
  for (const [ascii, other] of LOOKALIKES) {
    const email = freshEmail(`${ascii}x`), fake = email.replace(ascii, other), u = await m.s.register({ email });
    assert.equal((await m.s.login(fake, u.password)).status, 401, fake);
    assert.equal((await register(m, account(fake))).status, 400, fake);
    assert.equal((await m.s.post('/auth/change-email/request', { newEmail: fake }, { token: asking.accessToken })).status, 400, fake);
    for (const path of ['forgot-password', 'send-verification-email']) assert.equal((await m.s.post(`/auth/${path}`, { email: fake })).status, 200, fake);
    assert.deepEqual(await m.subjects(email), [WELCOME], fake);
    assert.deepEqual(await m.subjects(fake), [], fake);
  }
});

test('ID03 local parts beyond ASCII are refused', async () => {
  for (const local of ['j\u00fcrgen', '\u7530\u4e2d', '\u0438\u0432\u0430\u043d', '\u{1f600}', 'a\u200bb', 'a\u00adb', 'xn--jrgen-kva\u00fc']) {
    const r = await register(m, account(`${local}@example.test`));
    const reason = /^[\p{L}\p{M}\p{Nd}-]+$/u.test(local) ? 'LOCAL_PART_NOT_ASCII' : 'INVALID'; // what is no letter is no name in any script
    assert.deepEqual([r.status, r.json.code, r.json.fields], [400, 'VALIDATION_ERROR', [{ field: 'email', reason }]], local);
  }
});

/* ---- what is no address ---- */

const BAD = ['x', '@', 'a@', '@example.test', 'a@b', 'a@@example.test', 'a@b@example.test', 'a@evil.test,b@example.test', 'a@evil.test;b@example.test', 'a@evil.test b@example.test',
  '"a"@example.test', 'a(c)@example.test', '<a@example.test>', 'A <a@example.test>', '@relay.test:a@example.test', 'a%b@example.test', 'b!a@example.test', 'a\\@example.test',
  '=?utf-8?q?a?=@example.test', 'a@=?utf-8?q?example.test?=', '.a@example.test', 'a.@example.test', 'a..b@example.test', 'a@[127.0.0.1]', 'a@127.0.0.1', 'a@127.0.0.1.', 'a@example.1', 'a@example..test',
  'a@.example.test', 'a@example.test.', 'a@-example.test', 'a@example-.test', 'a@exa_mple.test', 'a@exa mple.test', 'a@example.test/x', 'a@example.test?x', 'a\uff20example.test',
  'a@b\uff20example.test', 'a@example\u2100test.test', 'a@xn--.test', 'a@mail.xn--\u00fc.test', 'a@mail.xn--a.test', `${'x'.repeat(65)}@example.test`, `a@${'x'.repeat(64)}.test`,
  `a@${'x.'.repeat(126)}test`, 'mailto:a@example.test', "a@example.test' OR 1=1 --", 'a@example.test%0d%0aBcc:b@b.test', '../a@example.test/..'];
const INJECTING = ['a\r\nBcc: b@evil.test\r\n@example.test', 'a@example.test\r\nRCPT TO:<b@evil.test>', 'a@example.test\nBcc: b@evil.test', 'a\u0000b@example.test', 'a@x\u0000.y.test',
  'a@example.test\u0000', '\u0000a@example.test', 'a\r@example.test', 'a\tb@example.test', 'a@ex\u0085ample.test', 'a@example.test\u2028b', 'a@\u202eexample.test'];

/* Endpoints that say what they think of an address say 400; those that must not, what they always say. */
async function refusedEverywhere(email, asking) {
  const what = JSON.stringify(email);
  const at = (field) => [400, 'VALIDATION_ERROR', [{ field, reason: 'INVALID' }]];
  const said = (r) => [r.status, r.json.code, r.json.fields];
  assert.deepEqual(said(await register(m, account(email))), at('email'), what);
  assert.deepEqual(said(await register(strict, account(email))), at('email'), what);
  assert.deepEqual(said(await m.s.post('/auth/change-email/request', { newEmail: email }, { token: asking.accessToken })), at('newEmail'), what);
}

/* act(asking): with an account to ask from. */
async function nothingSent(act) {
  const asking = await m.s.signedIn();
  await m.subjects(asking.email);
  const before = m.sink.mails.length;
  await act(asking);
  await m.subjects(asking.email);
  assert.equal(m.sink.mails.length, before);
}

test('EL20 whatever is not one plain address is refused by every endpoint that takes one', async () => {
  await nothingSent(async (asking) => {
    for (const email of BAD) {
      await refusedEverywhere(email, asking);
      assert.deepEqual(refusal(await m.s.login(email, 'some-password-9')), [401, 'INVALID_CREDENTIALS', 'Invalid credentials'], email);
      for (const path of ['forgot-password', 'send-verification-email']) assert.deepEqual((await m.s.post(`/auth/${path}`, { email })).json, { success: true }, email);
    }
  });
  for (const email of BAD.slice(0, 12)) {
    const r = await m.s.cli(['user', 'create', '--email', email, '--password-stdin'], { input: `${freshPassword()}\n` });
    assert.equal(r.code, 1, email);
  }
});

test('EL20 plain addresses with everything that is allowed are taken', async () => {
  const tail = freshEmail('').slice(1);
  for (const email of [`a.b+c_d-e=f/g?h^i{j|k}l~m#n$o&p'q*r\`s.${tail}`, `0${tail}`, `a@1.2.3.${tail.split('@')[0]}.example`, `${'x'.repeat(64)}@${tail.split('@')[0]}.test`]) {
    assert.equal((await register(m, account(email))).status, 201, email);
    await m.sink.mail(email, { subject: WELCOME });
  }
});

test('EL18 an address with line ends, NUL or other controls reaches no mail', async () => {
  await nothingSent(async (asking) => {
    for (const email of INJECTING) {
      await refusedEverywhere(email, asking);
      for (const path of ['login', 'forgot-password', 'send-verification-email']) {
        const r = await m.s.post(`/auth/${path}`, { email, password: 'some-password-9' }, { strategy: 'bearer' });
        assert.deepEqual([r.status, r.json.fields], [400, [{ field: 'email', reason: 'INVALID' }]], JSON.stringify(email));
      }
    }
  });
});

test('EL18 names cannot get into the envelope or the header of a mail', async () => {
  for (const name of ['x\r\nBcc: b@evil.test', 'x\nTo: b@evil.test', 'x\rSubject: y', 'x\u0000y', 'x\u2028y']) {
    const r = await register(m, { ...account(freshEmail()), firstName: name });
    assert.deepEqual([r.status, r.json.fields], [400, [{ field: 'firstName', reason: 'INVALID' }]]);
  }
  for (const name of ['"x" <b@evil.test>', '=?utf-8?q?x=0D=0ABcc:_b@evil.test?=', 'x\\r\\nBcc: b@evil.test', '{{link}} {{T.subject}} <b>&amp;</b>', 'J\u00f6rg']) {
    const email = freshEmail();
    assert.equal((await register(m, { email, password: freshPassword(), firstName: name, lastName: name })).status, 201);
    const mail = await m.sink.mail(email);
    assert.deepEqual(mail.envelope.to, [email]);
    const head = mail.raw.slice(0, mail.raw.indexOf('\r\n\r\n'));
    assert.deepEqual([...head.matchAll(/^(to|cc|bcc|subject):/gim)].map((h) => h[1].toLowerCase()).sort(), ['subject', 'to']);
    assert.ok(!mail.raw.includes('evil.test'), name);
  }
});

/* ---- ids ---- */

test('ID04 ids are random, and an account made again after its deletion has another one', async () => {
  const email = freshEmail(), seen = new Set(), rows = new Set();
  for (let i = 0; i < 5; i++) {
    const u = await m.s.signedIn({ email });
    assert.match(u.id, UUID);
    seen.add(u.id);
    rows.add(await m.s.sql(`SELECT id FROM user WHERE email_key = '${email}'`));
    assert.equal((await m.s.request('DELETE', '/auth/account', { token: u.accessToken })).status, 200);
    const next = await m.s.register();
    seen.add(next.id);
    assert.equal((await m.s.me(u.accessToken)).status, 401, 'nobody else is whom the old token names');
    assert.equal((await m.s.refresh(u.refreshToken)).status, 401);
  }
  assert.equal(seen.size, 10);
  assert.equal(rows.size, 5, 'nor is the row of one reused');
});

test('ID04 ids have 122 random bits: no bit of theirs is fixed but version and variant', async () => {
  const ids = await Promise.all(Array.from({ length: 40 }, () => m.s.register().then((u) => BigInt(`0x${u.id.replaceAll('-', '')}`))));
  const always = ids.reduce((a, b) => a & b), never = ~ids.reduce((a, b) => a | b) & ((1n << 128n) - 1n);
  assert.equal(always, (4n << 76n) | (2n << 62n));
  assert.equal(never, (11n << 76n) | (1n << 62n));
});

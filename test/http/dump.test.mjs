// dump.test.mjs — a copy of the store yields no token, code or password: neither while messages wait to be
// sent nor after all has been used, and neither in its rows nor in the bytes of its files.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { codeIn, freshNumber, startDelivering, SUBJECT, tokenIn } from '../lib/delivery.mjs';
import { handleOf, verify, withTotp } from '../lib/authenticator.mjs';
import { freshEmail, freshPassword, until } from '../lib/server.mjs';

let s, mail, sms, close;

before(async () => ({ s, mail, sms, close } = await startDelivering({ env: { SALLYPORT_VERIFICATION_MODE: 'lazy' } })));
after(() => close());

const ok = (r) => assert.deepEqual([r.status, r.json], [200, { success: true }]);

/* All values of all tables, as bytes, and the files as they lie on the disk. */
async function dump() {
  const values = [];
  for (const table of (await s.sql(`SELECT name FROM sqlite_schema WHERE type = 'table'`)).split('\n'))
    for (const column of (await s.sql(`SELECT name FROM pragma_table_info('${table}')`)).split('\n')) {
      const hex = await s.sql(`SELECT DISTINCT hex(CAST("${column}" AS BLOB)) FROM "${table}" WHERE "${column}" IS NOT NULL`);
      for (const one of hex.split('\n').filter((h) => h !== '')) values.push({ at: `${table}.${column}`, bytes: Buffer.from(one, 'hex') });
    }
  const files = fs.readdirSync(s.dataDir).filter((f) => f.startsWith('sallyport.db')).map((f) => ({ at: f, bytes: fs.readFileSync(`${s.dataDir}/${f}`) }));
  assert.ok(values.length > 50 && files.length > 0);
  return { values, files };
}

/* The secret itself, the bytes it spells, and their usual spellings. */
function formsOf(secret) {
  const text = Buffer.from(secret), forms = [text];
  for (const bytes of /^([0-9a-f]{2})+$/.test(secret) ? [text, Buffer.from(secret, 'hex')] : [text]) {
    if (bytes !== text && bytes.length >= 8) forms.push(bytes); // the bytes of a code are too few to mean anything
    for (const encoding of ['hex', 'base64', 'base64url']) forms.push(Buffer.from(bytes.toString(encoding).replace(/=+$/, '')));
    forms.push(Buffer.from(bytes.toString('hex').toUpperCase()));
  }
  return forms.filter((f) => f.length >= 6);
}

function holdsNone({ values, files }, secrets) {
  for (const secret of secrets)
    for (const form of formsOf(secret)) {
      const places = form.length >= 16 ? [...values, ...files] : values; // six digits are found in any megabyte
      for (const { at, bytes } of places) {
        const numeric = form.length < 16 && /^\+?\d+$/.test(bytes.toString('latin1')); // a time or a number may hold six digits by chance
        assert.ok(numeric ? !bytes.equals(form) : !bytes.includes(form), `${secret} is in ${at} as ${form}`);
      }
    }
}

test('DB08 neither the store nor a backup of it holds a secret in clear, in any form, at any time', async () => {
  const secrets = [], take = (secret) => (secrets.push(secret), s.note(secret), secret);
  const password = take(freshPassword()), newEmail = freshEmail('new'), number = freshNumber();
  await mail.refuse();
  await sms.become('refuse');
  const u = await s.signedIn({ password, firstName: 'Ada' });
  secrets.push(u.accessToken, u.refreshToken, u.deviceToken);
  const at = { token: u.accessToken };
  ok(await s.post('/auth/forgot-password', { email: u.email }));
  ok(await s.post('/auth/change-email/request', { newEmail }, at));
  ok(await s.post('/auth/add-phone', { phoneNumber: number }, at));
  const waiting = await dump();
  assert.ok(waiting.values.filter((v) => v.at === 'outbox.sealed').length >= 4, 'messages wait in the store');

  await mail.listen();
  await sms.become('ok');
  s.advance(60_000); // past the pause after a failure
  const verify = take(tokenIn(await mail.mail(u.email, { subject: SUBJECT.verify })));
  const first = take(tokenIn(await mail.mail(u.email, { subject: SUBJECT.reset })));
  const confirm = take(tokenIn(await mail.mail(newEmail, { subject: SUBJECT.emailChange })));
  const code = take(codeIn(await sms.sms(number)));
  holdsNone(waiting, secrets);
  holdsNone(await dump(), secrets);

  ok(await s.post('/auth/add-phone/verify', { code }, at));
  ok(await s.post('/auth/change-email/confirm', { token: confirm }));
  const revert = take(tokenIn(await mail.mail(u.email, { subject: SUBJECT.emailChanged })));
  assert.equal((await s.post('/auth/reset-password', { token: first, password })).status, 400, 'ended by the change');
  assert.equal((await s.post('/auth/verify-email', { token: verify })).status, 400);
  const changed = take(freshPassword());
  ok(await s.post('/auth/change-password', { currentPassword: password, newPassword: changed }, at));
  const renewed = (await s.refresh(u.refreshToken)).json;
  secrets.push(renewed.accessToken, renewed.refreshToken);
  ok(await s.post('/auth/change-email/revert', { token: revert }));
  const reset = take(tokenIn(await mail.mail(u.email, { subject: SUBJECT.emailReverted }))), last = take(freshPassword());
  holdsNone(await dump(), secrets);

  ok(await s.post('/auth/reset-password', { token: reset, password: last }));
  secrets.push(...Object.values(await s.signIn({ email: u.email, password: last })));
  for (const wrong of [take(freshPassword()), take('f'.repeat(64))]) {
    await s.login(u.email, wrong);
    await s.post('/auth/reset-password', { token: wrong, password: last });
  }
  holdsNone(await dump(), secrets);
  const copy = `${s.home}/backup.db`;
  await s.cliOk(['backup', copy]);
  holdsNone({ values: [], files: [{ at: 'the backup', bytes: fs.readFileSync(copy) }] }, secrets);
  assert.ok(secrets.length >= 15, `${secrets.length} secrets`);
});

test('what is searched for would be found', async () => {
  const u = await s.register(), d = await dump();
  for (const known of [u.email, u.id.replaceAll('-', '')]) assert.throws(() => holdsNone(d, [known]), /is in user\./);
});

test('DB07 a seed that was moved to another account opens nothing there, and the log says so', async () => {
  const users = [await s.signedIn(), await s.signedIn()];
  await s.sql('UPDATE user SET email_verified = 1');
  const mallory = await withTotp(s, users[0]), ada = await withTotp(s, users[1]);
  const hex = (u) => u.id.replaceAll('-', '').toUpperCase();
  const seedOf = (u) => `SELECT totp FROM user WHERE hex(uid) = '${hex(u)}'`;
  const kept = await s.sql(`SELECT hex(totp) FROM user WHERE hex(uid) = '${hex(ada)}'`);
  await s.sql(`UPDATE user SET totp = (${seedOf(mallory)}) WHERE hex(uid) = '${hex(ada)}'`);
  for (const code of [mallory.app.code(), ada.app.code()]) {
    const r = await verify(s, { tempToken: await handleOf(s, ada), totpCode: code });
    assert.deepEqual([r.status, r.json.accessToken], [503, undefined], r.text);
    await s.logged(r);
    assert.equal(s.events('fault').filter((l) => l.request_id === r.headers['x-request-id']).length, 1);
  }
  assert.equal((await verify(s, { tempToken: await handleOf(s, mallory), totpCode: mallory.app.code() })).status, 200, 'where it belongs it is good');
  await s.sql(`UPDATE user SET totp = x'${kept}' WHERE hex(uid) = '${hex(ada)}'`);
  s.advance(30_000);
  assert.equal((await verify(s, { tempToken: await handleOf(s, ada), totpCode: ada.app.code() })).status, 200);
});

test('DB07 the words of a message that were moved to another are never sent', async () => {
  await mail.refuse();
  const [a, b] = [await s.register(), await s.register()];
  for (const u of [a, b]) ok(await s.post('/auth/forgot-password', { email: u.email }));
  const row = (u) => `recipient = '${u.email}' AND template = 'password-reset'`;
  assert.equal(await s.sql(`SELECT count(*) FROM outbox WHERE (${row(a)}) OR (${row(b)})`), '2');
  await s.sql(`UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE ${row(a)}) WHERE ${row(b)}`);
  await mail.listen();
  s.advance(60_000);
  await mail.mail(a.email, { subject: SUBJECT.reset });
  await until(async () => (await s.sql(`SELECT count(*) FROM outbox WHERE ${row(b)} AND dead = 1`)) === '1', 'the moved one to be given up');
  assert.ok(!mail.mailsTo(b.email).some((m) => m.parsed.subject === SUBJECT.reset), 'nothing went out');
});

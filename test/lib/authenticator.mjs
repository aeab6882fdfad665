// authenticator.mjs — what an authenticator app does with a set-up answer, at the server's own time.
import assert from 'node:assert/strict';
import { TOTP, URI } from 'otpauth';

export class Authenticator {
  constructor(s, url) {
    this.s = s;
    this.totp = URI.parse(url);
    assert.ok(this.totp instanceof TOTP);
  }

  code(steps = 0) {
    return this.totp.generate({ timestamp: this.s.now + steps * 30_000 });
  }

  /* Six digits that are the code of no step near. */
  wrong(n = 0) {
    const near = new Set([-2, -1, 0, 1, 2].map((k) => this.code(k)));
    for (let v = n * 1000; ; v++) if (!near.has(String(v).padStart(6, '0'))) return String(v).padStart(6, '0');
  }
}

export const setUp = (s, token, json = {}) => s.post('/auth/2fa/setup', json, { token });
export const confirm = (s, token, json) => s.post('/auth/2fa/verify-setup', json, { token, strategy: 'bearer' });
export const verify = (s, json) => s.post('/auth/2fa/verify', json, { strategy: 'bearer' });

/* Sets TOTP up for a signed-in user: { ...user, app, codes, secret, url }, in a step that is not used yet. */
export async function withTotp(s, user) {
  const made = await setUp(s, user.accessToken);
  assert.equal(made.status, 200, made.text);
  const app = new Authenticator(s, made.json.otpauthUrl);
  const done = await confirm(s, user.accessToken, { token: app.code(), secret: made.json.secret });
  assert.equal(done.status, 200, done.text);
  s.note(made.json.secret, ...done.json.recoveryCodes);
  s.advance(30_000);
  return { ...user, app, codes: done.json.recoveryCodes, secret: made.json.secret, url: made.json.otpauthUrl, qrCode: made.json.qrCode };
}

/* The handle of a first factor. */
export async function handleOf(s, user, options) {
  const r = await s.login(user.email, user.password, options);
  assert.deepEqual([r.status, r.json.requiresTwoFactor], [200, true], r.text);
  return r.json.tempToken;
}

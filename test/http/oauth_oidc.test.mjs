// oauth_oidc.test.mjs — against an OpenID provider that others have written: with several algorithms, with profiles that are
// signed, with a secret that a form has to encode.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';
import { startOidcProvider } from '../lib/oidc_provider.mjs';
import { APP, AUTH, SITE, Social } from '../lib/social.mjs';

const SECRET = 's+e c/r%t=: and more than enough of it';
for (const [alg, signsProfiles] of [['RS256', false], ['ES256', false], ['ES384', true]])
  test(`OC02 OC03 OC04 OC07 oidc-provider with ${alg}${signsProfiles ? ', profiles signed' : ''}: web, app, and the account that the hint names`, async (tc) => {
    const op = await startOidcProvider({ alg, redirectUri: `${AUTH}/auth/oauth/oidc/callback`, signsProfiles, secret: SECRET });
    tc.after(() => op.close());
    const t = await Social.start({
      env: { SALLYPORT_OAUTH_OIDC_ISSUER: op.issuer, SALLYPORT_OAUTH_OIDC_CLIENT_ID: 'sallyport', SALLYPORT_OAUTH_OIDC_CLIENT_SECRET: SECRET, SALLYPORT_OAUTH_OIDC_TRUST_EMAIL: 'true', SALLYPORT_OAUTH_OIDC_TOKEN_AUTH: 'basic' },
    });
    tc.after(() => t.close());
    const ada = `ada-${crypto.randomBytes(4).toString('hex')}`, grace = `grace-${crypto.randomBytes(4).toString('hex')}`;
    const web = await t.web(`?login_hint=${ada}`, { provider: 'oidc' });
    assert.equal(web.url, `${SITE}/`);
    const me = await t.profile(web.browser);
    assert.deepEqual([me.email, me.isEmailVerified, me.name, me.loginProvider], [`${ada}@example.test`, true, 'Ada Lovelace', 'oidc']);

    const app = await t.native({ provider: 'oidc', extra: { login_hint: grace } });
    assert.ok(app.url.startsWith(`${APP}?ott=`), app.url);
    const got = await t.exchange(app.ott, app.app.verifier);
    assert.equal((await t.s.me(got.json.accessToken)).json.email, `${grace}@example.test`);

    const again = await t.native({ provider: 'oidc', extra: { login_hint: ada } });
    assert.equal((await t.s.me((await t.exchange(again.ott, again.app.verifier)).json.accessToken)).json.sub, me.sub);
  });

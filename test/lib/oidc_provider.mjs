// oidc_provider.mjs — a certified OpenID provider (npm oidc-provider) on loopback: approves everybody at once, as the
// account that login_hint names, else as `who`; `proven`: are addresses; `refuses`: the error it answers with instead.
import { exportJWK, generateKeyPair } from 'jose';
import { once } from 'node:events';
import http from 'node:http';
import Provider from 'oidc-provider';

/* signsProfiles: its profiles are JWTs, and hold what ID tokens do not; secret: of the client. */
export async function startOidcProvider({ alg, redirectUri, signsProfiles = false, secret = 'a secret between the two of us' }) {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const is = { who: 'nobody', proven: true, refuses: null };
  const findAccount = (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.test`, email_verified: is.proven, name: 'Ada Lovelace' }) });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: 'one' }] },
    clients: [{ client_id: 'sallyport', client_secret: secret, redirect_uris: [redirectUri], id_token_signed_response_alg: alg, ...(signsProfiles ? { userinfo_signed_response_alg: alg } : {}) }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount,
    pkce: { required: () => true, methods: ['S256'] },
    features: { devInteractions: { enabled: false }, jwtUserinfo: { enabled: signsProfiles } },
    ...(signsProfiles ? { enabledJWA: { idTokenSigningAlgValues: [alg], userinfoSigningAlgValues: [alg] } } : {}),
    interactions: { url: (ctx, i) => `/approve/${i.uid}` },
    cookies: { keys: ['a key of this test'] },
  });
  server.on('request', async (req, res) => {
    if (!req.url.startsWith('/approve/')) return provider.callback()(req, res);
    const { params, prompt, session, grantId } = await provider.interactionDetails(req, res);
    if (is.refuses) return provider.interactionFinished(req, res, { error: is.refuses });
    if (prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: params.login_hint ?? is.who } });
    const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid email profile');
    return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  });
  return Object.assign(is, {
    issuer,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

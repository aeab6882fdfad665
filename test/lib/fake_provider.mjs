// fake_provider.mjs — an identity provider on loopback that can be told to do wrong. Approves everybody at once as
// `person`; speaks OpenID Connect and, at /user and /user/emails, the plain OAuth of GitHub's kind.
import crypto from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';

const b64 = (x) => Buffer.from(x).toString('base64url');
export const sha256 = (x) => crypto.createHash('sha256').update(x).digest();

/* ---- keys and signatures, by node's own crypto: it also makes what a careful library would refuse to make ---- */

const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
const hashOf = (alg) => (alg.startsWith('Ed') ? 'sha512' : `sha${alg.slice(2)}`);

/* bits: of RSA; curve: another than the algorithm's. */
export function newKeys(alg, { bits = 2048, curve = CURVES[alg] } = {}) {
  if (alg.startsWith('Ed')) return crypto.generateKeyPairSync('ed25519');
  return curve ? crypto.generateKeyPairSync('ec', { namedCurve: curve }) : crypto.generateKeyPairSync('rsa', { modulusLength: bits });
}

/* The left half of the algorithm's hash of a token (OpenID Connect Core §3.1.3.6). */
export const halfHash = (alg, token) => {
  const digest = crypto.createHash(hashOf(alg)).update(token).digest();
  return b64(digest.subarray(0, digest.length / 2));
};

/* A JWS in compact form, signed as `alg` says whatever the key is. */
export function jws(alg, privateKey, header, claims) {
  const input = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(claims))}`, hash = hashOf(alg);
  const options = alg.startsWith('PS')
    ? { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }
    : { dsaEncoding: 'ieee-p1363' };
  return `${input}.${b64(crypto.sign(alg.startsWith('Ed') ? null : hash, input, { key: privateKey, ...options }))}`;
}

/* An RSA key takes a while to find: the providers of a file begin with the same. */
const firstKeys = new Map();
const firstKey = (alg) => {
  const kind = CURVES[alg] ?? (alg.startsWith('Ed') ? 'Ed' : 'RSA');
  if (!firstKeys.has(kind)) firstKeys.set(kind, newKeys(alg));
  return firstKeys.get(kind);
};

export class FakeProvider {
  static async start({ alg = 'RS256' } = {}) {
    const p = new FakeProvider();
    p.alg = alg;
    p.codes = new Map();
    p.requests = []; // { path, method, headers, body }
    p.calm();
    p.use(alg);
    p.server = http.createServer((req, res) => p.#serve(req, res));
    p.server.listen(0, '127.0.0.1');
    await once(p.server, 'listening');
    p.port = p.server.address().port;
    p.issuer = `http://127.0.0.1:${p.port}`;
    return p;
  }

  /* Everything as it should be. person: the profile; claims(c): changes an ID token; answer[path](res, normal): another
   * answer; header: of the ID token. */
  calm() {
    this.person = { sub: 'sub-1', email: 'ada@example.test', email_verified: true, name: 'Ada Lovelace' };
    this.inToken = true;
    this.claims = (c) => c;
    this.header = (h) => h;
    this.sign = null;
    this.answer = {};
    this.deny = this.denyText = null;
    this.extra = {};
    this.signsProfiles = null; // (header, claims) => JWT
    this.now = () => Date.now();
  }

  /* Sign with this algorithm from now on. named: the key says which it is for; kid: null for none. */
  use(alg, { kid = 'k1', keys = firstKey(alg), named = true } = {}) {
    Object.assign(this, { alg, kid, privateKey: keys.privateKey });
    this.jwks = { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), ...(kid ? { kid } : {}), use: 'sig', ...(named ? { alg } : {}) }] };
  }

  /* Another key, under another id or the same. */
  newKey(kid) {
    this.use(this.alg, { kid, keys: newKeys(this.alg) });
  }

  /* The settings of a section, as environment. */
  env(name = 'fake', over = {}) {
    const N = `SALLYPORT_OAUTH_${name.toUpperCase()}_`;
    return Object.fromEntries(Object.entries({ ISSUER: this.issuer, CLIENT_ID: 'client-1', CLIENT_SECRET: 'a secret of the provider', ...over }).map(([k, v]) => [N + k, v]));
  }

  plainEnv(name = 'plain', over = {}) {
    return this.env(name, { ISSUER: '', AUTHORIZE_URL: `${this.issuer}/authorize`, TOKEN_URL: `${this.issuer}/token`, USERINFO_URL: `${this.issuer}/user`, ...over });
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  count(path) {
    return this.requests.filter((r) => r.path === path).length;
  }

  last(path) {
    return this.requests.filter((r) => r.path === path).at(-1);
  }

  async idToken(over = {}, { aud = 'client-1', nonce, header = {} } = {}) {
    const now = Math.floor(this.now() / 1000);
    const claims = this.claims({ iss: this.issuer, aud, sub: this.person.sub, iat: now, exp: now + 300, ...(nonce === undefined ? {} : { nonce }), ...(this.inToken ? { email: this.person.email, email_verified: this.person.email_verified, name: this.person.name } : {}), ...over });
    const head = this.header({ alg: this.alg, ...(this.kid ? { kid: this.kid } : {}), ...header });
    if (this.sign) return this.sign(head, claims);
    return jws(this.alg, this.privateKey, head, claims);
  }

  async #serve(req, res) {
    const url = new URL(req.url, this.issuer), path = url.pathname;
    let body = '';
    for await (const part of req) body += part;
    this.requests.push({ path, method: req.method, headers: req.headers, body, url });
    const json = (value, status = 200) => {
      res.writeHead(status, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify(value));
    };
    const normal = () => this.#normal(path, url, req, body, res, json);
    if (this.answer[path]) return this.answer[path](res, normal, json);
    return normal();
  }

  async #normal(path, url, req, body, res, json) {
    const q = url.searchParams;
    if (path === '/.well-known/openid-configuration')
      return json({ issuer: this.issuer, authorization_endpoint: `${this.issuer}/authorize`, token_endpoint: `${this.issuer}/token`, userinfo_endpoint: `${this.issuer}/userinfo`, jwks_uri: `${this.issuer}/jwks`, revocation_endpoint: `${this.issuer}/revoke`, ...this.extra.metadata });
    if (path === '/jwks') return json(this.jwks);
    if (path === '/authorize') {
      const back = new URL(q.get('redirect_uri'));
      if (q.has('state')) back.searchParams.set('state', q.get('state'));
      if (this.deny) {
        back.searchParams.set('error', this.deny);
        if (this.denyText) back.searchParams.set('error_description', this.denyText);
      } else {
        const code = crypto.randomBytes(16).toString('hex');
        this.codes.set(code, { nonce: q.get('nonce'), challenge: q.get('code_challenge'), redirectUri: q.get('redirect_uri'), clientId: q.get('client_id'), person: { ...this.person } });
        back.searchParams.set('code', code);
      }
      for (const [k, v] of Object.entries(this.extra.callback ?? {})) back.searchParams.set(k, v);
      res.writeHead(302, { Location: back.href });
      return res.end();
    }
    if (path === '/token') {
      const form = req.headers['content-type'].startsWith('application/json') ? new URLSearchParams(JSON.parse(body)) : new URLSearchParams(body);
      const one = this.codes.get(form.get('code'));
      this.codes.delete(form.get('code'));
      if (!one || one.redirectUri !== form.get('redirect_uri')) return json({ error: 'invalid_grant', error_description: 'PROVIDER TEXT' }, 400);
      if (one.challenge && b64(sha256(form.get('code_verifier') ?? '')) !== one.challenge) return json({ error: 'invalid_grant' }, 400);
      const access_token = crypto.randomBytes(16).toString('hex');
      return json({ access_token, token_type: 'Bearer', expires_in: 60, id_token: await this.idToken({ at_hash: halfHash(this.alg, access_token) }, { nonce: one.nonce ?? undefined }), ...this.extra.token });
    }
    if (path === '/userinfo' && this.signsProfiles) {
      res.writeHead(200, { 'Content-Type': 'application/jwt' });
      return res.end(await this.signsProfiles({ alg: this.alg, kid: this.kid }, { iss: this.issuer, aud: 'client-1', ...this.person }));
    }
    if (path === '/userinfo') return json(this.person);
    if (path === '/user') return json({ id: 4711, login: 'ada', name: this.person.name, avatar_url: 'https://img.example.test/a.png', ...this.extra.user });
    if (path === '/user/emails') return json(this.extra.emails ?? [{ email: this.person.email, primary: true, verified: true }]);
    if (path === '/revoke') return json({});
    res.writeHead(404, { 'Content-Type': 'text/html' });
    return res.end('<h1>no</h1>');
  }
}

/* auth.js - sign-in for web apps, by cookies. A classic script with the globals Sallyport, AwesomeNodeAuth
 * and AuthService (one object); as an ES module see clients/js. It works under a strict CSP and adds nothing to the page.
 *
 *   <script src="/auth/ui/auth.js"></script>
 *   await AwesomeNodeAuth.init(); if (await AwesomeNodeAuth.guardPage()) ...
 *
 * window.fetch is wrapped: requests to the server's own origin, and no others, carry cookies and the CSRF token,
 * and are sent again once after a refresh. */
(() => {
'use strict';

const inPage = typeof document === 'object' && typeof location === 'object';
const plainFetch = globalThis.fetch.bind(globalThis);
const isAbsolute = (url) => /^[a-z][a-z0-9+.-]*:\/\//i.test(url);
const trimmed = (prefix) => String(prefix).replace(/\/+$/, '');
const seg = encodeURIComponent;
const events = new EventTarget();

/* Below the prefix: answers 401 and 403 of these are about what was sent, never about the session. */
const PUBLIC = new Set(['/login', '/logout', '/refresh', '/register', '/forgot-password', '/reset-password', '/guest',
  '/verify-email', '/change-email/confirm', '/change-email/revert', '/link-verify', '/2fa/verify', '/2fa/keep',
  '/magic-link/send', '/magic-link/verify', '/sms/send', '/sms/verify']);
/* What says that the access token is missing or over. All other refusals are for the caller. */
const EXPIRED = new Set(['NO_ACCESS_TOKEN', 'INVALID_ACCESS_TOKEN', 'INVALID_TOKEN',
  'No access token provided', 'Invalid or expired access token']);

function defaultPrefix() {
  if (!inPage) return '/auth';
  const page = location.pathname.match(/^(.*?)\/ui(\/|$)/);
  if (page) return page[1];
  const script = document.currentScript?.src.match(/^(.*)\/ui\/(assets\/)?auth\.js([?#]|$)/);
  if (!script) return '/auth';
  return script[1].startsWith(`${location.origin}/`) ? script[1].slice(location.origin.length) : script[1];
}

const config = { apiPrefix: defaultPrefix(), features: {}, ui: {}, headless: false };
let user = null;

const origin = () => (isAbsolute(config.apiPrefix) ? new URL(config.apiPrefix).origin : globalThis.location?.origin);
const url = (path) => config.apiPrefix + path;

/* The part below the prefix of a request to the server, or null. */
function endpointOf(requestUrl) {
  const at = new URL(requestUrl), prefix = new URL(`${config.apiPrefix}/`, at.origin).pathname;
  return at.pathname.startsWith(prefix) ? at.pathname.slice(prefix.length - 1).replace(/\/$/, '') : null;
}

/* A page of another origin cannot read the server's cookie, and is told its value in answers. */
let told = '';

function csrfToken() {
  if (!inPage || (told && origin() !== location.origin)) return told;
  const cookies = document.cookie.split(/; */);
  for (const name of ['__Host-csrf-token=', '__Secure-csrf-token=', 'csrf-token=']) {
    const found = cookies.find((c) => c.startsWith(name));
    if (found) {
      try { return decodeURIComponent(found.slice(name.length)); } catch { /* not ours: look on */ }
    }
  }
  return told;
}

async function fetchTold(request) {
  const answer = await plainFetch(request);
  told = answer.headers.get('X-CSRF-Token') ?? told;
  return answer;
}

const bodyOf = (answer) => answer.clone().json().catch(() => null);

/* ---- refreshing: one at a time, over all tabs ---- */

const MARK = 'sallyport-refreshed';
let refreshing = null;

function lastRefresh() {
  try { return Number(localStorage.getItem(MARK)) || 0; } catch { return 0; }
}

/* 'yes': there are new tokens; 'no': the session is over; 'later': the server could not say. */
async function refreshNow(since) {
  if (lastRefresh() >= since) return 'yes'; // another tab did it while this one waited
  let answer;
  try {
    answer = await send(new Request(new URL(url('/refresh'), globalThis.location?.href), { method: 'POST', ...json() }));
  } catch { return 'later'; }
  const body = await bodyOf(answer);
  if (answer.ok && body?.success !== false && body?.code !== 'SESSION_REVOKED') {
    try { localStorage.setItem(MARK, String(Date.now())); } catch { /* other tabs refresh themselves */ }
    emit('refresh');
    return 'yes';
  }
  return answer.status === 401 || answer.status === 403 || answer.ok ? 'no' : 'later';
}

function refreshOnce(since) {
  refreshing ??= (globalThis.navigator?.locks
    ? navigator.locks.request(`${MARK}:${url('')}`, () => refreshNow(since))
    : refreshNow(since)).finally(() => { refreshing = null; });
  return refreshing;
}

async function sessionOver(by) {
  user = null;
  if (by !== 'revoked') await call('POST', '/logout').catch(() => {});
  emit('expired');
  if (config.headless) return;
  if (typeof config.onSessionExpired === 'function') config.onSessionExpired();
  else toLogin();
}

/* ---- requests ---- */

/* Sends a request to the server with the CSRF token; once more if the token was stale, as that answer sets a new one. */
async function send(request) {
  const answer = await fetchTold(signed(request.clone()));
  if (answer.status !== 403 || (await bodyOf(answer))?.code !== 'CSRF_INVALID' || !csrfToken()) return answer;
  return fetchTold(signed(request.clone()));
}

function signed(request) {
  const token = csrfToken(), headers = new Headers(request.headers);
  if (token && !headers.has('Authorization')) headers.set('X-CSRF-Token', token);
  return new Request(request, { headers, credentials: 'include' });
}

async function isExpired(answer, endpoint) {
  if (answer.status !== 401 && answer.status !== 403) return '';
  if (endpoint !== null && PUBLIC.has(endpoint.toLowerCase())) return '';
  const body = await bodyOf(answer);
  if (body?.code === 'SESSION_REVOKED') return 'revoked';
  if (EXPIRED.has(body?.code) || EXPIRED.has(body?.error)) return 'expired';
  return endpoint === null && /invalid_token/.test(answer.headers.get('WWW-Authenticate') ?? '') ? 'expired' : '';
}

/* fetch for the server's origin. quiet: an end of the session is only answered, not acted on. */
async function wrapped(request, quiet = false) {
  const since = Date.now(), answer = await send(request);
  if (request.headers.has('Authorization')) return answer; // somebody else's token
  const why = await isExpired(answer, endpointOf(request.url));
  if (why === '') return answer;
  const done = why === 'expired' ? await refreshOnce(since) : 'no';
  if (done === 'yes') return send(request);
  if (done === 'no' && !quiet) await sessionOver(why);
  return answer;
}

if (inPage) {
  globalThis.fetch = (input, init) => {
    let request;
    try { request = new Request(input, init); } catch { return plainFetch(input, init); }
    return new URL(request.url).origin === origin() ? wrapped(request) : plainFetch(input, init);
  };
}

function json(data) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  return data === undefined ? { headers } : { headers, body: JSON.stringify(data) };
}

/* One call: always an object with `success`; a refusal has `error`, `code`, `status`, and `retryAfter` if given. */
async function call(method, path, data, { quiet = false } = {}) {
  const at = new URL(url(path), globalThis.location?.href);
  const answer = await wrapped(new Request(at, { method, cache: 'no-store', ...json(data) }), quiet);
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return Array.isArray(body) ? { success: true, items: body } : { success: true, ...body };
  return { error: `Request failed (${answer.status})`, ...body, success: false, status: answer.status,
    retryAfter: Number(answer.headers.get('Retry-After')) || undefined };
}

/* ---- what a sign-in answers ---- */

/* Whether the caller is signed in now, and who it is. */
async function settle(result) {
  const asks = result.requiresTwoFactor === true;
  const answer = { ...result, success: result.success && !asks, requiresTwoFactor: asks, requires2fa: asks,
    requires2FASetup: result.requires2FASetup === true };
  if (asks || answer.requires2FASetup) answer.available2faMethods ??= [];
  if (!answer.success) return answer;
  await api.checkSession();
  emit('login');
  return answer;
}

/* The answer to a proof of work: a text that makes SHA-256 begin with so many zero bits. */
async function solve({ challenge, bits }) {
  const encode = new TextEncoder();
  const zeros = (hash) => {
    const head = new DataView(hash).getUint32(0);
    return Math.clz32(head);
  };
  for (let n = 0; ; n += 256) {
    const texts = Array.from({ length: 256 }, (_, i) => `${challenge}.${(n + i).toString(16)}`);
    const hashes = await Promise.all(texts.map((t) => crypto.subtle.digest('SHA-256', encode.encode(t))));
    const hit = hashes.findIndex((h) => zeros(h) >= bits);
    if (hit >= 0) return texts[hit];
  }
}

function emit(name) {
  events.dispatchEvent(new CustomEvent(name, { detail: { user } }));
}

const loginUrl = () => config.loginUrl || url('/ui/login');

function toLogin() {
  if (!inPage || config.headless) return;
  const to = new URL(loginUrl(), location.href);
  if (to.origin === location.origin && to.pathname === location.pathname) return;
  location.assign(to.href);
}

const withProof = (data, proof) => ({ ...data, ...proof });
const optional = (proof) => (proof && Object.keys(proof).length > 0 ? proof : undefined);

const api = {
  get config() { return config; },
  get user() { return user; },
  csrfToken,

  /* options: apiPrefix, loginUrl, homeUrl, headless, onSessionExpired. The server's settings go over them, but
   * not over an apiPrefix or headless given here. */
  async init(options = {}) {
    Object.assign(config, options);
    config.apiPrefix = trimmed(config.apiPrefix);
    const given = globalThis.__AUTH_CONFIG__ ?? (await call('GET', '/ui/config', undefined, { quiet: true }).catch(() => ({})));
    const keep = { apiPrefix: config.apiPrefix, headless: options.headless ?? given.headless ?? config.headless };
    if (given.success !== false) Object.assign(config, given);
    delete config.success;
    if (options.apiPrefix !== undefined || isAbsolute(keep.apiPrefix)) config.apiPrefix = keep.apiPrefix;
    config.apiPrefix = trimmed(config.apiPrefix);
    config.headless = keep.headless;
    return config;
  },
  on(name, listener) { events.addEventListener(name, listener); return () => events.removeEventListener(name, listener); },

  /* ---- session ---- */
  async checkSession() {
    const me = await call('GET', '/me', undefined, { quiet: true });
    user = me.success && typeof me.sub === 'string' ? me : null;
    return user !== null;
  },
  async guardPage() {
    const there = await api.checkSession();
    if (!there) toLogin();
    return there;
  },
  async guardRole(role, elsewhere) {
    if (!(await api.guardPage())) return false;
    if (user.role === role || (Array.isArray(user.roles) && user.roles.includes(role))) return true;
    if (elsewhere && inPage && !config.headless) location.assign(elsewhere);
    return false;
  },
  /* As far as is known: was somebody signed in when that was last asked? */
  isAuthenticated() { return user !== null; },
  /* A request to a path below the prefix, for what has no method of its own: apiCall('/me'), with refresh and CSRF. */
  async apiCall(path, method = 'GET', data = undefined) { return call(method.toUpperCase(), `/${String(path).replace(/^\/+/, '')}`, data); },
  async refresh() { return (await refreshOnce(Date.now())) === 'yes'; },
  async login(email, password) {
    let answer = await call('POST', '/login', { email, password });
    if (answer.code === 'CHALLENGE_REQUIRED' && answer.challenge?.algorithm === 'sha256' && answer.challenge.bits <= 32)
      answer = await call('POST', '/login', { email, password, challengeAnswer: await solve(answer.challenge) });
    return settle(answer);
  },
  async logout() {
    const answer = await call('POST', '/logout');
    user = null;
    emit('logout');
    toLogin();
    return answer;
  },
  async register(email, password, firstName, lastName) {
    const data = typeof email === 'object' ? email : { email, password, firstName, lastName };
    const answer = await call('POST', '/register', data);
    if (answer.success) await api.checkSession();
    return answer;
  },
  async getActiveSessions() { return call('GET', '/sessions'); },
  async revokeSession(handle) { return call('DELETE', `/sessions/${seg(handle)}`); },

  /* ---- passwords ---- */
  async forgotPassword(email, emailLang) { return call('POST', '/forgot-password', { email, emailLang }); },
  async resetPassword(token, password) { return call('POST', '/reset-password', { token, password }); },
  async changePassword(currentPassword, newPassword) { return call('POST', '/change-password', { currentPassword, newPassword }); },
  async setPassword(newPassword) { return call('POST', '/change-password', { currentPassword: '', newPassword }); },

  /* ---- links and codes ---- */
  /* type: 'link', 'code' or 'both' */
  async sendMagicLink(email, type, emailLang) { return call('POST', '/magic-link/send', { email, mode: 'login', type, emailLang }); },
  async verifyMagicLink(token) { return settle(await call('POST', '/magic-link/verify', { token, mode: 'login' })); },
  async verifyMagicCode(email, code) { return settle(await call('POST', '/magic-link/verify', { email, code, mode: 'login' })); },
  async sendSmsLogin(email) { return call('POST', '/sms/send', { email, mode: 'login' }); },
  /* who: the user's id, or the address */
  async verifySmsLogin(who, code) { return settle(await call('POST', '/sms/verify', { userId: who, code, mode: 'login' })); },

  /* ---- second factors ---- */
  /* proof: { currentPassword } or { totpCode } or { recoveryCode }; { tempToken } when the sign-in demands it */
  async setup2fa(proof) { return call('POST', '/2fa/setup', optional(proof), { quiet: proof?.tempToken !== undefined }); },
  async verify2faSetup(code, secret, tempToken) {
    const answer = await call('POST', '/2fa/verify-setup', { token: code, secret, tempToken }, { quiet: tempToken !== undefined });
    return tempToken === undefined ? answer : settle(answer);
  },
  async validate2fa(tempToken, code, rememberDevice) {
    return settle(await call('POST', '/2fa/verify', { tempToken, totpCode: code, rememberDevice }));
  },
  async validateRecoveryCode(tempToken, recoveryCode, rememberDevice) {
    return settle(await call('POST', '/2fa/verify', { tempToken, recoveryCode, rememberDevice }));
  },
  async sendSms2fa(tempToken) { return call('POST', '/sms/send', { tempToken, mode: '2fa' }); },
  async validateSms(tempToken, code, rememberDevice) {
    return settle(await call('POST', '/sms/verify', { tempToken, code, mode: '2fa', rememberDevice }));
  },
  async sendMagicLink2fa(tempToken, type, emailLang) { return call('POST', '/magic-link/send', { tempToken, mode: '2fa', type, emailLang }); },
  /* what: { token } of the link or { code } of the mail */
  async validateMagicLink(tempToken, what, rememberDevice) {
    return settle(await call('POST', '/magic-link/verify', { tempToken, mode: '2fa', rememberDevice, ...what }));
  },
  async disable2fa(proof) { return call('POST', '/2fa/disable', optional(proof)); },
  async newRecoveryCodes(proof) { return call('POST', '/2fa/recovery-codes', optional(proof)); },

  /* ---- the account ---- */
  async updateProfile({ firstName, lastName }) { return call('PATCH', '/profile', { firstName, lastName }); },
  /* null removes the number */
  async addPhone(phoneNumber, proof) { return call('POST', '/add-phone', withProof({ phoneNumber }, proof)); },
  async verifyPhone(code) { return call('POST', '/add-phone/verify', { code }); },
  /* email: for who cannot sign in before */
  async resendVerificationEmail(emailLang, email) { return call('POST', '/send-verification-email', { emailLang, email }); },
  async verifyEmail(token) { return call('POST', '/verify-email', { token }); },
  async requestEmailChange(newEmail, proof) { return call('POST', '/change-email/request', withProof({ newEmail }, proof)); },
  async confirmEmailChange(token) { return call('POST', '/change-email/confirm', { token }); },
  async revertEmailChange(token) { return call('POST', '/change-email/revert', { token }); },
  async keepSecondFactor(token) { return call('POST', '/2fa/keep', { token }); },
  async getLinkedAccounts() { return call('GET', '/linked-accounts'); },
  async requestLinkingEmail(email, provider, proof) { return call('POST', '/link-request', withProof({ email, provider }, proof)); },
  /* { ticket, url }: the browser goes on to url, or to {prefix}/oauth/{provider}?ticket=… with a return_path. */
  async connectProvider(provider, proof) { return call('POST', `/oauth/${seg(provider)}/link`, optional(proof)); },
  async verifyLinkingToken(token, provider) { return call('POST', '/link-verify', { token, provider }); },
  async verifyConflictLinkingToken(token) { return settle(await call('POST', '/link-verify', { token, loginAfterLinking: true })); },
  async unlinkAccount(provider, id, proof) { return call('DELETE', `/linked-accounts/${seg(provider)}/${seg(id)}`, optional(proof)); },
  async exportData() { return call('GET', '/export'); },
  async deleteAccount(proof) {
    const answer = await call('DELETE', '/account', optional(proof));
    if (!answer.success) return answer;
    user = null;
    emit('logout');
    toLogin();
    return answer;
  },
};

if (inPage && globalThis.__AUTH_CONFIG__) {
  const prefix = config.apiPrefix;
  Object.assign(config, globalThis.__AUTH_CONFIG__);
  config.apiPrefix = trimmed(isAbsolute(prefix) ? prefix : config.apiPrefix);
}
globalThis.AwesomeNodeAuth = api;
globalThis.AuthService = api;
globalThis.Sallyport = api;
})();

// capp_world.mjs — a server with mail, SMS and a provider, and apps on libsallyport that talk to it.
import assert from 'node:assert/strict';
import { beforeEach } from 'node:test';
import { Authenticator } from './authenticator.mjs';
import { CApp } from './capp.mjs';
import { Proxy } from './proxy.mjs';
import { APP, AUTH, person, Social } from './social.mjs';

/* A number whose codes are always the same. */
export const NUMBER = '+391234567890', SMS_CODE = '123456';

export class World {
  static async start({ env = {}, ...options } = {}) {
    const w = new World();
    w.social = await Social.start({
      clock: 'frozen',
      env: {
        SALLYPORT_SITE_URLS: 'myapp://auth', SALLYPORT_SITE_APP_LINKS: 'short', SALLYPORT_LIMITS_RESEND: '0s', SALLYPORT_LIMITS_MAIL_PER_10MIN: '1000',
        SALLYPORT_SMS_TRANSPORT: 'log', SALLYPORT_SMS_TEST_NUMBERS: `${NUMBER}=${SMS_CODE}`, SALLYPORT_SMS_COUNTRIES: 'any',
        SALLYPORT_GUEST_ENABLED: 'true', SALLYPORT_TWOFACTOR_REMEMBER: 'true', SALLYPORT_TWOFACTOR_MAGIC_LINK: 'true', SALLYPORT_OAUTH_FAKE_TRUST_EMAIL: 'true',
        SALLYPORT_NATIVE_REDIRECT_URIS: `${APP}, myapp://auth, http://127.0.0.1/callback, http://127.0.0.1/cb`, ...env,
      },
      ...options,
    });
    w.m = w.social.mailed;
    w.s = w.social.s;
    w.p = w.social.p;
    w.proxy = await Proxy.start(w.s.target);
    return w;
  }

  apps = [];

  /* Before each test: provider and proxy as they should be, somebody new at the provider. */
  calmed() {
    beforeEach(() => {
      this.p.calm();
      this.p.now = () => this.s.now;
      this.p.person = person();
      this.proxy.rule = () => undefined;
      this.proxy.requests.length = 0;
    });
  }

  /* A new app, which talks through the proxy and is ended with the world. */
  async app(options) {
    const app = await CApp.start(this.proxy, options), call = app.call.bind(app);
    app.call = async (...args) => this.#note(await call(...args));
    this.apps.push(app);
    return app;
  }

  #note(r) {
    this.s.note(r.access_token, r.challenge?.temp_token, r.totp?.secret, r.merge_token, r.link_token, ...(r.recovery_codes ?? []));
    return r;
  }

  /* An app in which somebody new has signed in. */
  async signedIn(options) {
    const app = await this.app(options), user = await this.s.register();
    await app.ok('login', user.email, user.password);
    app.states();
    this.proxy.requests.length = 0;
    return { app, user };
  }

  /* Sets up an authenticator app through the app: { authenticator, codes }, in a step that is not used yet. */
  async withTotp(app) {
    const { totp } = await app.ok('setup_2fa', null, null, null);
    const authenticator = new Authenticator(this.s, totp.otpauth_url);
    const { recovery_codes: codes } = await app.ok('verify_setup_2fa', null, authenticator.code());
    this.s.advance(30_000);
    return { authenticator, codes, totp };
  }

  /* A sign-in that must ask for a second factor: its handle. */
  async handle(app, user) {
    const r = await app.call('login', user.email, user.password);
    assert.equal(r.error, 'SP_SECOND_FACTOR', JSON.stringify(r));
    return r.challenge.temp_token;
  }

  /* The system's browser at an address of the library, to its end; the server as the world sees it. */
  browse(url, { browser = this.social.browser(), ...options } = {}) {
    return browser.go(url.replace(`http://127.0.0.1:${this.proxy.port}/`, `${AUTH}/`), options);
  }

  async close() {
    try {
      for (const app of this.apps) if (app.exit === null) await app.close();
    } finally {
      await this.proxy.close();
      await this.social.close();
    }
  }
}

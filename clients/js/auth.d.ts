// Types of auth.js.

export interface Refusal {
  success: false;
  error: string;
  message?: string;
  code?: string;
  status?: number;
  /** Seconds to wait, of a 429 or 503. */
  retryAfter?: number;
  fields?: { field: string; reason: string }[];
}

export type Answer<T = unknown> = ({ success: true } & T) | Refusal;

export type SecondFactor = 'totp' | 'sms' | 'magic-link';

/** What a sign-in answers. `success` is false while a second factor is missing. */
export interface SignIn {
  success: boolean;
  requiresTwoFactor: boolean;
  /** The same as requiresTwoFactor. */
  requires2fa: boolean;
  requires2FASetup: boolean;
  tempToken?: string;
  available2faMethods?: SecondFactor[];
  error?: string;
  message?: string;
  code?: string;
  status?: number;
  retryAfter?: number;
  fields?: { field: string; reason: string }[];
}

export interface User {
  sub: string;
  id: string;
  email: string;
  isEmailVerified: boolean;
  isTotpEnabled: boolean;
  loginProvider: string;
  hasPassword: boolean;
  isAdmin: boolean;
  isGuest?: true;
  /** `admin` of administrators who have no other; empty when there is none. */
  role: string;
  roles: string[];
  permissions: string[];
  metadata: Record<string, unknown>;
  firstName?: string;
  lastName?: string;
  name?: string;
  phoneNumber?: string;
  lastLogin?: string;
  [claim: string]: unknown;
}

export interface Session {
  sessionHandle: string;
  handle: string;
  userId: string;
  createdAt: string;
  expiresAt: string;
  lastActiveAt: string;
  lastActive: string;
  isCurrent: boolean;
  userAgent?: string;
  ipAddress?: string;
}

export interface LinkedAccount {
  provider: string;
  providerAccountId: string;
  email?: string;
  name?: string;
  picture?: string;
  linkedAt?: string;
}

/** Asked for when a request answers REAUTH_REQUIRED: one of them. */
export interface Proof {
  currentPassword?: string;
  totpCode?: string;
  recoveryCode?: string;
}

export interface Options {
  /** Where the server is: a path of this origin, or an absolute URL. */
  apiPrefix?: string;
  loginUrl?: string;
  homeUrl?: string;
  /** No navigation and no hooks: the app decides what is shown. */
  headless?: boolean;
  /** Called instead of going to loginUrl when the session is over. */
  onSessionExpired?: () => void;
}

export interface Config extends Options {
  apiPrefix: string;
  headless: boolean;
  features: Record<string, unknown>;
  ui: Record<string, unknown>;
  lang?: string;
  translations?: Record<string, string>;
  [key: string]: unknown;
}

export interface Auth {
  readonly config: Config;
  /** Who was signed in when that was last asked. */
  readonly user: User | null;
  init(options?: Options): Promise<Config>;
  /** Returns a function that ends it. `detail.user` of the event is the user. */
  on(event: 'login' | 'logout' | 'refresh' | 'expired', listener: (event: CustomEvent<{ user: User | null }>) => void): () => void;
  csrfToken(): string;

  /** As far as is known: was somebody signed in when that was last asked (init does not ask, checkSession does)? */
  isAuthenticated(): boolean;
  /** A request to a path below the prefix: `apiCall('/profile', 'PATCH', { firstName })`. A list comes as `items`. */
  apiCall<T = Record<string, unknown>>(path: string, method?: string, data?: unknown): Promise<Answer<T>>;
  checkSession(): Promise<boolean>;
  guardPage(): Promise<boolean>;
  guardRole(role: string, elsewhere?: string): Promise<boolean>;
  refresh(): Promise<boolean>;
  login(email: string, password: string): Promise<SignIn>;
  logout(): Promise<Answer>;
  register(email: string, password: string, firstName?: string, lastName?: string): Promise<Answer<{ userId: string }>>;
  register(data: { email: string; password: string; firstName?: string; lastName?: string; emailLang?: string }): Promise<Answer<{ userId: string }>>;
  getActiveSessions(): Promise<Answer<{ sessions: Session[] }>>;
  revokeSession(handle: string): Promise<Answer>;

  forgotPassword(email: string, emailLang?: string): Promise<Answer>;
  resetPassword(token: string, password: string): Promise<Answer>;
  changePassword(currentPassword: string, newPassword: string): Promise<Answer>;
  setPassword(newPassword: string): Promise<Answer>;

  sendMagicLink(email: string, type?: 'link' | 'code' | 'both', emailLang?: string): Promise<Answer>;
  verifyMagicLink(token: string): Promise<SignIn>;
  verifyMagicCode(email: string, code: string): Promise<SignIn>;
  sendSmsLogin(email: string): Promise<Answer>;
  verifySmsLogin(userIdOrEmail: string, code: string): Promise<SignIn>;

  setup2fa(proof?: Proof & { tempToken?: string }): Promise<Answer<{ secret: string; otpauthUrl: string; qrCode: string }>>;
  verify2faSetup(code: string, secret: string): Promise<Answer<{ recoveryCodes: string[] }>>;
  verify2faSetup(code: string, secret: string, tempToken: string): Promise<SignIn & { recoveryCodes?: string[] }>;
  validate2fa(tempToken: string, code: string, rememberDevice?: boolean): Promise<SignIn>;
  validateRecoveryCode(tempToken: string, recoveryCode: string, rememberDevice?: boolean): Promise<SignIn>;
  sendSms2fa(tempToken: string): Promise<Answer>;
  validateSms(tempToken: string, code: string, rememberDevice?: boolean): Promise<SignIn>;
  sendMagicLink2fa(tempToken: string, type?: 'link' | 'code' | 'both', emailLang?: string): Promise<Answer>;
  validateMagicLink(tempToken: string, what: { token: string } | { code: string }, rememberDevice?: boolean): Promise<SignIn>;
  disable2fa(proof?: Proof): Promise<Answer>;
  newRecoveryCodes(proof?: Proof): Promise<Answer<{ recoveryCodes: string[] }>>;

  updateProfile(profile: { firstName?: string | null; lastName?: string | null }): Promise<Answer>;
  addPhone(phoneNumber: string | null, proof?: Proof): Promise<Answer>;
  verifyPhone(code: string): Promise<Answer>;
  resendVerificationEmail(emailLang?: string, email?: string): Promise<Answer>;
  verifyEmail(token: string): Promise<Answer>;
  requestEmailChange(newEmail: string, proof?: Proof & { emailLang?: string }): Promise<Answer>;
  confirmEmailChange(token: string): Promise<Answer>;
  revertEmailChange(token: string): Promise<Answer>;
  /** By the mailed link that stops an operator from removing the app. */
  keepSecondFactor(token: string): Promise<Answer>;
  getLinkedAccounts(): Promise<Answer<{ linkedAccounts: LinkedAccount[] }>>;
  requestLinkingEmail(email: string, provider?: string, proof?: Proof & { emailLang?: string }): Promise<Answer>;
  /** Begins linking an account at a provider: the browser goes on to `url`. */
  connectProvider(provider: string, proof?: Proof): Promise<Answer<{ ticket: string; url: string }>>;
  verifyLinkingToken(token: string, provider?: string): Promise<Answer>;
  verifyConflictLinkingToken(token: string): Promise<SignIn>;
  unlinkAccount(provider: string, providerAccountId: string, proof?: Proof): Promise<Answer>;
  exportData(): Promise<Answer<Record<string, unknown>>>;
  deleteAccount(proof?: Proof): Promise<Answer>;
}

export const Sallyport: Auth;
export const AwesomeNodeAuth: Auth;
export const AuthService: Auth;
export default Sallyport;

// Sign-in for Flutter apps with a Sallyport server.
//
// The file stands alone: copy it into an app, or use the package it is in.
// It needs `http`, `flutter_secure_storage`, `flutter_web_auth_2` and
// `crypto`. No method throws because of the network or of what a server
// answers: look at AuthResult.ok, code and error.

import 'dart:async';
import 'dart:collection';
import 'dart:convert';
import 'dart:math';

import 'package:crypto/crypto.dart';
import 'package:flutter/foundation.dart';
import 'package:flutter/services.dart';
import 'package:flutter_secure_storage/flutter_secure_storage.dart';
import 'package:flutter_web_auth_2/flutter_web_auth_2.dart';
import 'package:http/http.dart' as http;

/// Where the server is, without a slash at the end.
const String kBaseUrl = String.fromEnvironment(
  'AUTH_BASE_URL',
  defaultValue: 'https://your-api.example.com',
);

/// The app's own address, registered with the server in
/// `native.redirect_uris`, byte for byte. Sign-in through a provider ends here.
const String kRedirectUri = 'myapp://auth';

/// Opens [url] in the system's browser and answers with the address it ends
/// at, which begins with [callbackUrlScheme].
typedef AuthBrowser = Future<String> Function(
  String url,
  String callbackUrlScheme,
);

// ---------------------------------------------------------------------------
// Storage
// ---------------------------------------------------------------------------

/// Where tokens are kept. Must not lose what [write] has answered for.
abstract class AuthStorage {
  /// The value of [key], or null.
  Future<String?> read(String key);

  /// Sets [key] to [value]; complete only when it is stored.
  Future<void> write(String key, String value);

  /// Removes [key] if it is there.
  Future<void> delete(String key);
}

/// The platform's key store: Keychain, Android's Keystore, libsecret. In a
/// browser there is none: docs/guide/flutter-web.md says what to use there.
class SecureAuthStorage implements AuthStorage {
  /// Readable after the first unlock, so that work in the background can
  /// refresh.
  const SecureAuthStorage();

  static const FlutterSecureStorage _store = FlutterSecureStorage(
    iOptions: IOSOptions(accessibility: KeychainAccessibility.first_unlock),
  );

  @override
  Future<String?> read(String key) => _store.read(key: key);

  @override
  Future<void> write(String key, String value) =>
      _store.write(key: key, value: value);

  @override
  Future<void> delete(String key) => _store.delete(key: key);
}

/// Keeps everything in memory: whoever reloads the page, or starts the app
/// anew, signs in again.
class MemoryAuthStorage implements AuthStorage {
  final Map<String, String> _values = {};

  @override
  Future<String?> read(String key) async => _values[key];

  @override
  Future<void> write(String key, String value) async => _values[key] = value;

  @override
  Future<void> delete(String key) async => _values.remove(key);
}

// ---------------------------------------------------------------------------
// Results
// ---------------------------------------------------------------------------

/// The body of an answer, as a map, and what is known about it.
///
/// Without a usable answer the map holds `error`, `message` and `code` as a
/// server's refusal does, with one of the codes `NETWORK_ERROR`, `TIMEOUT`,
/// `STORAGE_FAILED`, `UNEXPECTED_ANSWER`, `NO_ACCESS_TOKEN`, `CANCELLED`,
/// `OAUTH_STATE_INVALID`.
class AuthResult extends UnmodifiableMapView<String, dynamic> {
  /// An answer with [status] and the JSON object [body].
  AuthResult(this.status, Map<String, dynamic> body, {this.retryAfter})
      : super(body);

  /// The same answer.
  AuthResult.of(AuthResult other)
      : this(other.status, other, retryAfter: other.retryAfter);

  /// What went wrong on this side: [status] is 0.
  AuthResult.local(String code, String text)
      : this(0, {'error': text, 'message': text, 'code': code});

  /// The HTTP status; 0 when there was no answer.
  final int status;

  /// How long to wait before the next try, if the server says so (429, 503).
  final Duration? retryAfter;

  /// Whether the server did what it was asked for.
  bool get ok => status >= 200 && status < 300 && error == null;

  /// The server's own word for it; absent where there is something else to do
  /// first.
  bool get success => this['success'] == true;

  /// A text to show.
  String? get error => this['error'] as String?;

  /// The same text as [error].
  String? get message => this['message'] as String?;

  /// What to decide by.
  String? get code => this['code'] as String?;

  /// The members that were refused, with a reason each (`VALIDATION_ERROR`).
  List<dynamic> get fields => this['fields'] as List<dynamic>? ?? const [];

  /// The request wants a recent sign-in: send it again with a [StepUp].
  bool get needsStepUp => code == 'REAUTH_REQUIRED';
}

/// The answer to a sign-in: tokens, which are stored already, or what is still
/// to be done.
class SignInResult extends AuthResult {
  /// [other] as the answer to a sign-in.
  SignInResult.of(super.other) : super.of();

  /// Set when signed in.
  String? get accessToken => this['accessToken'] as String?;

  /// Set when signed in.
  String? get refreshToken => this['refreshToken'] as String?;

  /// Whether tokens have been stored.
  bool get signedIn => accessToken != null;

  /// A second factor is asked for: show its screen with [tempToken] and
  /// [available2faMethods].
  bool get requiresTwoFactor => this['requiresTwoFactor'] == true;

  /// A second factor must be set up first, with [tempToken]: see
  /// [AuthService.setup2fa].
  bool get requires2FASetup => this['requires2FASetup'] == true;

  /// The handle between the factors; five minutes, five tries.
  String? get tempToken => this['tempToken'] as String?;

  /// `totp`, `sms`, `magic-link`, in the order to show them in.
  List<String> get available2faMethods =>
      List<String>.from(this['available2faMethods'] as List? ?? const []);

  /// The user has closed the browser.
  bool get cancelled => code == 'CANCELLED';
}

/// A guest's sign-in.
class GuestResult extends SignInResult {
  /// [other] as the answer to [AuthService.guest].
  GuestResult.of(super.other) : super.of();

  /// The guest's id; it stays when the guest becomes an account.
  String? get userId => this['userId'] as String?;
}

/// The answer to a registration. It signs nobody in.
class RegisterResult extends AuthResult {
  /// [other] as the answer to [AuthService.register].
  RegisterResult.of(super.other) : super.of();

  /// The new account's id.
  String? get userId => this['userId'] as String?;

  /// With 409 `EMAIL_EXISTS` to a guest: for the app's own server.
  String? get mergeToken => this['mergeToken'] as String?;
}

/// A new authenticator app, not yet proven.
class TotpSetup extends AuthResult {
  /// [other] as the answer to [AuthService.setup2fa].
  TotpSetup.of(super.other) : super.of();

  /// The seed in base32, to be typed.
  String? get secret => this['secret'] as String?;

  /// Opens an authenticator app on this phone.
  String? get otpauthUrl => this['otpauthUrl'] as String?;

  /// A PNG as a `data:` URL.
  String? get qrCode => this['qrCode'] as String?;
}

/// Recovery codes, shown this once; after a forced set-up the tokens too.
class RecoveryCodes extends SignInResult {
  /// [other] as an answer with recovery codes.
  RecoveryCodes.of(super.other) : super.of();

  /// To be saved by the user. Empty unless [ok].
  List<String> get recoveryCodes =>
      List<String>.from(this['recoveryCodes'] as List? ?? const []);
}

/// The signed-in user.
class UserProfile extends AuthResult {
  /// [other] as the answer to [AuthService.getProfile].
  UserProfile.of(super.other) : super.of();

  /// The user's id.
  String? get id => this['sub'] as String?;

  /// Empty for guests.
  String? get email => this['email'] as String?;

  /// Both names.
  String? get name => this['name'] as String?;

  /// The first name.
  String? get firstName => this['firstName'] as String?;

  /// The last name.
  String? get lastName => this['lastName'] as String?;

  /// The proven number.
  String? get phoneNumber => this['phoneNumber'] as String?;

  /// `local`, or the provider the account came from.
  String? get loginProvider => this['loginProvider'] as String?;

  /// When the user signed in last, in ISO 8601.
  String? get lastLogin => this['lastLogin'] as String?;

  /// Whether the address is proven.
  bool get isEmailVerified => this['isEmailVerified'] == true;

  /// Whether an authenticator app is set up.
  bool get isTotpEnabled => this['isTotpEnabled'] == true;

  /// Without one, [AuthService.changePassword] sets the first.
  bool get hasPassword => this['hasPassword'] == true;

  /// Whether this is a guest.
  bool get isGuest => this['isGuest'] == true;
}

/// What the server offers, for the sign-in screen.
class AuthOffers extends AuthResult {
  /// [other] as the answer to [AuthService.getOffers].
  AuthOffers.of(super.other) : super.of();

  /// Whether accounts can be made.
  bool get registration => this['registrationEnabled'] == true;

  /// Whether links and codes are mailed.
  bool get magicLink => this['magicLinkEnabled'] == true;

  /// Whether codes are texted.
  bool get sms => this['smsEnabled'] == true;

  /// The names for [AuthService.loginWithOAuth].
  List<String> get providers =>
      List<String>.from(this['availableProviders'] as List? ?? const []);
}

/// An account at a provider, or an address, that is linked to the user's.
class LinkedAccount extends UnmodifiableMapView<String, dynamic> {
  /// An entry of `linkedAccounts`.
  LinkedAccount(super.entry);

  /// `google`, `email`, …
  String get provider => this['provider'] as String;

  /// The id there; with [provider] it names the link.
  String get providerAccountId => this['providerAccountId'] as String;

  /// The address there, if known.
  String? get email => this['email'] as String?;

  /// When it was linked, in ISO 8601.
  String? get linkedAt => this['linkedAt'] as String?;
}

/// One place where the user is signed in.
class AuthSession extends UnmodifiableMapView<String, dynamic> {
  /// An entry of `sessions`.
  AuthSession(super.entry);

  /// For [AuthService.revokeSession].
  String get handle => this['handle'] as String;

  /// Whether it is this one.
  bool get isCurrent => this['isCurrent'] as bool;

  /// When it began, in ISO 8601.
  String get createdAt => this['createdAt'] as String;

  /// When it was last used, in ISO 8601.
  String get lastActiveAt => this['lastActiveAt'] as String;

  /// What was signed in with, if it said so.
  String? get userAgent => this['userAgent'] as String?;

  /// From where, shortened.
  String? get ipAddress => this['ipAddress'] as String?;
}

/// A list that knows the answer it is from: empty and not [AuthResult.ok] when
/// it was refused.
class AuthList<T> extends UnmodifiableListView<T> {
  /// The entries of [result].
  AuthList(this.result, Iterable<T> entries)
      : super(entries.toList(growable: false));

  /// The answer itself.
  final AuthResult result;
}

/// What proves once more who is there ([AuthResult.needsStepUp]).
class StepUp {
  /// The current password.
  const StepUp.password(String this.currentPassword)
      : totpCode = null,
        recoveryCode = null;

  /// A code of the authenticator app.
  const StepUp.totp(String this.totpCode)
      : currentPassword = null,
        recoveryCode = null;

  /// A recovery code; it is used up.
  const StepUp.recovery(String this.recoveryCode)
      : currentPassword = null,
        totpCode = null;

  /// Set by [StepUp.password].
  final String? currentPassword;

  /// Set by [StepUp.totp].
  final String? totpCode;

  /// Set by [StepUp.recovery].
  final String? recoveryCode;
}

/// Somebody has signed in, or out.
class SessionState {
  /// Signed in.
  const SessionState.signedIn() : reason = null;

  /// Signed out because of [reason].
  const SessionState.signedOut(String this.reason);

  /// Null when signed in. Else `SESSION_REVOKED` and `INVALID_REFRESH_TOKEN`
  /// (the server has ended the session: say so), `LOGGED_OUT` and
  /// `ACCOUNT_DELETED` (the user did).
  final String? reason;

  /// Whether somebody is signed in.
  bool get isSignedIn => reason == null;
}

// ---------------------------------------------------------------------------
// Links that open the app
// ---------------------------------------------------------------------------

/// What a link that opened the app is for.
enum AuthLinkKind {
  /// Proves an address: [AuthService.verifyEmail].
  verifyEmail,

  /// Confirms a new address: [AuthService.changeEmailConfirm].
  changeEmailConfirm,

  /// Undoes a change: ask first, then [AuthService.changeEmailRevert].
  changeEmailRevert,

  /// Signs in: [AuthService.verifyMagicLink].
  magicLink,

  /// Links an address: [AuthService.linkVerify].
  linkVerify,

  /// Ask for a password, then [AuthService.resetPassword].
  resetPassword,

  /// Calls off the removal of an authenticator app: ask first, then
  /// [AuthService.keep2fa].
  keepTwoFactor,

  /// The end of a sign-in through a provider: [AuthService.finishOAuth].
  oauth,

  /// Not one of the server's.
  unknown,
}

/// A link that opened the app, taken apart.
///
/// Takes `myapp://auth/verify-email`, `myapp://auth/auth/verify-email`,
/// `com.example.app:/auth/verify-email` and web addresses alike.
class AuthLink {
  AuthLink._(this.kind, this.token);

  /// Takes [uri] apart.
  factory AuthLink.parse(Uri uri) {
    final query = uri.queryParameters;
    final path = '/${uri.pathSegments.where((s) => s.isNotEmpty).join('/')}';
    for (final entry in _paths.entries) {
      if (path.endsWith(entry.key)) {
        return AuthLink._(entry.value, query['token'] ?? '');
      }
    }
    final isEnd = query.containsKey('ott') || query.containsKey('error');
    return AuthLink._(isEnd ? AuthLinkKind.oauth : AuthLinkKind.unknown, '');
  }

  static const Map<String, AuthLinkKind> _paths = {
    '/verify-email': AuthLinkKind.verifyEmail,
    '/change-email/confirm': AuthLinkKind.changeEmailConfirm,
    '/change-email/revert': AuthLinkKind.changeEmailRevert,
    '/magic-link/verify': AuthLinkKind.magicLink,
    '/magic-link': AuthLinkKind.magicLink,
    '/link-verify': AuthLinkKind.linkVerify,
    '/reset-password': AuthLinkKind.resetPassword,
    '/2fa/keep': AuthLinkKind.keepTwoFactor,
    '/2fa': AuthLinkKind.oauth,
  };

  /// What it is for.
  final AuthLinkKind kind;

  /// What to send; empty where there is none.
  final String token;
}

// ---------------------------------------------------------------------------
// The service
// ---------------------------------------------------------------------------

/// Whether a request carries the access token.
enum _Auth {
  /// No.
  none,

  /// Yes; without one it is not sent.
  token,

  /// If there is one.
  optional,
}

/// The app's side of the server: tokens, and one method for each request.
///
/// * The token is read from storage at the moment of sending, and a new one is
///   stored before it is used.
/// * One refresh at a time; whoever comes meanwhile waits for it.
/// * A request that is refused because of its token is sent once more after a
///   refresh. A wrong password or code is not such a refusal.
/// * Only the server's word `SESSION_REVOKED` or `INVALID_REFRESH_TOKEN` signs
///   out. No connection, a timeout, 429 and 503 keep the tokens.
class AuthService {
  /// A service of its own, for tests and for apps with another server.
  AuthService({
    this.baseUrl = kBaseUrl,
    this.redirectUri = kRedirectUri,
    this.timeout = const Duration(seconds: 30),
    http.Client? client,
    AuthStorage? storage,
    AuthBrowser? browser,
  })  : _http = client ?? http.Client(),
        _storage = storage ?? const SecureAuthStorage(),
        _browser = browser ?? _systemBrowser;

  /// The one of the app. Set it before its first use to choose a [baseUrl].
  static AuthService instance = AuthService();

  /// See [kBaseUrl].
  final String baseUrl;

  /// See [kRedirectUri].
  final String redirectUri;

  /// After that a request counts as lost.
  final Duration timeout;

  final http.Client _http;
  final AuthStorage _storage;
  final AuthBrowser _browser;
  final StreamController<SessionState> _states =
      StreamController<SessionState>.broadcast();
  Future<AuthResult>? _refreshing;

  static Future<String> _systemBrowser(String url, String scheme) =>
      FlutterWebAuth2.authenticate(url: url, callbackUrlScheme: scheme);

  // ---- Tokens --------------------------------------------------------------

  /// Says when somebody has signed in or out, and why.
  Stream<SessionState> get sessionState => _states.stream;

  /// As stored; null when signed out. For requests to other servers:
  /// [freshAccessToken].
  Future<String?> get accessToken => _storage.read('accessToken');

  /// An access token that is good for [validFor] at least, refreshed if it must
  /// be: for requests to other servers. `AuthClient` does it by itself. Null
  /// when signed out, and when the token has ended and no new one can be had
  /// now (then [isSignedIn] is still true).
  Future<String?> freshAccessToken({
    Duration validFor = const Duration(minutes: 1),
  }) async {
    if (await _lasts(validFor)) return _read('accessToken');
    final fresh = await _refresh();
    if (fresh.ok || await _lasts(Duration.zero)) return _read('accessToken');
    return null;
  }

  /// The access token to use instead of [refused], which a server has not
  /// taken. Null: there is none.
  Future<String?> accessTokenInsteadOf(String refused) async {
    if (await _read('accessToken') == refused && !(await _refresh()).ok) {
      return null;
    }
    final now = await _read('accessToken');
    return now == refused ? null : now;
  }

  /// As stored; null when signed out.
  Future<String?> get refreshToken => _storage.read('refreshToken');

  /// Whether tokens are stored. The server may think otherwise.
  Future<bool> get isSignedIn async => await _read('refreshToken') != null;

  /// Forgets the tokens, here only; [logout] ends the session too. What makes
  /// this a known device stays.
  Future<void> clearTokens() async {
    await _storage.delete('accessToken');
    await _storage.delete('accessTokenEnds');
    await _storage.delete('refreshToken');
  }

  /// Exchanges the refresh token. False: signed out, or no answer to be had
  /// (then the tokens are still there).
  Future<bool> refreshTokens() async => (await _refresh()).ok;

  // ---- Signing in and out --------------------------------------------------

  /// Makes an account. Does not sign in, except that a guest who is signed in
  /// becomes that account.
  Future<RegisterResult> register({
    required String email,
    required String password,
    String? firstName,
    String? lastName,
    String? emailLang,
  }) async =>
      RegisterResult.of(
        await _call('POST', '/auth/register', auth: _Auth.optional, body: {
          'email': email,
          'password': password,
          if (firstName != null) 'firstName': firstName,
          if (lastName != null) 'lastName': lastName,
          if (emailLang != null) 'emailLang': emailLang,
        }),
      );

  /// Signs in with a password.
  Future<SignInResult> login({
    required String email,
    required String password,
  }) async {
    final answer = await _login(email, password, null);
    final challenge = answer['challenge'];
    if (answer.code != 'CHALLENGE_REQUIRED' || challenge is! Map) return answer;
    final solution = await compute(_solve, challenge);
    return _login(email, password, solution);
  }

  Future<SignInResult> _login(
    String email,
    String password,
    String? challengeAnswer,
  ) async =>
      SignInResult.of(
        await _call('POST', '/auth/login', auth: _Auth.none, body: {
          'email': email,
          'password': password,
          ...await _known(),
          if (challengeAnswer != null) 'challengeAnswer': challengeAnswer,
        }),
      );

  /// Signs in without an account, if the server allows it.
  Future<GuestResult> guest() async => GuestResult.of(
        await _call('POST', '/auth/guest', auth: _Auth.none),
      );

  /// Signs out here in any case, and on the server if it can be reached.
  Future<void> logout() async {
    final refresh = await _read('refreshToken');
    await _call('POST', '/auth/logout', auth: _Auth.optional, body: {
      if (refresh != null) 'refreshToken': refresh,
    });
    await _signOut('LOGGED_OUT');
  }

  // ---- The user ------------------------------------------------------------

  /// Who is signed in.
  Future<UserProfile> getProfile() async => UserProfile.of(
        await _call('GET', '/auth/me', auth: _Auth.token),
      );

  /// Sets both names; null removes one.
  Future<AuthResult> updateProfile({
    required String? firstName,
    required String? lastName,
  }) =>
      _call('PATCH', '/auth/profile', auth: _Auth.token, body: {
        'firstName': firstName,
        'lastName': lastName,
      });

  /// Texts a code to [phoneNumber], for [verifyPhone]; null removes the
  /// number. May need a [StepUp].
  Future<AuthResult> addPhone(String? phoneNumber, {StepUp? stepUp}) =>
      _call('POST', '/auth/add-phone', auth: _Auth.token, body: {
        'phoneNumber': phoneNumber,
        ..._proof(stepUp),
      });

  /// Proves the number.
  Future<AuthResult> verifyPhone({required String code}) =>
      _call('POST', '/auth/add-phone/verify', auth: _Auth.token, body: {
        'code': code,
      });

  /// Everything that is stored about the user.
  Future<AuthResult> exportAccount() =>
      _call('GET', '/auth/export', auth: _Auth.token);

  /// Deletes the account. May need a [StepUp].
  Future<AuthResult> deleteAccount({StepUp? stepUp}) async {
    final answer = await _call(
      'DELETE',
      '/auth/account',
      auth: _Auth.token,
      body: _proof(stepUp),
    );
    if (!answer.ok) return answer;
    await _storage.delete('deviceToken');
    await _storage.delete('trustToken');
    await _signOut('ACCOUNT_DELETED');
    return answer;
  }

  /// Where the user is signed in.
  Future<AuthList<AuthSession>> getSessions() async {
    final answer = await _call('GET', '/auth/sessions', auth: _Auth.token);
    final entries = _objects(answer['sessions']);
    return AuthList(answer, entries.map(AuthSession.new));
  }

  /// Ends one of [getSessions]. Ending the current one signs out at the next
  /// request.
  Future<AuthResult> revokeSession(String handle) => _call(
        'DELETE',
        '/auth/sessions/${Uri.encodeComponent(handle)}',
        auth: _Auth.token,
      );

  /// What to show on the sign-in screen.
  Future<AuthOffers> getOffers() async => AuthOffers.of(
        await _call('GET', '/auth/ui/config', auth: _Auth.none),
      );

  // ---- Passwords -----------------------------------------------------------

  /// Mails a link, if there is such an account. The answer never tells.
  Future<AuthResult> forgotPassword({
    required String email,
    String? emailLang,
  }) =>
      _call('POST', '/auth/forgot-password', auth: _Auth.none, body: {
        'email': email,
        if (emailLang != null) 'emailLang': emailLang,
      });

  /// Sets a new password with the token of that link. Signs nobody in.
  Future<AuthResult> resetPassword({
    required String token,
    required String newPassword,
  }) =>
      _call('POST', '/auth/reset-password', auth: _Auth.none, body: {
        'token': token,
        'newPassword': newPassword,
      });

  /// Changes the password; all other sessions end. [currentPassword] is empty
  /// where there is none yet.
  Future<AuthResult> changePassword({
    required String currentPassword,
    required String newPassword,
  }) =>
      _call('POST', '/auth/change-password', auth: _Auth.token, body: {
        'currentPassword': currentPassword,
        'newPassword': newPassword,
      });

  // ---- Addresses -----------------------------------------------------------

  /// Mails a link that proves the address: of whoever is signed in, or of
  /// [email] for somebody who cannot sign in yet.
  Future<AuthResult> sendVerificationEmail({
    String? email,
    String? emailLang,
  }) =>
      _call(
        'POST',
        '/auth/send-verification-email',
        auth: email == null ? _Auth.token : _Auth.none,
        body: {
          if (email != null) 'email': email,
          if (emailLang != null) 'emailLang': emailLang,
        },
      );

  /// Proves the address with the token of that link.
  Future<AuthResult> verifyEmail({required String token}) => _call(
        'GET',
        '/auth/verify-email?token=${Uri.encodeQueryComponent(token)}',
        auth: _Auth.none,
      );

  /// Mails a link to [newEmail]. May need a [StepUp].
  Future<AuthResult> changeEmailRequest({
    required String newEmail,
    String? emailLang,
    StepUp? stepUp,
  }) =>
      _call('POST', '/auth/change-email/request', auth: _Auth.token, body: {
        'newEmail': newEmail,
        if (emailLang != null) 'emailLang': emailLang,
        ..._proof(stepUp),
      });

  /// Changes the address with the token of that link.
  Future<AuthResult> changeEmailConfirm({required String token}) =>
      _call('POST', '/auth/change-email/confirm', auth: _Auth.none, body: {
        'token': token,
      });

  /// Undoes a change with the token mailed to the old address. Ask first.
  Future<AuthResult> changeEmailRevert({required String token}) =>
      _call('POST', '/auth/change-email/revert', auth: _Auth.none, body: {
        'token': token,
      });

  // ---- Second factors at sign-in -------------------------------------------

  /// Finishes a sign-in with a code of the authenticator app.
  /// [rememberDevice]: do not ask here for a time, if the server allows that.
  Future<SignInResult> verifyTotp({
    required String tempToken,
    required String totpCode,
    bool rememberDevice = false,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/2fa/verify', auth: _Auth.none, body: {
          'tempToken': tempToken,
          'totpCode': totpCode,
          if (rememberDevice) 'rememberDevice': true,
        }),
      );

  /// Finishes a sign-in with a recovery code, which is used up.
  Future<SignInResult> verifyRecoveryCode({
    required String tempToken,
    required String recoveryCode,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/2fa/verify', auth: _Auth.none, body: {
          'tempToken': tempToken,
          'recoveryCode': recoveryCode,
        }),
      );

  /// Texts a code for [verifySms2fa].
  Future<AuthResult> sendSms2fa({required String tempToken}) =>
      _call('POST', '/auth/sms/send', auth: _Auth.none, body: {
        'tempToken': tempToken,
        'mode': '2fa',
      });

  /// Finishes a sign-in with that code.
  Future<SignInResult> verifySms2fa({
    required String tempToken,
    required String code,
    bool rememberDevice = false,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/sms/verify', auth: _Auth.none, body: {
          'tempToken': tempToken,
          'code': code,
          'mode': '2fa',
          if (rememberDevice) 'rememberDevice': true,
        }),
      );

  /// Mails a `link`, a `code`, or `both` ([type]) as second factor.
  Future<AuthResult> sendMagicLink2fa({
    required String tempToken,
    String type = 'link',
    String? emailLang,
  }) =>
      _call('POST', '/auth/magic-link/send', auth: _Auth.none, body: {
        'tempToken': tempToken,
        'mode': '2fa',
        'type': type,
        if (emailLang != null) 'emailLang': emailLang,
      });

  /// Finishes a sign-in with the [token] of that link.
  Future<SignInResult> verifyMagicLink2fa({
    required String tempToken,
    required String token,
    bool rememberDevice = false,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/magic-link/verify', auth: _Auth.none, body: {
          'tempToken': tempToken,
          'token': token,
          'mode': '2fa',
          if (rememberDevice) 'rememberDevice': true,
        }),
      );

  /// Finishes a sign-in with the [code] of that mail.
  Future<SignInResult> verifyEmailCode2fa({
    required String tempToken,
    required String code,
    bool rememberDevice = false,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/magic-link/verify', auth: _Auth.none, body: {
          'tempToken': tempToken,
          'code': code,
          'mode': '2fa',
          if (rememberDevice) 'rememberDevice': true,
        }),
      );

  // ---- Setting up second factors -------------------------------------------

  /// Begins with a new authenticator app. May need a [StepUp]. With the
  /// [tempToken] of a sign-in that demands one, nobody is signed in yet.
  Future<TotpSetup> setup2fa({String? tempToken, StepUp? stepUp}) async =>
      TotpSetup.of(
        tempToken == null
            ? await _call(
                'POST',
                '/auth/2fa/setup',
                auth: _Auth.token,
                body: _proof(stepUp),
              )
            : await _call('POST', '/auth/2fa/setup', auth: _Auth.none, body: {
                'tempToken': tempToken,
              }),
      );

  /// Proves the new app with its first [code], and signs in if [tempToken] was
  /// given. Show the recovery codes.
  Future<RecoveryCodes> verifySetup({
    required String code,
    required String secret,
    String? tempToken,
  }) async =>
      RecoveryCodes.of(
        await _call(
          'POST',
          '/auth/2fa/verify-setup',
          auth: tempToken == null ? _Auth.token : _Auth.none,
          body: {
            'token': code,
            'secret': secret,
            if (tempToken != null) 'tempToken': tempToken,
          },
        ),
      );

  /// Removes the authenticator app. May need a [StepUp].
  Future<AuthResult> disable2fa({StepUp? stepUp}) => _call(
        'POST',
        '/auth/2fa/disable',
        auth: _Auth.token,
        body: _proof(stepUp),
      );

  /// New recovery codes instead of the old ones. May need a [StepUp].
  Future<RecoveryCodes> newRecoveryCodes({StepUp? stepUp}) async =>
      RecoveryCodes.of(
        await _call(
          'POST',
          '/auth/2fa/recovery-codes',
          auth: _Auth.token,
          body: _proof(stepUp),
        ),
      );

  /// Calls off the removal of the app with the token of the mail about it. Ask
  /// first.
  Future<AuthResult> keep2fa({required String token}) =>
      _call('POST', '/auth/2fa/keep', auth: _Auth.none, body: {
        'token': token,
      });

  // ---- Without a password --------------------------------------------------

  /// Mails a `link`, a `code`, or `both` ([type]) to sign in with.
  Future<AuthResult> sendMagicLink({
    required String email,
    String type = 'link',
    String? emailLang,
  }) =>
      _call('POST', '/auth/magic-link/send', auth: _Auth.none, body: {
        'email': email,
        'type': type,
        if (emailLang != null) 'emailLang': emailLang,
      });

  /// Signs in with the token of that link.
  Future<SignInResult> verifyMagicLink({required String token}) async =>
      SignInResult.of(
        await _call('POST', '/auth/magic-link/verify', auth: _Auth.none, body: {
          'token': token,
          ...await _known(),
        }),
      );

  /// Signs in with the code of that mail.
  Future<SignInResult> verifyEmailCode({
    required String email,
    required String code,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/magic-link/verify', auth: _Auth.none, body: {
          'email': email,
          'code': code,
          ...await _known(),
        }),
      );

  /// Texts a code to the account's proven number.
  Future<AuthResult> sendSmsCode({required String email}) =>
      _call('POST', '/auth/sms/send', auth: _Auth.none, body: {
        'email': email,
      });

  /// Signs in with that code.
  Future<SignInResult> verifySmsCode({
    required String email,
    required String code,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/sms/verify', auth: _Auth.none, body: {
          'email': email,
          'code': code,
          ...await _known(),
        }),
      );

  // ---- Providers -----------------------------------------------------------

  /// Signs in through [provider] (`google`, `github`, …) in the system's
  /// browser. A second factor is asked for as after a password.
  Future<SignInResult> loginWithOAuth(String provider) async {
    final pending = await _pend(false);
    final start = _address(
      '/auth/oauth/${Uri.encodeComponent(provider)}',
      query: _native(pending),
    );
    return SignInResult.of(await _browse(start));
  }

  /// Signs in with an ID token of Google's or Apple's own kit, which was asked
  /// for with [nonce]. Apple's tells the name to the app, once, beside the
  /// token: pass it on.
  Future<SignInResult> loginWithIdToken({
    required String provider,
    required String idToken,
    required String nonce,
    String? firstName,
    String? lastName,
  }) async =>
      SignInResult.of(
        await _call(
          'POST',
          '/auth/oauth/${Uri.encodeComponent(provider)}/token',
          auth: _Auth.none,
          body: {
            'idToken': idToken,
            'nonce': nonce,
            if (firstName != null) 'firstName': firstName,
            if (lastName != null) 'lastName': lastName,
          },
        ),
      );

  /// Links an account at [provider] to the user's. May need a [StepUp].
  Future<AuthResult> linkOAuth(String provider, {StepUp? stepUp}) async {
    final answer = await _call(
      'POST',
      '/auth/oauth/${Uri.encodeComponent(provider)}/link',
      auth: _Auth.token,
      body: _proof(stepUp),
    );
    final url = answer['url'];
    if (!answer.ok || url is! String) return answer;
    final start = Uri.parse(url);
    final pending = await _pend(true);
    return _browse(
      start.replace(
        queryParameters: {...start.queryParameters, ..._native(pending)},
      ),
    );
  }

  /// Finishes a sign-in through a provider with the address that the browser
  /// has ended at. [loginWithOAuth] and [linkOAuth] do it by themselves; for an
  /// app that was started anew meanwhile, [openLink] does.
  Future<SignInResult> finishOAuth(Uri end) async {
    final query = end.queryParameters;
    final text = await _read('oauthPending');
    final pending = text == null ? null : _object(text);
    final verifier = pending?['verifier'];
    if (verifier is! String || query['state'] != pending?['state']) {
      return SignInResult.of(AuthResult.local(
        'OAUTH_STATE_INVALID',
        'This sign-in was not begun here',
      ));
    }
    await _storage.delete('oauthPending');
    final refusal = query['error'];
    if (refusal != null) {
      return SignInResult.of(AuthResult.local(refusal, 'Sign-in failed'));
    }
    if (AuthLink.parse(end).kind == AuthLinkKind.oauth &&
        query['tempToken'] != null) {
      return SignInResult.of(_secondStep(query));
    }
    final ott = query['ott'];
    if (pending?['linking'] == true) {
      return SignInResult.of(
        await _call('POST', '/auth/oauth/link', auth: _Auth.token, body: {
          'ott': ott,
          'codeVerifier': verifier,
        }),
      );
    }
    return SignInResult.of(
      await _call('POST', '/auth/oauth/exchange', auth: _Auth.none, body: {
        'ott': ott,
        'codeVerifier': verifier,
      }),
    );
  }

  // ---- Linked accounts -----------------------------------------------------

  /// What is linked to the account.
  Future<AuthList<LinkedAccount>> getLinkedAccounts() async {
    final answer =
        await _call('GET', '/auth/linked-accounts', auth: _Auth.token);
    final entries = _objects(answer['linkedAccounts']);
    return AuthList(answer, entries.map(LinkedAccount.new));
  }

  /// Mails a link that links [email] to the account. May need the password as
  /// [StepUp].
  Future<AuthResult> linkRequest({
    required String email,
    String provider = 'email',
    String? emailLang,
    StepUp? stepUp,
  }) =>
      _call('POST', '/auth/link-request', auth: _Auth.optional, body: {
        'email': email,
        'provider': provider,
        if (emailLang != null) 'emailLang': emailLang,
        ..._proof(stepUp),
      });

  /// Links with the token of that link; with [loginAfterLinking] it signs in
  /// to the account that asked.
  Future<SignInResult> linkVerify({
    required String token,
    bool loginAfterLinking = false,
  }) async =>
      SignInResult.of(
        await _call('POST', '/auth/link-verify', auth: _Auth.none, body: {
          'token': token,
          if (loginAfterLinking) 'loginAfterLinking': true,
        }),
      );

  /// Removes one of [getLinkedAccounts]. May need a [StepUp].
  Future<AuthResult> unlinkAccount({
    required String provider,
    required String providerAccountId,
    StepUp? stepUp,
  }) =>
      _call(
        'DELETE',
        '/auth/linked-accounts/${Uri.encodeComponent(provider)}'
            '/${Uri.encodeComponent(providerAccountId)}',
        auth: _Auth.token,
        body: _proof(stepUp),
      );

  // ---- Links that open the app ---------------------------------------------

  /// Does what [uri] is for where that needs no question. Null: show a screen,
  /// according to [AuthLink.parse]. A link that signs in is left alone while
  /// somebody is signed in.
  Future<AuthResult?> openLink(Uri uri) async {
    final link = AuthLink.parse(uri);
    switch (link.kind) {
      case AuthLinkKind.verifyEmail:
        return verifyEmail(token: link.token);
      case AuthLinkKind.changeEmailConfirm:
        return changeEmailConfirm(token: link.token);
      case AuthLinkKind.linkVerify:
        return linkVerify(token: link.token);
      case AuthLinkKind.magicLink:
        if (await isSignedIn) return null;
        return verifyMagicLink(token: link.token);
      case AuthLinkKind.oauth:
        return finishOAuth(uri);
      case AuthLinkKind.resetPassword:
      case AuthLinkKind.changeEmailRevert:
      case AuthLinkKind.keepTwoFactor:
      case AuthLinkKind.unknown:
        return null;
    }
  }

  // ---- Requests ------------------------------------------------------------

  /// The address of [path] on the server.
  Uri _address(String path, {Map<String, String>? query}) {
    final uri = Uri.parse('$baseUrl$path');
    return query == null ? uri : uri.replace(queryParameters: query);
  }

  /// Every request goes through here.
  Future<AuthResult> _call(
    String method,
    String path, {
    required _Auth auth,
    Map<String, Object?>? body,
  }) =>
      _guard(() => _attempt(method, path, auth, body));

  /// What goes wrong on the way, as an answer.
  static Future<AuthResult> _guard(Future<AuthResult> Function() work) async {
    try {
      return await work();
    } on TimeoutException {
      return AuthResult.local('TIMEOUT', 'The server does not answer');
    } on PlatformException {
      return AuthResult.local('STORAGE_FAILED', 'The key store is not usable');
    } on Exception {
      return AuthResult.local('NETWORK_ERROR', 'No connection to the server');
    }
  }

  Future<AuthResult> _attempt(
    String method,
    String path,
    _Auth auth,
    Map<String, Object?>? body,
  ) async {
    if (auth == _Auth.none) {
      return _keep(await _send(method, path, null, body));
    }
    var token = await accessToken;
    if (token == null && await refreshToken != null) {
      final fresh = await _refresh();
      if (!fresh.ok) return fresh;
      token = await accessToken;
    }
    if (token == null && auth == _Auth.token) {
      return AuthResult.local('NO_ACCESS_TOKEN', 'Please sign in');
    }
    var answer = await _send(method, path, token, body);
    if (token != null && _refusedToken(answer)) {
      if (await accessToken == token) {
        final fresh = await _refresh();
        if (!fresh.ok) return fresh;
      }
      token = await accessToken;
      if (token == null) return answer;
      answer = await _send(method, path, token, body);
    }
    if (answer.code == 'SESSION_REVOKED' && await accessToken == token) {
      await _signOut('SESSION_REVOKED');
    }
    return _keep(answer);
  }

  /// Whether the token was the reason, and not a password or a code.
  static bool _refusedToken(AuthResult answer) =>
      answer.status == 401 && answer.code == 'INVALID_ACCESS_TOKEN';

  Future<AuthResult> _refresh() => _refreshing ??=
      _guard(_refreshNow).whenComplete(() => _refreshing = null);

  Future<AuthResult> _refreshNow() async {
    final token = await refreshToken;
    if (token == null) {
      return AuthResult.local('NO_ACCESS_TOKEN', 'Please sign in');
    }
    final answer = await _send('POST', '/auth/refresh', null, {
      'refreshToken': token,
    });
    // Somebody has signed in or out meanwhile, or another isolate was faster.
    final now = await refreshToken;
    if (now != token) {
      return now == null
          ? AuthResult.local('NO_ACCESS_TOKEN', 'Please sign in')
          : AuthResult(200, const {'success': true});
    }
    final access = answer['accessToken'];
    final refresh = answer['refreshToken'];
    if (answer.ok && access is String && refresh is String) {
      await _store(access, refresh);
      return answer;
    }
    if (answer.status == 401 && _final.contains(answer.code)) {
      await _signOut(answer.code!);
      return answer;
    }
    if (!answer.ok) return answer;
    return AuthResult.local('UNEXPECTED_ANSWER', 'No tokens in the answer');
  }

  /// The refusals of a refresh that are the end of the session.
  static const Set<String> _final = {
    'SESSION_REVOKED',
    'INVALID_REFRESH_TOKEN',
  };

  /// Stores what an answer brings.
  Future<AuthResult> _keep(AuthResult answer) async {
    final access = answer['accessToken'];
    final refresh = answer['refreshToken'];
    final device = answer['deviceToken'];
    final trust = answer['trustToken'];
    if (device is String) await _storage.write('deviceToken', device);
    if (trust is String) await _storage.write('trustToken', trust);
    if (access is String && refresh is String) {
      await _store(access, refresh);
      _states.add(const SessionState.signedIn());
    }
    return answer;
  }

  /// The refresh token first: an access token without it would be used by
  /// requests whose session cannot go on.
  Future<void> _store(String access, String refresh) async {
    final ends = DateTime.now().add(_life(access)).millisecondsSinceEpoch;
    await _storage.write('refreshToken', refresh);
    await _storage.write('accessTokenEnds', '$ends');
    await _storage.write('accessToken', access);
  }

  /// For how long a new access token is good: by the difference of two times
  /// of the server, since the clock here may be wrong. Zero if it does not say.
  static Duration _life(String token) {
    final parts = token.split('.');
    if (parts.length != 3) return Duration.zero;
    try {
      final claims = _object(
        utf8.decode(base64Url.decode(base64Url.normalize(parts.elementAt(1)))),
      );
      final from = claims?['iat'];
      final until = claims?['exp'];
      return from is int && until is int && until > from
          ? Duration(seconds: until - from)
          : Duration.zero;
    } on FormatException {
      return Duration.zero;
    }
  }

  /// Whether the access token is good for that long.
  Future<bool> _lasts(Duration time) async {
    final ends = int.tryParse(await _read('accessTokenEnds') ?? '');
    return ends != null &&
        ends > DateTime.now().add(time).millisecondsSinceEpoch &&
        await _read('accessToken') != null;
  }

  Future<void> _signOut(String reason) async {
    await clearTokens();
    _states.add(SessionState.signedOut(reason));
  }

  /// One request, one answer. The only use of the HTTP client.
  Future<AuthResult> _send(
    String method,
    String path,
    String? token,
    Map<String, Object?>? body,
  ) async {
    final request = http.Request(method, _address(path));
    request.headers['Accept'] = 'application/json';
    request.headers['X-Auth-Strategy'] = 'bearer';
    if (token != null) request.headers['Authorization'] = 'Bearer $token';
    if (body != null) {
      request.headers['Content-Type'] = 'application/json';
      request.body = jsonEncode(body);
    }
    final answer = await _http
        .send(request)
        .then(http.Response.fromStream)
        .timeout(timeout);
    final json = _object(utf8.decode(answer.bodyBytes, allowMalformed: true));
    final seconds = int.tryParse(answer.headers['retry-after'] ?? '');
    final text = 'HTTP ${answer.statusCode}';
    return AuthResult(
      answer.statusCode,
      json ?? {'error': text, 'message': text, 'code': 'UNEXPECTED_ANSWER'},
      retryAfter: seconds == null ? null : Duration(seconds: seconds),
    );
  }

  /// The JSON object in [text]; null for anything else, such as a proxy's page.
  static Map<String, dynamic>? _object(String text) {
    try {
      final json = jsonDecode(text);
      return json is Map<String, dynamic> ? json : null;
    } on FormatException {
      return null;
    }
  }

  static Iterable<Map<String, dynamic>> _objects(Object? list) =>
      list is List ? list.whereType<Map<String, dynamic>>() : const [];

  Future<String?> _read(String key) async {
    try {
      return await _storage.read(key);
    } on PlatformException {
      return null;
    }
  }

  /// What makes this a known device, and spares it the second factor.
  Future<Map<String, Object?>> _known() async {
    final device = await _read('deviceToken');
    final trust = await _read('trustToken');
    return {
      if (device != null) 'deviceToken': device,
      if (trust != null) 'trustToken': trust,
    };
  }

  /// What [stepUp] adds to a body.
  static Map<String, Object?> _proof(StepUp? stepUp) => {
        if (stepUp?.currentPassword != null)
          'currentPassword': stepUp?.currentPassword,
        if (stepUp?.totpCode != null) 'totpCode': stepUp?.totpCode,
        if (stepUp?.recoveryCode != null) 'recoveryCode': stepUp?.recoveryCode,
      };

  // ---- Providers: what stays in the app -------------------------------------

  /// Makes the secrets of a sign-in and stores them: the app may be ended while
  /// the browser is open.
  Future<Map<String, String>> _pend(bool linking) async {
    final pending = {'state': _random(), 'verifier': _random()};
    await _storage.write(
      'oauthPending',
      jsonEncode({...pending, 'linking': linking}),
    );
    return pending;
  }

  /// What a start request of an app carries.
  Map<String, String> _native(Map<String, String> pending) => {
        'redirect_uri': redirectUri,
        'code_challenge': _unpadded(
          sha256.convert(ascii.encode(pending['verifier']!)).bytes,
        ),
        'code_challenge_method': 'S256',
        'state': pending['state']!,
      };

  Future<AuthResult> _browse(Uri start) async {
    final String end;
    try {
      end = await _browser('$start', Uri.parse(redirectUri).scheme);
    } on PlatformException catch (e) {
      await _storage.delete('oauthPending');
      return e.code == 'CANCELED'
          ? AuthResult.local('CANCELLED', 'Cancelled')
          : AuthResult.local('BROWSER_FAILED', 'The browser cannot be opened');
    }
    return finishOAuth(Uri.parse(end));
  }

  /// The second factor in the address that the browser ended at, in the form
  /// of the answer to a sign-in.
  static AuthResult _secondStep(Map<String, String> query) {
    final methods = query['methods'] ?? '';
    final setup = query['requires2FASetup'] == 'true';
    return AuthResult(setup ? 403 : 200, {
      'tempToken': query['tempToken'],
      'available2faMethods':
          methods.isEmpty ? const <String>[] : methods.split(','),
      if (setup) ...{
        'requires2FASetup': true,
        'error': '2FA setup required',
        'message': '2FA setup required',
        'code': '2FA_SETUP_REQUIRED',
      } else
        'requiresTwoFactor': true,
    });
  }

  static String _random() {
    final random = Random.secure();
    return _unpadded(List<int>.generate(32, (_) => random.nextInt(256)));
  }

  static String _unpadded(List<int> bytes) =>
      base64Url.encode(bytes).replaceAll('=', '');
}

/// Finds what the server asks of an unknown device while passwords are guessed
/// at many accounts: a text that makes a hash begin with so many zero bits.
String _solve(Map<dynamic, dynamic> challenge) {
  final text = challenge['challenge'] as String;
  final bits = challenge['bits'] as int;
  for (var n = 0;; n++) {
    final answer = '$text.${n.toRadixString(16)}';
    final hash = sha256.convert(ascii.encode(answer)).bytes;
    var zeros = 0;
    for (final byte in hash) {
      zeros += byte == 0 ? 8 : 8 - byte.bitLength;
      if (byte != 0) break;
    }
    if (zeros >= bits) return answer;
  }
}

/// Sign-in with a Sallyport server through libsallyport.
///
/// Calls run on threads of the library and nothing blocks the isolate. What a
/// call sends and when it fails is told in `sallyport.h`, whose names and order
/// of arguments these are.
library sallyport_ffi;

import 'dart:async';
import 'dart:convert';
import 'dart:ffi';
import 'dart:io';
import 'dart:isolate';

import 'package:ffi/ffi.dart';

import 'src/bindings.dart';

// ---------------------------------------------------------------------------
// Results
// ---------------------------------------------------------------------------

/// What a call came to. In the order of the header's `sp_error`.
enum SallyportError {
  /// It was done.
  ok,

  /// The sign-in goes on with [SallyportResult.challenge].
  secondFactor,

  /// The account must get a second factor first.
  setupRequired,

  /// The server refused: [SallyportResult.code] and message say what.
  refused,

  /// The server wants the password or a code: the same call with one of them.
  reauth,

  /// Nobody is signed in, or the session has just ended.
  signedOut,

  /// Too many requests, or an overloaded server. See retryAfter.
  later,

  /// No answer. Whether the request was done is not known.
  network,

  /// No answer in time.
  timeout,

  /// A fault of the server.
  server,

  /// An answer that no Sallyport gives.
  protocol,

  /// An argument that cannot be.
  invalid,

  /// The store of tokens failed.
  store,

  /// Something is not there: a library, a feature of the kernel, a browser.
  unavailable,

  /// [SallyportClient.cancel] or [SallyportClient.close] was called.
  cancelled,

  /// Out of memory, threads or file descriptors.
  memory,

  /// One of a newer library.
  unknown,
}

/// What a sign-in still needs.
class Challenge {
  Challenge._(sp_challenge c)
      : tempToken = _need(c.temp_token),
        methods = _texts(c.methods, c.n_methods);

  /// For the functions that take one; good for five minutes.
  final String tempToken;

  /// Of `totp`, `sms`, `magic-link`, in the order to show them in.
  final List<String> methods;
}

/// Who is signed in. Null: the account has none.
class Profile {
  Profile._(sp_profile p)
      : id = _need(p.id),
        email = _need(p.email),
        firstName = _text(p.first_name),
        lastName = _text(p.last_name),
        name = _text(p.name),
        phoneNumber = _text(p.phone_number),
        role = _text(p.role),
        loginProvider = _text(p.login_provider),
        lastLogin = _text(p.last_login),
        isEmailVerified = p.is_email_verified != 0,
        isTotpEnabled = p.is_totp_enabled != 0,
        hasPassword = p.has_password != 0,
        isAdmin = p.is_admin != 0,
        isGuest = p.is_guest != 0;

  /// Never changes.
  final String id;

  /// Empty for a guest.
  final String email;

  /// As the user gave it.
  final String? firstName;

  /// As the user gave it.
  final String? lastName;

  /// To be shown.
  final String? name;

  /// Proven, E.164.
  final String? phoneNumber;

  /// The server's word.
  final String? role;

  /// How the account was made.
  final String? loginProvider;

  /// RFC 3339, UTC.
  final String? lastLogin;

  /// Whether the address was proven.
  final bool isEmailVerified;

  /// Whether an authenticator app is set up.
  final bool isTotpEnabled;

  /// Whether a password can be used.
  final bool hasPassword;

  /// Whether this is an administrator.
  final bool isAdmin;

  /// Whether this is an account without an address.
  final bool isGuest;
}

/// A session of the account, on this device or another.
class Session {
  Session._(sp_session s)
      : handle = _need(s.handle),
        createdAt = _text(s.created_at),
        expiresAt = _text(s.expires_at),
        lastActiveAt = _text(s.last_active_at),
        userAgent = _text(s.user_agent),
        ipAddress = _text(s.ip_address),
        isCurrent = s.is_current != 0;

  /// For [SallyportClient.revokeSession].
  final String handle;

  /// RFC 3339, UTC.
  final String? createdAt;

  /// RFC 3339, UTC.
  final String? expiresAt;

  /// RFC 3339, UTC.
  final String? lastActiveAt;

  /// Null: not known.
  final String? userAgent;

  /// Without its last part; null: not known.
  final String? ipAddress;

  /// Whether it is this client's.
  final bool isCurrent;
}

/// Another way into the account.
class LinkedAccount {
  LinkedAccount._(sp_linked_account a)
      : provider = _need(a.provider),
        providerAccountId = _need(a.provider_account_id),
        email = _text(a.email),
        name = _text(a.name),
        picture = _text(a.picture),
        linkedAt = _text(a.linked_at);

  /// For [SallyportClient.unlinkAccount].
  final String provider;

  /// For [SallyportClient.unlinkAccount].
  final String providerAccountId;

  /// Null: not known.
  final String? email;

  /// Null: not known.
  final String? name;

  /// Null: not known.
  final String? picture;

  /// RFC 3339, UTC.
  final String? linkedAt;
}

/// An authenticator app being set up.
class TotpSetup {
  TotpSetup._(sp_totp t)
      : secret = _need(t.secret),
        otpauthUrl = _need(t.otpauth_url),
        qrCode = _need(t.qr_code);

  /// Base32, for typing in.
  final String secret;

  /// For opening on the phone itself.
  final String otpauthUrl;

  /// The same as a picture, `data:image/png;base64,…`.
  final String qrCode;
}

/// What the server complained of in one field of a request.
class FieldFault {
  FieldFault._(sp_field f)
      : field = _need(f.field),
        reason = _need(f.reason);

  /// Such as `password`.
  final String field;

  /// Such as `PASSWORD_TOO_SHORT`.
  final String reason;
}

/// What a call came to. Null where there is nothing to say.
class SallyportResult {
  SallyportResult._(sp_result r)
      : error = _errorOf(r.error),
        status = r.status,
        code = _need(r.code),
        message = _need(r.message),
        retryAfter = Duration(seconds: r.retry_after),
        fields = _list(r.n_fields, (i) => FieldFault._(r.fields[i])),
        challenge =
            r.challenge == nullptr ? null : Challenge._(r.challenge.ref),
        profile = r.profile == nullptr ? null : Profile._(r.profile.ref),
        sessions = _list(r.n_sessions, (i) => Session._(r.sessions[i])),
        accounts = _list(r.n_accounts, (i) => LinkedAccount._(r.accounts[i])),
        totp = r.totp == nullptr ? null : TotpSetup._(r.totp.ref),
        recoveryCodes = _texts(r.recovery_codes, r.n_recovery_codes),
        userId = _text(r.user_id),
        accessToken = _text(r.access_token),
        url = _text(r.url),
        mergeToken = _text(r.merge_token),
        linkToken = _text(r.link_token),
        body = _bytes(r.body, r.body_length);

  SallyportResult._of(int number, String name)
      : error = _errorOf(number),
        status = 0,
        code = '',
        message = name,
        retryAfter = Duration.zero,
        fields = const [],
        challenge = null,
        profile = null,
        sessions = const [],
        accounts = const [],
        totp = null,
        recoveryCodes = const [],
        userId = null,
        accessToken = null,
        url = null,
        mergeToken = null,
        linkToken = null,
        body = null;

  /// [SallyportError.ok], or why not.
  final SallyportError error;

  /// Of HTTP; 0 without an answer.
  final int status;

  /// The server's stable code; empty without.
  final String code;

  /// For people, in English.
  final String message;

  /// Zero: not said.
  final Duration retryAfter;

  /// What was wrong with the request.
  final List<FieldFault> fields;

  /// With secondFactor and setupRequired.
  final Challenge? challenge;

  /// Of [SallyportClient.getProfile].
  final Profile? profile;

  /// Of [SallyportClient.getSessions].
  final List<Session> sessions;

  /// Of [SallyportClient.getLinkedAccounts].
  final List<LinkedAccount> accounts;

  /// Of [SallyportClient.setup2fa].
  final TotpSetup? totp;

  /// To be shown once.
  final List<String> recoveryCodes;

  /// Of [SallyportClient.register] and [SallyportClient.guest].
  final String? userId;

  /// Of [SallyportClient.accessToken].
  final String? accessToken;

  /// To be opened in the system's browser.
  final String? url;

  /// Of a guest's [SallyportClient.register] whose address has an account.
  final String? mergeToken;

  /// Of [SallyportClient.openLink], where the user must be asked first.
  final String? linkToken;

  /// The answer as it came.
  final String? body;

  /// Whether the call was done.
  bool get ok => error == SallyportError.ok;
}

/// What happened to the session. In the order of the header's `sp_state`.
enum SessionState {
  /// One of a newer library.
  unknown,

  /// Somebody has signed in.
  signedIn,

  /// The tokens were replaced.
  refreshed,

  /// The tokens are gone.
  signedOut,
}

/// An event of [SallyportClient.states].
class SessionEvent {
  SessionEvent._(this.state, this.reason);

  /// What happened.
  final SessionState state;

  /// With signedOut: `LOGOUT`, `ACCOUNT_DELETED`, `CLEARED`, `SESSION_REVOKED`
  /// or `INVALID_REFRESH_TOKEN`; else empty.
  final String reason;
}

/// Why there is no client.
class SallyportException implements Exception {
  SallyportException._(this.error, this.name, this.what);

  /// What went wrong.
  final SallyportError error;

  /// Its name in the library, `SP_STORE`.
  final String name;

  /// What was to be done.
  final String what;

  @override
  String toString() => 'SallyportException: $what: $name';
}

// ---------------------------------------------------------------------------
// Stores
// ---------------------------------------------------------------------------

enum _Place { memory, file, keyring, secretService }

/// Where the library keeps tokens.
class SallyportStore {
  /// Gone with the client.
  const SallyportStore.memory()
      : _place = _Place.memory,
        _path = '',
        _passphrase = '';

  /// One encrypted file. Needs libsodium.
  const SallyportStore.file(String path, String passphrase)
      : _place = _Place.file,
        _path = path,
        _passphrase = passphrase;

  /// The Linux kernel's keyring: never on disk.
  const SallyportStore.keyring()
      : _place = _Place.keyring,
        _path = '',
        _passphrase = '';

  /// The desktop's Secret Service. Needs libsecret.
  const SallyportStore.secretService()
      : _place = _Place.secretService,
        _path = '',
        _passphrase = '';

  final _Place _place;
  final String _path;
  final String _passphrase;

  int _open(Bindings c, Pointer<sp_store> store) {
    switch (_place) {
      case _Place.memory:
        return c.sp_store_memory(store);
      case _Place.file:
        return using((arena) => c.sp_store_file(
            _native(arena, _path), _native(arena, _passphrase), store));
      case _Place.keyring:
        return c.sp_store_keyring(store);
      case _Place.secretService:
        return c.sp_store_secret_service(store);
    }
  }
}

// ---------------------------------------------------------------------------
// The client
// ---------------------------------------------------------------------------

/// Signs in to one server. Made by [open], and to be closed with [close] before
/// its isolate ends.
///
/// No call throws: look at [SallyportResult.error]. At most four run at once
/// and 64 wait; more end with [SallyportError.later].
class SallyportClient {
  SallyportClient._(this._path, this._c) {
    _onState = NativeCallable<sp_state_fn>.listener(_state)
      ..keepIsolateAlive = false;
    _onDone = NativeCallable<sp_done_fn>.listener(_done)
      ..keepIsolateAlive = false;
  }

  /// A client for [server], `https://auth.example.com`. [account] tells several
  /// users of one store apart. [libraryPath]: where the library is, if not
  /// where the system looks for it. Throws [SallyportException], and what
  /// [DynamicLibrary.open] throws.
  static Future<SallyportClient> open({
    required String server,
    String? prefix,
    String? account,
    SallyportStore store = const SallyportStore.memory(),
    String? language,
    String? userAgent,
    String? caFile,
    Duration timeout = Duration.zero,
    Duration connectTimeout = Duration.zero,
    String? loopbackPath,
    String? libraryPath,
  }) async {
    final c = Bindings(_load(libraryPath));
    _checkVersion(c);
    return using((arena) async {
      final place = arena<sp_store>();
      final options = arena<sp_options>();
      options.ref
        ..size = sizeOf<sp_options>()
        ..server = _native(arena, server)
        ..prefix = _native(arena, prefix)
        ..account = _native(arena, account)
        ..store = place
        ..language = _native(arena, language)
        ..user_agent = _native(arena, userAgent)
        ..ca_file = _native(arena, caFile)
        ..timeout_ms = timeout.inMilliseconds
        ..connect_timeout_ms = connectTimeout.inMilliseconds
        ..loopback_path = _native(arena, loopbackPath)
        ..context = nullptr;
      _check(c, await _openStore(libraryPath, store, place.address), 'store');
      final client = SallyportClient._(libraryPath, c);
      final made = arena<Pointer<sp_client>>();
      options.ref.on_state = client._onState.nativeFunction;
      try {
        _check(c, c.sp_client_new(options, made), 'client');
      } catch (_) {
        client._release();
        rethrow;
      }
      client._client = made.value;
      return client;
    });
  }

  final String? _path;
  final Bindings _c;
  late final Pointer<sp_client> _client;
  late final NativeCallable<sp_state_fn> _onState;
  late final NativeCallable<sp_done_fn> _onDone;
  final StreamController<SessionEvent> _states = StreamController.broadcast();
  final Map<int, Completer<SallyportResult>> _started = {};
  final Set<Future<int>> _asked = {};
  int _last = 0;
  Future<void>? _closing;

  /// What happens to the session, in order, before the call that brought it
  /// about completes. Events without a listener are not kept.
  Stream<SessionEvent> get states => _states.stream;

  /// Whether there are tokens, without asking the server; null when the store
  /// fails, or the client is closed.
  Future<bool?> isSignedIn() async {
    if (_closing != null) return null;
    final asked = _askSignedIn(_path, _client.address);
    _asked.add(asked);
    try {
      final answer = await asked;
      return answer < 0 ? null : answer != 0;
    } finally {
      _asked.remove(asked);
    }
  }

  /// While [remember] is true, second factors ask the server not to ask again
  /// on this device.
  void rememberDevice({required bool remember}) {
    if (_closing == null) _c.sp_remember_device(_client, remember ? 1 : 0);
  }

  /// Ends the calls under way, and all until [resume], with
  /// [SallyportError.cancelled].
  void cancel() {
    if (_closing == null) _c.sp_client_cancel(_client);
  }

  /// After [cancel].
  void resume() {
    if (_closing == null) _c.sp_client_resume(_client);
  }

  /// Ends the calls under way, waits for them, and frees everything.
  Future<void> close() => _closing ??= _close();

  // No call is under way when the client is freed, so that this does not wait;
  // its threads are gone then, and nobody is left who could use the callbacks.
  // Whatever a thread posted was posted before the end of its call, so that no
  // event is lost either.
  Future<void> _close() async {
    _c.sp_client_cancel(_client);
    await Future.wait<Object>([
      ..._started.values.map((completer) => completer.future),
      ..._asked,
    ]);
    _c.sp_client_free(_client);
    _release();
  }

  void _release() {
    _onState.close();
    _onDone.close();
    unawaited(_states.close());
  }

  // The thread of the call has gone on meanwhile: the reason is static text.
  void _state(Pointer<Void> context, int state, Pointer<Char> reason) {
    final known = state < SessionState.values.length;
    _states.add(SessionEvent._(
        known ? SessionState.values[state] : SessionState.unknown,
        _need(reason)));
  }

  // The result is this function's, which runs once for each call.
  void _done(Pointer<Void> context, Pointer<sp_result> result) {
    final completer = _started.remove(context.address)!;
    _onDone.keepIsolateAlive = _started.isNotEmpty;
    final SallyportResult copy;
    try {
      copy = SallyportResult._(result.ref);
    } finally {
      _c.sp_result_free(result);
    }
    completer.complete(copy);
  }

  Future<SallyportResult> _start(String call, List<String?> arguments) {
    if (_closing != null) return _failed(SP_CANCELLED);
    if (arguments.any(_hasZero)) return _failed(SP_INVALID);
    final id = ++_last;
    final e = using((arena) {
      final list = arena<Pointer<Char>>(arguments.length + 1);
      for (var i = 0; i < arguments.length; i++) {
        list[i] = _native(arena, arguments[i]);
      }
      return _c.sp_start(_client, _native(arena, call), list, arguments.length,
          _onDone.nativeFunction, Pointer.fromAddress(id));
    });
    if (e != SP_OK) return _failed(e);
    _onDone.keepIsolateAlive = true;
    return (_started[id] = Completer<SallyportResult>()).future;
  }

  Future<SallyportResult> _failed(int error) =>
      Future.value(SallyportResult._of(error, _nameOf(_c, error)));

  // ---- accounts ----

  /// POST /register. Does not sign in. userId.
  Future<SallyportResult> register(
    String email,
    String password, {
    String? firstName,
    String? lastName,
  }) =>
      _start('register', [email, password, firstName, lastName]);

  /// POST /login. Signs in.
  Future<SallyportResult> login(String email, String password) =>
      _start('login', [email, password]);

  /// POST /logout. The tokens are gone in any case.
  Future<SallyportResult> logout() => _start('logout', []);

  /// POST /guest. Signs in to a new account without address. userId.
  Future<SallyportResult> guest() => _start('guest', []);

  /// POST /refresh, now. Other calls do this by themselves.
  Future<SallyportResult> refresh() => _start('refresh', []);

  /// A token for requests to other servers, good for [minValidity] at least.
  Future<SallyportResult> accessToken({Duration minValidity = Duration.zero}) =>
      _start('access_token', ['${minValidity.inSeconds}']);

  /// Forgets the tokens without telling the server.
  Future<SallyportResult> clearTokens() => _start('clear_tokens', []);

  /// GET /me. profile.
  Future<SallyportResult> getProfile() => _start('get_profile', []);

  /// PATCH /profile. Null: stays as it is; empty: removed.
  Future<SallyportResult> updateProfile({
    String? firstName,
    String? lastName,
  }) =>
      _start('update_profile', [firstName, lastName]);

  /// GET /export. body.
  Future<SallyportResult> export() => _start('export', []);

  /// DELETE /account. For good; signs out.
  Future<SallyportResult> deleteAccount({String? password, String? code}) =>
      _start('delete_account', [password, code]);

  /// GET /sessions. sessions.
  Future<SallyportResult> getSessions() => _start('get_sessions', []);

  /// DELETE /sessions/{handle}.
  Future<SallyportResult> revokeSession(String handle) =>
      _start('revoke_session', [handle]);

  // ---- second factors ----

  /// POST /2fa/verify. Signs in with six digits of the app.
  Future<SallyportResult> verifyTotp(String tempToken, String totpCode) =>
      _start('verify_totp', [tempToken, totpCode]);

  /// POST /2fa/verify. Signs in with a recovery code.
  Future<SallyportResult> verifyRecoveryCode(
    String tempToken,
    String recoveryCode,
  ) =>
      _start('verify_recovery_code', [tempToken, recoveryCode]);

  /// POST /sms/send. To the account's number.
  Future<SallyportResult> sendSms2fa(String tempToken) =>
      _start('send_sms_2fa', [tempToken]);

  /// POST /sms/verify. Signs in.
  Future<SallyportResult> verifySms2fa(String tempToken, String code) =>
      _start('verify_sms_2fa', [tempToken, code]);

  /// POST /magic-link/send. [type]: `link`, `code`, `both`; null: link.
  Future<SallyportResult> sendMagicLink2fa(String tempToken, {String? type}) =>
      _start('send_magic_link_2fa', [tempToken, type]);

  /// POST /magic-link/verify. Signs in with the token of the link.
  Future<SallyportResult> verifyMagicLink2fa(String tempToken, String token) =>
      _start('verify_magic_link_2fa', [tempToken, token]);

  /// POST /magic-link/verify. Signs in with the code of the mail.
  Future<SallyportResult> verifyEmailCode2fa(String tempToken, String code) =>
      _start('verify_email_code_2fa', [tempToken, code]);

  /// POST /2fa/setup. totp. [tempToken]: of setupRequired; null: the session.
  Future<SallyportResult> setup2fa({
    String? tempToken,
    String? password,
    String? code,
  }) =>
      _start('setup_2fa', [tempToken, password, code]);

  /// POST /2fa/verify-setup. recoveryCodes. With a token it signs in.
  Future<SallyportResult> verifySetup2fa(String? tempToken, String totpCode) =>
      _start('verify_setup_2fa', [tempToken, totpCode]);

  /// POST /2fa/disable.
  Future<SallyportResult> disable2fa({String? password, String? code}) =>
      _start('disable_2fa', [password, code]);

  /// POST /2fa/recovery-codes. recoveryCodes; the old ones are void.
  Future<SallyportResult> newRecoveryCodes({String? password, String? code}) =>
      _start('new_recovery_codes', [password, code]);

  /// POST /2fa/keep, with the token of the mail that an administrator gets when
  /// his app is to be removed: it stays.
  Future<SallyportResult> keep2fa(String token) => _start('keep_2fa', [token]);

  // ---- without a password ----

  /// POST /magic-link/send. [type]: `link`, `code`, `both`; null: link.
  Future<SallyportResult> sendMagicLink(String email, {String? type}) =>
      _start('send_magic_link', [email, type]);

  /// POST /magic-link/verify. Signs in with the token of the link.
  Future<SallyportResult> verifyMagicLink(String token) =>
      _start('verify_magic_link', [token]);

  /// POST /magic-link/verify. Signs in with the code of the mail.
  Future<SallyportResult> verifyEmailCode(String email, String code) =>
      _start('verify_email_code', [email, code]);

  /// POST /sms/send. To the proven number of the account.
  Future<SallyportResult> sendSms(String email) =>
      _start('send_sms', [email]);

  /// POST /sms/verify. Signs in.
  Future<SallyportResult> verifySms(String email, String code) =>
      _start('verify_sms', [email, code]);

  // ---- password, address, number ----

  /// POST /forgot-password.
  Future<SallyportResult> forgotPassword(String email) =>
      _start('forgot_password', [email]);

  /// POST /reset-password. Ends every session of the account.
  Future<SallyportResult> resetPassword(String token, String newPassword) =>
      _start('reset_password', [token, newPassword]);

  /// POST /change-password. Ends every other session.
  Future<SallyportResult> changePassword(
    String currentPassword,
    String newPassword,
  ) =>
      _start('change_password', [currentPassword, newPassword]);

  /// POST /send-verification-email. Null: to who is signed in.
  Future<SallyportResult> sendVerificationEmail({String? email}) =>
      _start('send_verification_email', [email]);

  /// POST /verify-email.
  Future<SallyportResult> verifyEmail(String token) =>
      _start('verify_email', [token]);

  /// POST /change-email/request. A mail goes to the new address.
  Future<SallyportResult> changeEmailRequest(
    String newEmail, {
    String? password,
    String? code,
  }) =>
      _start('change_email_request', [newEmail, password, code]);

  /// POST /change-email/confirm, with the token of that mail.
  Future<SallyportResult> changeEmailConfirm(String token) =>
      _start('change_email_confirm', [token]);

  /// POST /change-email/revert, with that of the mail to the old address.
  Future<SallyportResult> changeEmailRevert(String token) =>
      _start('change_email_revert', [token]);

  /// POST /add-phone. E.164; null removes the number.
  Future<SallyportResult> addPhone(
    String? phoneNumber, {
    String? password,
    String? code,
  }) =>
      _start('add_phone', [phoneNumber, password, code]);

  /// POST /add-phone/verify, with the code that was sent.
  Future<SallyportResult> verifyPhone(String smsCode) =>
      _start('verify_phone', [smsCode]);

  // ---- linked accounts ----

  /// GET /linked-accounts. accounts.
  Future<SallyportResult> getLinkedAccounts() =>
      _start('get_linked_accounts', []);

  /// POST /link-request. A mail goes to the address.
  Future<SallyportResult> linkRequest(
    String email, {
    String? provider,
    String? password,
  }) =>
      _start('link_request', [email, provider, password]);

  /// POST /link-verify, with the token of that mail.
  Future<SallyportResult> linkVerify(String token, {bool signIn = false}) =>
      _start('link_verify', [token, signIn ? '1' : '0']);

  /// DELETE /linked-accounts/{provider}/{id}.
  Future<SallyportResult> unlinkAccount(
    String provider,
    String providerAccountId, {
    String? password,
  }) =>
      _start('unlink_account', [provider, providerAccountId, password]);

  // ---- other providers ----

  /// Opens the system's browser and waits on a loopback address. Signs in.
  Future<SallyportResult> oauthLogin(
    String provider, {
    Duration timeout = Duration.zero,
  }) =>
      _start('oauth_login', [provider, '${timeout.inSeconds}']);

  /// The same, and links the account there to the one signed in.
  Future<SallyportResult> oauthLink(
    String provider, {
    String? password,
    Duration timeout = Duration.zero,
  }) =>
      _start('oauth_link', [provider, password, '${timeout.inSeconds}']);

  /// For apps with an address of their own. url, for the browser.
  Future<SallyportResult> oauthBegin(String provider, String redirectUri) =>
      _start('oauth_begin', [provider, redirectUri]);

  /// The same for linking.
  Future<SallyportResult> oauthLinkBegin(
    String provider,
    String redirectUri, {
    String? password,
  }) =>
      _start('oauth_link_begin', [provider, redirectUri, password]);

  /// The address that the app was opened with afterwards.
  Future<SallyportResult> oauthContinue(String url) =>
      _start('oauth_continue', [url]);

  /// POST /oauth/{provider}/token, with an ID token of the provider's kit.
  Future<SallyportResult> oauthToken(
    String provider,
    String idToken, {
    String? nonce,
  }) =>
      _start('oauth_token', [provider, idToken, nonce]);

  /// A link of a mail, or a provider's answer, that the user has opened.
  ///
  /// Where the user must be asked first nothing is sent:
  /// [SallyportError.invalid], [SallyportResult.linkToken], and a
  /// [SallyportResult.code] that says what to call with it: `PASSWORD_NEEDED`
  /// ([resetPassword]), `CONFIRM_SIGN_IN` ([verifyMagicLink]; somebody is signed
  /// in), `CONFIRM_EMAIL_REVERT` ([changeEmailRevert]) or `CONFIRM_KEEP_2FA`
  /// ([keep2fa]).
  Future<SallyportResult> openLink(String url) =>
      _start('open_link', [url]);
}

// ---------------------------------------------------------------------------
// Between Dart and C
// ---------------------------------------------------------------------------

DynamicLibrary _load(String? path) {
  if (path != null) return DynamicLibrary.open(path);
  if (Platform.isLinux) return DynamicLibrary.open('libsallyport.so.0');
  if (Platform.isMacOS) return DynamicLibrary.open('libsallyport.0.dylib');
  throw UnsupportedError('libraryPath must say where libsallyport is');
}

// A newer minor version only adds, so that structs are at least as long as
// these.
void _checkVersion(Bindings c) {
  final text = _need(c.sp_version());
  final parts = text.split('.').map(int.parse).toList();
  if (parts[0] != SP_VERSION_MAJOR || parts[1] < SP_VERSION_MINOR) {
    throw SallyportException._(
        SallyportError.unavailable, 'version $text', 'library');
  }
}

void _check(Bindings c, int error, String what) {
  if (error == SP_OK) return;
  throw SallyportException._(_errorOf(error), _nameOf(c, error), what);
}

// These two wait for a disk, a desktop service or a slow hash, and cannot be
// started: each runs on a thread of its own. Nothing but numbers and texts goes
// there.
Future<int> _openStore(String? path, SallyportStore store, int place) =>
    Isolate.run(
        () => store._open(Bindings(_load(path)), Pointer.fromAddress(place)));

Future<int> _askSignedIn(String? path, int client) => Isolate.run(() =>
    Bindings(_load(path)).sp_is_signed_in(Pointer.fromAddress(client)));

SallyportError _errorOf(int number) => number < SallyportError.unknown.index
    ? SallyportError.values[number]
    : SallyportError.unknown;

String _nameOf(Bindings c, int error) => _need(c.sp_error_name(error));

bool _hasZero(String? text) => text != null && text.contains('\u0000');

Pointer<Char> _native(Arena arena, String? text) {
  if (text == null) return nullptr;
  if (_hasZero(text)) throw ArgumentError('a zero in a text');
  return text.toNativeUtf8(allocator: arena).cast();
}

String? _bytes(Pointer<Char> text, int length) => text == nullptr
    ? null
    : utf8.decode(text.cast<Uint8>().asTypedList(length), allowMalformed: true);

String? _text(Pointer<Char> text) =>
    text == nullptr ? null : _bytes(text, text.cast<Utf8>().length);

String _need(Pointer<Char> text) => _text(text) ?? '';

List<T> _list<T>(int n, T Function(int) of) =>
    List.unmodifiable(Iterable<T>.generate(n, of));

List<String> _texts(Pointer<Pointer<Char>> texts, int n) =>
    _list(n, (i) => _need(texts[i]));

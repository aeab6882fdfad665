import 'dart:async';
import 'dart:convert';

import 'package:crypto/crypto.dart';
import 'package:flutter_test/flutter_test.dart';
import 'package:http/http.dart' as http;
import 'package:http/testing.dart';
import 'package:sallyport_auth/auth_service.dart';

/// Keeps everything in memory, and says in which order it was written.
class MemoryStorage implements AuthStorage {
  final Map<String, String> values = {};
  final List<String> written = [];

  @override
  Future<String?> read(String key) async => values[key];

  @override
  Future<void> write(String key, String value) async {
    written.add(key);
    values[key] = value;
  }

  @override
  Future<void> delete(String key) async => values.remove(key);
}

http.Response json(int status, Map<String, Object?> body) => http.Response(
      jsonEncode(body),
      status,
      headers: {'content-type': 'application/json; charset=utf-8'},
    );

http.Response refusal(int status, String code) =>
    json(status, {'error': code, 'message': code, 'code': code});

http.Response tokens(String n) =>
    json(200, {'success': true, 'accessToken': 'a$n', 'refreshToken': 'r$n'});

void main() {
  late MemoryStorage storage;
  late List<http.Request> requests;
  late List<SessionState> states;

  /// A service whose server is [answer].
  AuthService serviceWith(
    FutureOr<http.Response> Function(http.Request request) answer, {
    AuthBrowser? browser,
    Duration timeout = const Duration(seconds: 5),
  }) {
    final service = AuthService(
      baseUrl: 'https://auth.example.test',
      timeout: timeout,
      storage: storage,
      browser: browser ?? (url, scheme) => fail('no browser is wanted'),
      client: MockClient((request) async {
        requests.add(request);
        return answer(request);
      }),
    );
    service.sessionState.listen(states.add);
    return service;
  }

  List<String> sent() =>
      requests.map((r) => '${r.method} ${r.url.path}').toList();

  setUp(() {
    storage = MemoryStorage();
    requests = [];
    states = [];
  });

  void signedIn() => storage.values
      .addAll({'accessToken': 'a1', 'refreshToken': 'r1', 'deviceToken': 'd'});

  /// A server that takes the access token [good] only.
  FutureOr<http.Response> Function(http.Request) server(
    String good, {
    required FutureOr<http.Response> Function() refresh,
  }) =>
      (request) {
        if (request.url.path == '/auth/refresh') return refresh();
        return request.headers['authorization'] == 'Bearer $good'
            ? json(200, {'sub': 'u', 'email': 'ada@example.test'})
            : refusal(401, 'INVALID_ACCESS_TOKEN');
      };

  test('login stores tokens and the device, and sends the device', () async {
    storage.values['deviceToken'] = 'd0';
    final service = serviceWith(
      (_) => json(200, {
        'success': true,
        'accessToken': 'a1',
        'refreshToken': 'r1',
        'deviceToken': 'd1',
      }),
    );
    final result = await service.login(email: 'a@b.test', password: 'p');
    expect(result.signedIn, isTrue);
    expect(result['accessToken'], 'a1');
    expect(jsonDecode(requests.single.body), {
      'email': 'a@b.test',
      'password': 'p',
      'deviceToken': 'd0',
    });
    expect(requests.single.headers['x-auth-strategy'], 'bearer');
    expect(requests.single.headers.containsKey('authorization'), isFalse);
    expect(storage.written, [
      'deviceToken',
      'refreshToken',
      'accessTokenEnds',
      'accessToken',
    ]);
    expect(states.single.isSignedIn, isTrue);
  });

  test('what the login screen of old reads is still there', () async {
    final service = serviceWith(
      (_) => json(200, {
        'requiresTwoFactor': true,
        'tempToken': 't',
        'available2faMethods': ['totp', 'sms'],
      }),
    );
    final Map<String, dynamic> result =
        await service.login(email: 'a@b.test', password: 'p');
    expect(result['accessToken'], isNull);
    expect(result['requiresTwoFactor'], isTrue);
    expect(
      List<String>.from(result['available2faMethods'] as List),
      ['totp', 'sms'],
    );
    expect(storage.values, isEmpty);
  });

  test('many calls at once: one refresh, and all come through', () async {
    signedIn();
    final service = serviceWith(server('a2', refresh: () => tokens('2')));
    final all = await Future.wait([
      for (var i = 0; i < 8; i++) service.getProfile(),
    ]);
    expect(all.every((profile) => profile.ok), isTrue);
    expect(sent().where((s) => s == 'POST /auth/refresh'), hasLength(1));
    expect(storage.values['refreshToken'], 'r2');
  });

  test('a call that comes late finds the new token and does not refresh',
      () async {
    signedIn();
    final service = serviceWith((request) {
      storage.values['accessToken'] = 'a2';
      return request.headers['authorization'] == 'Bearer a2'
          ? json(200, {'sub': 'u'})
          : refusal(401, 'INVALID_ACCESS_TOKEN');
    });
    expect((await service.getProfile()).ok, isTrue);
    expect(sent(), ['GET /auth/me', 'GET /auth/me']);
  });

  test('a request is sent twice at most', () async {
    signedIn();
    final service = serviceWith(server('none', refresh: () => tokens('2')));
    expect((await service.getProfile()).code, 'INVALID_ACCESS_TOKEN');
    expect(sent(), ['GET /auth/me', 'POST /auth/refresh', 'GET /auth/me']);
    expect(storage.values['refreshToken'], 'r2');
  });

  for (final trouble in <String, FutureOr<http.Response> Function()>{
    '503': () => refusal(503, 'OVERLOADED'),
    '429': () => refusal(429, 'RATE_LIMITED'),
    'a proxy\'s page': () => http.Response('<html>Bad gateway</html>', 502),
    'a portal\'s page': () => http.Response('<html>Welcome</html>', 200),
    'a lost answer': () => throw http.ClientException('closed'),
    'silence': () => Completer<http.Response>().future,
    'a 401 of somebody else': () => http.Response('no', 401),
  }.entries) {
    test('${trouble.key} at the refresh keeps the tokens', () async {
      signedIn();
      final service = serviceWith(
        server('a2', refresh: trouble.value),
        timeout: const Duration(milliseconds: 200),
      );
      final profile = await service.getProfile();
      expect(profile.ok, isFalse);
      expect(profile.error, isNotEmpty);
      expect(await service.refreshTokens(), isFalse);
      expect(storage.values['refreshToken'], 'r1');
      expect(states, isEmpty);
    });
  }

  for (final code in ['SESSION_REVOKED', 'INVALID_REFRESH_TOKEN']) {
    test('$code at the refresh signs out and says why', () async {
      signedIn();
      final service =
          serviceWith(server('a2', refresh: () => refusal(401, code)));
      expect((await service.getProfile()).code, code);
      expect(storage.values, {'deviceToken': 'd'});
      await pumpEventQueue();
      expect(states.single.reason, code);
    });
  }

  for (final status in [401, 403]) {
    test('SESSION_REVOKED with $status at any call signs out', () async {
      signedIn();
      final service = serviceWith((_) => refusal(status, 'SESSION_REVOKED'));
      expect((await service.getSessions()).result.code, 'SESSION_REVOKED');
      expect(sent(), ['GET /auth/sessions']);
      expect(storage.values, {'deviceToken': 'd'});
      await pumpEventQueue();
      expect(states.single.reason, 'SESSION_REVOKED');
    });
  }

  test('a wrong password is no reason to refresh or to sign out', () async {
    signedIn();
    final service =
        serviceWith((_) => refusal(401, 'CURRENT_PASSWORD_INCORRECT'));
    final result = await service.changePassword(
      currentPassword: 'wrong',
      newPassword: 'another',
    );
    expect(result.code, 'CURRENT_PASSWORD_INCORRECT');
    expect(sent(), ['POST /auth/change-password']);
    expect(storage.values['accessToken'], 'a1');
    expect(states, isEmpty);
  });

  test('signed out, nothing is sent that needs a token', () async {
    final service = serviceWith((_) => json(200, {'success': true}));
    expect((await service.getProfile()).code, 'NO_ACCESS_TOKEN');
    expect(requests, isEmpty);
    await service.logout();
    expect(requests.single.headers.containsKey('authorization'), isFalse);
  });

  test('a refresh that ends after signing out brings nobody back', () async {
    signedIn();
    final gate = Completer<http.Response>();
    final service = serviceWith(server('a2', refresh: () => gate.future));
    final refreshing = service.refreshTokens();
    await pumpEventQueue();
    await service.clearTokens();
    gate.complete(tokens('2'));
    expect(await refreshing, isFalse);
    expect(storage.values, {'deviceToken': 'd'});
  });

  test('another isolate was faster: its tokens stay', () async {
    signedIn();
    final service = serviceWith((_) {
      storage.values['refreshToken'] = 'r9';
      return refusal(401, 'INVALID_REFRESH_TOKEN');
    });
    expect(await service.refreshTokens(), isTrue);
    expect(storage.values['refreshToken'], 'r9');
    expect(states, isEmpty);
  });

  test('offline, signing out still signs out here', () async {
    signedIn();
    final service = serviceWith((_) => throw http.ClientException('no net'));
    await service.logout();
    expect(storage.values, {'deviceToken': 'd'});
    await pumpEventQueue();
    expect(states.single.reason, 'LOGGED_OUT');
  });

  test('step-up adds the password to the same request', () async {
    signedIn();
    final service = serviceWith(
      (request) => request.body.contains('currentPassword')
          ? json(200, {'success': true})
          : refusal(403, 'REAUTH_REQUIRED'),
    );
    final first = await service.changeEmailRequest(newEmail: 'b@b.test');
    expect(first.needsStepUp, isTrue);
    final second = await service.changeEmailRequest(
      newEmail: 'b@b.test',
      stepUp: const StepUp.password('p'),
    );
    expect(second.ok, isTrue);
    expect(jsonDecode(requests.last.body), {
      'newEmail': 'b@b.test',
      'currentPassword': 'p',
    });
  });

  test('a sign-in through a provider: PKCE, state, exchange', () async {
    late Uri start;
    final service = serviceWith(
      (request) => tokens('1'),
      browser: (url, scheme) async {
        start = Uri.parse(url);
        expect(scheme, 'myapp');
        return 'myapp://auth?ott=o1&state=${start.queryParameters['state']}';
      },
    );
    final result = await service.loginWithOAuth('google');
    expect(result.signedIn, isTrue);
    expect(start.path, '/auth/oauth/google');
    expect(start.queryParameters['code_challenge_method'], 'S256');
    expect(start.queryParameters['redirect_uri'], 'myapp://auth');
    final body = jsonDecode(requests.single.body) as Map<String, dynamic>;
    expect(body['ott'], 'o1');
    final hash = sha256.convert(ascii.encode(body['codeVerifier'] as String));
    expect(
      base64Url.encode(hash.bytes).replaceAll('=', ''),
      start.queryParameters['code_challenge'],
    );
    expect(storage.values.containsKey('oauthPending'), isFalse);
  });

  test('an answer with another state is not ours', () async {
    final service = serviceWith(
      (_) => tokens('1'),
      browser: (url, scheme) async => 'myapp://auth?ott=o1&state=other',
    );
    final result = await service.loginWithOAuth('google');
    expect(result.code, 'OAUTH_STATE_INVALID');
    expect(requests, isEmpty);
  });

  final ends = <String, void Function(SignInResult result)>{
    'myapp://auth/auth/2fa?tempToken=t&methods=totp,sms': (result) {
      expect(result.requiresTwoFactor, isTrue);
      expect(result.available2faMethods, ['totp', 'sms']);
    },
    'myapp://auth/auth/2fa?tempToken=t&methods=&requires2FASetup=true':
        (result) {
      expect(result.requires2FASetup, isTrue);
      expect(result.available2faMethods, isEmpty);
    },
    'myapp://auth?error=OAUTH_ACCESS_DENIED': (result) {
      expect(result.code, 'OAUTH_ACCESS_DENIED');
    },
  };
  for (final end in ends.entries) {
    test('a sign-in through a provider that ends at ${end.key}', () async {
      final service = serviceWith(
        (_) => tokens('1'),
        browser: (url, scheme) async =>
            '${end.key}&state=${Uri.parse(url).queryParameters['state']}',
      );
      end.value(await service.loginWithOAuth('google'));
      expect(requests, isEmpty);
    });
  }

  test('the app was started anew while the browser was open', () async {
    late String state;
    final first = serviceWith(
      (_) => tokens('1'),
      browser: (url, scheme) {
        state = Uri.parse(url).queryParameters['state']!;
        return Completer<String>().future;
      },
    );
    unawaited(first.loginWithOAuth('google'));
    await pumpEventQueue();
    final service = serviceWith((_) => tokens('1'));
    final result =
        await service.openLink(Uri.parse('myapp://auth?ott=o&state=$state'));
    expect(result?.ok, isTrue);
    expect(storage.values['accessToken'], 'a1');
  });

  test('links, short and long, are known', () {
    const known = {
      'myapp://auth/verify-email?token=t': AuthLinkKind.verifyEmail,
      'myapp://auth/auth/verify-email?token=t': AuthLinkKind.verifyEmail,
      'myapp://auth/magic-link?token=t': AuthLinkKind.magicLink,
      'myapp://auth/auth/magic-link/verify?token=t': AuthLinkKind.magicLink,
      'com.example.app:/auth/link-verify?token=t': AuthLinkKind.linkVerify,
      'https://a.example.test/auth/ui/reset-password?token=t':
          AuthLinkKind.resetPassword,
    };
    known.forEach((link, kind) {
      final parsed = AuthLink.parse(Uri.parse(link));
      expect(parsed.kind, kind, reason: link);
      expect(parsed.token, 't', reason: link);
    });
    expect(
      AuthLink.parse(Uri.parse('myapp://auth/elsewhere')).kind,
      AuthLinkKind.unknown,
    );
  });

  test('a link that signs in is left alone while somebody is', () async {
    signedIn();
    final service = serviceWith((_) => tokens('2'));
    final link = Uri.parse('myapp://auth/magic-link?token=t');
    expect(await service.openLink(link), isNull);
    expect(requests, isEmpty);
  });

  test('the proof of work is found and sent', () async {
    final service = serviceWith((request) {
      final body = jsonDecode(request.body) as Map<String, dynamic>;
      final answer = body['challengeAnswer'] as String?;
      if (answer == null) {
        return json(429, {
          'error': 'x',
          'code': 'CHALLENGE_REQUIRED',
          'challenge': {'algorithm': 'sha256', 'challenge': 'AAAB', 'bits': 8},
        });
      }
      expect(answer, startsWith('AAAB.'));
      expect(sha256.convert(ascii.encode(answer)).bytes.first, 0);
      return tokens('1');
    });
    final result = await service.login(email: 'a@b.test', password: 'p');
    expect(result.signedIn, isTrue);
  });
}

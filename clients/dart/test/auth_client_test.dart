import 'dart:convert';

import 'package:flutter_test/flutter_test.dart';
import 'package:http/http.dart' as http;
import 'package:http/testing.dart';
import 'package:sallyport_auth/auth_client.dart';
import 'package:sallyport_auth/auth_service.dart';
import 'package:sallyport_auth/auth_texts.dart';

const String api = 'https://api.example.test';

/// A token that is good for [seconds], by a server whose clock is wrong.
String jwt(int seconds, String n) {
  String part(Object value) =>
      base64Url.encode(utf8.encode(jsonEncode(value))).replaceAll('=', '');
  final claims = {'iat': 1000, 'exp': 1000 + seconds, 'n': n};
  return '${part({'alg': 'ES256'})}.${part(claims)}.c2ln';
}

void main() {
  late MemoryAuthStorage storage;
  late List<http.BaseRequest> seen;
  late int refreshes;

  /// Signed in with a token of [life] seconds; a refresh brings one of 900.
  Future<AuthService> signedIn(int life) async {
    final service = AuthService(
      baseUrl: 'https://auth.example.test',
      storage: storage,
      client: MockClient((request) async {
        final first = request.url.path == '/auth/login';
        if (!first) refreshes++;
        return http.Response(
          jsonEncode({
            'success': true,
            'accessToken': jwt(first ? life : 900, first ? '1' : '2'),
            'refreshToken': 'r',
          }),
          200,
        );
      }),
    );
    await service.login(email: 'a@b.test', password: 'p');
    return service;
  }

  /// A service of the app's that takes what [takes] takes.
  AuthClient client(AuthService auth, bool Function(String? token) takes) =>
      AuthClient(
        auth: auth,
        origins: const [api],
        inner: MockClient.streaming((request, _) async {
          seen.add(request);
          final ok = takes(request.headers['authorization']);
          return http.StreamedResponse(const Stream.empty(), ok ? 200 : 401);
        }),
      );

  setUp(() {
    storage = MemoryAuthStorage();
    seen = [];
    refreshes = 0;
  });

  test('a token that lasts is sent as it is', () async {
    final auth = await signedIn(900);
    final answer = await client(auth, (_) => true).get(Uri.parse('$api/x'));
    expect(answer.statusCode, 200);
    expect(seen.single.headers['authorization'], 'Bearer ${jwt(900, '1')}');
    expect(refreshes, 0);
  });

  test('a token that ends soon is exchanged first', () async {
    final auth = await signedIn(30);
    await client(auth, (_) => true).get(Uri.parse('$api/x'));
    expect(seen.single.headers['authorization'], 'Bearer ${jwt(900, '2')}');
    expect(refreshes, 1);
  });

  test('what is refused is sent once more with its body', () async {
    final auth = await signedIn(900);
    final second = 'Bearer ${jwt(900, '2')}';
    final answer = await client(auth, (token) => token == second)
        .post(Uri.parse('$api/x'), body: 'text');
    expect(answer.statusCode, 200);
    expect(seen, hasLength(2));
    expect((seen.last as http.Request).body, 'text');
  });

  test('a service that takes no token is asked twice, not for ever', () async {
    final auth = await signedIn(900);
    final answer = await client(auth, (_) => false).get(Uri.parse('$api/x'));
    expect(answer.statusCode, 401);
    expect(seen, hasLength(2));
  });

  test('no other server sees the token', () async {
    final auth = await signedIn(900);
    final all = client(auth, (_) => true);
    for (final url in [
      'https://api.example.test.evil.test/x',
      'https://evil.test/?$api',
      'http://api.example.test/x',
      'https://api.example.test:8443/x',
    ]) {
      await all.get(Uri.parse(url));
      expect(seen.last.headers.containsKey('authorization'), isFalse);
    }
  });

  test('what is no origin, or not safe, is refused', () async {
    final auth = await signedIn(900);
    for (final bad in ['http://api.example.test', '$api/', 'api', '$api/x']) {
      expect(
        () => AuthClient(auth: auth, origins: [bad]),
        throwsArgumentError,
        reason: bad,
      );
    }
  });

  test('signed out, requests go without a token', () async {
    final auth = await signedIn(900);
    await auth.clearTokens();
    await client(auth, (_) => true).get(Uri.parse('$api/x'));
    expect(seen.single.headers.containsKey('authorization'), isFalse);
  });

  test('a refusal is told in the language of the platform', () {
    final wrong = AuthResult.local('INVALID_CREDENTIALS', 'wrong');
    final unknown = AuthResult.local('SOMETHING_NEW', 'what the server says');
    expect(authText(wrong, ['de_DE.UTF-8']), contains('Passwort'));
    expect(authText(wrong, ['pt_BR', 'it']), contains('password'));
    expect(authText(wrong, ['xx']), authText(wrong, ['en']));
    expect(authText(unknown, ['en']), isNot(contains('SOMETHING')));
    expect(authLanguages, hasLength(5));
  });
}

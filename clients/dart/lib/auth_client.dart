// Requests of an app to services of its own, with the user's access token.

import 'dart:async';

import 'package:http/http.dart' as http;

import 'auth_service.dart';

const Set<String> _thisDevice = {
  'localhost',
  '127.0.0.1',
  '::1',
  '10.0.2.2', // an Android emulator's host
};

/// An HTTP client that adds the access token to requests to certain servers.
///
/// * The token is fresh: one that ends within a minute is exchanged first.
/// * What is answered with 401 all the same is sent once more with a new token,
///   if it can be sent twice: an [http.Request], not a stream or an upload.
/// * Other servers never see the token, and neither does a redirect.
/// * Nothing is added to a request that has an `Authorization` of its own, or
///   while nobody is signed in.
class AuthClient extends http.BaseClient {
  /// Requests to [origins] carry the token of [auth]: `https://api.example.com`,
  /// with a port where it is not the usual one. [inner] sends; [close] closes
  /// it.
  ///
  /// Throws an [ArgumentError] for what is no origin, and for plain `http`
  /// beyond this device.
  AuthClient({
    required AuthService auth,
    required Iterable<String> origins,
    http.Client? inner,
  })  : _auth = auth,
        _origins = origins.map(_originOf).toSet(),
        _inner = inner ?? http.Client();

  final AuthService _auth;
  final Set<String> _origins;
  final http.Client _inner;

  static String _originOf(String text) {
    final uri = Uri.parse(text);
    final safe = uri.isScheme('https') ||
        uri.isScheme('http') && _thisDevice.contains(uri.host);
    if (!safe || uri.host.isEmpty || uri.origin != text.toLowerCase()) {
      throw ArgumentError.value(text, 'origins', 'not the origin of a server');
    }
    return uri.origin;
  }

  bool _carries(http.BaseRequest request) {
    final url = request.url;
    return (url.isScheme('https') || url.isScheme('http')) &&
        url.host.isNotEmpty &&
        _origins.contains(url.origin) &&
        !request.headers.containsKey('authorization');
  }

  @override
  Future<http.StreamedResponse> send(http.BaseRequest request) async {
    if (!_carries(request)) return _inner.send(request);
    final token = await _auth.freshAccessToken();
    if (token == null) return _inner.send(request);
    final again = request is http.Request ? _copyOf(request) : null;
    final answer = await _inner.send(_with(request, token));
    if (answer.statusCode != 401) return answer;
    final other = await _auth.accessTokenInsteadOf(token);
    if (other == null || again == null) return answer;
    await answer.stream.drain<void>();
    return _inner.send(_with(again, other));
  }

  /// A redirect could lead anywhere with it; it is the caller's to follow.
  static http.BaseRequest _with(http.BaseRequest request, String token) =>
      request
        ..headers['Authorization'] = 'Bearer $token'
        ..followRedirects = false;

  static http.Request _copyOf(http.Request request) =>
      http.Request(request.method, request.url)
        ..persistentConnection = request.persistentConnection
        ..headers.addAll(request.headers)
        ..bodyBytes = request.bodyBytes;

  @override
  void close() => _inner.close();
}

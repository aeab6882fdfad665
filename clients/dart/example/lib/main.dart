import 'dart:async';

import 'package:app_links/app_links.dart';
import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

import 'screens/home.dart';
import 'screens/links.dart';
import 'screens/login.dart';

void main() {
  WidgetsFlutterBinding.ensureInitialized();
  AuthService.instance = AuthService(redirectUri: 'myapp://callback');
  runApp(const ExampleApp());
}

/// Shows the sign-in screen or the user's, as [AuthService.sessionState] says.
class ExampleApp extends StatefulWidget {
  /// The app.
  const ExampleApp({super.key});

  @override
  State<ExampleApp> createState() => _ExampleAppState();
}

class _ExampleAppState extends State<ExampleApp> {
  final GlobalKey<NavigatorState> _navigator = GlobalKey<NavigatorState>();
  final GlobalKey<ScaffoldMessengerState> _messenger =
      GlobalKey<ScaffoldMessengerState>();
  StreamSubscription<SessionState>? _states;
  StreamSubscription<Uri>? _links;

  AuthService get auth => AuthService.instance;

  @override
  void initState() {
    super.initState();
    _states = auth.sessionState.listen(_onState);
    _links = AppLinks().uriLinkStream.listen(_onLink);
  }

  @override
  void dispose() {
    unawaited(_states?.cancel());
    unawaited(_links?.cancel());
    super.dispose();
  }

  void _onState(SessionState state) {
    _show(state.isSignedIn ? const HomePage() : const LoginPage());
    const ended = {'SESSION_REVOKED', 'INVALID_REFRESH_TOKEN'};
    if (ended.contains(state.reason)) _say('Your session has ended.');
  }

  Future<void> _onLink(Uri uri) async {
    final result = await auth.openLink(uri);
    if (result == null) {
      _push(LinkPage(link: AuthLink.parse(uri)));
    } else if (result is SignInResult && nextStep(result) != null) {
      _push(nextStep(result)!);
    } else {
      _say(result.error ?? 'Done.');
    }
  }

  void _say(String text) =>
      _messenger.currentState?.showSnackBar(SnackBar(content: Text(text)));

  void _push(Widget page) => _navigator.currentState
      ?.push(MaterialPageRoute<void>(builder: (_) => page));

  void _show(Widget page) => _navigator.currentState?.pushAndRemoveUntil(
        MaterialPageRoute<void>(builder: (_) => page),
        (_) => false,
      );

  @override
  Widget build(BuildContext context) => MaterialApp(
        title: 'Sallyport',
        navigatorKey: _navigator,
        scaffoldMessengerKey: _messenger,
        home: FutureBuilder<bool>(
          future: auth.isSignedIn,
          builder: (context, snapshot) {
            final signedIn = snapshot.data;
            if (signedIn == null) {
              return const Scaffold(
                body: Center(child: CircularProgressIndicator()),
              );
            }
            return signedIn ? const HomePage() : const LoginPage();
          },
        ),
      );
}

import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

import 'form.dart';
import 'register.dart';
import 'two_factor.dart';

/// The page for what a sign-in still wants; null when there is nothing to do.
Widget? nextStep(SignInResult result) {
  final tempToken = result.tempToken;
  if (tempToken == null) return null;
  if (result.requires2FASetup) return SetupPage(tempToken: tempToken);
  return TwoFactorPage(
    tempToken: tempToken,
    methods: result.available2faMethods,
  );
}

/// Signs in: with a password, a mailed or texted code, or a provider.
class LoginPage extends StatefulWidget {
  /// The page.
  const LoginPage({super.key});

  @override
  State<LoginPage> createState() => _LoginPageState();
}

class _LoginPageState extends FormPageState<LoginPage> {
  final TextEditingController _email = TextEditingController();
  final TextEditingController _password = TextEditingController();
  final TextEditingController _code = TextEditingController();
  AuthOffers? _offers;
  String _sent = '';

  String get _address => _email.text.trim();

  @override
  void initState() {
    super.initState();
    _load();
  }

  Future<void> _load() async {
    final offers = await auth.getOffers();
    if (mounted) setState(() => _offers = offers);
  }

  /// Shows what comes next. When signed in the app shows another page.
  Future<String?> _after(SignInResult result) async {
    if (result.cancelled) return null;
    final next = nextStep(result);
    if (next == null) return said(result);
    await push(next);
    return null;
  }

  Future<String?> _login() async => _after(
        await auth.login(email: _address, password: _password.text),
      );

  Future<String?> _sendMail() async {
    final result = await auth.sendMagicLink(email: _address, type: 'both');
    if (result.ok) setState(() => _sent = 'mail');
    return said(result, 'If there is an account, a mail is on its way.');
  }

  Future<String?> _sendSms() async {
    final result = await auth.sendSmsCode(email: _address);
    if (result.ok) setState(() => _sent = 'sms');
    return said(result, 'If there is a number, a code is on its way.');
  }

  Future<String?> _verify() async {
    final code = _code.text.trim();
    return _after(
      _sent == 'sms'
          ? await auth.verifySmsCode(email: _address, code: code)
          : await auth.verifyEmailCode(email: _address, code: code),
    );
  }

  @override
  Widget build(BuildContext context) => page('Sign in', [
        field(_email, 'E-mail', keyboard: TextInputType.emailAddress),
        field(_password, 'Password', secret: true),
        button('Sign in', _login),
        if (_offers?.magicLink ?? false) button('Mail me a code', _sendMail),
        if (_offers?.sms ?? false) button('Text me a code', _sendSms),
        if (_sent.isNotEmpty) ...[
          field(_code, 'Code', keyboard: TextInputType.number),
          button('Sign in with the code', _verify),
        ],
        for (final provider in _offers?.providers ?? const <String>[])
          button(
            'Continue with $provider',
            () async => _after(await auth.loginWithOAuth(provider)),
          ),
        const Divider(),
        if (_offers?.registration ?? true)
          TextButton(
            onPressed: () => push(const RegisterPage()),
            child: const Text('Create an account'),
          ),
        TextButton(
          onPressed: () => push(const ForgotPasswordPage()),
          child: const Text('Forgot your password?'),
        ),
        button('Look around first', () async => said(await auth.guest())),
      ]);
}

import 'package:flutter/material.dart';

import 'form.dart';

/// Makes an account and signs in with it.
class RegisterPage extends StatefulWidget {
  /// The page.
  const RegisterPage({super.key});

  @override
  State<RegisterPage> createState() => _RegisterPageState();
}

class _RegisterPageState extends FormPageState<RegisterPage> {
  final TextEditingController _email = TextEditingController();
  final TextEditingController _password = TextEditingController();
  final TextEditingController _first = TextEditingController();
  final TextEditingController _last = TextEditingController();

  Future<String?> _register() async {
    final email = _email.text.trim();
    final result = await auth.register(
      email: email,
      password: _password.text,
      firstName: _first.text.trim(),
      lastName: _last.text.trim(),
    );
    if (!result.ok) {
      final fields = result.fields.map((f) => '${f['field']}: ${f['reason']}');
      return [said(result), ...fields].join('\n');
    }
    return said(await auth.login(email: email, password: _password.text));
  }

  Future<String?> _resend() async => said(
        await auth.sendVerificationEmail(email: _email.text.trim()),
        'A mail is on its way.',
      );

  @override
  Widget build(BuildContext context) => page('Create an account', [
        field(_first, 'First name'),
        field(_last, 'Last name'),
        field(_email, 'E-mail', keyboard: TextInputType.emailAddress),
        field(_password, 'Password', secret: true),
        button('Create it', _register),
        button('Send the mail that proves my address again', _resend),
      ]);
}

/// Asks for a mail that leads to a new password.
class ForgotPasswordPage extends StatefulWidget {
  /// The page.
  const ForgotPasswordPage({super.key});

  @override
  State<ForgotPasswordPage> createState() => _ForgotPasswordPageState();
}

class _ForgotPasswordPageState extends FormPageState<ForgotPasswordPage> {
  final TextEditingController _email = TextEditingController();

  Future<String?> _send() async => said(
        await auth.forgotPassword(email: _email.text.trim()),
        'If there is an account, a mail is on its way.',
      );

  @override
  Widget build(BuildContext context) => page('Forgot your password?', [
        field(_email, 'E-mail', keyboard: TextInputType.emailAddress),
        button('Mail me a link', _send),
      ]);
}

import 'dart:convert';

import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

import 'form.dart';

/// Asks for the second factor of a sign-in.
class TwoFactorPage extends StatefulWidget {
  /// The page, for the sign-in of [tempToken].
  const TwoFactorPage({
    super.key,
    required this.tempToken,
    required this.methods,
  });

  /// The handle between the factors.
  final String tempToken;

  /// `totp`, `sms`, `magic-link`.
  final List<String> methods;

  @override
  State<TwoFactorPage> createState() => _TwoFactorPageState();
}

class _TwoFactorPageState extends FormPageState<TwoFactorPage> {
  final TextEditingController _code = TextEditingController();
  late String _method =
      widget.methods.isEmpty ? 'recovery' : widget.methods.first;
  bool _remember = false;

  String get _handle => widget.tempToken;

  Future<String?> _sendSms() async => said(
        await auth.sendSms2fa(tempToken: _handle),
        'A code is on its way.',
      );

  Future<String?> _sendMail() async => said(
        await auth.sendMagicLink2fa(tempToken: _handle, type: 'both'),
        'A mail is on its way.',
      );

  Future<SignInResult> _send(String code) {
    switch (_method) {
      case 'totp':
        return auth.verifyTotp(
          tempToken: _handle,
          totpCode: code,
          rememberDevice: _remember,
        );
      case 'sms':
        return auth.verifySms2fa(
          tempToken: _handle,
          code: code,
          rememberDevice: _remember,
        );
      case 'magic-link':
        // What is longer than a code is the token out of the mailed link.
        return code.length > 6
            ? auth.verifyMagicLink2fa(tempToken: _handle, token: code)
            : auth.verifyEmailCode2fa(tempToken: _handle, code: code);
      default:
        return auth.verifyRecoveryCode(tempToken: _handle, recoveryCode: code);
    }
  }

  Future<String?> _verify() async => said(await _send(_code.text.trim()));

  @override
  Widget build(BuildContext context) => page('One more step', [
        for (final method in [...widget.methods, 'recovery'])
          ListTile(
            title: Text(_names[method] ?? method),
            selected: method == _method,
            onTap: () => setState(() => _method = method),
          ),
        if (_method == 'sms') button('Text me a code', _sendSms),
        if (_method == 'magic-link') button('Mail me a code', _sendMail),
        field(_code, 'Code'),
        CheckboxListTile(
          title: const Text('Do not ask on this device for a while'),
          value: _remember,
          onChanged: (value) => setState(() => _remember = value ?? false),
        ),
        button('Sign in', _verify),
      ]);

  static const Map<String, String> _names = {
    'totp': 'Authenticator app',
    'sms': 'Text message',
    'magic-link': 'E-mail',
    'recovery': 'Recovery code',
  };
}

/// Sets an authenticator app up: because the user wants to, or with
/// [tempToken] because the account must have one.
class SetupPage extends StatefulWidget {
  /// The page.
  const SetupPage({super.key, this.tempToken});

  /// The handle of a sign-in that demands a second factor.
  final String? tempToken;

  @override
  State<SetupPage> createState() => _SetupPageState();
}

class _SetupPageState extends FormPageState<SetupPage> {
  final TextEditingController _code = TextEditingController();
  TotpSetup? _setup;
  List<String> _recoveryCodes = const [];

  Future<String?> _begin() async {
    final result = await withStepUp(
      (stepUp) => auth.setup2fa(tempToken: widget.tempToken, stepUp: stepUp),
    );
    if (result is TotpSetup && result.ok) setState(() => _setup = result);
    return said(result);
  }

  Future<String?> _finish() async {
    final codes = await auth.verifySetup(
      code: _code.text.trim(),
      secret: _setup?.secret ?? '',
      tempToken: widget.tempToken,
    );
    if (codes.ok) setState(() => _recoveryCodes = codes.recoveryCodes);
    return said(codes, 'Done. Keep these codes: each signs you in once.');
  }

  @override
  Widget build(BuildContext context) {
    final picture = _setup?.qrCode;
    return page('Authenticator app', [
      if (_recoveryCodes.isNotEmpty)
        SelectableText(_recoveryCodes.join('\n'))
      else if (picture == null)
        button('Begin', _begin)
      else ...[
        Image.memory(base64Decode(picture.split(',').last)),
        SelectableText(_setup?.secret ?? ''),
        field(_code, 'The code it shows', keyboard: TextInputType.number),
        button('Finish', _finish),
      ],
    ]);
  }
}

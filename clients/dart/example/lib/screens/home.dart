import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

import 'form.dart';
import 'linked_accounts.dart';
import 'sessions.dart';
import 'two_factor.dart';

/// The user's own page: names, address, password, number, second factor.
class HomePage extends StatefulWidget {
  /// The page.
  const HomePage({super.key});

  @override
  State<HomePage> createState() => _HomePageState();
}

class _HomePageState extends FormPageState<HomePage> {
  final TextEditingController _first = TextEditingController();
  final TextEditingController _last = TextEditingController();
  final TextEditingController _email = TextEditingController();
  final TextEditingController _current = TextEditingController();
  final TextEditingController _password = TextEditingController();
  final TextEditingController _phone = TextEditingController();
  final TextEditingController _code = TextEditingController();
  UserProfile? _profile;

  @override
  void initState() {
    super.initState();
    _load();
  }

  Future<String?> _load() async {
    final profile = await auth.getProfile();
    if (!mounted || !profile.ok) return said(profile);
    setState(() => _profile = profile);
    _first.text = profile.firstName ?? '';
    _last.text = profile.lastName ?? '';
    return null;
  }

  Future<String?> _names() async {
    final result = await auth.updateProfile(
      firstName: _first.text.trim(),
      lastName: _last.text.trim(),
    );
    return result.ok ? _load() : said(result);
  }

  Future<String?> _prove() async =>
      said(await auth.sendVerificationEmail(), 'A mail is on its way.');

  Future<String?> _changeEmail() async => said(
        await withStepUp(
          (stepUp) => auth.changeEmailRequest(
            newEmail: _email.text.trim(),
            stepUp: stepUp,
          ),
        ),
        'A mail is on its way to the new address.',
      );

  Future<String?> _changePassword() async => said(
        await auth.changePassword(
          currentPassword: _current.text,
          newPassword: _password.text,
        ),
        'Changed. All other devices are signed out.',
      );

  Future<String?> _addPhone() async => said(
        await withStepUp(
          (stepUp) => auth.addPhone(_phone.text.trim(), stepUp: stepUp),
        ),
        'A code is on its way.',
      );

  Future<String?> _verifyPhone() async {
    final result = await auth.verifyPhone(code: _code.text.trim());
    return result.ok ? _load() : said(result);
  }

  Future<String?> _disable() async {
    final result = await withStepUp(
      (stepUp) => auth.disable2fa(stepUp: stepUp),
    );
    return result.ok ? _load() : said(result);
  }

  Future<String?> _newCodes() async {
    final result = await withStepUp(
      (stepUp) => auth.newRecoveryCodes(stepUp: stepUp),
    );
    if (result is RecoveryCodes && result.ok) {
      return result.recoveryCodes.join('\n');
    }
    return said(result);
  }

  Future<String?> _export() async {
    final result = await auth.exportAccount();
    return result.ok ? '${result['user']}' : said(result);
  }

  Future<String?> _delete() async => said(
        await withStepUp((stepUp) => auth.deleteAccount(stepUp: stepUp)),
      );

  @override
  Widget build(BuildContext context) {
    final profile = _profile;
    if (profile == null) {
      return page('Your account', [button('Try again', _load)]);
    }
    return page('Your account', [
      Text('E-mail: ${profile.email}'),
      Text('Came from: ${profile.loginProvider}'),
      Text(profile.isEmailVerified ? 'Address proven' : 'Not proven yet'),
      if (!profile.isEmailVerified) button('Prove my address', _prove),
      const Divider(),
      field(_first, 'First name'),
      field(_last, 'Last name'),
      button('Save', _names),
      const Divider(),
      field(_email, 'New e-mail', keyboard: TextInputType.emailAddress),
      button('Change my address', _changeEmail),
      const Divider(),
      if (profile.hasPassword)
        field(_current, 'Current password', secret: true),
      field(_password, 'New password', secret: true),
      button('Change my password', _changePassword),
      const Divider(),
      Text('Number: ${profile.phoneNumber ?? 'none'}'),
      field(_phone, 'Number', keyboard: TextInputType.phone),
      button('Text me a code', _addPhone),
      field(_code, 'Code', keyboard: TextInputType.number),
      button('That is my number', _verifyPhone),
      const Divider(),
      if (profile.isTotpEnabled) ...[
        button('Remove my authenticator app', _disable),
        button('New recovery codes', _newCodes),
      ] else
        TextButton(
          onPressed: () => push(const SetupPage()),
          child: const Text('Set up an authenticator app'),
        ),
      TextButton(
        onPressed: () => push(const LinkedAccountsPage()),
        child: const Text('Linked accounts'),
      ),
      TextButton(
        onPressed: () => push(const SessionsPage()),
        child: const Text('Where I am signed in'),
      ),
      button('What is stored about me', _export),
      button('Delete my account', _delete),
      button('Sign out', () async {
        await auth.logout();
        return null;
      }),
    ]);
  }
}

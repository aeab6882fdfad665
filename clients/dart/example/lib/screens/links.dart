import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

import 'form.dart';

/// A link out of a mail that needs an answer of the user first.
class LinkPage extends StatefulWidget {
  /// The page for [link].
  const LinkPage({super.key, required this.link});

  /// What opened the app.
  final AuthLink link;

  @override
  State<LinkPage> createState() => _LinkPageState();
}

class _LinkPageState extends FormPageState<LinkPage> {
  final TextEditingController _password = TextEditingController();

  String get _token => widget.link.token;

  Future<String?> _reset() async => said(
        await auth.resetPassword(
          token: _token,
          newPassword: _password.text,
        ),
        'Done. Sign in with the new password.',
      );

  Future<String?> _revert() async => said(
        await auth.changeEmailRevert(token: _token),
        'The old address is back. A mail for a new password is on its way.',
      );

  Future<String?> _keep() async => said(
        await auth.keep2fa(token: _token),
        'The app stays.',
      );

  /// For a link that signs in while somebody is signed in.
  Future<String?> _switch() async {
    await auth.logout();
    return said(await auth.verifyMagicLink(token: _token));
  }

  @override
  Widget build(BuildContext context) {
    switch (widget.link.kind) {
      case AuthLinkKind.resetPassword:
        return page('A new password', [
          field(_password, 'New password', secret: true),
          button('Set it', _reset),
        ]);
      case AuthLinkKind.changeEmailRevert:
        return page('Was that not you?', [
          const Text('This brings the old address back, removes password and '
              'number, and signs out everywhere.'),
          button('Bring it back', _revert),
        ]);
      case AuthLinkKind.keepTwoFactor:
        return page('Keep the app?', [button('Keep it', _keep)]);
      case AuthLinkKind.magicLink:
        return page('You are signed in already', [
          button('Sign in with the link instead', _switch),
        ]);
      case AuthLinkKind.verifyEmail:
      case AuthLinkKind.changeEmailConfirm:
      case AuthLinkKind.linkVerify:
      case AuthLinkKind.oauth:
      case AuthLinkKind.unknown:
        return page('Unknown link', const [Text('There is nothing to do.')]);
    }
  }
}

import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

import 'form.dart';

/// Further addresses and provider accounts that sign in to this one.
class LinkedAccountsPage extends StatefulWidget {
  /// The page.
  const LinkedAccountsPage({super.key});

  @override
  State<LinkedAccountsPage> createState() => _LinkedAccountsPageState();
}

class _LinkedAccountsPageState extends FormPageState<LinkedAccountsPage> {
  final TextEditingController _email = TextEditingController();
  List<LinkedAccount> _accounts = const [];
  List<String> _providers = const [];

  @override
  void initState() {
    super.initState();
    _load();
  }

  Future<String?> _load() async {
    final accounts = await auth.getLinkedAccounts();
    final offers = await auth.getOffers();
    if (!mounted) return null;
    setState(() {
      _accounts = accounts;
      _providers = offers.providers;
    });
    return said(accounts.result);
  }

  Future<String?> _link() async => said(
        await withStepUp(
          (stepUp) => auth.linkRequest(
            email: _email.text.trim(),
            stepUp: stepUp,
          ),
        ),
        'A mail is on its way to that address.',
      );

  Future<String?> _linkProvider(String provider) async {
    final result = await withStepUp(
      (stepUp) => auth.linkOAuth(provider, stepUp: stepUp),
    );
    return result.ok ? _load() : said(result);
  }

  Future<String?> _unlink(LinkedAccount account) async {
    final result = await withStepUp(
      (stepUp) => auth.unlinkAccount(
        provider: account.provider,
        providerAccountId: account.providerAccountId,
        stepUp: stepUp,
      ),
    );
    return result.ok ? _load() : said(result);
  }

  @override
  Widget build(BuildContext context) => page('Linked accounts', [
        for (final account in _accounts)
          ListTile(
            title: Text('${account.provider}: ${account.providerAccountId}'),
            subtitle: Text(account.email ?? ''),
            trailing: IconButton(
              icon: const Icon(Icons.delete),
              onPressed: () => run(() => _unlink(account)),
            ),
          ),
        field(_email, 'Another address', keyboard: TextInputType.emailAddress),
        button('Link it', _link),
        for (final provider in _providers)
          button('Link $provider', () => _linkProvider(provider)),
      ]);
}

import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

import 'form.dart';

/// Where the user is signed in.
class SessionsPage extends StatefulWidget {
  /// The page.
  const SessionsPage({super.key});

  @override
  State<SessionsPage> createState() => _SessionsPageState();
}

class _SessionsPageState extends FormPageState<SessionsPage> {
  List<AuthSession> _sessions = const [];

  @override
  void initState() {
    super.initState();
    _load();
  }

  Future<String?> _load() async {
    final sessions = await auth.getSessions();
    if (mounted) setState(() => _sessions = sessions);
    return said(sessions.result);
  }

  Future<String?> _end(AuthSession session) async {
    final result = await auth.revokeSession(session.handle);
    return result.ok ? _load() : said(result);
  }

  @override
  Widget build(BuildContext context) => page('Where I am signed in', [
        for (final session in _sessions)
          ListTile(
            title: Text(session.userAgent ?? 'Unknown device'),
            subtitle: Text('${session.ipAddress ?? ''} '
                'last used ${session.lastActiveAt}'),
            trailing: session.isCurrent
                ? const Text('this one')
                : IconButton(
                    icon: const Icon(Icons.logout),
                    onPressed: () => run(() => _end(session)),
                  ),
          ),
      ]);
}

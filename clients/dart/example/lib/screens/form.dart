import 'package:flutter/material.dart';
import 'package:sallyport_auth/auth_service.dart';

/// A page with a column of fields and buttons, and the text of the last answer.
abstract class FormPageState<T extends StatefulWidget> extends State<T> {
  /// What is shown below: an error, or what to do next.
  String status = '';

  /// Whether a request is under way.
  bool busy = false;

  /// The app's one service.
  AuthService get auth => AuthService.instance;

  /// Runs [work] with the buttons off and shows what it says.
  Future<void> run(Future<String?> Function() work) async {
    setState(() {
      busy = true;
      status = '';
    });
    final text = await work();
    if (!mounted) return;
    setState(() {
      busy = false;
      status = text ?? '';
    });
  }

  /// The text of a refusal, or [done].
  String said(AuthResult result, [String done = '']) {
    if (result.ok) return done;
    final wait = result.retryAfter;
    if (wait != null) return 'Please wait ${wait.inSeconds} seconds.';
    return result.error ?? 'That did not work.';
  }

  /// Sends a request; if the server wants to know who is there, asks for the
  /// password and sends it again.
  Future<AuthResult> withStepUp(
    Future<AuthResult> Function(StepUp? stepUp) send,
  ) async {
    final result = await send(null);
    if (!result.needsStepUp || !mounted) return result;
    final stepUp = await askStepUp(context);
    return stepUp == null ? result : send(stepUp);
  }

  /// Shows [page] on top of this one.
  Future<void> push(Widget page) => Navigator.push(
        context,
        MaterialPageRoute<void>(builder: (_) => page),
      );

  /// A button that runs [work].
  Widget button(String label, Future<String?> Function() work) => Padding(
        padding: const EdgeInsets.symmetric(vertical: 4),
        child: ElevatedButton(
          onPressed: busy ? null : () => run(work),
          child: Text(label),
        ),
      );

  /// A field for [controller].
  Widget field(
    TextEditingController controller,
    String label, {
    bool secret = false,
    TextInputType? keyboard,
  }) =>
      TextField(
        controller: controller,
        decoration: InputDecoration(labelText: label),
        obscureText: secret,
        autocorrect: false,
        enableSuggestions: !secret,
        keyboardType: keyboard,
      );

  /// The page.
  Widget page(String title, List<Widget> children) => Scaffold(
        appBar: AppBar(title: Text(title)),
        body: ListView(
          padding: const EdgeInsets.all(24),
          children: [
            ...children,
            if (status.isNotEmpty)
              Padding(
                padding: const EdgeInsets.only(top: 16),
                child: Text(status),
              ),
          ],
        ),
      );
}

/// Asks for the password, or for a code of the authenticator app.
Future<StepUp?> askStepUp(BuildContext context) {
  final input = TextEditingController();
  return showDialog<StepUp>(
    context: context,
    builder: (context) => AlertDialog(
      title: const Text('Is it you?'),
      content: TextField(
        controller: input,
        obscureText: true,
        decoration: const InputDecoration(
          labelText: 'Password, or code of your authenticator app',
        ),
      ),
      actions: [
        TextButton(
          onPressed: () => Navigator.pop(context),
          child: const Text('Cancel'),
        ),
        TextButton(
          onPressed: () => Navigator.pop(context, _stepUpOf(input.text)),
          child: const Text('Continue'),
        ),
      ],
    ),
  );
}

StepUp _stepUpOf(String text) => RegExp(r'^\d{6}$').hasMatch(text)
    ? StepUp.totp(text)
    : StepUp.password(text);

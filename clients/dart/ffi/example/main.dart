// Signs in on the command line:
//   dart run example/main.dart https://auth.example.com ada@example.com

import 'dart:io';

import 'package:sallyport_ffi/sallyport_ffi.dart';

String ask(String question, {bool hidden = false}) {
  stdout.write('$question: ');
  if (hidden && stdin.hasTerminal) stdin.echoMode = false;
  try {
    return stdin.readLineSync() ?? '';
  } finally {
    if (hidden && stdin.hasTerminal) {
      stdin.echoMode = true;
      stdout.writeln();
    }
  }
}

/// The second factor, by the first method that the account has.
Future<SallyportResult> secondFactor(
    SallyportClient client, Challenge challenge) async {
  final token = challenge.tempToken;
  switch (challenge.methods.first) {
    case 'totp':
      final code = ask('Six digits of the app, or a recovery code');
      return RegExp(r'^\d{6}$').hasMatch(code)
          ? client.verifyTotp(token, code)
          : client.verifyRecoveryCode(token, code);
    case 'sms':
      final sent = await client.sendSms2fa(token);
      if (!sent.ok) return sent;
      return client.verifySms2fa(token, ask('Code of the message'));
    default:
      final sent = await client.sendMagicLink2fa(token, type: 'code');
      if (!sent.ok) return sent;
      return client.verifyEmailCode2fa(token, ask('Code of the mail'));
  }
}

/// An account that must get a second factor before it is let in.
Future<SallyportResult> setup(
    SallyportClient client, Challenge challenge) async {
  final begun = await client.setup2fa(tempToken: challenge.tempToken);
  final totp = begun.totp;
  if (totp == null) return begun;
  stdout.writeln('Put this into an authenticator app: ${totp.otpauthUrl}');
  final ended =
      await client.verifySetup2fa(challenge.tempToken, ask('Six digits'));
  if (ended.ok) {
    stdout.writeln('Recovery codes: ${ended.recoveryCodes.join(' ')}');
  }
  return ended;
}

Future<void> main(List<String> arguments) async {
  if (arguments.length != 2) {
    stderr.writeln('main.dart SERVER EMAIL');
    exitCode = 64;
    return;
  }
  final client = await SallyportClient.open(server: arguments[0]);
  try {
    client.states.listen((e) => stderr.writeln('${e.state.name} ${e.reason}'));
    var answer = await client.login(
        arguments[1], ask('Password', hidden: true));
    final challenge = answer.challenge;
    if (challenge != null) {
      answer = answer.error == SallyportError.setupRequired
          ? await setup(client, challenge)
          : await secondFactor(client, challenge);
    }
    if (!answer.ok) {
      stderr.writeln('${answer.error.name} ${answer.code} ${answer.message}');
      exitCode = 1;
      return;
    }
    final me = await client.getProfile();
    stdout.writeln('Signed in as ${me.profile?.email}');
    await client.logout();
  } finally {
    await client.close();
  }
}

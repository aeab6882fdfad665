// What to show of a refusal, in the user's language.

import 'auth_service.dart';
import 'src/texts.dart';

/// The languages there are texts in: `de`, `en`, `es`, `fr`, `it`.
Iterable<String> get authLanguages => texts.keys;

/// Why [result] was refused, in the first of [languages] that there are texts
/// in, else in English. Languages may be written as platforms do: `de`,
/// `de-AT`, `de_DE.UTF-8`.
///
///     authText(result, [Platform.localeName])
///     authText(result, [Localizations.localeOf(context).languageCode])
///
/// Decide by [AuthResult.code]; this is for people. A member that was refused
/// says more than the code does, and a code without a text of its own gets a
/// general one.
String authText(AuthResult result, Iterable<String> languages) {
  final mine = texts[_first(languages)]!;
  for (final field in result.fields) {
    final text = field is Map ? mine['field ${field['reason']}'] : null;
    if (text != null) return text;
  }
  return mine[result.code ?? ''] ?? mine['']!;
}

String _first(Iterable<String> languages) {
  for (final language in languages) {
    final name = language.split(RegExp('[-_.@]')).first.toLowerCase();
    if (texts.containsKey(name)) return name;
  }
  return 'en';
}

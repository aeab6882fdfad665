// Made by tools/dart-texts.py from the texts of the hosted pages; do not edit.

/// By language, then by code; `field REASON` for a refused member, the empty
/// code for all else.
const Map<String, Map<String, String>> texts = {
  'de': {
    'INVALID_2FA_RESET_TOKEN':
        'Dieser Link gilt nicht: Er wurde schon verwendet.',
    '2FA_RESET_TOKEN_EXPIRED':
        'Dieser Link ist zu alt: Die drei Tage sind vorbei.',
    'NETWORK_ERROR':
        'Keine Verbindung. Bitte versuchen Sie es noch einmal.',
    'TIMEOUT':
        'Keine Verbindung. Bitte versuchen Sie es noch einmal.',
    '':
        'Das hat nicht geklappt. Bitte versuchen Sie es später noch einmal.',
    'OAUTH_ACCESS_DENIED':
        'Sie haben diesem Anbieter nicht erlaubt, Sie hier anzumelden.',
    'field REQUIRED':
        'Bitte füllen Sie das aus.',
    'field INVALID':
        'Das scheint nicht zu stimmen. Bitte prüfen Sie es.',
    'field TOO_LONG':
        'Das ist zu lang.',
    'field COUNTRY':
        'An Nummern dieses Landes senden wir keine Nachrichten.',
    'field PASSWORD_TOO_SHORT':
        'Das Passwort ist zu kurz.',
    'field PASSWORD_TOO_LONG':
        'Das Passwort ist zu lang.',
    'field PASSWORD_COMPROMISED':
        'Das Passwort ist zu leicht zu erraten.',
    'RATE_LIMITED':
        'Zu viele Versuche. Bitte versuchen Sie es später noch einmal.',
    'INVALID_CREDENTIALS':
        'Die E‑Mail-Adresse oder das Passwort stimmt nicht.',
    'CHALLENGE_REQUIRED':
        'Zu viele versuchen gerade, sich anzumelden. Bitte versuchen Sie es gleich noch einmal.',
    'EMAIL_NOT_VERIFIED':
        'Bitte bestätigen Sie zuerst Ihre E‑Mail-Adresse: Öffnen Sie den Link in der Nachricht, die wir Ihnen gesendet haben.',
    'EMAIL_VERIFICATION_REQUIRED':
        'Bitte bestätigen Sie zuerst Ihre E‑Mail-Adresse: Öffnen Sie den Link in der Nachricht, die wir Ihnen gesendet haben.',
    'EMAIL_ALREADY_VERIFIED':
        'Diese Adresse ist schon bestätigt.',
    'EMAIL_EXISTS':
        'Diese Adresse wird schon verwendet.',
    'EMAIL_NOT_CONFIGURED':
        'Diese Seite kann zurzeit keine E‑Mails senden.',
    'SMS_NOT_CONFIGURED':
        'Diese Seite kann keine SMS senden.',
    'NOT_FOUND':
        'Das gibt es hier nicht.',
    'INVALID_TOTP_CODE':
        'Dieser Code ist falsch oder wurde schon verwendet. Bitte geben Sie den nächsten ein.',
    'INVALID_SMS_CODE':
        'Dieser Code ist falsch oder gilt nicht mehr.',
    'INVALID_PHONE_CODE':
        'Dieser Code ist falsch oder gilt nicht mehr.',
    'PHONE_NOT_SET':
        'Für dieses Konto gibt es keine Telefonnummer.',
    'INVALID_ACCESS_TOKEN':
        'Das hat zu lange gedauert, oder es gab zu viele falsche Codes. Bitte beginnen Sie die Anmeldung von vorn.',
    'INVALID_TEMP_TOKEN':
        'Das hat zu lange gedauert, oder es gab zu viele falsche Codes. Bitte beginnen Sie die Anmeldung von vorn.',
    '2FA_NOT_SET_UP':
        'Die Anmeldung in zwei Schritten wurde inzwischen ausgeschaltet. Bitte beginnen Sie die Anmeldung von vorn.',
    '2FA_REQUIRED':
        'Diese Seite verlangt die Anmeldung in zwei Schritten; sie lässt sich nicht ausschalten.',
    'INVALID_MAGIC_LINK':
        'Dieser Link oder Code gilt nicht: Er wurde verwendet oder durch eine neuere Nachricht ersetzt.',
    'MAGIC_LINK_EXPIRED':
        'Dieser Link ist zu alt. Bitte fordern Sie einen neuen an.',
    'TOKEN_MISMATCH':
        'Dieser Link gehört zu einer anderen Anmeldung. Bitte öffnen Sie ihn in dem Browser, in dem Sie begonnen haben.',
    'INVALID_RESET_TOKEN':
        'Dieser Link gilt nicht: Er wurde verwendet oder durch eine neuere Nachricht ersetzt.',
    'RESET_TOKEN_EXPIRED':
        'Dieser Link ist zu alt. Bitte fordern Sie einen neuen an.',
    'INVALID_VERIFICATION_TOKEN':
        'Dieser Link gilt nicht: Er wurde verwendet oder durch eine neuere Nachricht ersetzt.',
    'VERIFICATION_TOKEN_EXPIRED':
        'Dieser Link ist zu alt. Bitte fordern Sie einen neuen an.',
    'INVALID_EMAIL_CHANGE_TOKEN':
        'Dieser Link gilt nicht: Er wurde verwendet oder durch eine neuere Nachricht ersetzt.',
    'EMAIL_CHANGE_TOKEN_EXPIRED':
        'Dieser Link ist zu alt. Bitte fordern Sie die Änderung noch einmal an.',
    'INVALID_EMAIL_REVERT_TOKEN':
        'Dieser Link gilt nicht: Er wurde schon verwendet.',
    'EMAIL_REVERT_TOKEN_EXPIRED':
        'Dieser Link ist zu alt: Die drei Tage sind vorbei.',
    'INVALID_LINK_TOKEN':
        'Dieser Link gilt nicht: Er wurde verwendet oder durch eine neuere Nachricht ersetzt.',
    'LINK_TOKEN_EXPIRED':
        'Dieser Link ist zu alt. Bitte fordern Sie einen neuen an.',
    'INVALID_STATE':
        'Dieser Link gilt nicht mehr. Bitte beginnen Sie von vorn.',
    'TOKEN_REQUIRED':
        'Dieser Link ist unvollständig. Bitte öffnen Sie ihn noch einmal aus der Nachricht.',
    'ACCOUNT_ALREADY_LINKED':
        'Diese Adresse gehört schon zu einem Konto.',
    'LAST_LOGIN_METHOD':
        'Ohne diese Verknüpfung könnten Sie sich nicht mehr anmelden. Legen Sie zuerst ein Passwort fest.',
    'UNAUTHORIZED':
        'Das hat zu lange gedauert. Bitte beginnen Sie noch einmal mit der Anmeldung.',
    'USER_NOT_FOUND':
        'Dieses Konto gibt es nicht mehr.',
    'OAUTH_TOKEN_EXCHANGE_FAILED':
        'Die Anmeldung bei diesem Anbieter hat nicht geklappt. Bitte versuchen Sie es noch einmal.',
    'OAUTH_PROFILE_FAILED':
        'Die Anmeldung bei diesem Anbieter hat nicht geklappt. Bitte versuchen Sie es noch einmal.',
    'PASSWORD_REQUIRED':
        'Bitte legen Sie zuerst ein Passwort fest.',
    'CURRENT_PASSWORD_INCORRECT':
        'Das bisherige Passwort stimmt nicht.',
    'REAUTH_REQUIRED':
        'Bitte füllen Sie eines der Felder aus.',
    'SESSION_NOT_FOUND':
        'Das Gerät ist schon abgemeldet.',
  },
  'en': {
    'INVALID_2FA_RESET_TOKEN':
        'This link does not work: it was used before.',
    '2FA_RESET_TOKEN_EXPIRED':
        'This link is too old: the three days are over.',
    'NETWORK_ERROR':
        'No connection. Please try again.',
    'TIMEOUT':
        'No connection. Please try again.',
    '':
        'That did not work. Please try again later.',
    'OAUTH_ACCESS_DENIED':
        'You did not allow that provider to sign you in here.',
    'field REQUIRED':
        'Please fill this in.',
    'field INVALID':
        'This does not look right. Please check it.',
    'field TOO_LONG':
        'This is too long.',
    'field COUNTRY':
        'We do not send messages to numbers of that country.',
    'field PASSWORD_TOO_SHORT':
        'The password is too short.',
    'field PASSWORD_TOO_LONG':
        'The password is too long.',
    'field PASSWORD_COMPROMISED':
        'The password is too easy to guess.',
    'RATE_LIMITED':
        'Too many attempts. Please try again later.',
    'INVALID_CREDENTIALS':
        'The e‑mail address or the password is wrong.',
    'CHALLENGE_REQUIRED':
        'Too many people are trying to sign in. Please try again in a moment.',
    'EMAIL_NOT_VERIFIED':
        'Please confirm your e‑mail address first: open the link in the message that we sent you.',
    'EMAIL_VERIFICATION_REQUIRED':
        'Please confirm your e‑mail address first: open the link in the message that we sent you.',
    'EMAIL_ALREADY_VERIFIED':
        'This address is confirmed already.',
    'EMAIL_EXISTS':
        'This address is in use already.',
    'EMAIL_NOT_CONFIGURED':
        'This site cannot send e‑mail at present.',
    'SMS_NOT_CONFIGURED':
        'This site cannot send text messages.',
    'NOT_FOUND':
        'This is not available here.',
    'INVALID_TOTP_CODE':
        'This code is wrong, or was used already. Please enter the next one.',
    'INVALID_SMS_CODE':
        'This code is wrong or no longer valid.',
    'INVALID_PHONE_CODE':
        'This code is wrong or no longer valid.',
    'PHONE_NOT_SET':
        'There is no phone number for this account.',
    'INVALID_ACCESS_TOKEN':
        'This took too long, or there were too many wrong codes. Please sign in from the beginning.',
    'INVALID_TEMP_TOKEN':
        'This took too long, or there were too many wrong codes. Please sign in from the beginning.',
    '2FA_NOT_SET_UP':
        'Two-step sign-in was switched off meanwhile. Please sign in from the beginning.',
    '2FA_REQUIRED':
        'This site asks for two-step sign-in, so it cannot be switched off.',
    'INVALID_MAGIC_LINK':
        'This link or code does not work: it was used, or a newer message replaced it.',
    'MAGIC_LINK_EXPIRED':
        'This link is too old. Please ask for a new one.',
    'TOKEN_MISMATCH':
        'This link belongs to another sign-in. Please open it in the browser where you began.',
    'INVALID_RESET_TOKEN':
        'This link does not work: it was used, or a newer message replaced it.',
    'RESET_TOKEN_EXPIRED':
        'This link is too old. Please ask for a new one.',
    'INVALID_VERIFICATION_TOKEN':
        'This link does not work: it was used, or a newer message replaced it.',
    'VERIFICATION_TOKEN_EXPIRED':
        'This link is too old. Please ask for a new one.',
    'INVALID_EMAIL_CHANGE_TOKEN':
        'This link does not work: it was used, or a newer message replaced it.',
    'EMAIL_CHANGE_TOKEN_EXPIRED':
        'This link is too old. Please ask for the change once more.',
    'INVALID_EMAIL_REVERT_TOKEN':
        'This link does not work: it was used before.',
    'EMAIL_REVERT_TOKEN_EXPIRED':
        'This link is too old: the three days are over.',
    'INVALID_LINK_TOKEN':
        'This link does not work: it was used, or a newer message replaced it.',
    'LINK_TOKEN_EXPIRED':
        'This link is too old. Please ask for a new one.',
    'INVALID_STATE':
        'This link does not work any more. Please begin again.',
    'TOKEN_REQUIRED':
        'This link is incomplete. Please open it from the message once more.',
    'ACCOUNT_ALREADY_LINKED':
        'This address belongs to an account already.',
    'LAST_LOGIN_METHOD':
        'You could not sign in any more without this one. Set a password first.',
    'UNAUTHORIZED':
        'This took too long. Please begin again with the sign-in.',
    'USER_NOT_FOUND':
        'There is no such account any more.',
    'OAUTH_TOKEN_EXCHANGE_FAILED':
        'The sign-in with that provider did not work. Please try again.',
    'OAUTH_PROFILE_FAILED':
        'The sign-in with that provider did not work. Please try again.',
    'PASSWORD_REQUIRED':
        'Please set a password first.',
    'CURRENT_PASSWORD_INCORRECT':
        'The current password is wrong.',
    'REAUTH_REQUIRED':
        'Please fill in one of the fields.',
    'SESSION_NOT_FOUND':
        'That device is signed out already.',
  },
  'es': {
    'INVALID_2FA_RESET_TOKEN':
        'Este enlace no vale: ya se ha usado.',
    '2FA_RESET_TOKEN_EXPIRED':
        'Este enlace es demasiado antiguo: los tres días han pasado.',
    'NETWORK_ERROR':
        'Sin conexión. Inténtalo de nuevo.',
    'TIMEOUT':
        'Sin conexión. Inténtalo de nuevo.',
    '':
        'No ha funcionado. Inténtalo de nuevo más tarde.',
    'OAUTH_ACCESS_DENIED':
        'No has permitido que ese servicio te identifique aquí.',
    'field REQUIRED':
        'Rellena este campo.',
    'field INVALID':
        'Algo no cuadra. Revisa este campo.',
    'field TOO_LONG':
        'Es demasiado largo.',
    'field COUNTRY':
        'No enviamos mensajes a números de ese país.',
    'field PASSWORD_TOO_SHORT':
        'La contraseña es demasiado corta.',
    'field PASSWORD_TOO_LONG':
        'La contraseña es demasiado larga.',
    'field PASSWORD_COMPROMISED':
        'La contraseña es demasiado fácil de adivinar.',
    'RATE_LIMITED':
        'Demasiados intentos. Inténtalo de nuevo más tarde.',
    'INVALID_CREDENTIALS':
        'El correo o la contraseña no es correcto.',
    'CHALLENGE_REQUIRED':
        'Demasiadas personas intentan entrar. Inténtalo de nuevo en un momento.',
    'EMAIL_NOT_VERIFIED':
        'Confirma antes tu dirección de correo: abre el enlace del mensaje que te hemos enviado.',
    'EMAIL_VERIFICATION_REQUIRED':
        'Confirma antes tu dirección de correo: abre el enlace del mensaje que te hemos enviado.',
    'EMAIL_ALREADY_VERIFIED':
        'Esta dirección ya está confirmada.',
    'EMAIL_EXISTS':
        'Esta dirección ya está en uso.',
    'EMAIL_NOT_CONFIGURED':
        'Este sitio no puede enviar correos en este momento.',
    'SMS_NOT_CONFIGURED':
        'Este sitio no puede enviar SMS.',
    'NOT_FOUND':
        'Aquí no está disponible.',
    'INVALID_TOTP_CODE':
        'Este código no es correcto o ya se ha usado. Escribe el siguiente.',
    'INVALID_SMS_CODE':
        'Este código no es correcto o ya no vale.',
    'INVALID_PHONE_CODE':
        'Este código no es correcto o ya no vale.',
    'PHONE_NOT_SET':
        'Esta cuenta no tiene número de teléfono.',
    'INVALID_ACCESS_TOKEN':
        'Ha pasado demasiado tiempo o ha habido demasiados códigos incorrectos. Empieza de nuevo a iniciar sesión.',
    'INVALID_TEMP_TOKEN':
        'Ha pasado demasiado tiempo o ha habido demasiados códigos incorrectos. Empieza de nuevo a iniciar sesión.',
    '2FA_NOT_SET_UP':
        'Entretanto se ha desactivado el acceso en dos pasos. Empieza de nuevo a iniciar sesión.',
    '2FA_REQUIRED':
        'Este sitio exige el acceso en dos pasos: no se puede desactivar.',
    'INVALID_MAGIC_LINK':
        'Este enlace o código no vale: ya se ha usado o lo ha sustituido un mensaje más reciente.',
    'MAGIC_LINK_EXPIRED':
        'Este enlace es demasiado antiguo. Pide uno nuevo.',
    'TOKEN_MISMATCH':
        'Este enlace pertenece a otro inicio de sesión. Ábrelo en el navegador en el que empezaste.',
    'INVALID_RESET_TOKEN':
        'Este enlace no vale: ya se ha usado o lo ha sustituido un mensaje más reciente.',
    'RESET_TOKEN_EXPIRED':
        'Este enlace es demasiado antiguo. Pide uno nuevo.',
    'INVALID_VERIFICATION_TOKEN':
        'Este enlace no vale: ya se ha usado o lo ha sustituido un mensaje más reciente.',
    'VERIFICATION_TOKEN_EXPIRED':
        'Este enlace es demasiado antiguo. Pide uno nuevo.',
    'INVALID_EMAIL_CHANGE_TOKEN':
        'Este enlace no vale: ya se ha usado o lo ha sustituido un mensaje más reciente.',
    'EMAIL_CHANGE_TOKEN_EXPIRED':
        'Este enlace es demasiado antiguo. Pide otra vez el cambio.',
    'INVALID_EMAIL_REVERT_TOKEN':
        'Este enlace no vale: ya se ha usado.',
    'EMAIL_REVERT_TOKEN_EXPIRED':
        'Este enlace es demasiado antiguo: los tres días han pasado.',
    'INVALID_LINK_TOKEN':
        'Este enlace no vale: ya se ha usado o lo ha sustituido un mensaje más reciente.',
    'LINK_TOKEN_EXPIRED':
        'Este enlace es demasiado antiguo. Pide uno nuevo.',
    'INVALID_STATE':
        'Este enlace ya no vale. Empieza de nuevo.',
    'TOKEN_REQUIRED':
        'Este enlace está incompleto. Ábrelo de nuevo desde el mensaje.',
    'ACCOUNT_ALREADY_LINKED':
        'Esta dirección ya pertenece a una cuenta.',
    'LAST_LOGIN_METHOD':
        'Sin este vínculo no podrías entrar. Establece antes una contraseña.',
    'UNAUTHORIZED':
        'Ha pasado demasiado tiempo. Empieza de nuevo por el inicio de sesión.',
    'USER_NOT_FOUND':
        'Esa cuenta ya no existe.',
    'OAUTH_TOKEN_EXCHANGE_FAILED':
        'No se ha podido entrar con ese servicio. Inténtalo de nuevo.',
    'OAUTH_PROFILE_FAILED':
        'No se ha podido entrar con ese servicio. Inténtalo de nuevo.',
    'PASSWORD_REQUIRED':
        'Establece antes una contraseña.',
    'CURRENT_PASSWORD_INCORRECT':
        'La contraseña actual no es correcta.',
    'REAUTH_REQUIRED':
        'Rellena uno de los campos.',
    'SESSION_NOT_FOUND':
        'En ese dispositivo ya se ha cerrado la sesión.',
  },
  'fr': {
    'INVALID_2FA_RESET_TOKEN':
        'Ce lien ne fonctionne pas : il a déjà servi.',
    '2FA_RESET_TOKEN_EXPIRED':
        'Ce lien est trop ancien : les trois jours sont passés.',
    'NETWORK_ERROR':
        'Pas de connexion. Veuillez réessayer.',
    'TIMEOUT':
        'Pas de connexion. Veuillez réessayer.',
    '':
        'Cela n’a pas fonctionné. Veuillez réessayer plus tard.',
    'OAUTH_ACCESS_DENIED':
        'Vous n’avez pas autorisé ce service à vous connecter ici.',
    'field REQUIRED':
        'Veuillez remplir ce champ.',
    'field INVALID':
        'Quelque chose ne va pas. Veuillez vérifier ce champ.',
    'field TOO_LONG':
        'C’est trop long.',
    'field COUNTRY':
        'Nous n’envoyons pas de messages aux numéros de ce pays.',
    'field PASSWORD_TOO_SHORT':
        'Le mot de passe est trop court.',
    'field PASSWORD_TOO_LONG':
        'Le mot de passe est trop long.',
    'field PASSWORD_COMPROMISED':
        'Le mot de passe est trop facile à deviner.',
    'RATE_LIMITED':
        'Trop de tentatives. Veuillez réessayer plus tard.',
    'INVALID_CREDENTIALS':
        'L’adresse e‑mail ou le mot de passe est incorrect.',
    'CHALLENGE_REQUIRED':
        'Trop de personnes essaient de se connecter. Veuillez réessayer dans un instant.',
    'EMAIL_NOT_VERIFIED':
        'Veuillez d’abord confirmer votre adresse e‑mail : ouvrez le lien du message que nous vous avons envoyé.',
    'EMAIL_VERIFICATION_REQUIRED':
        'Veuillez d’abord confirmer votre adresse e‑mail : ouvrez le lien du message que nous vous avons envoyé.',
    'EMAIL_ALREADY_VERIFIED':
        'Cette adresse est déjà confirmée.',
    'EMAIL_EXISTS':
        'Cette adresse est déjà utilisée.',
    'EMAIL_NOT_CONFIGURED':
        'Ce site ne peut pas envoyer d’e‑mails pour le moment.',
    'SMS_NOT_CONFIGURED':
        'Ce site ne peut pas envoyer de SMS.',
    'NOT_FOUND':
        'Ce n’est pas disponible ici.',
    'INVALID_TOTP_CODE':
        'Ce code est incorrect ou a déjà servi. Veuillez saisir le suivant.',
    'INVALID_SMS_CODE':
        'Ce code est incorrect ou n’est plus valable.',
    'INVALID_PHONE_CODE':
        'Ce code est incorrect ou n’est plus valable.',
    'PHONE_NOT_SET':
        'Ce compte n’a pas de numéro de téléphone.',
    'INVALID_ACCESS_TOKEN':
        'Cela a pris trop de temps, ou il y a eu trop de codes incorrects. Veuillez recommencer la connexion.',
    'INVALID_TEMP_TOKEN':
        'Cela a pris trop de temps, ou il y a eu trop de codes incorrects. Veuillez recommencer la connexion.',
    '2FA_NOT_SET_UP':
        'La connexion en deux étapes a été désactivée entre-temps. Veuillez recommencer la connexion.',
    '2FA_REQUIRED':
        'Ce site exige la connexion en deux étapes : elle ne peut pas être désactivée.',
    'INVALID_MAGIC_LINK':
        'Ce lien ou ce code ne fonctionne pas : il a servi, ou un message plus récent l’a remplacé.',
    'MAGIC_LINK_EXPIRED':
        'Ce lien est trop ancien. Veuillez en demander un nouveau.',
    'TOKEN_MISMATCH':
        'Ce lien appartient à une autre connexion. Veuillez l’ouvrir dans le navigateur où vous avez commencé.',
    'INVALID_RESET_TOKEN':
        'Ce lien ne fonctionne pas : il a servi, ou un message plus récent l’a remplacé.',
    'RESET_TOKEN_EXPIRED':
        'Ce lien est trop ancien. Veuillez en demander un nouveau.',
    'INVALID_VERIFICATION_TOKEN':
        'Ce lien ne fonctionne pas : il a servi, ou un message plus récent l’a remplacé.',
    'VERIFICATION_TOKEN_EXPIRED':
        'Ce lien est trop ancien. Veuillez en demander un nouveau.',
    'INVALID_EMAIL_CHANGE_TOKEN':
        'Ce lien ne fonctionne pas : il a servi, ou un message plus récent l’a remplacé.',
    'EMAIL_CHANGE_TOKEN_EXPIRED':
        'Ce lien est trop ancien. Veuillez demander à nouveau le changement.',
    'INVALID_EMAIL_REVERT_TOKEN':
        'Ce lien ne fonctionne pas : il a déjà servi.',
    'EMAIL_REVERT_TOKEN_EXPIRED':
        'Ce lien est trop ancien : les trois jours sont passés.',
    'INVALID_LINK_TOKEN':
        'Ce lien ne fonctionne pas : il a servi, ou un message plus récent l’a remplacé.',
    'LINK_TOKEN_EXPIRED':
        'Ce lien est trop ancien. Veuillez en demander un nouveau.',
    'INVALID_STATE':
        'Ce lien ne fonctionne plus. Veuillez recommencer.',
    'TOKEN_REQUIRED':
        'Ce lien est incomplet. Veuillez le rouvrir depuis le message.',
    'ACCOUNT_ALREADY_LINKED':
        'Cette adresse appartient déjà à un compte.',
    'LAST_LOGIN_METHOD':
        'Sans cette association, vous ne pourriez plus vous connecter. Définissez d’abord un mot de passe.',
    'UNAUTHORIZED':
        'Cela a pris trop de temps. Veuillez recommencer par la connexion.',
    'USER_NOT_FOUND':
        'Ce compte n’existe plus.',
    'OAUTH_TOKEN_EXCHANGE_FAILED':
        'La connexion avec ce service n’a pas fonctionné. Veuillez réessayer.',
    'OAUTH_PROFILE_FAILED':
        'La connexion avec ce service n’a pas fonctionné. Veuillez réessayer.',
    'PASSWORD_REQUIRED':
        'Veuillez d’abord définir un mot de passe.',
    'CURRENT_PASSWORD_INCORRECT':
        'Le mot de passe actuel est incorrect.',
    'REAUTH_REQUIRED':
        'Veuillez remplir l’un des champs.',
    'SESSION_NOT_FOUND':
        'Cet appareil est déjà déconnecté.',
  },
  'it': {
    'INVALID_2FA_RESET_TOKEN':
        'Questo link non funziona: è già stato usato.',
    '2FA_RESET_TOKEN_EXPIRED':
        'Questo link è troppo vecchio: i tre giorni sono passati.',
    'NETWORK_ERROR':
        'Nessuna connessione. Riprova.',
    'TIMEOUT':
        'Nessuna connessione. Riprova.',
    '':
        'Qualcosa non ha funzionato. Riprova più tardi.',
    'OAUTH_ACCESS_DENIED':
        'Non hai permesso a quel servizio di farti accedere qui.',
    'field REQUIRED':
        'Compila questo campo.',
    'field INVALID':
        'Qualcosa non va. Controlla questo campo.',
    'field TOO_LONG':
        'È troppo lungo.',
    'field COUNTRY':
        'Non inviamo messaggi ai numeri di quel paese.',
    'field PASSWORD_TOO_SHORT':
        'La password è troppo corta.',
    'field PASSWORD_TOO_LONG':
        'La password è troppo lunga.',
    'field PASSWORD_COMPROMISED':
        'La password è troppo facile da indovinare.',
    'RATE_LIMITED':
        'Troppi tentativi. Riprova più tardi.',
    'INVALID_CREDENTIALS':
        'L’indirizzo e‑mail o la password non è corretta.',
    'CHALLENGE_REQUIRED':
        'Troppe persone stanno cercando di accedere. Riprova tra un momento.',
    'EMAIL_NOT_VERIFIED':
        'Conferma prima il tuo indirizzo e‑mail: apri il link nel messaggio che ti abbiamo inviato.',
    'EMAIL_VERIFICATION_REQUIRED':
        'Conferma prima il tuo indirizzo e‑mail: apri il link nel messaggio che ti abbiamo inviato.',
    'EMAIL_ALREADY_VERIFIED':
        'Questo indirizzo è già confermato.',
    'EMAIL_EXISTS':
        'Questo indirizzo è già in uso.',
    'EMAIL_NOT_CONFIGURED':
        'Questo sito al momento non può inviare e‑mail.',
    'SMS_NOT_CONFIGURED':
        'Questo sito non può inviare SMS.',
    'NOT_FOUND':
        'Qui non è disponibile.',
    'INVALID_TOTP_CODE':
        'Questo codice è sbagliato o è già stato usato. Inserisci il prossimo.',
    'INVALID_SMS_CODE':
        'Questo codice è sbagliato o non è più valido.',
    'INVALID_PHONE_CODE':
        'Questo codice è sbagliato o non è più valido.',
    'PHONE_NOT_SET':
        'Questo account non ha un numero di telefono.',
    'INVALID_ACCESS_TOKEN':
        'È passato troppo tempo, o i codici sbagliati sono stati troppi. Ricomincia l’accesso da capo.',
    'INVALID_TEMP_TOKEN':
        'È passato troppo tempo, o i codici sbagliati sono stati troppi. Ricomincia l’accesso da capo.',
    '2FA_NOT_SET_UP':
        'Nel frattempo l’accesso in due passaggi è stato disattivato. Ricomincia l’accesso da capo.',
    '2FA_REQUIRED':
        'Questo sito richiede l’accesso in due passaggi: non si può disattivare.',
    'INVALID_MAGIC_LINK':
        'Questo link o codice non funziona: è stato usato, o un messaggio più recente lo ha sostituito.',
    'MAGIC_LINK_EXPIRED':
        'Questo link è troppo vecchio. Chiedine uno nuovo.',
    'TOKEN_MISMATCH':
        'Questo link appartiene a un altro accesso. Aprilo nel browser in cui hai iniziato.',
    'INVALID_RESET_TOKEN':
        'Questo link non funziona: è stato usato, o un messaggio più recente lo ha sostituito.',
    'RESET_TOKEN_EXPIRED':
        'Questo link è troppo vecchio. Chiedine uno nuovo.',
    'INVALID_VERIFICATION_TOKEN':
        'Questo link non funziona: è stato usato, o un messaggio più recente lo ha sostituito.',
    'VERIFICATION_TOKEN_EXPIRED':
        'Questo link è troppo vecchio. Chiedine uno nuovo.',
    'INVALID_EMAIL_CHANGE_TOKEN':
        'Questo link non funziona: è stato usato, o un messaggio più recente lo ha sostituito.',
    'EMAIL_CHANGE_TOKEN_EXPIRED':
        'Questo link è troppo vecchio. Chiedi di nuovo il cambio.',
    'INVALID_EMAIL_REVERT_TOKEN':
        'Questo link non funziona: è già stato usato.',
    'EMAIL_REVERT_TOKEN_EXPIRED':
        'Questo link è troppo vecchio: i tre giorni sono passati.',
    'INVALID_LINK_TOKEN':
        'Questo link non funziona: è stato usato, o un messaggio più recente lo ha sostituito.',
    'LINK_TOKEN_EXPIRED':
        'Questo link è troppo vecchio. Chiedine uno nuovo.',
    'INVALID_STATE':
        'Questo link non funziona più. Ricomincia da capo.',
    'TOKEN_REQUIRED':
        'Questo link è incompleto. Aprilo di nuovo dal messaggio.',
    'ACCOUNT_ALREADY_LINKED':
        'Questo indirizzo appartiene già a un account.',
    'LAST_LOGIN_METHOD':
        'Senza questo collegamento non potresti più accedere. Imposta prima una password.',
    'UNAUTHORIZED':
        'È passato troppo tempo. Ricomincia dall’accesso.',
    'USER_NOT_FOUND':
        'Questo account non esiste più.',
    'OAUTH_TOKEN_EXCHANGE_FAILED':
        'L’accesso con quel servizio non è riuscito. Riprova.',
    'OAUTH_PROFILE_FAILED':
        'L’accesso con quel servizio non è riuscito. Riprova.',
    'PASSWORD_REQUIRED':
        'Imposta prima una password.',
    'CURRENT_PASSWORD_INCORRECT':
        'La password attuale non è corretta.',
    'REAUTH_REQUIRED':
        'Compila uno dei campi.',
    'SESSION_NOT_FOUND':
        'Quel dispositivo è già disconnesso.',
  },
};

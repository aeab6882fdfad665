/* template_texts.c — what Sallyport writes to people, as tables. The bases are put together from
 * the same pieces, so that all messages look alike: no images, fonts or styles from elsewhere,
 * colours that do in light and dark, and each link also as text, for those whose program shows no
 * button. */
#include "domain/template_texts.h"

#define SIZEOF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- bases ---- */

#define HTML_START                                                                                 \
	"<!DOCTYPE html>\n"                                                                        \
	"<html lang=\"{{T.lang}}\" style=\"color-scheme:light dark\">\n<head>\n"                   \
	"<meta charset=\"utf-8\">\n"                                                               \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"               \
	"<meta name=\"color-scheme\" content=\"light dark\">\n"                                    \
	"<meta name=\"supported-color-schemes\" content=\"light dark\">\n"                         \
	"<title>{{T.title}}</title>\n</head>\n"                                                    \
	"<body style=\"margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI'," \
	"Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5\">\n"                    \
	"<div style=\"max-width:560px;margin:0 auto\">\n"                                          \
	"<p style=\"margin:0 0 24px;font-weight:bold\">{{siteName}}</p>\n"                         \
	"<h1 style=\"margin:0 0 16px;font-size:22px;line-height:1.3\">{{T.title}}</h1>\n"          \
	"<p style=\"margin:0 0 24px;overflow-wrap:anywhere\">{{T.body}}</p>\n"
#define HTML_BUTTON(url)                                                                           \
	"<p style=\"margin:0 0 24px\"><a href=\"" url "\" style=\"display:inline-block;"           \
	"padding:12px 20px;border-radius:6px;background-color:#1a5fb4;color:#ffffff;"              \
	"font-weight:bold;text-decoration:none\">{{T.button}}</a></p>\n"                           \
	"<p style=\"margin:0 0 24px;font-size:14px\">{{T.copy}}<br>\n"                             \
	"<a href=\"" url "\" style=\"word-break:break-all\">" url "</a></p>\n"
/* Large, and apart enough to be typed off; spaces between the digits would be copied too. */
#define HTML_CODE                                                                                  \
	"<p style=\"margin:0 0 24px;font-size:32px;line-height:1.3;font-weight:bold;"              \
	"letter-spacing:.2em;font-family:ui-monospace,Menlo,Consolas,monospace\">{{code}}</p>\n"
#define HTML_DETAIL(label, value)                                                                  \
	"<tr><th scope=\"row\" style=\"padding:4px 16px 4px 0;text-align:left;"                    \
	"vertical-align:top\">" label "</th>"                                                      \
	"<td style=\"padding:4px 0;overflow-wrap:anywhere\">" value "</td></tr>\n"
#define HTML_DETAILS                                                                               \
	"<table style=\"margin:0 0 24px;border-collapse:collapse\">\n" HTML_DETAIL(                \
		"{{T.when}}", "{{when}}") HTML_DETAIL("{{T.device}}", "{{device}}")                \
		HTML_DETAIL("{{T.place}}", "{{place}}") "</table>\n"
#define HTML_END                                                                                   \
	"<p style=\"margin:0 0 24px\">{{T.note}}</p>\n"                                            \
	"<p style=\"margin:0;padding-top:16px;border-top:1px solid #808080;font-size:13px\">"      \
	"{{T.footer}}</p>\n"                                                                       \
	"</div>\n</body>\n</html>\n"

#define TEXT_START	 "{{T.title}}\n\n{{T.body}}\n\n"
#define TEXT_BUTTON(url) "{{T.button}}\n" url "\n\n"
#define TEXT_CODE	 "{{code}}\n\n"
#define TEXT_DETAILS	 "{{T.when}} {{when}}\n{{T.device}} {{device}}\n{{T.place}} {{place}}\n\n"
#define TEXT_END	 "{{T.note}}\n\n-- \n{{T.footer}}\n"

#define BASES(html_middle, text_middle)                                                            \
	.html = STR_INIT(HTML_START html_middle HTML_END),                                         \
	.text = STR_INIT(TEXT_START text_middle TEXT_END)
#define BASES_BUTTON(url) BASES(HTML_BUTTON(url), TEXT_BUTTON(url))
#define BASES_CODE	  BASES(HTML_CODE, TEXT_CODE)
#define BASES_EITHER(url)                                                                          \
	BASES(HTML_BUTTON(url) "<p style=\"margin:0 0 8px\">{{T.code}}</p>\n" HTML_CODE,           \
	      TEXT_BUTTON(url) "{{T.code}}\n" TEXT_CODE)
#define BASES_DETAILS	  BASES(HTML_DETAILS, TEXT_DETAILS)
#define BASES_NOTICE	  BASES("", "")

/* ---- texts ---- */

#define SAY(key_, en, it, de, fr, es)                                                              \
	{                                                                                          \
		STR_INIT(key_),                                                                    \
		{                                                                                  \
			STR_INIT(en), STR_INIT(it), STR_INIT(de), STR_INIT(fr), STR_INIT(es)       \
		}                                                                                  \
	}
/* The title in the message is its subject. */
#define TITLE(en, it, de, fr, es)                                                                  \
	SAY("subject", en, it, de, fr, es), SAY("title", en, it, de, fr, es)

static const str langs[N_TEMPLATE_LANGS] = {
	[TEMPLATE_EN] = STR_INIT("en"), [TEMPLATE_IT] = STR_INIT("it"),
	[TEMPLATE_DE] = STR_INIT("de"), [TEMPLATE_FR] = STR_INIT("fr"),
	[TEMPLATE_ES] = STR_INIT("es"),
};

static const struct template_builtin_text shared[] = {
	SAY("lang", "en", "it", "de", "fr", "es"),
	SAY("copy", "If the button does not work, copy this address into your browser:",
	    "Se il pulsante non funziona, copia questo indirizzo nel browser:",
	    "Falls die Schaltfläche nicht funktioniert, kopieren Sie diese Adresse in Ihren "
	    "Browser:",
	    "Si le bouton ne fonctionne pas, copiez cette adresse dans votre navigateur :",
	    "Si el botón no funciona, copie esta dirección en su navegador:"),
	SAY("when", "Time:", "Quando:", "Zeitpunkt:", "Date :", "Fecha:"),
	SAY("device", "Device:", "Dispositivo:", "Gerät:", "Appareil :", "Dispositivo:"),
	SAY("place", "Place:", "Luogo:", "Ort:", "Lieu :", "Lugar:"),
	SAY("footer", "This message was sent automatically by {{siteName}}.",
	    "Questo messaggio è stato inviato automaticamente da {{siteName}}.",
	    "Diese Nachricht wurde automatisch von {{siteName}} gesendet.",
	    "Ce message a été envoyé automatiquement par {{siteName}}.",
	    "Este mensaje ha sido enviado automáticamente por {{siteName}}."),
};

static const struct template_builtin_text password_reset[] = {
	TITLE("Reset your password", "Reimposta la tua password", "Setzen Sie Ihr Passwort zurück",
	      "Réinitialisez votre mot de passe", "Restablezca su contraseña"),
	SAY("body", "A new password was requested for your account {{email}} at {{siteName}}.",
	    "È stata richiesta una nuova password per il tuo account {{email}} su {{siteName}}.",
	    "Für Ihr Konto {{email}} bei {{siteName}} wurde ein neues Passwort angefordert.",
	    "Un nouveau mot de passe a été demandé pour votre compte {{email}} sur {{siteName}}.",
	    "Se ha solicitado una nueva contraseña para su cuenta {{email}} en {{siteName}}."),
	SAY("button", "Choose a new password", "Scegli una nuova password", "Neues Passwort wählen",
	    "Choisir un nouveau mot de passe", "Elegir una nueva contraseña"),
	SAY("note",
	    "The link is valid for 1 hour and works once. If you did not ask for it, ignore this "
	    "message: your password stays as it is.",
	    "Il link è valido per 1 ora e funziona una sola volta. Se non l'hai richiesto, ignora "
	    "questo messaggio: la tua password non cambia.",
	    "Der Link ist 1 Stunde gültig und funktioniert nur einmal. Wenn Sie ihn nicht "
	    "angefordert haben, ignorieren Sie diese Nachricht: Ihr Passwort bleibt unverändert.",
	    "Le lien est valable 1 heure et ne fonctionne qu'une seule fois. Si vous ne l'avez pas "
	    "demandé, ignorez ce message : votre mot de passe ne change pas.",
	    "El enlace es válido durante 1 hora y funciona una sola vez. Si no lo ha solicitado, "
	    "ignore este mensaje: su contraseña no cambia."),
};

static const struct template_builtin_text verify_email[] = {
	TITLE("Verify your email address", "Verifica il tuo indirizzo email",
	      "Bestätigen Sie Ihre E-Mail-Adresse", "Confirmez votre adresse e-mail",
	      "Confirme su dirección de correo electrónico"),
	SAY("body", "Please confirm that {{email}} is the address of your account at {{siteName}}.",
	    "Conferma che {{email}} è l'indirizzo del tuo account su {{siteName}}.",
	    "Bitte bestätigen Sie, dass {{email}} die Adresse Ihres Kontos bei {{siteName}} ist.",
	    "Veuillez confirmer que {{email}} est l'adresse de votre compte sur {{siteName}}.",
	    "Confirme que {{email}} es la dirección de su cuenta en {{siteName}}."),
	SAY("button", "Verify address", "Verifica l'indirizzo", "Adresse bestätigen",
	    "Confirmer l'adresse", "Confirmar la dirección"),
	SAY("note",
	    "The link is valid for 24 hours. If you have no account there, somebody entered your "
	    "address by mistake, and you can ignore this message.",
	    "Il link è valido per 24 ore. Se non hai un account, qualcuno ha inserito il tuo "
	    "indirizzo per errore e puoi ignorare questo messaggio.",
	    "Der Link ist 24 Stunden gültig. Wenn Sie dort kein Konto haben, hat jemand Ihre "
	    "Adresse versehentlich angegeben, und Sie können diese Nachricht ignorieren.",
	    "Le lien est valable 24 heures. Si vous n'y avez pas de compte, quelqu'un a saisi "
	    "votre adresse par erreur et vous pouvez ignorer ce message.",
	    "El enlace es válido durante 24 horas. Si no tiene una cuenta allí, alguien ha "
	    "indicado su dirección por error y puede ignorar este mensaje."),
};

static const struct template_builtin_text change_email[] = {
	TITLE("Confirm your new email address", "Conferma il tuo nuovo indirizzo email",
	      "Bestätigen Sie Ihre neue E-Mail-Adresse", "Confirmez votre nouvelle adresse e-mail",
	      "Confirme su nueva dirección de correo electrónico"),
	SAY("body",
	    "The address of the account {{email}} at {{siteName}} is to be changed to "
	    "{{newEmail}}.",
	    "L'indirizzo dell'account {{email}} su {{siteName}} sta per diventare {{newEmail}}.",
	    "Die Adresse des Kontos {{email}} bei {{siteName}} soll in {{newEmail}} geändert "
	    "werden.",
	    "L'adresse du compte {{email}} sur {{siteName}} va être remplacée par {{newEmail}}.",
	    "La dirección de la cuenta {{email}} en {{siteName}} va a cambiarse por {{newEmail}}."),
	SAY("button", "Confirm new address", "Conferma il nuovo indirizzo",
	    "Neue Adresse bestätigen", "Confirmer la nouvelle adresse",
	    "Confirmar la nueva dirección"),
	SAY("note",
	    "The link is valid for 1 hour. Nothing changes before you confirm. If you did not ask "
	    "for this, ignore this message.",
	    "Il link è valido per 1 ora. Nulla cambia finché non confermi. Se non l'hai richiesto, "
	    "ignora questo messaggio.",
	    "Der Link ist 1 Stunde gültig. Ohne Ihre Bestätigung ändert sich nichts. Wenn Sie dies "
	    "nicht angefordert haben, ignorieren Sie diese Nachricht.",
	    "Le lien est valable 1 heure. Rien ne change sans votre confirmation. Si vous n'avez "
	    "rien demandé, ignorez ce message.",
	    "El enlace es válido durante 1 hora. Nada cambia sin su confirmación. Si no lo ha "
	    "solicitado, ignore este mensaje."),
};

static const struct template_builtin_text link_account[] = {
	TITLE("Confirm a further way to sign in", "Conferma un altro modo di accedere",
	      "Bestätigen Sie eine weitere Anmeldemethode", "Confirmez un autre moyen de connexion",
	      "Confirme otra forma de iniciar sesión"),
	SAY("body",
	    "{{email}} is to be linked to your account at {{siteName}}, as a way to sign in.",
	    "{{email}} sta per essere collegato al tuo account su {{siteName}} per accedere.",
	    "{{email}} soll mit Ihrem Konto bei {{siteName}} verknüpft und zur Anmeldung verwendet "
	    "werden.",
	    "{{email}} va être associé à votre compte sur {{siteName}} pour vous connecter.",
	    "{{email}} va a vincularse a su cuenta en {{siteName}} para iniciar sesión."),
	SAY("button", "Confirm", "Conferma", "Bestätigen", "Confirmer", "Confirmar"),
	SAY("note",
	    "The link is valid for 1 hour. If you did not ask for this, ignore this message: "
	    "nothing is linked.",
	    "Il link è valido per 1 ora. Se non l'hai richiesto, ignora questo messaggio: non "
	    "verrà collegato nulla.",
	    "Der Link ist 1 Stunde gültig. Wenn Sie dies nicht angefordert haben, ignorieren Sie "
	    "diese Nachricht: Es wird nichts verknüpft.",
	    "Le lien est valable 1 heure. Si vous n'avez rien demandé, ignorez ce message : rien "
	    "ne sera associé.",
	    "El enlace es válido durante 1 hora. Si no lo ha solicitado, ignore este mensaje: no "
	    "se vinculará nada."),
};

static const struct template_builtin_text email_changed[] = {
	TITLE("Your email address has been updated", "Il tuo indirizzo email è stato aggiornato",
	      "Ihre E-Mail-Adresse wurde geändert", "Votre adresse e-mail a été modifiée",
	      "Su dirección de correo electrónico ha cambiado"),
	SAY("body", "The address of your account at {{siteName}} is now {{newEmail}}.",
	    "L'indirizzo del tuo account su {{siteName}} ora è {{newEmail}}.",
	    "Die Adresse Ihres Kontos bei {{siteName}} lautet jetzt {{newEmail}}.",
	    "L'adresse de votre compte sur {{siteName}} est désormais {{newEmail}}.",
	    "La dirección de su cuenta en {{siteName}} es ahora {{newEmail}}."),
	SAY("button", "Undo the change", "Annulla la modifica", "Änderung rückgängig machen",
	    "Annuler la modification", "Deshacer el cambio"),
	SAY("note",
	    "If this was you, there is nothing to do. If not, undo the change: the link is valid "
	    "for 72 hours.",
	    "Se sei stato tu, non devi fare nulla. Altrimenti annulla la modifica: il link è "
	    "valido per 72 ore.",
	    "Wenn Sie das waren, ist nichts weiter zu tun. Andernfalls machen Sie die Änderung "
	    "rückgängig: Der Link ist 72 Stunden gültig.",
	    "Si c'était vous, vous n'avez rien à faire. Sinon, annulez la modification : le lien "
	    "est valable 72 heures.",
	    "Si ha sido usted, no tiene que hacer nada. Si no, deshaga el cambio: el enlace es "
	    "válido durante 72 horas."),
};

static const struct template_builtin_text email_reverted[] = {
	TITLE("Your email address has been restored", "Il tuo indirizzo email è stato ripristinato",
	      "Ihre E-Mail-Adresse wurde wiederhergestellt", "Votre adresse e-mail a été rétablie",
	      "Su dirección de correo electrónico ha sido restablecida"),
	SAY("body",
	    "The change was undone: the address of your account at {{siteName}} is {{email}} "
	    "again. Somebody else may know your password, so please choose a new one.",
	    "La modifica è stata annullata: l'indirizzo del tuo account su {{siteName}} è di nuovo "
	    "{{email}}. Qualcun altro potrebbe conoscere la tua password: scegline una nuova.",
	    "Die Änderung wurde rückgängig gemacht: Die Adresse Ihres Kontos bei {{siteName}} "
	    "lautet wieder {{email}}. Möglicherweise kennt jemand Ihr Passwort. Bitte wählen Sie "
	    "ein neues.",
	    "La modification a été annulée : l'adresse de votre compte sur {{siteName}} est de "
	    "nouveau {{email}}. Quelqu'un connaît peut-être votre mot de passe : veuillez en "
	    "choisir un nouveau.",
	    "El cambio se ha deshecho: la dirección de su cuenta en {{siteName}} vuelve a ser "
	    "{{email}}. Es posible que alguien conozca su contraseña: elija una nueva."),
	SAY("button", "Choose a new password", "Scegli una nuova password", "Neues Passwort wählen",
	    "Choisir un nouveau mot de passe", "Elegir una nueva contraseña"),
	SAY("note",
	    "The link is valid for 1 hour. After that you can ask for another one on the sign-in "
	    "page.",
	    "Il link è valido per 1 ora. In seguito puoi richiederne un altro dalla pagina di "
	    "accesso.",
	    "Der Link ist 1 Stunde gültig. Danach können Sie auf der Anmeldeseite einen neuen "
	    "anfordern.",
	    "Le lien est valable 1 heure. Passé ce délai, vous pouvez en demander un autre sur la "
	    "page de connexion.",
	    "El enlace es válido durante 1 hora. Después puede solicitar otro en la página de "
	    "inicio de sesión."),
};

static const struct template_builtin_text welcome[] = {
	TITLE("Welcome! Your account has been created", "Benvenuto! Il tuo account è stato creato",
	      "Willkommen! Ihr Konto wurde angelegt", "Bienvenue ! Votre compte a été créé",
	      "¡Le damos la bienvenida! Su cuenta ha sido creada"),
	SAY("body", "Your account {{email}} at {{siteName}} is ready.",
	    "Il tuo account {{email}} su {{siteName}} è pronto.",
	    "Ihr Konto {{email}} bei {{siteName}} ist bereit.",
	    "Votre compte {{email}} sur {{siteName}} est prêt.",
	    "Su cuenta {{email}} en {{siteName}} está lista."),
	SAY("button", "Sign in", "Accedi", "Anmelden", "Se connecter", "Iniciar sesión"),
	SAY("note",
	    "If you did not create this account, somebody entered your address by mistake, and you "
	    "can ignore this message.",
	    "Se non hai creato tu questo account, qualcuno ha inserito il tuo indirizzo per errore "
	    "e puoi ignorare questo messaggio.",
	    "Wenn Sie dieses Konto nicht angelegt haben, hat jemand Ihre Adresse versehentlich "
	    "angegeben, und Sie können diese Nachricht ignorieren.",
	    "Si vous n'avez pas créé ce compte, quelqu'un a saisi votre adresse par erreur et vous "
	    "pouvez ignorer ce message.",
	    "Si no ha creado esta cuenta, alguien ha indicado su dirección por error y puede "
	    "ignorar este mensaje."),
};

static const struct template_builtin_text account_exists[] = {
	TITLE("You already have an account", "Hai già un account", "Sie haben bereits ein Konto",
	      "Vous avez déjà un compte", "Ya tiene una cuenta"),
	SAY("body",
	    "Somebody tried to create an account at {{siteName}} with the address {{email}}. There "
	    "is one already: you can simply sign in.",
	    "Qualcuno ha provato a creare un account su {{siteName}} con l'indirizzo {{email}}. Ne "
	    "esiste già uno: puoi semplicemente accedere.",
	    "Jemand wollte bei {{siteName}} ein Konto mit der Adresse {{email}} anlegen. Es gibt "
	    "bereits eines: Sie können sich einfach anmelden.",
	    "Quelqu'un a essayé de créer un compte sur {{siteName}} avec l'adresse {{email}}. Il "
	    "en existe déjà un : il vous suffit de vous connecter.",
	    "Alguien ha intentado crear una cuenta en {{siteName}} con la dirección {{email}}. Ya "
	    "existe una: basta con iniciar sesión."),
	SAY("button", "Sign in", "Accedi", "Anmelden", "Se connecter", "Iniciar sesión"),
	SAY("note",
	    "If you no longer know your password, ask for a new one on the sign-in page. If this "
	    "was not you, there is nothing to do: nothing was changed.",
	    "Se non ricordi la password, puoi richiederne una nuova dalla pagina di accesso. Se "
	    "non sei stato tu, non devi fare nulla: non è cambiato niente.",
	    "Wenn Sie Ihr Passwort nicht mehr wissen, fordern Sie auf der Anmeldeseite ein neues "
	    "an. Wenn Sie das nicht waren, ist nichts zu tun: Es wurde nichts geändert.",
	    "Si vous ne connaissez plus votre mot de passe, demandez-en un nouveau sur la page de "
	    "connexion. Si ce n'était pas vous, vous n'avez rien à faire : rien n'a été modifié.",
	    "Si no recuerda su contraseña, solicite una nueva en la página de inicio de sesión. Si "
	    "no ha sido usted, no tiene que hacer nada: no se ha cambiado nada."),
};

static const struct template_builtin_text address_in_use[] = {
	TITLE("Your email address is already in use", "Il tuo indirizzo email è già in uso",
	      "Ihre E-Mail-Adresse wird bereits verwendet",
	      "Votre adresse e-mail est déjà utilisée",
	      "Su dirección de correo electrónico ya está en uso"),
	SAY("body",
	    "Somebody wanted to use your address {{email}} for another account at {{siteName}}. It "
	    "belongs to your account, so nothing was changed.",
	    "Qualcuno voleva usare il tuo indirizzo {{email}} per un altro account su "
	    "{{siteName}}. Appartiene al tuo account, quindi non è cambiato nulla.",
	    "Jemand wollte Ihre Adresse {{email}} für ein anderes Konto bei {{siteName}} "
	    "verwenden. Sie gehört zu Ihrem Konto, deshalb wurde nichts geändert.",
	    "Quelqu'un a voulu utiliser votre adresse {{email}} pour un autre compte sur "
	    "{{siteName}}. Elle appartient à votre compte, rien n'a donc été modifié.",
	    "Alguien ha querido usar su dirección {{email}} para otra cuenta en {{siteName}}. "
	    "Pertenece a su cuenta, así que no se ha cambiado nada."),
	SAY("note",
	    "If this was you, sign in with this address, or use a different one for the other "
	    "account.",
	    "Se sei stato tu, accedi con questo indirizzo oppure usane uno diverso per l'altro "
	    "account.",
	    "Wenn Sie das waren, melden Sie sich mit dieser Adresse an oder verwenden Sie für das "
	    "andere Konto eine andere.",
	    "Si c'était vous, connectez-vous avec cette adresse ou utilisez-en une autre pour "
	    "l'autre compte.",
	    "Si ha sido usted, inicie sesión con esta dirección o use otra distinta para la otra "
	    "cuenta."),
};

/* What to do, in all notices about something that may have been somebody else. */
#define NOTE_NOT_YOU                                                                               \
	SAY("note",                                                                                \
	    "If this was you, there is nothing to do. If not, reset your password now and "        \
	    "end the sessions you do not recognise.",                                              \
	    "Se sei stato tu, non devi fare nulla. Altrimenti reimposta subito la tua "            \
	    "password e chiudi le sessioni che non riconosci.",                                    \
	    "Wenn Sie das waren, ist nichts zu tun. Andernfalls setzen Sie jetzt Ihr "             \
	    "Passwort zurück und beenden Sie die Sitzungen, die Sie nicht erkennen.",              \
	    "Si c'était vous, vous n'avez rien à faire. Sinon, réinitialisez tout de suite "       \
	    "votre mot de passe et fermez les sessions que vous ne reconnaissez pas.",             \
	    "Si ha sido usted, no tiene que hacer nada. Si no, restablezca ahora su "              \
	    "contraseña y cierre las sesiones que no reconozca.")

static const struct template_builtin_text password_changed[] = {
	TITLE("Your password has been changed", "La tua password è stata cambiata",
	      "Ihr Passwort wurde geändert", "Votre mot de passe a été modifié",
	      "Su contraseña ha cambiado"),
	SAY("body", "The password of your account {{email}} at {{siteName}} was changed.",
	    "La password del tuo account {{email}} su {{siteName}} è stata cambiata.",
	    "Das Passwort Ihres Kontos {{email}} bei {{siteName}} wurde geändert.",
	    "Le mot de passe de votre compte {{email}} sur {{siteName}} a été modifié.",
	    "La contraseña de su cuenta {{email}} en {{siteName}} ha cambiado."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text new_sign_in[] = {
	TITLE("New sign-in to your account", "Nuovo accesso al tuo account",
	      "Neue Anmeldung bei Ihrem Konto", "Nouvelle connexion à votre compte",
	      "Nuevo inicio de sesión en su cuenta"),
	SAY("body",
	    "Your account {{email}} at {{siteName}} was signed in to from a new device or place.",
	    "È stato effettuato un accesso al tuo account {{email}} su {{siteName}} da un "
	    "dispositivo o luogo nuovo.",
	    "Bei Ihrem Konto {{email}} bei {{siteName}} gab es eine Anmeldung von einem neuen "
	    "Gerät oder Ort.",
	    "Une connexion à votre compte {{email}} sur {{siteName}} a eu lieu depuis un nouvel "
	    "appareil ou un nouveau lieu.",
	    "Se ha iniciado sesión en su cuenta {{email}} de {{siteName}} desde un dispositivo o "
	    "lugar nuevo."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text sign_in_after_failures[] = {
	TITLE("Sign-in to your account after failed attempts",
	      "Accesso al tuo account dopo tentativi falliti",
	      "Anmeldung bei Ihrem Konto nach Fehlversuchen",
	      "Connexion à votre compte après des tentatives échouées",
	      "Inicio de sesión en su cuenta tras intentos fallidos"),
	SAY("body",
	    "Your account {{email}} at {{siteName}} was signed in to. Failed attempts before that: "
	    "{{failures}}.",
	    "È stato effettuato un accesso al tuo account {{email}} su {{siteName}}. Tentativi "
	    "falliti prima di questo: {{failures}}.",
	    "Bei Ihrem Konto {{email}} bei {{siteName}} gab es eine Anmeldung. Fehlversuche davor: "
	    "{{failures}}.",
	    "Une connexion à votre compte {{email}} sur {{siteName}} a eu lieu. Tentatives "
	    "échouées auparavant : {{failures}}.",
	    "Se ha iniciado sesión en su cuenta {{email}} de {{siteName}}. Intentos fallidos "
	    "previos: {{failures}}."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text phone_changed[] = {
	TITLE("Your phone number has been updated", "Il tuo numero di telefono è stato aggiornato",
	      "Ihre Telefonnummer wurde geändert", "Votre numéro de téléphone a été modifié",
	      "Su número de teléfono ha cambiado"),
	SAY("body",
	    "The phone number of your account {{email}} at {{siteName}} is now {{newPhone}}. It "
	    "was changed at this time: {{when}}.",
	    "Il numero di telefono del tuo account {{email}} su {{siteName}} ora è {{newPhone}}. "
	    "Data della modifica: {{when}}.",
	    "Die Telefonnummer Ihres Kontos {{email}} bei {{siteName}} lautet jetzt {{newPhone}}. "
	    "Zeitpunkt der Änderung: {{when}}.",
	    "Le numéro de téléphone de votre compte {{email}} sur {{siteName}} est désormais "
	    "{{newPhone}}. Date de la modification : {{when}}.",
	    "El número de teléfono de su cuenta {{email}} en {{siteName}} es ahora {{newPhone}}. "
	    "Fecha del cambio: {{when}}."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text factor_changed[] = {
	TITLE("Your second factor was changed", "Il tuo secondo fattore è stato modificato",
	      "Ihr zweiter Faktor wurde geändert", "Votre second facteur a été modifié",
	      "Su segundo factor ha cambiado"),
	SAY("body",
	    "An authenticator app or new recovery codes were set up for your account {{email}} at "
	    "{{siteName}}. Those before no longer work.",
	    "Per il tuo account {{email}} su {{siteName}} sono stati configurati un'app di "
	    "autenticazione o nuovi codici di recupero. Quelli precedenti non funzionano più.",
	    "Für Ihr Konto {{email}} bei {{siteName}} wurden eine Authenticator-App oder neue "
	    "Wiederherstellungscodes eingerichtet. Die bisherigen gelten nicht mehr.",
	    "Une application d'authentification ou de nouveaux codes de récupération ont été "
	    "configurés pour votre compte {{email}} sur {{siteName}}. Les précédents ne fonctionnent "
	    "plus.",
	    "Se han configurado una aplicación de autenticación o nuevos códigos de recuperación "
	    "para su cuenta {{email}} de {{siteName}}. Los anteriores ya no funcionan."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text factor_removed[] = {
	TITLE("Your second factor was removed", "Il tuo secondo fattore è stato rimosso",
	      "Ihr zweiter Faktor wurde entfernt", "Votre second facteur a été supprimé",
	      "Su segundo factor se ha eliminado"),
	SAY("body",
	    "The authenticator app and the recovery codes of your account {{email}} at {{siteName}} "
	    "are no longer asked for.",
	    "L'app di autenticazione e i codici di recupero del tuo account {{email}} su "
	    "{{siteName}} non vengono più richiesti.",
	    "Die Authenticator-App und die Wiederherstellungscodes Ihres Kontos {{email}} bei "
	    "{{siteName}} werden nicht mehr abgefragt.",
	    "L'application d'authentification et les codes de récupération de votre compte "
	    "{{email}} sur {{siteName}} ne sont plus demandés.",
	    "Ya no se piden la aplicación de autenticación ni los códigos de recuperación de su "
	    "cuenta {{email}} de {{siteName}}."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text factor_reset_asked[] = {
	TITLE("Your second factor is to be removed", "Il tuo secondo fattore sta per essere rimosso",
	      "Ihr zweiter Faktor soll entfernt werden", "Votre second facteur va être supprimé",
	      "Su segundo factor se va a eliminar"),
	SAY("body",
	    "An operator was asked to remove the authenticator app and the recovery codes of your "
	    "account {{email}} at {{siteName}}. This happens on {{due}}, unless you call it off.",
	    "A un operatore è stato chiesto di rimuovere l'app di autenticazione e i codici di recupero "
	    "del tuo account {{email}} su {{siteName}}. Accadrà il {{due}}, se non lo annulli.",
	    "Ein Betreiber wurde gebeten, die Authenticator-App und die Wiederherstellungscodes Ihres "
	    "Kontos {{email}} bei {{siteName}} zu entfernen. Das geschieht am {{due}}, wenn Sie es nicht "
	    "aufhalten.",
	    "Il a été demandé à un opérateur de supprimer l'application d'authentification et les codes "
	    "de récupération de votre compte {{email}} sur {{siteName}}. Cela aura lieu le {{due}}, sauf "
	    "si vous l'annulez.",
	    "Se ha pedido a un operador que elimine la aplicación de autenticación y los códigos de "
	    "recuperación de su cuenta {{email}} de {{siteName}}. Ocurrirá el {{due}}, salvo que lo "
	    "anule."),
	SAY("button", "Keep my second factor", "Mantieni il secondo fattore", "Zweiten Faktor behalten",
	    "Garder mon second facteur", "Conservar mi segundo factor"),
	SAY("note",
	    "If you asked for it, you need do nothing. If you did not, somebody is trying to get into "
	    "your account: press the button, and tell the other administrators.",
	    "Se l'hai chiesto tu, non devi fare nulla. Altrimenti qualcuno sta cercando di entrare nel "
	    "tuo account: premi il pulsante e avvisa gli altri amministratori.",
	    "Wenn Sie darum gebeten haben, müssen Sie nichts tun. Andernfalls versucht jemand, in Ihr "
	    "Konto zu gelangen: Drücken Sie den Knopf und benachrichtigen Sie die anderen "
	    "Administratoren.",
	    "Si vous l'avez demandé, vous n'avez rien à faire. Sinon, quelqu'un essaie d'accéder à votre "
	    "compte : appuyez sur le bouton et prévenez les autres administrateurs.",
	    "Si lo ha pedido usted, no tiene que hacer nada. Si no, alguien intenta entrar en su cuenta: "
	    "pulse el botón y avise a los demás administradores."),
};

static const struct template_builtin_text recovery_used[] = {
	TITLE("A recovery code was used", "È stato usato un codice di recupero",
	      "Ein Wiederherstellungscode wurde verwendet", "Un code de récupération a été utilisé",
	      "Se ha usado un código de recuperación"),
	SAY("body",
	    "A recovery code of your account {{email}} at {{siteName}} was used. Codes left: {{left}}.",
	    "È stato usato un codice di recupero del tuo account {{email}} su {{siteName}}. Codici "
	    "rimasti: {{left}}.",
	    "Ein Wiederherstellungscode Ihres Kontos {{email}} bei {{siteName}} wurde verwendet. "
	    "Verbleibende Codes: {{left}}.",
	    "Un code de récupération de votre compte {{email}} sur {{siteName}} a été utilisé. Codes "
	    "restants : {{left}}.",
	    "Se ha usado un código de recuperación de su cuenta {{email}} de {{siteName}}. Códigos "
	    "restantes: {{left}}."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text session_reuse[] = {
	TITLE("One of your sessions was ended", "Una delle tue sessioni è stata chiusa",
	      "Eine Ihrer Sitzungen wurde beendet", "Une de vos sessions a été fermée",
	      "Se ha cerrado una de sus sesiones"),
	SAY("body",
	    "An old sign-in token of your account {{email}} at {{siteName}} came back. It may have "
	    "been copied, so that session was ended.",
	    "Un vecchio token di accesso del tuo account {{email}} su {{siteName}} è stato usato "
	    "di nuovo. Potrebbe essere stato copiato, perciò la sessione è stata chiusa.",
	    "Ein altes Anmeldetoken Ihres Kontos {{email}} bei {{siteName}} wurde erneut "
	    "verwendet. Es könnte kopiert worden sein, deshalb wurde die Sitzung beendet.",
	    "Un ancien jeton de connexion de votre compte {{email}} sur {{siteName}} a été "
	    "réutilisé. Il a peut-être été copié, la session a donc été fermée.",
	    "Se ha vuelto a usar un antiguo token de acceso de su cuenta {{email}} en "
	    "{{siteName}}. Es posible que haya sido copiado, por lo que se ha cerrado la sesión."),
	SAY("note",
	    "Sign in again to go on. If you do not recognise the device or the place, reset your "
	    "password and end the sessions you do not recognise.",
	    "Accedi di nuovo per continuare. Se non riconosci il dispositivo o il luogo, reimposta "
	    "la tua password e chiudi le sessioni che non riconosci.",
	    "Melden Sie sich erneut an, um fortzufahren. Wenn Sie Gerät oder Ort nicht erkennen, "
	    "setzen Sie Ihr Passwort zurück und beenden Sie die Sitzungen, die Sie nicht erkennen.",
	    "Reconnectez-vous pour continuer. Si vous ne reconnaissez pas l'appareil ou le lieu, "
	    "réinitialisez votre mot de passe et fermez les sessions que vous ne reconnaissez pas.",
	    "Inicie sesión de nuevo para continuar. Si no reconoce el dispositivo o el lugar, "
	    "restablezca su contraseña y cierre las sesiones que no reconozca."),
};

static const struct template_builtin_text account_deleted[] = {
	TITLE("Your account has been deleted", "Il tuo account è stato eliminato",
	      "Ihr Konto wurde gelöscht", "Votre compte a été supprimé",
	      "Su cuenta ha sido eliminada"),
	SAY("body",
	    "Your account {{email}} at {{siteName}} was deleted, with everything that belonged to "
	    "it. Time: {{when}}.",
	    "Il tuo account {{email}} su {{siteName}} è stato eliminato con tutti i suoi dati. "
	    "Data: {{when}}.",
	    "Ihr Konto {{email}} bei {{siteName}} wurde mit allem, was dazugehörte, gelöscht. "
	    "Zeitpunkt: {{when}}.",
	    "Votre compte {{email}} sur {{siteName}} a été supprimé avec toutes ses données. Date "
	    ": {{when}}.",
	    "Su cuenta {{email}} en {{siteName}} ha sido eliminada con todos sus datos. Fecha: "
	    "{{when}}."),
	SAY("note", "If you did not want this, please contact the operator of {{siteName}}.",
	    "Se non era tua intenzione, contatta il gestore di {{siteName}}.",
	    "Wenn Sie das nicht wollten, wenden Sie sich bitte an den Betreiber von {{siteName}}.",
	    "Si ce n'était pas votre intention, veuillez contacter l'exploitant de {{siteName}}.",
	    "Si no era su intención, póngase en contacto con el responsable de {{siteName}}."),
};

#define SUBJECT_MAGIC                                                                              \
	TITLE("Your magic sign-in link", "Il tuo link di accesso", "Ihr Anmeldelink",              \
	      "Votre lien de connexion", "Su enlace de inicio de sesión")
#define BODY_MAGIC                                                                                 \
	SAY("body", "Somebody asked to sign in to your account {{email}} at {{siteName}}.",        \
	    "È stato richiesto l'accesso al tuo account {{email}} su {{siteName}}.",               \
	    "Jemand möchte sich bei Ihrem Konto {{email}} auf {{siteName}} anmelden.",             \
	    "Une connexion à votre compte {{email}} sur {{siteName}} a été demandée.",             \
	    "Se ha solicitado iniciar sesión en su cuenta {{email}} de {{siteName}}.")
#define BUTTON_MAGIC SAY("button", "Sign in", "Accedi", "Anmelden", "Se connecter", "Iniciar sesión")

static const struct template_builtin_text magic_link[] = {
	SUBJECT_MAGIC,
	BODY_MAGIC,
	BUTTON_MAGIC,
	SAY("note",
	    "The link is valid for 15 minutes and works once. Do not pass it on: whoever has it can "
	    "sign in as you. If you did not ask for it, ignore this message.",
	    "Il link è valido per 15 minuti e funziona una sola volta. Non inoltrarlo: chi lo possiede "
	    "può accedere al tuo posto. Se non l'hai richiesto, ignora questo messaggio.",
	    "Der Link ist 15 Minuten gültig und funktioniert nur einmal. Geben Sie ihn nicht weiter: Wer "
	    "ihn hat, kann sich als Sie anmelden. Wenn Sie ihn nicht angefordert haben, ignorieren Sie "
	    "diese Nachricht.",
	    "Le lien est valable 15 minutes et ne fonctionne qu'une seule fois. Ne le transmettez pas : "
	    "quiconque le possède peut se connecter à votre place. Si vous ne l'avez pas demandé, "
	    "ignorez ce message.",
	    "El enlace es válido durante 15 minutos y funciona una sola vez. No lo reenvíe: quien lo "
	    "tenga puede iniciar sesión en su nombre. Si no lo ha solicitado, ignore este mensaje."),
};

static const struct template_builtin_text magic_link_code[] = {
	SUBJECT_MAGIC,
	BODY_MAGIC,
	BUTTON_MAGIC,
	SAY("code", "Or enter this code:", "Oppure inserisci questo codice:",
	    "Oder geben Sie diesen Code ein:", "Ou saisissez ce code :", "O introduzca este código:"),
	SAY("note",
	    "The link is valid for 15 minutes, the code for 10 minutes, and one of them works once. Do not "
	    "pass them on: whoever has them can sign in as you. If you did not ask for them, ignore this "
	    "message.",
	    "Il link è valido per 15 minuti, il codice per 10 minuti, e solo uno dei due funziona, una sola "
	    "volta. Non inoltrarli: chi li possiede può accedere al tuo posto. Se non li hai richiesti, "
	    "ignora questo messaggio.",
	    "Der Link ist 15 Minuten gültig, der Code 10 Minuten, und nur eines von beiden funktioniert, "
	    "einmal. Geben Sie sie nicht weiter: Wer sie hat, kann sich als Sie anmelden. Wenn Sie sie nicht "
	    "angefordert haben, ignorieren Sie diese Nachricht.",
	    "Le lien est valable 15 minutes, le code 10 minutes, et un seul des deux fonctionne, une seule "
	    "fois. Ne les transmettez pas : quiconque les possède peut se connecter à votre place. Si vous "
	    "ne les avez pas demandés, ignorez ce message.",
	    "El enlace es válido durante 15 minutos, el código durante 10 minutos, y solo uno de los dos "
	    "funciona, una vez. No los reenvíe: quien los tenga puede iniciar sesión en su nombre. Si no los "
	    "ha solicitado, ignore este mensaje."),
};

static const struct template_builtin_text sign_in_code[] = {
	TITLE("Your sign-in code", "Il tuo codice di accesso", "Ihr Anmeldecode", "Votre code de connexion",
	      "Su código de inicio de sesión"),
	SAY("body", "Enter this code to sign in to your account {{email}} at {{siteName}}:",
	    "Inserisci questo codice per accedere al tuo account {{email}} su {{siteName}}:",
	    "Geben Sie diesen Code ein, um sich bei Ihrem Konto {{email}} auf {{siteName}} anzumelden:",
	    "Saisissez ce code pour vous connecter à votre compte {{email}} sur {{siteName}} :",
	    "Introduzca este código para iniciar sesión en su cuenta {{email}} de {{siteName}}:"),
	SAY("note",
	    "The code is valid for 10 minutes and works once. Tell it to nobody, whoever asks. If you did "
	    "not ask for it, ignore this message.",
	    "Il codice è valido per 10 minuti e funziona una sola volta. Non comunicarlo a nessuno, chiunque "
	    "lo chieda. Se non l'hai richiesto, ignora questo messaggio.",
	    "Der Code ist 10 Minuten gültig und funktioniert nur einmal. Nennen Sie ihn niemandem, wer auch "
	    "fragt. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese Nachricht.",
	    "Le code est valable 10 minutes et ne fonctionne qu'une seule fois. Ne le communiquez à personne, "
	    "qui que ce soit qui le demande. Si vous ne l'avez pas demandé, ignorez ce message.",
	    "El código es válido durante 10 minutos y funciona una sola vez. No se lo diga a nadie, sea quien "
	    "sea quien lo pida. Si no lo ha solicitado, ignore este mensaje."),
};

static const struct template_builtin_text account_linked[] = {
	TITLE("An account was linked to yours", "Un account è stato collegato al tuo",
	      "Ein Konto wurde mit Ihrem verknüpft", "Un compte a été associé au vôtre",
	      "Se ha vinculado una cuenta a la suya"),
	SAY("body",
	    "{{account}} was linked to your account {{email}} at {{siteName}}. Time: {{when}}.",
	    "{{account}} è stato collegato al tuo account {{email}} su {{siteName}}. Data: {{when}}.",
	    "{{account}} wurde mit Ihrem Konto {{email}} bei {{siteName}} verknüpft. Zeitpunkt: "
	    "{{when}}.",
	    "{{account}} a été associé à votre compte {{email}} sur {{siteName}}. Date : {{when}}.",
	    "{{account}} se ha vinculado a su cuenta {{email}} en {{siteName}}. Fecha: {{when}}."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text account_unlinked[] = {
	TITLE("An account is no longer linked to yours", "Un account non è più collegato al tuo",
	      "Ein Konto ist nicht mehr mit Ihrem verknüpft", "Un compte n'est plus associé au vôtre",
	      "Una cuenta ya no está vinculada a la suya"),
	SAY("body",
	    "{{account}} is no longer linked to your account {{email}} at {{siteName}}. Time: "
	    "{{when}}.",
	    "{{account}} non è più collegato al tuo account {{email}} su {{siteName}}. Data: "
	    "{{when}}.",
	    "{{account}} ist nicht mehr mit Ihrem Konto {{email}} bei {{siteName}} verknüpft. "
	    "Zeitpunkt: {{when}}.",
	    "{{account}} n'est plus associé à votre compte {{email}} sur {{siteName}}. Date : "
	    "{{when}}.",
	    "{{account}} ya no está vinculado a su cuenta {{email}} en {{siteName}}. Fecha: "
	    "{{when}}."),
	NOTE_NOT_YOU,
};

static const struct template_builtin_text sms_code[] = {
	TITLE("Your verification code", "Il tuo codice di verifica", "Ihr Bestätigungscode",
	      "Votre code de vérification", "Su código de verificación"),
	SAY("body", "Your verification code is: {{code}}", "Il tuo codice di verifica è: {{code}}",
	    "Ihr Bestätigungscode lautet: {{code}}", "Votre code de vérification est : {{code}}",
	    "Su código de verificación es: {{code}}"),
};

static const struct template_builtin_text account_cleared[] = {
	TITLE("What was in your account before is gone", "Ciò che c'era prima nel tuo account è stato rimosso",
	      "Was vorher in Ihrem Konto war, ist entfernt", "Ce que contenait votre compte a été supprimé",
	      "Lo que había antes en su cuenta se ha eliminado"),
	SAY("body",
	    "Your account {{email}} at {{siteName}} was opened with a mailed link on a device that it did not know, before "
	    "its address had been proven. So that nobody who made the account in your name stays in it, this was removed: "
	    "{{removed}}.",
	    "Il tuo account {{email}} su {{siteName}} è stato aperto con un link ricevuto per email su un dispositivo "
	    "sconosciuto, prima che l'indirizzo fosse verificato. Perché nessuno che l'abbia creato a tuo nome vi resti, è "
	    "stato rimosso: {{removed}}.",
	    "Ihr Konto {{email}} bei {{siteName}} wurde mit einem Link aus einer E-Mail auf einem unbekannten Gerät geöffnet, "
	    "bevor die Adresse bestätigt war. Damit niemand darin bleibt, der es in Ihrem Namen angelegt hat, wurde "
	    "entfernt: {{removed}}.",
	    "Votre compte {{email}} sur {{siteName}} a été ouvert par un lien reçu par e-mail sur un appareil inconnu, avant "
	    "que l'adresse ne soit confirmée. Pour que personne qui l'aurait créé à votre nom n'y reste, ceci a été "
	    "supprimé : {{removed}}.",
	    "Su cuenta {{email}} de {{siteName}} se abrió con un enlace recibido por correo en un dispositivo desconocido, "
	    "antes de confirmar la dirección. Para que no quede en ella nadie que la haya creado en su nombre, se eliminó: "
	    "{{removed}}."),
	SAY("note",
	    "If it was you who had set this up, set it up again: from now on a mailed link leaves it alone.",
	    "Se eri stato tu a impostare queste cose, impostale di nuovo: d'ora in poi un link via email non le tocca più.",
	    "Wenn Sie selbst das eingerichtet hatten, richten Sie es bitte neu ein: Von nun an lässt ein Link es unberührt.",
	    "Si c'est vous qui l'aviez configuré, faites-le de nouveau : désormais, un lien n'y touchera plus.",
	    "Si lo había configurado usted, hágalo de nuevo: a partir de ahora un enlace ya no lo toca."),
	SAY("password", "the password", "la password", "das Passwort", "le mot de passe", "la contraseña"),
	SAY("phoneNumber", "the phone number", "il numero di telefono", "die Telefonnummer", "le numéro de téléphone",
	    "el número de teléfono"),
	SAY("secondFactor", "the second factor", "il secondo fattore", "der zweite Faktor", "le second facteur",
	    "el segundo factor"),
	SAY("linkedAccounts", "linked accounts", "gli account collegati", "verknüpfte Konten", "les comptes associés",
	    "las cuentas vinculadas"),
	SAY("sessions", "sign-ins on other devices", "gli accessi su altri dispositivi", "Anmeldungen auf anderen Geräten",
	    "les connexions sur d'autres appareils", "las sesiones en otros dispositivos"),
};

static const struct template_builtin_text claim_asked[] = {
	TITLE("Your account was claimed", "Il tuo account è stato rivendicato", "Auf Ihr Konto wurde Anspruch erhoben",
	      "Votre compte a été réclamé", "Su cuenta ha sido reclamada"),
	SAY("body",
	    "Somebody who reads this mailbox asked for the account {{email}} at {{siteName}} without its second factor. From "
	    "{{due}} on, a sign-in link mailed here opens it, and everything that was set up in it goes: password, second "
	    "factor, phone number, linked accounts.",
	    "Qualcuno che legge questa casella ha chiesto l'account {{email}} su {{siteName}} senza il suo secondo fattore. Dal "
	    "{{due}} un link di accesso inviato qui lo aprirà, e tutto ciò che vi è impostato sarà rimosso: password, secondo "
	    "fattore, numero di telefono, account collegati.",
	    "Jemand, der dieses Postfach liest, hat das Konto {{email}} bei {{siteName}} ohne dessen zweiten Faktor "
	    "beansprucht. Ab {{due}} öffnet es ein hierher gesendeter Anmeldelink, und alles, was darin eingerichtet war, "
	    "wird entfernt: Passwort, zweiter Faktor, Telefonnummer, verknüpfte Konten.",
	    "Quelqu'un qui lit cette boîte a réclamé le compte {{email}} sur {{siteName}} sans son second facteur. À partir du "
	    "{{due}}, un lien de connexion envoyé ici l'ouvrira, et tout ce qui y était configuré sera supprimé : mot de passe, "
	    "second facteur, numéro de téléphone, comptes associés.",
	    "Alguien que lee este buzón ha reclamado la cuenta {{email}} de {{siteName}} sin su segundo factor. A partir del "
	    "{{due}}, un enlace de inicio de sesión enviado aquí la abrirá, y se eliminará todo lo configurado en ella: "
	    "contraseña, segundo factor, número de teléfono, cuentas vinculadas."),
	SAY("note",
	    "If that was you, ask for a new link after that time. If it was not, sign in with your second factor before then: "
	    "that calls it off.",
	    "Se sei stato tu, richiedi un nuovo link dopo quell'ora. Altrimenti accedi prima con il tuo secondo fattore: così "
	    "la richiesta decade.",
	    "Wenn Sie das waren, fordern Sie nach diesem Zeitpunkt einen neuen Link an. Wenn nicht, melden Sie sich vorher mit "
	    "Ihrem zweiten Faktor an: Das hebt es auf.",
	    "Si c'était vous, demandez un nouveau lien après cette date. Sinon, connectez-vous avant avec votre second "
	    "facteur : cela annule la demande.",
	    "Si ha sido usted, pida un nuevo enlace después de esa hora. Si no, inicie sesión antes con su segundo factor: eso "
	    "lo anula."),
};

static const struct template_builtin_text claim_cancelled[] = {
	TITLE("The claim to your account was called off", "La rivendicazione del tuo account è decaduta",
	      "Der Anspruch auf Ihr Konto ist aufgehoben", "La demande sur votre compte est annulée",
	      "La reclamación de su cuenta se ha anulado"),
	SAY("body",
	    "Somebody signed in to {{email}} at {{siteName}} with its second factor. The account stays as it is.",
	    "Qualcuno ha effettuato l'accesso a {{email}} su {{siteName}} con il secondo fattore. L'account resta com'è.",
	    "Jemand hat sich bei {{email}} auf {{siteName}} mit dem zweiten Faktor angemeldet. Das Konto bleibt, wie es ist.",
	    "Quelqu'un s'est connecté à {{email}} sur {{siteName}} avec le second facteur. Le compte reste tel quel.",
	    "Alguien ha iniciado sesión en {{email}} de {{siteName}} con el segundo factor. La cuenta queda como está."),
	SAY("note",
	    "If you claimed the account and this was not you, ask those who run {{siteName}} for help.",
	    "Se hai rivendicato l'account e non eri tu, chiedi aiuto a chi gestisce {{siteName}}.",
	    "Wenn Sie das Konto beansprucht haben und das nicht waren, bitten Sie die Betreiber von {{siteName}} um Hilfe.",
	    "Si vous avez réclamé le compte et que ce n'était pas vous, demandez de l'aide aux responsables de {{siteName}}.",
	    "Si usted reclamó la cuenta y no fue usted, pida ayuda a quienes gestionan {{siteName}}."),
};

static const struct template_builtin_text sms_claim[] = {
	TITLE("Your account was claimed", "Il tuo account è stato rivendicato", "Auf Ihr Konto wurde Anspruch erhoben",
	      "Votre compte a été réclamé", "Su cuenta ha sido reclamada"),
	SAY("body",
	    "{{siteName}}: somebody claims your account and gets it on {{due}}, unless you sign in with your second factor "
	    "before.",
	    "{{siteName}}: qualcuno rivendica il tuo account e lo avrà il {{due}}, se prima non accedi con il secondo fattore.",
	    "{{siteName}}: Jemand beansprucht Ihr Konto und erhält es am {{due}}, wenn Sie sich nicht vorher mit dem zweiten "
	    "Faktor anmelden.",
	    "{{siteName}} : quelqu'un réclame votre compte et l'aura le {{due}}, sauf si vous vous connectez avant avec votre "
	    "second facteur.",
	    "{{siteName}}: alguien reclama su cuenta y la tendrá el {{due}}, salvo que antes inicie sesión con su segundo "
	    "factor."),
};

/* ---- variables, with samples ---- */

#define VAR(name_, value_)                                                                         \
	{                                                                                          \
		STR_INIT(name_), STR_INIT(value_)                                                  \
	}
#define VARS_COMMON VAR("siteName", "Example"), VAR("email", "ada@example.com")
#define VAR_LINK(path)                                                                             \
	VAR("link", "https://example.com/auth/" path "?token=SAMPLE"), VAR("token", "SAMPLE")
#define VAR_NEW_EMAIL VAR("newEmail", "ada.byron@example.com")
#define VAR_LOGIN     VAR("loginUrl", "https://example.com/auth/login")
#define VAR_WHEN      VAR("when", "2026-01-31 09:30 UTC")
#define VARS_DETAILS  VAR_WHEN, VAR("device", "Firefox, Linux"), VAR("place", "203.0.113.0")

static const struct template_var reset_vars[] = { VARS_COMMON, VAR_LINK("reset-password") };
static const struct template_var verify_vars[] = { VARS_COMMON, VAR_LINK("verify-email") };
static const struct template_var change_vars[] = { VARS_COMMON, VAR_LINK("change-email/confirm"),
						   VAR_NEW_EMAIL };
static const struct template_var magic_vars[] = { VARS_COMMON, VAR_LINK("magic-link/verify") };
static const struct template_var magic_code_vars[] = { VARS_COMMON, VAR_LINK("magic-link/verify"),
						       VAR("code", "123456") };
static const struct template_var mail_code_vars[] = { VARS_COMMON, VAR("code", "123456") };
static const struct template_var account_link_vars[] = { VARS_COMMON, VAR_LINK("link-verify") };
static const struct template_var changed_vars[] = {
	VARS_COMMON, VAR("link", "https://example.com/auth/change-email/revert?token=SAMPLE"),
	VAR_NEW_EMAIL
};
static const struct template_var reverted_vars[] = {
	VARS_COMMON, VAR("link", "https://example.com/auth/reset-password?token=SAMPLE")
};
static const struct template_var factor_reset_vars[] = {
	VARS_COMMON, VAR_LINK("2fa/keep"), VAR("due", "2026-02-01 09:30 UTC")
};
static const struct template_var cleared_vars[] = { VARS_COMMON, VARS_DETAILS,
						   VAR("removed", "the password, linked accounts") };
static const struct template_var claim_vars[] = { VARS_COMMON, VARS_DETAILS, VAR("due", "2026-02-03 09:30 UTC") };
static const struct template_var sms_claim_vars[] = { VAR("siteName", "Example"), VAR("due", "2026-02-03 09:30 UTC") };
static const struct template_var login_vars[] = { VARS_COMMON, VAR_LOGIN };
static const struct template_var common_vars[] = { VARS_COMMON };
static const struct template_var detail_vars[] = { VARS_COMMON, VARS_DETAILS };
static const struct template_var failure_vars[] = { VARS_COMMON, VARS_DETAILS,
						    VAR("failures", "7") };
static const struct template_var recovery_vars[] = { VARS_COMMON, VARS_DETAILS, VAR("left", "9") };
static const struct template_var phone_vars[] = { VARS_COMMON, VAR_WHEN,
						  VAR("newPhone", "+39 *** 42") };
static const struct template_var linked_vars[] = { VARS_COMMON, VAR_WHEN,
						   VAR("account", "ada@example.org") };
static const struct template_var when_vars[] = { VARS_COMMON, VAR_WHEN };
static const struct template_var code_vars[] = { VAR("siteName", "Example"),
						 VAR("code", "123456") };

/* ---- the templates ---- */

#define TEMPLATE(id_, occasion_, texts_, vars_)                                                    \
	.id = STR_INIT(id_), .occasion = STR_INIT(occasion_), .texts = (texts_),                   \
	.n_texts = SIZEOF(texts_), .vars = (vars_), .n_vars = SIZEOF(vars_)

static const struct template_builtin builtins[] = {
	{ TEMPLATE("account-cleared", "a mailed link opened an account of an address never proven, and emptied it",
		   account_cleared, cleared_vars),
	  BASES_DETAILS },
	{ TEMPLATE("account-deleted", "an account was deleted", account_deleted, when_vars),
	  BASES_NOTICE },
	{ TEMPLATE("account-exists", "somebody registered an address that has an account",
		   account_exists, login_vars),
	  BASES_BUTTON("{{loginUrl}}") },
	{ TEMPLATE("account-linked", "an account elsewhere was linked", account_linked, linked_vars),
	  BASES_NOTICE },
	{ TEMPLATE("account-unlinked", "an account elsewhere was unlinked", account_unlinked,
		   linked_vars),
	  BASES_NOTICE },
	{ TEMPLATE("address-in-use", "another account asked for the address of this one",
		   address_in_use, common_vars),
	  BASES_NOTICE },
	{ TEMPLATE("change-email", "to a new address, to prove it", change_email, change_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("claim-asked", "somebody without the second factor claims an account by its mail", claim_asked,
		   claim_vars),
	  BASES_DETAILS },
	{ TEMPLATE("claim-cancelled", "a second factor called such a claim off", claim_cancelled, detail_vars),
	  BASES_DETAILS },
	{ TEMPLATE("email-changed", "to the old address, with a way back", email_changed,
		   changed_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("email-reverted", "to the address that was restored", email_reverted,
		   reverted_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("factor-changed", "an authenticator app or new recovery codes were set up",
		   factor_changed, detail_vars),
	  BASES_DETAILS },
	{ TEMPLATE("factor-removed", "the authenticator app was switched off", factor_removed,
		   detail_vars),
	  BASES_DETAILS },
	{ TEMPLATE("factor-reset-asked", "an administrator's authenticator app is to be removed",
		   factor_reset_asked, factor_reset_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("link-account", "another way to sign in is to be linked", link_account,
		   account_link_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("magic-link", "a link to sign in with was asked for", magic_link, magic_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("magic-link-code", "a link and a code to sign in with were asked for", magic_link_code,
		   magic_code_vars),
	  BASES_EITHER("{{link}}") },
	{ TEMPLATE("new-sign-in", "a sign-in from a new place", new_sign_in, detail_vars),
	  BASES_DETAILS },
	{ TEMPLATE("password-changed", "the password was changed", password_changed, detail_vars),
	  BASES_DETAILS },
	{ TEMPLATE("password-reset", "a new password was asked for", password_reset, reset_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("phone-changed", "the phone number was changed", phone_changed, phone_vars),
	  BASES_NOTICE },
	{ TEMPLATE("recovery-used", "a recovery code was used", recovery_used, recovery_vars),
	  BASES_DETAILS },
	{ TEMPLATE("session-reuse", "an old token came back and ended its session", session_reuse,
		   detail_vars),
	  BASES_DETAILS },
	{ TEMPLATE("sign-in-after-failures", "a sign-in after failed ones", sign_in_after_failures,
		   failure_vars),
	  BASES_DETAILS },
	{ TEMPLATE("sign-in-code", "a code to sign in with was asked for", sign_in_code, mail_code_vars),
	  BASES_CODE },
	{ TEMPLATE("sms-claim", "SMS: somebody claims the account", sms_claim, sms_claim_vars),
	  .text = STR_INIT("{{T.body}}") },
	{ TEMPLATE("sms-code", "SMS: a code", sms_code, code_vars),
	  .text = STR_INIT("{{T.body}}") },
	{ TEMPLATE("verify-email", "to prove an address", verify_email, verify_vars),
	  BASES_BUTTON("{{link}}") },
	{ TEMPLATE("welcome", "an account was made", welcome, login_vars),
	  BASES_BUTTON("{{loginUrl}}") },
};

const struct template_builtin *template_builtin_at(size_t i)
{
	return i < SIZEOF(builtins) ? &builtins[i] : NULL;
}

const struct template_builtin *template_builtin(str id)
{
	for (size_t i = 0; i < SIZEOF(builtins); i++) {
		if (str_eq(builtins[i].id, id))
			return &builtins[i];
	}
	return NULL;
}

str template_builtin_lang(size_t i)
{
	return i < N_TEMPLATE_LANGS ? langs[i] : STR_NONE;
}

static size_t add(const struct template_builtin_text *rows, size_t n, size_t lang,
		  struct template_text *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct template_text){ rows[i].key, rows[i].value[lang] };
	return n;
}

size_t template_builtin_texts(const struct template_builtin *b, str lang, struct template_text *ret)
{
	for (size_t i = 0; i < N_TEMPLATE_LANGS; i++) {
		size_t n;

		if (!str_eq_nocase(langs[i], lang))
			continue;
		n = add(b->texts, b->n_texts, i, ret);
		return n + add(shared, SIZEOF(shared), i, ret + n);
	}
	return 0;
}

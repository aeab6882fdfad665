/* rows.h — plain records as the queries return them. tools/gen-queries.py reads this file: fields
 * are int64_t, bool or str, in the order of the SELECT's columns and with their names. Text lives in
 * the arena given to the query. Times in milliseconds UTC, 0 = never. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "base/str.h"

struct user_row {
	int64_t id;
	str uid; /* 16 bytes */
	str email;
	str first_name, last_name, role; /* STR_NONE when unset */
	str login_provider;
	bool has_password;
	bool is_admin;
	bool email_verified;
	int64_t disabled_ms;
	int64_t device_epoch;
	int64_t created_ms;
	int64_t last_login_ms;
	str phone, lang; /* STR_NONE when unset */
	int64_t verify_by_ms;
	bool has_totp;
	bool require_2fa;
	bool is_guest; /* email is "" */
	int64_t factor_reset_ms; /* when an operator's reset of the second factor takes place; 0: never */
	bool mailbox_only; /* email_verified by a click on a strange device: who reads the mail may not be who made the account */
	bool password_by_mail; /* the password was last set with a mailed link */
	int64_t claim_ms; /* a mailed link opens the account from then on (domain/claim.h); 0: no */
};

/* A user with the stored password hash: only for checking a password. */
struct login_row {
	int64_t id;
	str uid;
	str password_hash;
	int64_t disabled_ms;
	int64_t device_epoch;
	bool email_verified;
	int64_t verify_by_ms;
};

/* The session of an access token together with its user: what every signed-in request needs. */
struct caller_row {
	int64_t cur_gen;
	bool confirmed;
	int64_t last_active_ms;
	int64_t idle_expires_ms;
	int64_t abs_expires_ms;
	bool web;
	int64_t id; /* of the user */
	str uid;
	str email;
	str first_name, last_name, role;
	str login_provider;
	bool has_password;
	bool is_admin;
	bool email_verified;
	int64_t disabled_ms;
	int64_t last_login_ms;
	str phone;
	bool has_totp;
	bool is_guest;
	int64_t claim_ms;
};

/* A session as rotation sees it. */
struct rotation_row {
	int64_t user_id;
	int64_t cur_gen;
	str cur_nonce;
	int64_t parent_gen;
	int64_t rotated_ms;
	bool confirmed;
	int64_t replays;
	int64_t older_gen;
	int64_t older_ms;
	str agent_family;
	int64_t auth_ms;
	str amr;
	int64_t idle_expires_ms;
	int64_t abs_expires_ms;
	int64_t sweep_day;
	bool web;
};

struct session_row {
	str sid;
	int64_t created_ms;
	int64_t idle_expires_ms;
	int64_t abs_expires_ms;
	int64_t last_active_ms;
	str user_agent;
	str ip;
};

struct attempt_row {
	int64_t failures;
	int64_t since_ms;
	int64_t blocked_ms;
	int64_t last_ms;
	int64_t penalties;
	int64_t guess; /* 16 bits of the MAC of the last wrong secret; 0: none */
};

struct outbox_row {
	int64_t id;
	str uid; /* 16 bytes */
	int64_t channel;
	str recipient, template, lang;
	str sealed;
	int64_t created_ms, expires_ms;
	bool dead;
	int64_t next_ms;
	int64_t attempts;
	str problem;
};

struct outbox_depth_row {
	int64_t waiting, dead;
	int64_t oldest_ms; /* created */
};

struct onetime_row {
	int64_t purpose;
	int64_t user_id;
	str address;
	str sid;
	int64_t tries;
	int64_t guess; /* of the last wrong one; 0: none, or repeated */
	int64_t created_ms, expires_ms;
};

/* An account elsewhere that is linked to one here. */
struct linked_row {
	str provider, account_id;
	int64_t user_id;
	str email, name, picture; /* STR_NONE when unset */
	int64_t linked_ms;
};

struct pending_link_row {
	str email_key;
	str provider, account_id;
	str name; /* STR_NONE when unset */
	str email;
	int64_t created_ms, expires_ms;
};

/* A sign-in on its way through a provider. */
struct oauth_flow_row {
	str target;
	bool is_app;
	str app_state, challenge; /* STR_NONE when unset */
	int64_t user_id; /* 0: a sign-in */
	str sid;
	int64_t expires_ms;
};

struct oauth_ott_row {
	int64_t user_id;
	str provider, account_id;
	str email, name, picture; /* STR_NONE when unset */
	bool links;
	str sid, challenge;       /* the same */
	int64_t expires_ms;
};

struct oauth_revoke_row {
	int64_t id;
	str provider, account_id;
	str sealed;
	int64_t created_ms, next_ms, attempts;
};

/* Seeds are sealed (domain/factor.c). */
struct factor_row {
	str totp; /* STR_NONE: no second factor by app */
	int64_t totp_step, totp_ms;
	str totp_pending;
	int64_t totp_pending_ms;
};

struct recovery_row {
	str hash;
};

struct template_row {
	str id;
	str base_html, base_text; /* n == 0: there is none */
};

struct template_list_row {
	str id;
	bool has_html, has_text;
	int64_t texts;
};

struct template_text_row {
	str lang, key, value;
};

struct audit_row {
	int64_t id;
	int64_t at_ms;
	str event;
	str user_uid;
	str sid;
	str ip;
	str request_id;
	str detail;
};

#endif

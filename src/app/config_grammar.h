/* config_grammar.h — what the text of a setting may look like, inside config*.c only: one function per grammar,
 * true for a text that is of it. Pure. What people are told of a text that is not stands in the table's rows. */
#ifndef APP_CONFIG_GRAMMAR_H
#define APP_CONFIG_GRAMMAR_H

#include <stdbool.h>

#include "base/str.h"

bool grammar_any(str s);
bool grammar_listen(str s);
bool grammar_ops_listen(str s);
bool grammar_directory(str s);
bool grammar_file(str s);
bool grammar_public_url(str s);
bool grammar_prefix(str s);
bool grammar_proxy(str s);
bool grammar_store(str s);
bool grammar_audience(str s);
bool grammar_site_name(str s);
bool grammar_lang(str s);

/* Links, cookies, origins. */
bool grammar_site(str s);
bool grammar_web_origin(str s);
bool grammar_header_name(str s); /* RFC 9110 §5.1, at most 64 bytes */
bool grammar_cookie_domain(str s);
bool grammar_forward_host(str s);
bool grammar_cookie_path(str s);

/* Mail and SMS. */
bool grammar_ehlo_name(str s); /* RFC 5321 §4.1.2: Domain or address-literal */
bool grammar_address(str s);
bool grammar_smtp_url(str s);
bool grammar_service_url(str s);
bool grammar_mail_dir(str s);
bool grammar_number_prefix(str s);
bool grammar_country(str s);
bool grammar_test_number(str s);

/* Identity providers and apps. */
bool grammar_preset(str s);
bool grammar_label(str s);
bool grammar_issuer(str s);
bool grammar_redirect(str s);
bool grammar_word(str s);
bool grammar_auth_param(str s);
bool grammar_field(str s);
bool grammar_tenant(str s);
bool grammar_apple_id(str s);
bool grammar_android_app(str s);
bool grammar_apple_app(str s);

/* The hosted pages. */
bool grammar_color(str s);
bool grammar_page_url(str s);
bool grammar_picture_url(str s);

/* ---- parts of a text that passed its check ---- */

/* Where may the clients of an address come from? */
enum reach {
	REACH_NONE,   /* "none", "same": no listener of its own */
	REACH_LOCAL,  /* this machine: loopback or a Unix socket */
	REACH_ANY,    /* the network, or nobody can know (systemd) */
};
enum reach listen_reach(str address);
bool listen_is_tcp(str address); /* "host:port" in some form */
bool host_is_loopback(str host); /* "127.0.0.1", "::1", "localhost" */

/* The host of a URL: "auth.example.com", "::1". */
str url_host(str url);
/* Its scheme: "https", "com.example.app". */
str url_scheme(str url);

#endif

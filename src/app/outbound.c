#include "app/outbound.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "egress/client.h"
#include "jobs/breaker.h"
#include "oauth/directory.h"

#define CLIENTS_MAX  256
#define WATCHED_MAX  32
#define NAME_MAX_LEN 32

/* One provider: is it up, and how many ask it. */
struct watched {
	char name[NAME_MAX_LEN + 1];
	struct breaker breaker;
	int64_t asking;
};

struct outbound {
	struct outbound_options o;
	struct outside port;
	pthread_mutex_t lock;
	struct watched watched[WATCHED_MAX];
	size_t n_watched;
	struct client *all[CLIENTS_MAX];
	struct client *idle[CLIENTS_MAX];
	size_t n_all, n_idle;
	bool aborted;
};

/* ---- clients; one for each request under way, kept for the next ---- */

static err_t take_client(struct outbound *o, struct client **ret)
{
	struct client *fresh = NULL;
	err_t e = OK;

	*ret = NULL;
	(void)pthread_mutex_lock(&o->lock);
	if (o->n_idle > 0)
		*ret = o->idle[--o->n_idle];
	else if (o->n_all < CLIENTS_MAX)
		e = client_new(&fresh);
	if (fresh != NULL) {
		if (o->aborted)
			client_abort(fresh);
		o->all[o->n_all++] = fresh;
		*ret = fresh;
	}
	(void)pthread_mutex_unlock(&o->lock);
	if (e.code == ERR_OK)
		REQUIRE(*ret != NULL, ERR_OVERLOAD);
	return e;
}

static void give_client(struct outbound *o, struct client *c)
{
	(void)pthread_mutex_lock(&o->lock);
	o->idle[o->n_idle++] = c;
	(void)pthread_mutex_unlock(&o->lock);
}

/* ---- who may be asked ---- */

/* With the lock. NULL: it was never asked. */
static struct watched *find_watched(struct outbound *o, str name)
{
	for (size_t i = 0; i < o->n_watched; i++) {
		if (str_eq(str_of_cstr(o->watched[i].name), name))
			return &o->watched[i];
	}
	return NULL;
}

/* With the lock. After reloads with ever other names the first place is used again. */
static struct watched *watch(struct outbound *o, str name)
{
	struct watched *w = find_watched(o, name);

	if (w != NULL)
		return w;
	w = o->n_watched < WATCHED_MAX ? &o->watched[o->n_watched++] : &o->watched[0];
	*w = (struct watched){ .asking = 0 };
	memcpy(w->name, name.p, name.n < NAME_MAX_LEN ? name.n : NAME_MAX_LEN);
	return w;
}

static int64_t share(const struct outbound *o)
{
	return o->o.workers < 2 ? 1 : (o->o.workers + 1) / 2;
}

/* With the lock. */
static enum outside_state state_of(const struct outbound *o, const struct watched *w, int64_t now_ms)
{
	if (breaker_wait_ms(&w->breaker, now_ms) > 0)
		return OUTSIDE_RESTS;
	if (w->asking >= share(o))
		return OUTSIDE_FULL;
	return w->breaker.state == BREAKER_CLOSED ? OUTSIDE_ASKED : OUTSIDE_TRIED;
}

static enum outside_state look(void *self, str name)
{
	struct outbound *o = self;
	const struct watched *w;
	enum outside_state s = OUTSIDE_ASKED;

	(void)pthread_mutex_lock(&o->lock);
	w = find_watched(o, name);
	if (w != NULL)
		s = state_of(o, w, monotonic_ms());
	(void)pthread_mutex_unlock(&o->lock);
	return s;
}

static enum outside_state ask(struct outbound *o, str name)
{
	int64_t now_ms = monotonic_ms();
	enum outside_state s;
	struct watched *w;

	(void)pthread_mutex_lock(&o->lock);
	w = watch(o, name);
	s = state_of(o, w, now_ms);
	if (outside_asks(s) && breaker_take(&w->breaker, now_ms))
		w->asking++;
	(void)pthread_mutex_unlock(&o->lock);
	return s;
}

static void asked(struct outbound *o, str name, bool up)
{
	struct watched *w;
	bool changed;

	(void)pthread_mutex_lock(&o->lock);
	w = watch(o, name);
	if (w->asking > 0)
		w->asking--;
	changed = up ? breaker_up(&w->breaker) : breaker_down(&w->breaker, monotonic_ms());
	(void)pthread_mutex_unlock(&o->lock);
	if (changed)
		log_event(up ? LOG_INFO : LOG_WARN, up ? "provider_up" : "provider_down", LOG_STR("provider", name));
}

/* ---- one request ---- */

static void add_header(struct client_request *r, str name, str value)
{
	if (value.n == 0)
		return;
	r->headers[r->n_headers].name = name;
	r->headers[r->n_headers++].value = value;
}

static struct client_request request_of(const struct config *cfg, const struct outside_request *q)
{
	struct client_request r = {
		.method = q->post ? "POST" : "GET", .url = q->url, .body = q->body, .user = q->user,
		.password = q->password, .tls_ca = cfg->oauth.tls_ca, .timeout_ms = q->deadline_ms - monotonic_ms(),
		.reply_max = CLIENT_REPLY_LIMIT, .guarded = true, .allow_private = cfg->oauth.allow_private,
	};

	add_header(&r, STR("Accept"), STR("application/json"));
	add_header(&r, STR("Content-Type"), q->content_type);
	add_header(&r, STR("Authorization"), q->authorization);
	return r;
}

static err_t exchange(struct outbound *o, const struct outside_request *q, struct arena *mem, struct client_reply *ret)
{
	struct client *client = NULL;
	struct client_request r;
	void *held;
	err_t e;

	TRY(take_client(o, &client));
	r = request_of(o->o.hold(o->o.self, &held), q);
	if (r.timeout_ms <= 0) {
		*ret = (struct client_reply){ .problem = STR("there was no time left") };
		e = OK;
	} else {
		e = client_send(client, &r, mem, ret);
	}
	o->o.release(o->o.self, held);
	give_client(o, client);
	return e;
}

/* That there was no answer. One that there was is judged, and told of, by who asked. */
static void say_why(str provider, str url, const struct client_reply *reply)
{
	str base, query;

	(void)str_cut(url, '?', &base, &query);
	if (reply->status == 0 || reply->cut)
		log_event(LOG_WARN, "provider_failed", LOG_STR("provider", provider), LOG_STR("url", base),
			  LOG_INT("status", reply->status),
			  LOG_STR("problem", reply->cut ? STR("the answer is too large") : reply->problem));
}

/* Too much of an answer is none. */
static err_t send_guarded(void *self, str provider, const struct outside_request *q, struct arena *mem,
			  struct outside_reply *ret)
{
	struct outbound *o = self;
	struct client_reply reply = { 0 };
	enum outside_state s = ask(o, provider);
	err_t e;

	*ret = (struct outside_reply){ .status = 0 };
	if (!outside_asks(s)) {
		ret->problem = s == OUTSIDE_FULL ? STR("too many requests to it are under way") :
						   STR("it did not answer lately");
		return OK;
	}
	e = exchange(o, q, mem, &reply);
	asked(o, provider, e.code == ERR_OK && reply.status != 0 && reply.status < 500);
	if (e.code == ERR_INPUT) { /* a control character in a setting or a token */
		ret->problem = STR("what was to be sent cannot be");
		return OK;
	}
	TRY(e);
	say_why(provider, q->url, &reply);
	*ret = (struct outside_reply){ reply.cut ? 0 : reply.status, reply.body, reply.content_type, reply.problem };
	return OK;
}

/* ---- life ---- */

err_t outbound_new(const struct outbound_options *options, struct outbound **ret)
{
	struct outbound *o = calloc(1, sizeof(*o));
	err_t e;

	REQUIRE(o != NULL, ERR_NO_MEMORY);
	o->o = *options;
	(void)pthread_mutex_init(&o->lock, NULL);
	o->port = (struct outside){ .self = o, .send = send_guarded, .state = look };
	e = directory_new(&o->port.directory);
	if (e.code != ERR_OK)
		outbound_free(o);
	else
		*ret = o;
	return e;
}

void outbound_abort(struct outbound *o)
{
	(void)pthread_mutex_lock(&o->lock);
	o->aborted = true;
	for (size_t i = 0; i < o->n_all; i++)
		client_abort(o->all[i]);
	(void)pthread_mutex_unlock(&o->lock);
}

void outbound_free(struct outbound *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n_all; i++)
		client_free(o->all[i]);
	directory_free(o->port.directory);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

const struct outside *outbound_port(const struct outbound *o)
{
	return &o->port;
}

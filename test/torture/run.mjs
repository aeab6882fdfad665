// kill -9 under write load: nothing acknowledged is lost, nothing revoked comes back, the store stays whole.
//
//   node test/torture/run.mjs [--kills N] [--seed N]
//
// Clients sign up, sign in, refresh, change their profile and sign out at full rate against the real
// binary, and remember what was acknowledged. At random moments the server is killed; after each
// restart every remembered fact is asked for again.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

const option = (name, fallback) => {
	const i = process.argv.indexOf(`--${name}`);
	return i < 0 ? fallback : Number(process.argv[i + 1]);
};
const kills = option("kills", 20);
let seed = option("seed", Date.now() % 1000000);
console.log(`torture: ${kills} kills, --seed ${seed}`);
const random = () => {
	seed = (seed * 1103515245 + 12345) % 2147483648;
	return seed / 2147483648;
};

const build = process.env.BUILD_DIR ?? "build";
const binary = path.resolve(build, "sallyport");
const dir = mkdtempSync(path.join(tmpdir(), "sallyport-torture-"));
const env = {
	PATH: process.env.PATH,
	SALLYPORT_LIMITS_ENABLED: "false",
	SALLYPORT_LOG_REQUESTS: "false",
	SALLYPORT_TOKEN_REFRESH_WINDOW: "0s",
	SALLYPORT_SERVER_OPS_LISTEN: "none",
	SALLYPORT_PASSWORD_MAX_WAIT: "60s",
};

let server, port, agent;

async function start() {
	const began = Date.now();
	server = spawn(binary, ["serve", "--data", dir, "--listen", "127.0.0.1:0"], {
		env, stdio: ["ignore", "ignore", "pipe"],
	});
	let text = "";
	port = await new Promise((resolve, reject) => {
		server.stderr.on("data", (d) => {
			text += d;
			const m = /"event":"ready".*?"listen":"127\.0\.0\.1:(\d+)"/.exec(text);
			if (m) resolve(Number(m[1]));
		});
		server.on("exit", () => reject(new Error(`the server did not start: ${text}`)));
	});
	agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
	return Date.now() - began;
}

async function kill() {
	const gone = new Promise((resolve) => server.on("exit", resolve));
	server.kill("SIGKILL");
	await gone;
	agent.destroy();
}

// Resolves to {status, body}; to null when the connection broke: then nothing was acknowledged.
function ask(method, target, { body, token } = {}) {
	return new Promise((resolve) => {
		const data = body === undefined ? "" : JSON.stringify(body);
		const headers = { "X-Auth-Strategy": "bearer", "Content-Length": Buffer.byteLength(data) };
		if (data) headers["Content-Type"] = "application/json";
		if (token) headers.Authorization = `Bearer ${token}`;
		const req = http.request({ port, host: "127.0.0.1", agent, method, path: target, headers }, (res) => {
			let text = "";
			res.on("data", (d) => (text += d));
			res.on("error", () => resolve(null));
			res.on("close", () => {
				if (!res.complete) return resolve(null);
				resolve({ status: res.statusCode, body: JSON.parse(text) });
			});
		});
		req.on("error", () => resolve(null));
		req.end(data);
	});
}

const password = "correct horse battery";
const users = []; // acknowledged addresses
const sessions = []; // {email, refresh, access, name, gone}
const revoked = []; // refresh tokens of acknowledged sign-outs
const failures = [];
let facts = 0, checks = 0, serial = 0, slowestStart = 0;

const expect = (ok, what) => {
	checks++;
	if (!ok) failures.push(what);
};

async function signUp() {
	const email = `u${serial++}@example.test`;
	const r = await ask("POST", "/auth/register", { body: { email, password } });
	if (r?.status === 201) {
		users.push(email);
		facts++;
	}
}

async function signIn() {
	const email = users[Math.floor(random() * users.length)];
	const r = await ask("POST", "/auth/login", { body: { email, password } });
	if (r?.status !== 200) return;
	sessions.push({ email, refresh: r.body.refreshToken, access: r.body.accessToken, name: null, asked: [] });
	facts++;
}

async function refresh(s) {
	const r = await ask("POST", "/auth/refresh", { body: { refreshToken: s.refresh } });
	if (r?.status !== 200) return r;
	s.refresh = r.body.refreshToken;
	s.access = r.body.accessToken;
	facts++;
	return r;
}

async function signOut(s) {
	s.leaving = true;
	const r = await ask("POST", "/auth/logout", { body: { refreshToken: s.refresh } });
	if (r?.status !== 200) return;
	s.gone = true;
	revoked.push(s.refresh);
	facts++;
}

// Names belong to the account, so only the newest acknowledged one and those asked for since may show.
const names = new Map(); // email → {acknowledged, asked: Set}
async function rename(s) {
	const state = names.get(s.email) ?? { acknowledged: null, asked: new Set() };
	names.set(s.email, state);
	if (state.busy) return;
	state.busy = true;
	const name = `N${serial++}`;
	state.asked.add(name);
	const r = await ask("PATCH", "/auth/profile", { body: { firstName: name }, token: s.access });
	if (r?.status === 200) {
		state.acknowledged = name;
		state.asked.clear();
		facts++;
	}
	state.busy = false;
}

let running = false;
async function client() {
	while (running) {
		const live = sessions.filter((s) => !s.gone && !s.leaving && !s.busy);
		const dice = random();
		if (dice < 0.05) await signUp();
		else if (live.length < 40 || dice < 0.1) await (users.length > 0 ? signIn() : signUp());
		else {
			const s = live[Math.floor(random() * live.length)];
			s.busy = true; // one request a session at a time, as our client advice says
			if (dice < 0.7) await refresh(s);
			else if (dice < 0.93) await rename(s);
			else await signOut(s);
			s.busy = false;
		}
	}
}

async function verify(round) {
	for (const email of users.slice(-60).concat(users.filter(() => random() < 0.2))) {
		const r = await ask("POST", "/auth/register", { body: { email, password } });
		expect(r?.status === 409, `round ${round}: account ${email} is lost (${r?.status})`);
	}
	for (const token of revoked.slice(-100)) {
		const r = await ask("POST", "/auth/refresh", { body: { refreshToken: token } });
		expect(r?.body?.code === "SESSION_REVOKED", `round ${round}: a revoked session answers ${r?.status}`);
	}
	for (const s of sessions.filter((x) => !x.gone)) {
		s.busy = false;
		if (s.leaving) { // asked to sign out, never answered: either is right, nothing else
			s.gone = true;
			continue;
		}
		const r = await refresh(s);
		expect(r?.status === 200, `round ${round}: session of ${s.email} answers ${r?.status} ${r?.body?.code}`);
		const me = await ask("GET", "/auth/me", { token: s.access });
		const state = names.get(s.email);
		const shown = me?.body?.firstName ?? null;
		expect(me?.status === 200 && me.body.email === s.email, `round ${round}: /me of ${s.email}: ${me?.status}`);
		if (state)
			expect(shown === state.acknowledged || state.asked.has(shown),
				`round ${round}: ${s.email} is called ${shown}, acknowledged ${state.acknowledged}`);
	}
	for (const [, state] of names) {
		state.busy = false;
	}
}

function integrity(round) {
	const r = spawnSync(binary, ["verify", "--data", dir], { env, encoding: "utf8" });
	expect(r.status === 0, `round ${round}: ${r.stdout}${r.stderr}`);
}

try {
	await start();
	for (let i = 0; i < 4; i++) await signUp();
	for (let round = 1; round <= kills; round++) {
		running = true;
		const clients = Array.from({ length: 24 }, client);
		await new Promise((resolve) => setTimeout(resolve, 50 + random() * 1450));
		running = false;
		await kill();
		await Promise.all(clients);
		integrity(round);
		slowestStart = Math.max(slowestStart, await start());
		await verify(round);
		if (failures.length > 20) break;
		if (sessions.length > 3000) sessions.splice(0, sessions.length - 200);
	}
	await kill();
} finally {
	server.kill("SIGKILL");
	rmSync(dir, { recursive: true, force: true });
}
for (const f of failures) console.log(`not ok: ${f}`);
console.log(`torture: ${kills} kills, ${facts} acknowledged facts, ${checks} checks, slowest start ${slowestStart} ms`);
console.log(`${checks - failures.length} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

// kill -9 while mails are queued and sent (REL-11): no acknowledged mail is lost, and a kill costs at most one
// duplicate for each thread that sends, under the Message-ID of the first.
//
//   node test/torture/outbox.mjs [--kills N] [--seed N] [--senders N] [--endpoint PATH]
//
// Clients post new addresses to an endpoint that mails each of them, against the real binary and a real SMTP
// server. At random moments the binary is killed and started again. In the end every address that was
// acknowledged must have got its mail.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SmtpSink } from "../lib/smtp_sink.mjs";

const option = (name, fallback) => {
	const i = process.argv.indexOf(`--${name}`);
	return i < 0 ? fallback : process.argv[i + 1];
};
const kills = Number(option("kills", 20));
const senders = Number(option("senders", 1));
const endpoint = option("endpoint", "/auth/register");
let seed = Number(option("seed", Date.now() % 1000000));
console.log(`torture: ${kills} kills, ${senders} senders, ${endpoint}, --seed ${seed}`);
const random = () => {
	seed = (seed * 1103515245 + 12345) % 2147483648;
	return seed / 2147483648;
};

const QUIET_MS = 90_000, ANSWER_MS = 30; // longer than the longest pause of the breaker
const build = process.env.BUILD_DIR ?? "build";
const binary = path.resolve(build, "sallyport");
const dir = mkdtempSync(path.join(tmpdir(), "sallyport-torture-"));
const sink = await SmtpSink.start();
let killing = true;
// Most kills shall fall between the arrival of a mail and the answer: the moment that makes duplicates.
const keep = sink.keep.bind(sink);
sink.keep = async (...mail) => {
	await keep(...mail);
	if (killing) await sleep(ANSWER_MS);
};
const env = {
	PATH: process.env.PATH,
	...sink.env,
	SALLYPORT_SERVER_PUBLIC_URL: "https://auth.example.test",
	SALLYPORT_MAIL_SENDERS: String(senders),
	SALLYPORT_LIMITS_ENABLED: "false",
	SALLYPORT_LOG_REQUESTS: "false",
	SALLYPORT_SERVER_OPS_LISTEN: "none",
	SALLYPORT_PASSWORD_MAX_WAIT: "60s",
};

// A kill in the middle of a mail: it did not arrive, and the sink goes on.
const onData = sink.onData.bind(sink);
sink.onData = (...mail) => onData(...mail).catch((e) => {
	if (e.code !== "ECONNECTION") throw e;
});

let server, port, agent;

async function start() {
	server = spawn(binary, ["serve", "--data", dir, "--listen", "127.0.0.1:0"], {
		env, stdio: ["ignore", "ignore", "pipe"],
	});
	let text = "";
	port = await new Promise((resolve, reject) => {
		server.stderr.on("data", (d) => {
			if (port === undefined || text.length < 100_000) text += d;
			const m = /"event":"ready".*?"listen":"127\.0\.0\.1:(\d+)"/.exec(text);
			if (m) resolve(Number(m[1]));
		});
		server.on("exit", () => reject(new Error(`the server did not start: ${text}`)));
	});
	agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
}

async function kill() {
	const gone = new Promise((resolve) => server.on("exit", resolve));
	server.kill("SIGKILL");
	await gone;
	agent.destroy();
}

// Resolves to the status; to null when the connection broke: then nothing was acknowledged.
function post(target, body) {
	return new Promise((resolve) => {
		const data = JSON.stringify(body);
		const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(data) };
		const req = http.request({ port, host: "127.0.0.1", agent, method: "POST", path: target, headers }, (res) => {
			res.resume();
			res.on("error", () => resolve(null));
			res.on("close", () => resolve(res.complete ? res.statusCode : null));
		});
		req.on("error", () => resolve(null));
		req.end(data);
	});
}

const acknowledged = [];
let serial = 0, running = false;

async function client() {
	while (running) {
		const email = `u${serial++}@example.test`;
		const status = await post(endpoint, { email, password: "correct horse battery" });
		if (status >= 200 && status < 300) acknowledged.push(email);
	}
}

const missing = () => {
	const got = new Set(sink.mails.flatMap((m) => m.envelope.to));
	return acknowledged.filter((email) => !got.has(email));
};

const failures = [];
const expect = (ok, what) => {
	if (!ok) failures.push(what);
};

try {
	await start();
	for (let round = 1; round <= kills; round++) {
		running = true;
		const clients = Array.from({ length: 24 }, client);
		await sleep(50 + random() * 1450);
		running = false;
		await kill();
		await Promise.all(clients);
		await start();
	}
	killing = false;
	let end = Date.now() + QUIET_MS, arrived = 0;
	while (missing().length > 0 && Date.now() < end) {
		if (sink.mails.length > arrived) end = Date.now() + QUIET_MS;
		arrived = sink.mails.length;
		await sleep(200);
	}
	expect(acknowledged.length > 0, "nothing was acknowledged: does the endpoint mail?");
	for (const email of missing().slice(0, 20)) expect(false, `the mail to ${email} is lost`);

	const copies = new Map();
	for (const m of sink.mails) copies.set(m.messageId, (copies.get(m.messageId) ?? 0) + 1);
	const duplicates = sink.mails.length - copies.size;
	const mailed = new Set(sink.mails.flatMap((m) => m.envelope.to));
	expect(duplicates <= kills * senders, `${duplicates} duplicates after ${kills} kills of ${senders} senders`);
	expect(mailed.size === copies.size, `${copies.size} Message-IDs for ${mailed.size} messages`);

	let left;
	do { // what was never acknowledged may still be on its way
		left = spawnSync(binary, ["outbox", "list", "--data", dir], { env, encoding: "utf8" });
		if (left.stdout !== "") await sleep(200);
	} while (left.stdout !== "" && Date.now() < end);
	expect(left.status === 0 && left.stdout === "", `the outbox still holds: ${left.stdout.slice(0, 2000)}${left.stderr}`);
	console.log(`torture: ${acknowledged.length} acknowledged, ${sink.mails.length} mails, ${duplicates} duplicates, ${kills} kills`);
	await kill();
} finally {
	server.kill("SIGKILL");
	await sink.close();
	rmSync(dir, { recursive: true, force: true });
}
for (const f of failures) console.log(`not ok: ${f}`);
console.log(failures.length === 0 ? "passed" : `${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

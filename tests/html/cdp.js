// SPDX-License-Identifier: GPL-2.0-only
// A browser without a window, driven through the DevTools protocol over a pipe: no port, no package.
"use strict";

const { spawn } = require("node:child_process");
const { mkdtempSync, rmSync } = require("node:fs");
const path = require("node:path");
const os = require("node:os");

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"];
const TIMEOUT = 60000; // ms that one answer may take, on a machine under load

class Browser {
	constructor() {
		this.profile = mkdtempSync(path.join(os.tmpdir(), "chromium."));
		this.waiting = new Map();
		this.listeners = [];
		this.next = 1;
		this.errors = "";
	}

	async start() {
		this.process = spawn("chromium", [...FLAGS, "--user-data-dir=" + this.profile, "about:blank"],
			{ stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
		this.ended = new Promise(resolve => {
			this.process.on("exit", code => resolve(`chromium ended with ${code}: ${this.errors.slice(-500)}`));
			this.process.on("error", error => resolve(`chromium cannot be started: ${error.message}`));
		});
		this.ended.then(why => {
			this.dead = why;
			for (const { reject } of this.waiting.values())
				reject(new Error(why));
		});
		this.process.stderr.on("data", data => { this.errors += data; });
		this.process.stdio[3].on("error", () => {});
		let rest = Buffer.alloc(0);
		this.process.stdio[4].on("data", data => {
			rest = Buffer.concat([rest, data]);
			for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1))
				this.receive(JSON.parse(rest.subarray(0, end).toString()));
		});
		const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
		const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
		this.session = sessionId;
	}

	receive(message) {
		const wait = this.waiting.get(message.id);
		if (message.method)
			for (const listener of this.listeners)
				listener(message.method, message.params);
		if (!wait)
			return;
		this.waiting.delete(message.id);
		clearTimeout(wait.timer);
		if (message.error)
			wait.reject(new Error(`${wait.method}: ${message.error.message}`));
		else
			wait.resolve(message.result);
	}

	send(method, params = {}) {
		const id = this.next++;
		return new Promise((resolve, reject) => {
			if (this.dead)
				return reject(new Error(this.dead));
			const timer = setTimeout(() => reject(new Error(`${method}: no answer within ${TIMEOUT / 1000} s`)), TIMEOUT);
			this.waiting.set(id, { resolve, reject, method, timer });
			this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId: this.session }) + "\0");
		});
	}

	// Resolves with the parameters of the next event that test() likes. Call before what causes it.
	event(method, test = () => true) {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`no ${method} within ${TIMEOUT / 1000} s`)), TIMEOUT);
			const listener = (name, params) => {
				if (name !== method || !test(params))
					return;
				clearTimeout(timer);
				this.listeners.splice(this.listeners.indexOf(listener), 1);
				resolve(params);
			};
			this.listeners.push(listener);
		});
	}

	// The value of an expression in the page. It may be a promise.
	async evaluate(expression) {
		const { result, exceptionDetails } = await this.send("Runtime.evaluate",
			{ expression, returnByValue: true, awaitPromise: true });
		if (exceptionDetails)
			throw new Error(`${expression}: ${exceptionDetails.exception?.description || exceptionDetails.text}`);
		return result.value;
	}

	// Until the expression is true in the page.
	async until(expression) {
		const deadline = Date.now() + TIMEOUT;
		while (!await this.evaluate(expression)) {
			if (Date.now() > deadline)
				return false;
			await new Promise(resolve => setTimeout(resolve, 20));
		}
		return true;
	}

	async stop() {
		if (!this.dead) {
			await this.send("Browser.close").catch(() => this.process.kill("SIGKILL"));
			await this.ended;
		}
		rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
	}
}

module.exports = { Browser };
